"""What is about money when a person deletes their account: what must be settled first, and what goes."""

from datetime import UTC

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.erasing import REMOVED, forget_in_log
from accounts.models import User
from billing.gateways import gateway
from billing.gateways.base import GatewayRefused
from billing.models import Card, Dispute, Hold, Payment, Payout, PayoutAccount, Refund
from billing.payouts import next_payout, standings
from hopps.money import format_money

UNPAID = "{amount} for “{title}” is not paid yet. Try again when it is; if it stays so, write to us."
ON_ITS_WAY = "A refund is on its way to your card. Try again in a few days, when it has arrived."
LOOKED_AT = "One of your sessions is still being looked at. Try again in some days, or write to us."
BEING_PAID = "A payout is on its way to you. Try again in a few days, when it has arrived."
OWED = (
    "You are owed {amount}. It is paid out on a Monday, next on {day}, once your payout account is ready and problems can "
    "no longer be reported. Delete your account after that."
)
TOO_LITTLE = "You are owed {amount}, less than what we pay out by itself. Write to us, and we pay it before you go."
OWES = "{amount} that was given back to a customer was paid out to you before. Write to us, and we settle it before you go."


def objection(user: User) -> str | None:
    """Return what about money keeps `user` from deleting the account yet, as a sentence; None where nothing does."""
    unpaid = Payment.objects.filter(payer=user, state__in=(Payment.State.CAPTURING, Payment.State.FAILED)).first()
    if unpaid is not None:
        missing = format_money((unpaid.due_minor or 0) - unpaid.charged_minor, unpaid.currency)
        return UNPAID.format(amount=missing, title=unpaid.description)
    if Refund.objects.filter(payment__payer=user, state=Refund.State.PENDING).exists():
        return ON_ITS_WAY
    disputes = Dispute.objects.filter(state__in=(*Dispute.OPEN, Dispute.State.INQUIRY))
    if disputes.filter(Q(payment__payer=user) | Q(payment__payee=user)).exists():
        return LOOKED_AT
    if Payment.objects.filter(payee=user, kept_back=True).exists():
        return LOOKED_AT
    return _owed(user)


def _owed(user: User) -> str | None:
    if Payout.objects.filter(expert=user, state=Payout.State.PENDING).exists():
        return BEING_PAID
    now = timezone.now()
    for standing in standings(user, now):
        amount = format_money(abs(standing.balance_minor), standing.currency)
        if standing.balance_minor < 0:
            return OWES.format(amount=amount)
        if 0 < standing.balance_minor < settings.PAYOUT_MINIMUM:
            return TOO_LITTLE.format(amount=amount)
        if standing.balance_minor > 0:
            return OWED.format(amount=amount, day=f"{next_payout(now).astimezone(UTC):%-d %B}")
    return None


def remove(user: User) -> None:
    """Take the cards of an erased person away, here and at their gateways. What was paid, and with which card, stays.

    Raises:
        GatewayUnavailable: a processor does not answer; to be called again.
    """
    Card.objects.filter(owner=user, removed_at=None).update(removed_at=timezone.now(), is_default=False)
    for card in Card.objects.filter(owner=user):
        try:
            gateway(card.gateway).remove_card(card_ref=card.gateway_ref)
        except GatewayRefused:
            continue  # it knows no such card: there is nothing to forget
    forget_in_log(PayoutAccount.objects.filter(owner=user).values_list("pk", flat=True))
    # Where nothing was charged there is nothing to keep: not what the request was about, either.
    nothing = Payment.objects.filter(payer=user, state=Payment.State.RELEASED, charged_minor=0)
    forget_in_log(nothing.values_list("pk", flat=True), instead=REMOVED)
    for payment_id in list(nothing.exclude(description=REMOVED).values_list("pk", flat=True)):
        Hold.objects.filter(payment=payment_id).update(description=REMOVED)
        Payment.objects.filter(pk=payment_id).update(description=REMOVED)
