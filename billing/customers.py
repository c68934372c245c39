"""Who a payer is at a gateway."""

from django.db import IntegrityError, transaction

from accounts.models import User
from billing.gateways import gateway
from billing.keys import key_with
from billing.models import GatewayCustomer


def customer_ref(*, owner: User, gateway_name: str) -> str:
    """Return the gateway's name for `owner`, made there the first time.

    Raises:
        GatewayError: the gateway could not be asked.
    """
    known = GatewayCustomer.objects.filter(owner=owner, gateway=gateway_name).first()
    if known is not None:
        return known.gateway_ref
    key = key_with(f"customer:{owner.pk}", owner.email, str(owner))
    ref = gateway(gateway_name).customer(key=key, email=owner.email, name=str(owner))
    if not ref:
        return ""
    try:
        with transaction.atomic():
            return GatewayCustomer.objects.create(owner=owner, gateway=gateway_name, gateway_ref=ref).gateway_ref
    except IntegrityError:  # another tab was quicker: its name for the payer counts
        return GatewayCustomer.objects.get(owner=owner, gateway=gateway_name).gateway_ref


def owner_of(*, ref: str, gateway_name: str) -> User | None:
    """Return whose customer `ref` is, or None where we do not know it."""
    known = GatewayCustomer.objects.filter(gateway=gateway_name, gateway_ref=ref).select_related("owner").first()
    return known.owner if known is not None else None
