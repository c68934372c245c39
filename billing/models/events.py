"""What gateways told us."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone


class GatewayEvent(models.Model):
    """What a gateway told us by webhook, kept as it came. The unique id decides between two deliveries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gateway = models.CharField(max_length=10)
    event_id = models.CharField(max_length=100)
    type = models.CharField(max_length=80)
    payload = models.JSONField()
    # What it is about: what of ours may have changed, its name at the gateway, our key where the event names it.
    subject = models.CharField(max_length=20)
    ref = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=100, blank=True)
    customer_ref = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["gateway", "event_id"], name="gateway_event_once")]
        indexes: ClassVar = [models.Index(fields=["handled_at", "received_at"], name="gateway_event_open")]
        ordering: ClassVar = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
