"""`manage.py run_huey`: the job worker, where it is a process of its own (REDIS_URL)."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.module_loading import autodiscover_modules
from huey.contrib.djhuey import HUEY

from hopps.jobs import JobWorker


class Command(BaseCommand):
    help = "Does the jobs until it is told to stop (SIGTERM or Ctrl-C); those under way end first."

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("tasks")
        JobWorker(HUEY).run()
