"""The admin's pages and buttons against every kind of operator: one table; and nobody gets more rights than they were given.

Nora is an operator in no group, Sam is in Support, Mona in Manager, Olga owns the site.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver, reverse

from accounts.models import Message, Topic, User
from accounts.permissions import Team
from billing import refund
from billing.capture import capture
from billing.models import DemoAccount, DemoIntent, DemoTransfer, Dispute, GatewayEvent, Payment, Payout, PayoutAccount
from billing.payout_accounts import open_account
from sessions_app import cases, files, person_reports
from sessions_app.models import HelpSession, PersonReport
from tests.people import (
    PASSWORD,
    alice,
    bob,
    erin,
    eve,
    make_active,
    make_operator,
    make_person,
    make_request,
    mona,
    nora,
    olga,
    sam,
    topic,
)
from tests.taking_back import taken_back

__all__ = ["alice", "bob", "erin", "eve", "mona", "nora", "olga", "sam", "topic"]

pytestmark = pytest.mark.django_db

KINDS = ("visitor", "alice", "eve", "nora", "sam", "mona", "olga")


class Row(NamedTuple):
    """A method, a page of the admin, and what Nora, Sam, Mona and Olga get; whoever is no operator goes to sign-in."""

    method: str
    name: str
    statuses: tuple[int, int, int, int]
    of: str = ""
    """Whose page: the key of `things`."""
    data: dict[str, str] = {}


TABLE = [
    #                                                nora  sam  mona olga
    Row("get",  "index",                            (200, 200, 200, 200)),
    Row("get",  "app_list",                         (404, 200, 200, 200), "app"),
    Row("get",  "jsi18n",                           (200, 200, 200, 200)),
    Row("get",  "autocomplete",                     (403, 403, 403, 403)),
    Row("get",  "view_on_site",                     (404, 404, 404, 404), "no_page"),
    Row("get",  "password_change",                  (302, 302, 302, 302)),
    Row("get",  "password_change_done",             (200, 200, 200, 200)),
    Row("get",  "accounts_user_change",             (403, 200, 200, 200), "bob"),
    Row("post", "accounts_user_change",             (403, 403, 200, 200), "bob"),
    Row("get",  "accounts_user_change",             (403, 200, 200, 200), "olga"),
    Row("post", "accounts_user_change",             (403, 403, 403, 200), "olga"),
    Row("get",  "accounts_user_history",            (403, 200, 200, 200), "bob"),
    Row("get",  "accounts_user_add",                (403, 403, 403, 200)),
    Row("post", "accounts_user_add",                (403, 403, 403, 200)),
    Row("get",  "accounts_user_delete",             (403, 403, 403, 403), "bob"),
    Row("get",  "auth_user_password_change",        (403, 403, 403, 200), "bob"),
    Row("post", "auth_user_password_change",        (403, 403, 403, 200), "bob"),
    Row("post", "auth_user_password_change",        (403, 403, 403, 200), "olga"),
    Row("get",  "auth_group_change",                (403, 403, 403, 200), "group"),
    Row("post", "auth_group_change",                (403, 403, 403, 200), "group"),
    Row("get",  "auth_group_add",                   (403, 403, 403, 200)),
    Row("get",  "account_emailaddress_change",      (403, 200, 200, 200), "address"),
    Row("post", "account_emailaddress_change",      (403, 403, 403, 403), "address"),
    Row("get",  "accounts_topic_change",            (403, 200, 200, 200), "topic"),
    Row("post", "accounts_topic_change",            (403, 403, 200, 200), "topic"),
    Row("get",  "accounts_topic_add",               (403, 403, 200, 200)),
    Row("get",  "accounts_topic_delete",            (403, 403, 403, 200), "topic"),
    Row("get",  "accounts_expertprofile_change",    (403, 200, 200, 200), "expert"),
    Row("post", "accounts_expertprofile_change",    (403, 403, 200, 200), "expert"),
    Row("get",  "admin_logentry_change",            (403, 200, 200, 200), "entry"),
    Row("post", "admin_logentry_change",            (403, 403, 403, 403), "entry", {"change_message": "nothing"}),
    Row("post", "admin_logentry_delete",            (403, 403, 403, 403), "entry", {"post": "yes"}),
    Row("get",  "admin_logentry_add",               (403, 403, 403, 403)),
    Row("get",  "sessions_app_helpsession_change",  (403, 200, 200, 200), "session"),
    Row("post", "sessions_app_helpsession_change",  (403, 403, 403, 403), "session"),
    Row("get",  "sessions_app_helpsession_file",    (403, 200, 200, 200), "file"),
    Row("get",  "sessions_app_helpsession_demand",  (403, 200, 200, 200)),
    Row("get",  "sessions_app_case_change",         (403, 200, 200, 200), "case"),
    Row("post", "sessions_app_case_change",         (403, 302, 302, 302), "case", {"do": "refuse", "answer": "Sorry."}),
    Row("get",  "billing_payment_change",           (403, 200, 200, 200), "charged"),
    Row("get",  "accounts_user_suspend",            (403, 403, 200, 200), "bob"),
    Row("post", "accounts_user_suspend",            (403, 403, 302, 302), "bob", {"reason": "Rude."}),
    Row("post", "accounts_user_suspend",            (403, 403, 403, 403), "olga", {"reason": "Rude."}),
    Row("get",  "accounts_user_lift",               (403, 403, 200, 200), "bob"),
    Row("post", "accounts_user_lift",               (403, 403, 403, 403), "olga"),
    Row("get",  "accounts_user_second_step",        (403, 403, 200, 200), "bob"),
    Row("post", "accounts_user_second_step",        (403, 403, 302, 302), "bob"),
    Row("post", "accounts_user_second_step",        (403, 403, 403, 302), "olga"),
    Row("post", "billing_payment_change",           (403, 403, 403, 403), "charged"),
    Row("get",  "billing_payment_refund",           (403, 200, 200, 200), "charged"),
    Row("post", "billing_payment_refund",           (403, 302, 302, 302), "charged", {"amount": "50", "reason": "r"}),
    Row("post", "billing_payment_refund",           (403, 422, 302, 302), "charged", {"amount": "50.01", "reason": "r"}),
    Row("post", "billing_payment_retry",            (403, 403, 302, 302), "refused"),
    Row("get",  "billing_dispute_change",           (403, 200, 200, 200), "dispute"),
    Row("post", "billing_dispute_change",           (403, 403, 403, 403), "dispute"),
    Row("get",  "billing_payoutaccount_change",     (403, 200, 200, 200), "account"),
]  # fmt: skip

# The way in, which is the site's own (test_addresses.py), and out.
FOR_ANYBODY = {"login", "logout"}
ALL = {"sam", "mona", "olga"}
MANAGERS = {"mona", "olga"}


class Rights(NamedTuple):
    """Who of the operators does what to the rows of a table, by the admin's own five pages."""

    read: set[str] = ALL
    add: set[str] = set()
    change: set[str] = set()
    delete: set[str] = set()


# Rows that rules write are read, and nothing else.
READ = Rights()
RIGHTS = {
    "accounts.User": Rights(add={"olga"}, change=MANAGERS),
    "accounts.Topic": Rights(add=MANAGERS, change=MANAGERS, delete={"olga"}),
    "accounts.ExpertProfile": Rights(change=MANAGERS),
    "accounts.Message": READ,
    "account.EmailAddress": READ,
    "admin.LogEntry": READ,
    "auth.Group": Rights(read={"olga"}, add={"olga"}, change={"olga"}, delete={"olga"}),
    "sessions_app.HelpSession": READ,
    "sessions_app.Case": Rights(change=ALL),
    "sessions_app.PersonReport": Rights(change=ALL),
    "billing.Payment": READ,
    "billing.Card": READ,
    "billing.Refund": READ,
    "billing.Posting": READ,
    "billing.DemoIntent": READ,
    "billing.DemoRefund": READ,
    "billing.DemoTransfer": READ,
    "billing.GatewayEvent": READ,
    "billing.Dispute": READ,
    "billing.PayoutAccount": READ,
    "billing.Payout": READ,
}
# The buttons above a list.
BUTTONS = {
    ("accounts.ExpertProfile", "approve_all"): MANAGERS,
    ("accounts.ExpertProfile", "suspend"): MANAGERS,
    ("accounts.ExpertProfile", "lift_suspension"): MANAGERS,
    ("billing.PayoutAccount", "look_again"): MANAGERS,
    # Django's own, for whoever may delete.
    ("accounts.Topic", "delete_selected"): {"olga"},
    ("auth.Group", "delete_selected"): {"olga"},
}


@pytest.fixture
def things(alice: User, bob: User, eve: User, olga: User, topic: Topic) -> dict[str, list[object]]:
    running = make_active(alice, eve, topic, seconds=200)
    carol = make_person("carol@example.org", "Carol")
    charged = Payment.objects.get(reference=make_request(carol, topic, cap_minutes=60).pk)
    capture(reference=charged.reference, payee=eve, amount_minor=12_000)
    dora = make_person("dora@example.org", "Dora")
    refused = Payment.objects.get(reference=make_request(dora, topic).pk)
    DemoIntent.objects.filter(pk=refused.holds.get().gateway_ref).update(state=DemoIntent.State.RELEASED)
    assert capture(reference=refused.reference, payee=eve, amount_minor=100).state == Payment.State.FAILED
    dispute = Dispute.objects.create(
        payment=charged, hold=charged.holds.get(), gateway="demo", gateway_ref="1", amount_minor=1, state="lost"
    )
    file_id = uuid4()
    files.attach(session=running, author=alice, message_id=file_id, name="a.txt", content=BytesIO(b"words"))
    entry = LogEntry.objects.create(user=olga, object_repr="A thing", action_flag=CHANGE, change_message="Why.")
    return {
        "": [],
        "app": ["billing"],
        "no_page": [1, "1"],
        "bob": [bob.pk],
        "olga": [olga.pk],
        "group": [Group.objects.get(name=Team.SUPPORT).pk],
        "address": [bob.emailaddress_set.get().pk],  # type: ignore[attr-defined]
        "topic": [topic.pk],
        "expert": [eve.expert.pk],
        "entry": [entry.pk],
        "session": [running.pk],
        "file": [running.pk, file_id],
        "case": [cases.report(session=running, by=eve, problem="He was rude").pk],
        "charged": [charged.pk],
        "refused": [refused.pk],
        "dispute": [dispute.pk],
        "account": [open_account(owner=eve).pk],
    }


@pytest.fixture
def people(alice: User, eve: User, nora: User, sam: User, mona: User, olga: User) -> dict[str, User | None]:
    return {"visitor": None, "alice": alice, "eve": eve, "nora": nora, "sam": sam, "mona": mona, "olga": olga}


def clients(people: dict[str, User | None]) -> Iterator[tuple[str, Client]]:
    for kind in KINDS:
        client = Client()
        if (person := people[kind]) is not None:
            client.force_login(person)
        yield kind, client


def test_every_page_and_button_of_the_admin_is_for_whom_the_table_says(
    things: dict[str, list[object]], people: dict[str, User | None]
) -> None:
    wrong = []
    for kind, client in clients(people):
        for row in TABLE:
            data = row.data | ({"refund_id": str(uuid4())} if row.name.endswith("refund") else {})
            with taken_back():
                ask = client.get if row.method == "get" else client.post
                answer = ask(reverse(f"admin:{row.name}", args=things[row.of]), data)
            expected = row.statuses[KINDS.index(kind) - 3] if kind in KINDS[3:] else 302
            if answer.status_code != expected:
                wrong.append(f"{kind}: {row.method} {row.name} {row.of} {data}: {answer.status_code}, not {expected}")
            elif kind in KINDS[:3] and "/login/" not in answer["Location"]:
                wrong.append(f"{kind}: {row.name} leads to {answer['Location']}")
    assert not wrong, "\n".join(wrong)


def rows_of_every_list(things: dict[str, list[object]], bob: User, olga: User) -> dict[str, Model]:
    """Return a row of each table the admin shows."""
    charged = Payment.objects.get(pk=str(things["charged"][0]))
    refund.refund(payment=charged, amount_minor=100, reason="Sorry.", by=olga)
    account = PayoutAccount.objects.get(pk=str(things["account"][0]))
    Payout.objects.create(account=account, expert=account.owner, amount_minor=1, currency="USD", period="2026-W01")
    demo = DemoAccount.objects.create(key="a")
    DemoTransfer.objects.create(key="t", account=demo, amount_minor=1, currency="USD")
    GatewayEvent.objects.create(gateway="demo", event_id="1", type="t", payload={}, subject="hold")
    Message.objects.create(key="m", to=bob, way=Message.Way.MAIL, purpose=Message.Purpose.TEST)
    session = HelpSession.objects.get(pk=str(things["session"][0]))
    person_reports.report_person(
        session=session, by=session.customer, reason=PersonReport.Reason.RUDE, words="", also_block=False
    )
    first = {model._meta.label: model._default_manager.exclude(pk=olga.pk).first() for model in admin.site._registry}
    return {label: row for label, row in first.items() if row is not None}


def test_every_table_of_the_admin_is_read_and_written_by_whom_it_is_meant(
    things: dict[str, list[object]], people: dict[str, User | None], bob: User, olga: User
) -> None:
    rows = rows_of_every_list(things, bob, olga)
    assert rows.keys() == {model._meta.label for model in admin.site._registry} == RIGHTS.keys()
    wrong = []
    for kind, client in clients(people):
        for label, rights in RIGHTS.items():
            name = f"admin:{rows[label]._meta.app_label}_{rows[label]._meta.model_name}"
            for method, page, may in (
                ("get", "changelist", rights.read), ("get", "change", rights.read), ("get", "history", rights.read),
                ("get", "add", rights.add), ("post", "add", rights.add), ("post", "change", rights.change),
                ("get", "delete", rights.delete), ("post", "delete", rights.delete),
            ):  # fmt: skip
                with taken_back():
                    address = reverse(f"{name}_{page}", args=() if page in ("changelist", "add") else (rows[label].pk,))
                    answer = client.get(address) if method == "get" else client.post(address)
                allowed = kind in may
                is_as_expected = answer.status_code in (200, 422, 302) if allowed else answer.status_code == 403
                if kind in KINDS[:3]:
                    is_as_expected = answer.status_code == 302 and "/login/" in answer["Location"]
                if not is_as_expected:
                    wrong.append(f"{kind}: {method} {page} of {label}: {answer.status_code}, allowed: {allowed}")
    assert not wrong, "\n".join(wrong)


def test_every_button_above_a_list_is_offered_to_whom_it_is_meant(people: dict[str, User | None]) -> None:
    offered: dict[tuple[str, str], set[str]] = {}
    for kind in KINDS[3:]:
        request = RequestFactory().get("/")
        request.user = people[kind]  # type: ignore[assignment]
        for model, its in admin.site._registry.items():
            for action in its.get_actions(request):
                offered.setdefault((model._meta.label, action), set()).add(kind)
    assert offered == BUTTONS


def names_of_the_admin() -> set[str]:
    patterns = next(one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "admin")
    assert isinstance(patterns, URLResolver)
    return set(_names(patterns))


def _names(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern)
        elif pattern.name:
            yield pattern.name


def test_no_page_of_the_admin_is_missing_from_the_tables() -> None:
    own = {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ("changelist", "add", "change", "delete", "history")
    }
    assert names_of_the_admin() == own | {row.name for row in TABLE} | FOR_ANYBODY


def test_an_operator_in_no_group_finds_an_empty_admin(client: Client, nora: User) -> None:
    client.force_login(nora)
    page = client.get("/admin/")
    assert page.context["app_list"] == []
    assert "You don’t have permission to view or edit anything." in page.content.decode()


# --- what the pages offer ---


def page_of(person: User, name: str, *args: object) -> str:
    client = Client()
    client.force_login(person)
    return client.get(reverse(f"admin:{name}", args=args)).content.decode()


def test_support_sees_nothing_of_passwords(sam: User, mona: User, olga: User, bob: User) -> None:
    for operator, seen in ((sam, False), (mona, False), (olga, True)):
        page = page_of(operator, "accounts_user_change", bob.pk)
        assert ("assword" in page.replace('href="/admin/password_change/">Change password', "")) == seen, operator
        assert bob.password not in page


def test_an_experts_page_offers_decisions_to_who_may_decide(sam: User, mona: User, eve: User) -> None:
    for operator, decides in ((sam, False), (mona, True)):
        page = page_of(operator, "accounts_expertprofile_change", eve.expert.pk)
        assert "Databases" in page
        assert ('name="_save"' in page) == ('<select name="topics-0-state"' in page) == decides
        assert decides or "Seen" not in page  # what the decision is about, hidden; not a column for who only reads
        assert ("Approve all topics" in page_of(operator, "accounts_expertprofile_changelist")) == decides


def test_support_is_offered_no_charge_and_no_more_than_its_limit(sam: User, things: dict[str, list[object]]) -> None:
    assert "Try to charge again" not in page_of(sam, "billing_payment_change", *things["refused"])
    assert "Refund…" in page_of(sam, "billing_payment_change", *things["charged"])
    page = page_of(sam, "billing_payment_refund", *things["charged"])
    assert 'value="$50.00"' in page
    assert "Up to $50.00: more than that a manager gives back." in page


@pytest.mark.parametrize(
    ("name", "of", "button"),
    [
        ("accounts_expertprofile", "expert", {"action": "suspend"}),
        ("accounts_expertprofile", "expert", {"action": "approve_all"}),
        ("billing_payoutaccount", "account", {"action": "look_again"}),
    ],
)
def test_a_button_above_a_list_that_is_not_offered_does_nothing_when_pressed(
    sam: User, mona: User, eve: User, things: dict[str, list[object]], name: str, of: str, button: dict[str, str]
) -> None:
    eve.expert.topics.update(state="applied")
    for operator, done in ((sam, 0), (mona, 1)):
        client = Client()
        client.force_login(operator)
        before = LogEntry.objects.filter(user=operator).count()
        form = button | {"_selected_action": str(things[of][0])}
        client.post(reverse(f"admin:{name}_changelist"), form)
        assert LogEntry.objects.filter(user=operator).count() - before == done, operator


# --- nobody gets more rights than they were given ---


def fields_of(person: User, **changed: Any) -> dict[str, Any]:
    """Return what the page of a person sends when nothing or `changed` was changed on it."""
    fields: dict[str, Any] = {
        "email": person.email,
        "display_name": person.display_name,
        "time_zone": person.time_zone,
        "is_active": "on",
        "groups": [str(group.pk) for group in person.groups.all()],
    }
    if person.is_staff:
        fields["is_staff"] = "on"
    return {name: value for name, value in (fields | changed).items() if value is not None}


def save(operator: User, person: User, **changed: Any) -> Any:
    client = Client()
    client.force_login(operator)
    return client.post(reverse("admin:accounts_user_change", args=[person.pk]), fields_of(person, **changed))


def group_of(team: Team) -> str:
    return str(Group.objects.get(name=team).pk)


def test_a_manager_makes_an_operator_and_puts_them_into_a_group(mona: User, bob: User) -> None:
    assert save(mona, bob, is_staff="on", groups=[group_of(Team.SUPPORT)]).status_code == 302
    bob.refresh_from_db()
    assert bob.is_staff
    assert [group.name for group in bob.groups.all()] == ["Support"]
    assert save(mona, bob, is_staff="on", groups=[group_of(Team.MANAGER)]).status_code == 302
    assert [group.name for group in bob.groups.all()] == ["Manager"]
    assert save(mona, bob, is_staff=None, groups=[]).status_code == 302
    bob.refresh_from_db()
    assert not bob.is_staff


def test_a_group_is_for_operators_alone(mona: User, bob: User) -> None:
    answer = save(mona, bob, groups=[group_of(Team.SUPPORT)])
    assert answer.status_code == 200
    assert "Groups are for operators." in answer.content.decode()
    assert not bob.groups.exists()


@pytest.mark.parametrize("whose", ["mona", "bob"])
def test_a_manager_makes_nobody_an_owner_and_gives_no_single_right(mona: User, bob: User, whose: str) -> None:
    person = {"mona": mona, "bob": bob}[whose]
    right = Permission.objects.get(codename="change_group")
    save(mona, person, is_superuser="on", user_permissions=[str(right.pk)])
    person.refresh_from_db()
    assert not person.is_superuser
    assert not person.user_permissions.exists()


def test_a_manager_moves_nobody_to_an_address_of_their_own(mona: User, bob: User) -> None:
    assert save(mona, bob, email="mona+bob@example.org", display_name="Robert").status_code == 302
    bob.refresh_from_db()
    assert (bob.email, bob.display_name) == ("bob@example.org", "Robert")


def test_nobody_but_owners_sets_a_password(mona: User, sam: User, bob: User, olga: User) -> None:
    for operator in (sam, mona):
        client = Client()
        client.force_login(operator)
        for person in (bob, olga):
            form = {"password1": "another-horse-2", "password2": "another-horse-2", "usable_password": "true"}
            assert client.post(reverse("admin:auth_user_password_change", args=[person.pk]), form).status_code == 403
            person.refresh_from_db()
            assert person.check_password(PASSWORD)


def test_a_manager_changes_nothing_about_an_owner(mona: User, olga: User) -> None:
    for changed in ({"is_active": None}, {"is_staff": None}, {"display_name": "Nobody"}):
        assert save(mona, olga, **changed).status_code == 403
    olga.refresh_from_db()
    assert (olga.is_active, olga.is_staff, olga.display_name) == (True, True, "Olga")


def test_a_group_with_rights_a_manager_lacks_is_neither_given_nor_taken_by_them(mona: User, bob: User, olga: User) -> None:
    engineers = Group.objects.create(name="Engineers")
    engineers.permissions.add(Permission.objects.get(codename="change_group"))
    assert "Engineers" not in page_of(mona, "accounts_user_change", bob.pk).split("<select", 1)[1]
    assert save(mona, bob, is_staff="on", groups=[str(engineers.pk)]).status_code == 200
    assert not bob.groups.exists()

    assert save(olga, bob, is_staff="on", groups=[str(engineers.pk)]).status_code == 302
    bob.refresh_from_db()
    assert save(mona, bob, groups=[group_of(Team.SUPPORT)]).status_code == 302
    assert {group.name for group in bob.groups.all()} == {"Engineers", "Support"}


def test_whoever_may_edit_people_and_is_no_manager_cannot_become_one(bob: User) -> None:
    half = make_operator("half@example.org", "Half")
    half.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    assert save(half, half, is_staff="on", groups=[group_of(Team.MANAGER)]).status_code == 200
    assert not half.groups.exists()


def test_an_owner_makes_an_owner(olga: User, bob: User) -> None:
    assert save(olga, bob, is_staff="on", is_superuser="on").status_code == 302
    bob.refresh_from_db()
    assert bob.is_superuser
