"""Reaching experts who have no board open: whom, by which way, when, and never twice (DESIGN §4)."""
