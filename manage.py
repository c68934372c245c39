#!/usr/bin/env python
"""Django's command line for Hopps."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as problem:
        # Out of reach, mostly: where in Django that was noticed helps nobody, unless they ask for it.
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database gives no answer that can be used: {str(problem).strip()}")
