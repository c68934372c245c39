"""Who may do what to what: one table, which views, sockets and the admin ask.

A rule looks at a person and a thing, and at nothing else: whether a request is still open, or an expert busy, is for the
journeys to say (`Refused`). What a thing must have for a rule is a protocol, so that rules about sessions and cards stand
here and import neither.

Operators are people with `is_staff`, in one of two groups (`Team`) whose rights stand in the same table; `operators.py`
keeps the groups in the database as they stand here. A superuser is an owner of the site and may do all that operators do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group
from django.http import Http404

from accounts import photos
from accounts.models import ExpertProfile, User
from accounts.sign_in.second_factor import lacks_second_factor

Person = User | AnonymousUser


class OfTwo(Protocol):
    """What belongs to a customer and, once there is one, an expert: a help session."""

    customer_id: UUID
    expert_id: UUID | None
    first_expert_id: UUID | None


class Owned(Protocol):
    """What belongs to one person: a card, a payout account."""

    owner_id: UUID


class Payment(Protocol):
    """What one person pays."""

    payer_id: UUID


class PartOfPayment(Protocol):
    """A hold."""

    payment: Payment


class Do(Enum):
    """What can be asked about. The thing it is done to is in brackets."""

    # Everybody
    SEE_OWN = auto()  # one's settings, phone, history, cards and receipts; each page shows what is the person's own
    USE_CARD = auto()  # (card)
    ANSWER_BANK = auto()  # (hold)
    SEE_PHOTO = auto()  # (person whose it is)
    # The two of a help session
    SEE_SESSION = auto()  # (session) what was said, written and sent in it
    TAKE_PART = auto()  # (session) call, chat, files, notes, pause, end, report
    ACT_AS_CUSTOMER = auto()  # (session) wait, cancel, extend, rate …
    ACT_AS_EXPERT = auto()  # (session) give back
    SEE_RECEIPT = auto()  # (session)
    # Experts
    USE_BOARD = auto()  # the board, and all that is set up for it
    OPEN_SESSION = auto()  # (session) its page; whether a request is for this expert, matching knows
    ACCEPT = auto()  # a request; which ones, matching knows
    PASS_ON = auto()  # (session)
    SEE_EARNINGS = auto()
    USE_PAYOUT_ACCOUNT = auto()  # (payout account)
    # Operators, in the admin
    SEE_ADMIN = auto()  # sessions and demand, with the chats and their files
    ANSWER_CASES = auto()
    CLOSE_REPORTS = auto()  # of people
    REFUND = auto()  # up to a limit: `refund_limit`
    REFUND_ANY_AMOUNT = auto()
    CHARGE_AGAIN = auto()
    LOOK_AT_PAYOUT_ACCOUNTS = auto()
    DECIDE_ON_EXPERTS = auto()
    SET_PRICES = auto()
    SUSPEND_PEOPLE = auto()  # (person)
    RESET_SECOND_FACTOR = auto()  # (person) for whoever lost the phone and the recovery codes
    EDIT_PEOPLE = auto()  # (person) name, operator or not, groups
    GIVE_GROUP = auto()  # (group)
    OWN = auto()  # passwords, addresses to sign in with, rights one by one, who else is an owner


class Team(StrEnum):
    """The groups of operators, by their names in the database."""

    SUPPORT = "Support"  # reads all, answers, gives back a little
    MANAGER = "Manager"  # does all that operators do


EVERY_TEAM = (Team.SUPPORT, Team.MANAGER)
MANAGERS = (Team.MANAGER,)
# The apps whose rows in the admin operators read; "account" is addresses. Second factors and sign-ins are not among them.
READ_BY_OPERATORS = frozenset({"accounts", "billing", "sessions_app", "admin", "account"})


def may(person: Person, do: Do, thing: Any = None) -> bool:
    """Return whether `person` may `do` this to `thing`. Nobody who is signed out, suspended or gone may do anything here."""
    return isinstance(person, User) and person.is_active and _RULES[do](person, thing)


def check(person: Person, do: Do, thing: Any = None) -> None:
    """Raise Http404 unless `person` may: whoever may not is not told that there is anything."""
    if not may(person, do, thing):
        raise Http404


def refund_limit(person: Person) -> int | None:
    """Return how much of one payment `person` may give back, in minor units of its currency; None: all of it.

    It is a limit for all together who have one: what others of them gave back of the payment counts.
    """
    if may(person, Do.REFUND_ANY_AMOUNT):
        return None
    return settings.SUPPORT_REFUND_LIMIT if may(person, Do.REFUND) else 0


def _is_there(person: User, thing: Any) -> bool:
    return True


def _is_customer(person: User, session: OfTwo) -> bool:
    return session.customer_id == person.pk


def _is_expert(person: User, session: OfTwo) -> bool:
    return session.expert_id == person.pk


def _takes_part(person: User, session: OfTwo) -> bool:
    return _is_customer(person, session) or _is_expert(person, session)


def _was_asked_first(person: User, session: OfTwo) -> bool:
    return session.first_expert_id == person.pk


def _owns(person: User, thing: Owned) -> bool:
    return thing.owner_id == person.pk


def _pays(person: User, hold: PartOfPayment) -> bool:
    return hold.payment.payer_id == person.pk


def _has_applied(person: User, thing: None) -> bool:
    return hasattr(person, "expert") and not lacks_second_factor(person)


def _is_approved(person: User, thing: Any) -> bool:
    return ExpertProfile.objects.approved().filter(user=person).exists() and not lacks_second_factor(person)


def _takes_part_or_has_applied(person: User, session: OfTwo) -> bool:
    return _takes_part(person, session) or _has_applied(person, None)


def _is_no_owner(operator: User, person: User | None) -> bool:
    return person is None or not person.is_superuser


def _is_no_operator(operator: User, person: User) -> bool:
    """An operator's account is as good as what they may do here: owners look after those."""
    return not person.is_staff


def _holds_all_of(operator: User, group: Group) -> bool:
    """Nobody gives a right that they do not have."""
    return operator.has_perms(
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in group.permissions.select_related("content_type")
    )


def _is_owner(person: User, thing: Any) -> bool:
    return person.is_staff and person.is_superuser


@dataclass(frozen=True)
class Operators:
    """A rule for operators: they hold all `needs`, which are permissions as Django names them and `teams` carry.

    `to`: what must be true of the operator and the thing besides; owners need it not.
    """

    teams: Iterable[Team]
    needs: tuple[str, ...]
    to: Callable[[User, Any], bool] = _is_there

    def __call__(self, person: User, thing: Any) -> bool:
        return person.is_staff and person.has_perms(self.needs) and (person.is_superuser or self.to(person, thing))


_RULES: dict[Do, Callable[[User, Any], bool]] = {
    Do.SEE_OWN: _is_there,
    Do.USE_CARD: _owns,
    Do.ANSWER_BANK: _pays,
    #
    Do.SEE_SESSION: _takes_part,
    Do.TAKE_PART: _takes_part,
    Do.ACT_AS_CUSTOMER: _is_customer,
    Do.ACT_AS_EXPERT: _is_expert,
    Do.SEE_RECEIPT: _is_customer,
    #
    Do.USE_BOARD: _has_applied,
    Do.OPEN_SESSION: _takes_part_or_has_applied,
    Do.ACCEPT: _is_approved,
    Do.PASS_ON: _was_asked_first,
    Do.SEE_EARNINGS: _has_applied,
    Do.USE_PAYOUT_ACCOUNT: _owns,
    #
    Do.SEE_ADMIN: Operators(EVERY_TEAM, ("sessions_app.view_helpsession",)),
    Do.ANSWER_CASES: Operators(EVERY_TEAM, ("sessions_app.view_case", "sessions_app.change_case")),
    Do.CLOSE_REPORTS: Operators(EVERY_TEAM, ("sessions_app.view_personreport", "sessions_app.change_personreport")),
    Do.REFUND: Operators(EVERY_TEAM, ("billing.view_payment", "billing.add_refund")),
    Do.REFUND_ANY_AMOUNT: Operators(MANAGERS, ("billing.view_payment", "billing.add_refund", "billing.change_refund")),
    Do.CHARGE_AGAIN: Operators(MANAGERS, ("billing.view_payment", "billing.change_payment")),
    Do.LOOK_AT_PAYOUT_ACCOUNTS: Operators(MANAGERS, ("billing.view_payoutaccount", "billing.change_payoutaccount")),
    Do.DECIDE_ON_EXPERTS: Operators(MANAGERS, ("accounts.change_expertprofile", "accounts.change_experttopic")),
    Do.SET_PRICES: Operators(MANAGERS, ("accounts.add_topic", "accounts.change_topic")),
    Do.SUSPEND_PEOPLE: Operators(MANAGERS, ("accounts.add_suspension", "accounts.change_suspension"), to=_is_no_owner),
    Do.RESET_SECOND_FACTOR: Operators(MANAGERS, ("accounts.change_user",), to=_is_no_operator),
    Do.EDIT_PEOPLE: Operators(MANAGERS, ("accounts.view_user", "accounts.change_user"), to=_is_no_owner),
    Do.GIVE_GROUP: Operators(MANAGERS, ("accounts.change_user",), to=_holds_all_of),
    Do.OWN: _is_owner,
    Do.SEE_PHOTO: photos.may_see,
}


def rights_of(team: Team) -> frozenset[str]:
    """Return the permissions that the table's rules for `team` need, besides reading."""
    rules = [rule for rule in _RULES.values() if isinstance(rule, Operators) and team in rule.teams]
    return frozenset(need for rule in rules for need in rule.needs)
