"""What the engine for MongoDB promises beyond its makers' backend (decision 0019): keys, checks, order and errors."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import (
    IntegrityError,
    NotSupportedError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.models import CheckConstraint, Q
from django.utils import timezone

from accounts.models import ExpertProfile, User
from billing.models import Payment
from hopps.mongodb import sequences
from script.lib.mongodb import MongoServer
from script.lib.processes import HOST, free_port
from tests.databases import opened
from tests.dying import fork

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "mongodb", reason="MongoDB's own: script/test --database mongodb"),
]


@pytest.fixture
def database() -> Any:
    return connection.database  # type: ignore[attr-defined]


@pytest.fixture
def person() -> User:
    return User.objects.create(email="a.b+c@example.org", display_name="A")


# --- keys ---


def test_integer_keys_are_counted_up() -> None:
    one, other = Group.objects.create(name="one"), Group.objects.create(name="other")
    assert (type(one.pk), other.pk) == (int, one.pk + 1)
    made = Group.objects.bulk_create([Group(name="third"), Group(name="fourth")])
    assert [group.pk for group in made] == [one.pk + 2, one.pk + 3]


def test_what_a_row_points_at_is_found_by_its_integer_key() -> None:
    group, other = Group.objects.create(name="one"), Group.objects.create(name="other")
    some = list(Permission.objects.order_by("pk")[:3])
    group.permissions.set(some)
    assert list(group.permissions.order_by("pk")) == some
    made_here = Group.objects.filter(pk__in=[group.pk, other.pk])
    assert made_here.filter(permissions__content_type=some[0].content_type).distinct().get() == group


def test_a_key_that_a_row_brought_with_it_is_never_given_out() -> None:
    brought = Group.objects.create(name="one").pk + 100
    Group.objects.create(pk=brought, name="copied from elsewhere")
    assert Group.objects.create(name="next").pk == brought + 1
    Group.objects.create(pk=brought - 50, name="copied later")
    assert Group.objects.create(name="after").pk == brought + 2


def test_a_counter_that_was_lost_goes_on_after_the_rows(database: Any) -> None:
    last = Group.objects.create(name="one").pk
    sequences.forget(database, table="auth_group")
    assert Group.objects.create(name="other").pk == last + 1


def test_all_who_ask_at_once_get_numbers_of_their_own_the_first_ones_too(database: Any) -> None:
    def ask(_: int) -> list[int]:
        return list(sequences.next_numbers(database, table="made_up", column="id", count=3))

    with ThreadPoolExecutor(8) as pool:
        given = [number for numbers in pool.map(ask, range(40)) for number in numbers]
    sequences.forget(database, table="made_up")
    assert sorted(given) == list(range(1, 121))


def test_a_document_is_named_by_its_row(database: Any, person: User) -> None:
    assert database["accounts_user"].find_one({"_id": person.pk.hex})["email"] == person.email
    with pytest.raises(IntegrityError):
        User.objects.create(pk=person.pk, email="other@example.org", display_name="B")


# --- indexes and checks ---


def test_rows_are_found_by_their_unique_columns(database: Any) -> None:
    """MongoDB uses an index with a condition only for questions that hold the condition."""
    indexes = {tuple(index["key"]): index for index in database["accounts_user"].list_indexes() if index.get("unique")}
    assert {("id",), ("email",)} <= set(indexes)
    assert not [index for index in indexes.values() if "partialFilterExpression" in index]


def test_a_check_that_does_not_hold_is_refused(person: User) -> None:
    payment = Payment.objects.create(reference=uuid4(), payer=person, currency="USD", description="d", charged_minor=5)
    with pytest.raises(IntegrityError):
        Payment.objects.filter(pk=payment.pk).update(refunded_minor=6)
    with pytest.raises(IntegrityError):
        Payment.objects.create(reference=uuid4(), payer=person, currency="USD", description="d", refunded_minor=1)
    assert Payment.objects.filter(pk=payment.pk, refunded_minor__lte=4).update(refunded_minor=5) == 1


def test_a_check_that_rows_break_already_is_not_made(person: User) -> None:
    def named(condition: Q) -> CheckConstraint:
        return CheckConstraint(condition=condition, name="made_up")

    with connection.schema_editor() as editor, pytest.raises(IntegrityError, match=f"made_up .*{person.pk.hex}"):
        editor.add_constraint(User, named(~Q(email=person.email)))
    with connection.schema_editor() as editor:
        editor.add_constraint(User, named(Q(email=person.email)))
        editor.remove_constraint(User, named(Q(email=person.email)))
    User.objects.create(email="other@example.org", display_name="B")


# --- questions ---


def test_what_is_looked_for_is_taken_literally(person: User) -> None:
    assert User.objects.get(email__iexact="A.B+C@Example.org") == person
    assert not User.objects.filter(email__iexact=".*").exists()
    assert not User.objects.filter(email__icontains="a.b+c.example").exists()


def test_a_row_is_found_by_a_part_of_its_id(person: User) -> None:
    assert User.objects.get(pk__icontains=str(person.pk)[4:14].upper()) == person
    assert not User.objects.filter(pk__icontains="not one").exists()


def test_an_update_whose_condition_is_in_another_table_is_refused_and_not_done_by_halves(person: User) -> None:
    ExpertProfile.objects.create(user=person, headline="h", about="a")
    with pytest.raises(NotSupportedError):
        ExpertProfile.objects.filter(user__is_active=True).update(headline="x")
    with pytest.raises(NotSupportedError):
        ExpertProfile.objects.filter(user__in=User.objects.filter(is_active=True)).update(headline="x")
    assert ExpertProfile.objects.get().headline == "h"


def test_times_are_kept_to_the_millisecond(person: User) -> None:
    now = timezone.now()
    User.objects.filter(pk=person.pk).update(last_login=now)
    kept = User.objects.get(last_login=now).last_login
    assert kept == now.replace(microsecond=now.microsecond // 1000 * 1000)


# --- blocks ---


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_the_end_of_a_block_waits_for_it() -> None:
    heard: list[str] = []

    @transaction.atomic
    def fail() -> None:
        transaction.on_commit(lambda: heard.append("of the block that failed"))
        raise ZeroDivisionError

    with transaction.atomic():
        transaction.on_commit(lambda: heard.append("first"))
        with pytest.raises(ZeroDivisionError):
            fail()
        with transaction.atomic():
            transaction.on_commit(lambda: heard.append("second"))
        assert heard == []
    assert heard == ["first", "second"]
    transaction.on_commit(lambda: heard.append("at once"))
    assert heard[-1] == "at once"


# --- the server ---


@pytest.fixture(scope="module")
def server() -> Iterator[MongoServer]:
    with MongoServer() as started:
        yield started


def test_a_server_that_comes_back_is_found_again(server: MongoServer) -> None:
    with opened(f"{server.url}&timeoutMS=500") as alias:
        Group.objects.using(alias).create(name="before")
        assert connections[alias].is_usable()
        server.kill()
        try:
            assert not connections[alias].is_usable()
            with pytest.raises(OperationalError, match="MongoDB cannot be reached, or gave no answer in time"):
                Group.objects.using(alias).count()
        finally:
            server.start_again()
        assert [group.name for group in Group.objects.using(alias).all()] == ["before"]


def test_a_server_that_is_not_there_is_said_in_one_sentence() -> None:
    with opened(f"mongodb://{HOST}:{free_port()}/hopps?timeoutMS=200") as alias:
        assert not connections[alias].is_usable()
        with pytest.raises(OperationalError) as told:
            Group.objects.using(alias).count()
    assert str(told.value).startswith("MongoDB cannot be reached, or gave no answer in time: ")
    assert "Topology" not in str(told.value)


@pytest.mark.django_db(transaction=True)
def test_a_child_process_has_a_connection_of_its_own(person: User) -> None:
    assert User.objects.count() == 1
    clients = []

    def work(tell: Any) -> None:
        User.objects.create(email="child@example.org", display_name="C")
        tell(client=id(connection.connection), pid=os.getpid())

    for _ in range(2):
        told, killed = fork(work)
        assert not killed
        clients.append(told[-1])
        User.objects.filter(email="child@example.org").get().delete()
    assert {told["client"] for told in clients}.isdisjoint({id(connection.connection)}), clients
