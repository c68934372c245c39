"""How people sign in: second steps, providers, devices, and guessing made slow. The ways themselves are allauth's."""
