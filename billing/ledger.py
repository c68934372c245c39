"""The ledger: append-only postings, each summing to zero, from which balances are read."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import QuerySet, Sum

from accounts.models import User
from billing.models import Payment, Posting
from hopps.rows.text import Row


def post(
    *,
    key: str,
    kind: Posting.Kind,
    currency: str,
    payment: Payment | None = None,
    customer_user: User | None = None,
    expert_user: User | None = None,
    customer: int = 0,
    expert: int = 0,
    platform: int = 0,
    processor: int = 0,
) -> Posting:
    """Write one posting, once: the same key again returns the one that is there.

    Args:
        key: names what the posting is for, such as `charge:<payment id>`.
        customer, expert, platform, processor: what each gained (+) or gave (−), in minor units of `currency`.

    Raises:
        ValueError: it does not sum to zero, or the key was used for other amounts.
    """
    amounts = (customer, expert, platform, processor)
    if sum(amounts):
        raise ValueError(f"Posting {key} does not sum to zero: {amounts}.")
    posting, _ = Posting.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "currency": currency,
            "payment": payment,
            "customer_user": customer_user,
            "expert_user": expert_user,
            "customer": customer,
            "expert": expert,
            "platform": platform,
            "processor": processor,
        },
    )
    if (posting.customer, posting.expert, posting.platform, posting.processor) != amounts or posting.currency != currency:
        raise ValueError(f"Posting {key} exists with other amounts.")
    return posting


def postings_of(user: User) -> QuerySet[Posting]:
    """Return what `user` earned, gave back and was paid out as an expert, newest first."""
    return Posting.objects.filter(expert_user=user).select_related("payment")


def shares_left(payment: Payment) -> tuple[int, int]:
    """Return what the expert and the platform still have of a payment, in minor units."""
    sums = payment.postings.order_by().aggregate(expert=Sum("expert"), platform=Sum("platform"))
    return sums["expert"] or 0, sums["platform"] or 0


def balance(user: User) -> dict[str, int]:
    """Return what we owe `user` as an expert: minor units by currency. Below zero after a refund of money paid out."""
    return balances([user.pk]).get(user.pk, {})


def balances(user_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Return the balance of each of these users who has entries, read at once."""
    sums = Posting.objects.filter(expert_user__in=list(user_ids)).order_by().values("expert_user_id", "currency")
    found: dict[UUID, dict[str, int]] = {}
    for row in sums.annotate(total=Sum("expert")).order_by("currency"):
        found.setdefault(row["expert_user_id"], {})[row["currency"]] = row["total"]
    return found


def addends(row: Row) -> Iterator[tuple[str, int]]:
    """Yield what a posting adds to the sums that every backup and every copy of the database must keep: minor units."""
    for account in ("customer", "expert", "platform", "processor"):
        yield f"ledger {row['currency']} {account}", row[account]
