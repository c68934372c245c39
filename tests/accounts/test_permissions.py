"""The table of who may do what, read as sentences. Whether each page and socket asks it is shown where they are tested."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.http import Http404
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts import deciding
from accounts.models import User
from accounts.permissions import _RULES, Do, Operators, Team, check, may, refund_limit, rights_of
from tests.people import make_operator

pytestmark = pytest.mark.django_db


@dataclass
class Session:
    """As much of a help session as the table asks about."""

    customer_id: UUID
    expert_id: UUID | None = None
    first_expert_id: UUID | None = None


@dataclass
class Thing:
    owner_id: UUID


@dataclass
class Paid:
    payer_id: UUID


@dataclass
class Hold:
    payment: Paid


def allowed(do: Do, thing: object, people: dict[str, Any]) -> set[str]:
    """Return the names of those of `people` who may."""
    return {name for name, person in people.items() if may(person, do, thing)}


@pytest.fixture
def people(alice: User, bob: User, eve: User, erin: User, sam: User, mona: User, nora: User, olga: User) -> dict[str, Any]:
    everybody = (alice, bob, eve, erin, sam, mona, nora, olga)
    return {"a visitor": AnonymousUser()} | {str(person).lower(): person for person in everybody}


SIGNED_IN = {"alice", "bob", "eve", "erin", "sam", "mona", "nora", "olga"}
EXPERTS = {"eve", "erin"}
SUPPORT = {"sam", "mona", "olga"}
MANAGERS = {"mona", "olga"}


@pytest.mark.parametrize(
    ("do", "who"),
    [
        (Do.SEE_SESSION, {"alice", "eve"}),
        (Do.TAKE_PART, {"alice", "eve"}),
        (Do.ACT_AS_CUSTOMER, {"alice"}),
        (Do.ACT_AS_EXPERT, {"eve"}),
        (Do.SEE_RECEIPT, {"alice"}),
        (Do.PASS_ON, {"erin"}),
        (Do.OPEN_SESSION, {"alice", "eve", "erin"}),
    ],
)
def test_what_a_help_session_is_for_whom(people: dict[str, Any], do: Do, who: set[str]) -> None:
    alices = Session(people["alice"].pk, expert_id=people["eve"].pk, first_expert_id=people["erin"].pk)
    assert allowed(do, alices, people) == who


def test_a_request_nobody_took_is_its_customers_alone(people: dict[str, Any]) -> None:
    waiting = Session(people["alice"].pk)
    for do in (Do.SEE_SESSION, Do.TAKE_PART, Do.ACT_AS_CUSTOMER, Do.SEE_RECEIPT):
        assert allowed(do, waiting, people) == {"alice"}
    for do in (Do.ACT_AS_EXPERT, Do.PASS_ON):
        assert allowed(do, waiting, people) == set()


@pytest.mark.parametrize(
    ("do", "thing"),
    [
        (Do.USE_CARD, lambda alice: Thing(alice.pk)),
        (Do.USE_PAYOUT_ACCOUNT, lambda alice: Thing(alice.pk)),
        (Do.ANSWER_BANK, lambda alice: Hold(Paid(alice.pk))),
    ],
)
def test_what_one_person_owns_is_for_nobody_else_and_for_no_operator(
    people: dict[str, Any], do: Do, thing: Callable[[User], object]
) -> None:
    assert allowed(do, thing(people["alice"]), people) == {"alice"}


@pytest.mark.parametrize(
    ("do", "who"),
    [
        (Do.SEE_OWN, SIGNED_IN),
        (Do.USE_BOARD, EXPERTS),
        (Do.ACCEPT, EXPERTS),
        (Do.SEE_EARNINGS, EXPERTS),
        (Do.SEE_ADMIN, SUPPORT),
        (Do.ANSWER_CASES, SUPPORT),
        (Do.REFUND, SUPPORT),
        (Do.REFUND_ANY_AMOUNT, MANAGERS),
        (Do.CHARGE_AGAIN, MANAGERS),
        (Do.LOOK_AT_PAYOUT_ACCOUNTS, MANAGERS),
        (Do.DECIDE_ON_EXPERTS, MANAGERS),
        (Do.SET_PRICES, MANAGERS),
        (Do.SUSPEND_PEOPLE, MANAGERS),
        (Do.EDIT_PEOPLE, MANAGERS),
        (Do.OWN, {"olga"}),
    ],
)
def test_what_takes_no_thing_is_for_whom(people: dict[str, Any], do: Do, who: set[str]) -> None:
    assert allowed(do, None, people) == who


@pytest.mark.parametrize("do", [Do.EDIT_PEOPLE, Do.SUSPEND_PEOPLE])
def test_an_owner_of_the_site_is_changed_by_owners_alone(people: dict[str, Any], do: Do) -> None:
    assert allowed(do, people["alice"], people) == MANAGERS
    assert allowed(do, people["olga"], people) == {"olga"}


def test_nobody_gives_a_group_with_a_right_they_do_not_have(people: dict[str, Any]) -> None:
    for team in Team:
        assert allowed(Do.GIVE_GROUP, Group.objects.get(name=team), people) == MANAGERS
    engineers = Group.objects.create(name="Engineers")
    engineers.permissions.add(Permission.objects.get(codename="delete_session"))
    assert allowed(Do.GIVE_GROUP, engineers, people) == {"olga"}


def test_the_table_has_a_rule_for_everything_that_can_be_asked(people: dict[str, Any]) -> None:
    assert set(_RULES) == set(Do)


def test_who_is_inactive_may_nothing(people: dict[str, Any]) -> None:
    alice, sam, olga = people["alice"], people["sam"], people["olga"]
    User.objects.update(is_active=False)
    for person in (alice, sam, olga):
        person.refresh_from_db()
    for do in Do:
        if do is not Do.GIVE_GROUP:
            things = {Do.USE_CARD: Thing(alice.pk), Do.ANSWER_BANK: Hold(Paid(alice.pk))}
            thing = things.get(do, Session(alice.pk, alice.pk, alice.pk))
            assert not any(may(person, do, thing) for person in (alice, sam, olga)), do


def test_who_may_not_is_told_that_there_is_nothing(alice: User, bob: User) -> None:
    check(alice, Do.USE_CARD, Thing(alice.pk))
    for stranger in (bob, AnonymousUser()):
        with pytest.raises(Http404):
            check(stranger, Do.USE_CARD, Thing(alice.pk))


def test_a_suspended_expert_keeps_the_board_and_the_earnings_and_accepts_nothing(eve: User) -> None:
    deciding.suspend(expert=eve.expert)
    suspended = User.objects.get(pk=eve.pk)
    assert may(suspended, Do.USE_BOARD)
    assert may(suspended, Do.SEE_EARNINGS)
    assert not may(suspended, Do.ACCEPT)


def test_rights_of_somebody_who_is_no_operator_any_more_are_none(sam: User, mona: User, olga: User) -> None:
    User.objects.update(is_staff=False)
    of_operators = {do for do, rule in _RULES.items() if isinstance(rule, Operators)} - {Do.GIVE_GROUP} | {Do.OWN}
    for person in (sam, mona, olga):
        was = User.objects.get(pk=person.pk)  # still in the group, or an owner
        assert not any(may(was, do) for do in of_operators)


def test_how_much_of_a_payment_one_may_give_back(settings: Settings, people: dict[str, Any]) -> None:
    settings.SUPPORT_REFUND_LIMIT = 1234
    limits = {name: refund_limit(person) for name, person in people.items()}
    assert {name for name, limit in limits.items() if limit is None} == MANAGERS
    assert {name for name, limit in limits.items() if limit} == {"sam"}
    assert limits["sam"] == 1234


# --- the groups in the database ---


def held_by(team: Team) -> set[str]:
    group = Group.objects.get(name=team)
    return {f"{row.content_type.app_label}.{row.codename}" for row in group.permissions.select_related("content_type")}


def test_support_changes_nothing_but_answers_and_its_own_refunds() -> None:
    changes = {right for right in held_by(Team.SUPPORT) if not right.split(".")[1].startswith("view_")}
    assert changes == {"billing.add_refund", "sessions_app.change_case", "sessions_app.change_personreport"}


def test_no_team_reads_or_changes_how_people_sign_in_or_what_groups_may() -> None:
    for team in Team:
        apps = {right.split(".")[0] for right in held_by(team)}
        assert apps.isdisjoint({"auth", "mfa", "socialaccount", "usersessions", "sessions", "contenttypes"})
        assert not any(right.split(".")[1].startswith("delete_") for right in held_by(team))
        assert {right for right in held_by(team) if right.startswith(("account.", "admin."))} == {
            "account.view_emailaddress", "account.view_emailconfirmation", "admin.view_logentry",
        }  # fmt: skip


def test_managers_hold_all_that_support_holds() -> None:
    assert held_by(Team.SUPPORT) < held_by(Team.MANAGER)


def test_migrating_puts_the_teams_right_again_and_leaves_people_and_other_groups_alone(sam: User) -> None:
    before = {team: held_by(team) for team in Team}
    support = Group.objects.get(name=Team.SUPPORT)
    support.permissions.add(Permission.objects.get(codename="change_user"))
    support.permissions.remove(Permission.objects.get(codename="change_case"))
    Group.objects.get(name=Team.MANAGER).permissions.clear()
    engineers = Group.objects.create(name="Engineers")
    engineers.permissions.add(Permission.objects.get(codename="change_user"))
    sam.groups.add(engineers)

    for _ in range(2):
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
    assert {team: held_by(team) for team in Team} == before
    assert set(sam.groups.values_list("name", flat=True)) == {"Support", "Engineers"}
    assert engineers.permissions.count() == 1


def test_every_right_of_the_table_is_one_that_the_database_knows() -> None:
    known = {f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.select_related("content_type")}
    for team in Team:
        assert rights_of(team) <= known


# --- the views ---

# Other people's pages: allauth has its own rules, the admin's are in tests/test_operators.py.
NOT_OURS = ("allauth.", "django.contrib.admin.", "django.views.")


def views_of(resolver: URLResolver) -> list[Any]:
    found: list[Any] = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            found.append(pattern.callback)
        elif pattern.namespace != "admin":
            found += views_of(pattern)
    return found


def test_every_view_of_ours_says_who_may() -> None:
    ours = [view for view in views_of(get_resolver()) if not view.__module__.startswith(NOT_OURS)]
    assert len(ours) > 60
    silent = sorted(f"{view.__module__}.{view.__name__}" for view in ours if not hasattr(view, "asks"))
    assert not silent, f"Put @allowed(Do.…) or @for_everybody above: {silent}"


def test_an_operator_is_made_of_a_person_and_a_group() -> None:
    both = make_operator("tom@example.org", "Tom", Team.SUPPORT, Team.MANAGER)
    assert refund_limit(both) is None
