"""What /metrics says, and to whom."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from pytest_django import Settings

from accounts.metrics import people
from accounts.models import Message, Topic, User
from billing import capture, refund
from billing.metrics import money
from billing.models import Payment
from hopps.metrics import FRESH_SECONDS, Figures
from sessions_app.cancel import cancel
from sessions_app.metrics import sessions
from tests.people import make_accepted, make_request

pytestmark = pytest.mark.django_db


def figures(read: Iterable[Metric]) -> dict[str, float]:
    """Return figures by name and the values of their labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value for family in read for sample in family.samples
    }
