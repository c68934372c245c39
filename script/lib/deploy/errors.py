"""What ends a deploy early."""


class Refused(Exception):
    """It was not begun. The message says why, and what to do."""


class Failed(Exception):
    """A step did not do what it is for. The message holds what was said."""


class Interrupted(Exception):
    """The deploy was told to stop (SIGINT, SIGTERM or SIGHUP)."""


def sentence(problem: OSError) -> str:
    """Return what the operating system refused as a sentence: "No space left on device."."""
    of = f" ({problem.filename})" if problem.filename else ""
    return f"{problem.strerror or problem}{of}."
