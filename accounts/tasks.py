"""huey finds the jobs about people by this module's name."""

from accounts import jobs  # noqa: F401  the worker must know its tasks
