"""Who pays, and with which cards: known to us by the gateway's references only."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Card(models.Model):
    """A customer's saved card, known to us by the gateway's reference only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cards")
    gateway = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=100)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    is_default = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    # A charge it was held for failed for good: it is not asked again.
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner"], condition=models.Q(is_default=True), name="card_one_default"),
            models.UniqueConstraint(
                fields=["owner", "gateway", "gateway_ref"], condition=models.Q(removed_at=None), name="card_saved_once"
            ),
        ]
        ordering: ClassVar = ["-is_default", "added_at"]

    def __str__(self) -> str:
        return f"{self.brand} ending {self.last4}"


class GatewayCustomer(models.Model):
    """Who a payer is at a gateway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    gateway = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "gateway"], name="gateway_customer_once")]

    def __str__(self) -> str:
        return f"{self.owner} at {self.gateway}"
