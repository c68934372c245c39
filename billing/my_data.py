"""What billing has about a person. No names of a gateway's: they would be of no use to anybody but a thief."""

from collections.abc import Iterator

from accounts.models import User
from accounts.my_data import Row, Table
from accounts.my_data_tables import values
from billing.models import Card, Dispute, Hold, Payment, Payout, Posting, Refund


def _cards(user: User) -> Iterator[Row]:
    return values(Card.objects.filter(owner=user), "brand", "last4", "is_default", "added_at", "removed_at")


def _payments(user: User) -> Iterator[Row]:
    columns = (
        "reference", "description", "currency", "state", "charged_minor", "refunded_minor", "tax_name", "created_at",
        "closed_at",
    )  # fmt: skip
    return values(Payment.objects.filter(payer=user), *columns)


def _holds(user: User) -> Iterator[Row]:
    columns = (
        "payment__reference", "card__brand", "card__last4", "amount_minor", "captured_minor", "payment__currency", "state",
        "created_at",
    )  # fmt: skip
    return values(Hold.objects.filter(payment__payer=user), *columns)


def _refunds(user: User) -> Iterator[Row]:
    columns = ("payment__reference", "amount_minor", "payment__currency", "reason", "state", "created_at")
    return values(Refund.objects.filter(payment__payer=user), *columns)


def _disputes(user: User) -> Iterator[Row]:
    columns = ("payment__reference", "amount_minor", "payment__currency", "reason", "state", "opened_at", "closed_at")
    return values(Dispute.objects.filter(payment__payer=user), *columns)


def _earnings(user: User) -> Iterator[Row]:
    columns = ("payment__reference", "kind", "expert", "currency", "posted_at")
    return values(Posting.objects.filter(expert_user=user), *columns)


def _payouts(user: User) -> Iterator[Row]:
    columns = ("period", "amount_minor", "reversed_minor", "currency", "state", "created_at")
    return values(Payout.objects.filter(expert=user), *columns)


TABLES = (
    Table("cards", ("brand", "last4", "default", "added_at", "removed_at"), _cards),
    Table(
        "payments",
        (
            "session", "for", "currency", "state", "charged_minor", "refunded_minor", "tax", "created_at", "closed_at",
        ),
        _payments,
    ),
    Table(
        "holds",
        ("session", "brand", "last4", "amount_minor", "captured_minor", "currency", "state", "created_at"),
        _holds,
    ),
    Table("refunds", ("session", "amount_minor", "currency", "reason", "state", "at"), _refunds),
    Table("disputes", ("session", "amount_minor", "currency", "reason", "state", "opened_at", "closed_at"), _disputes),
    Table("earnings", ("session", "kind", "your_part_minor", "currency", "at"), _earnings),
    Table("payouts", ("week", "amount_minor", "reversed_minor", "currency", "state", "at"), _payouts),
)  # fmt: skip
