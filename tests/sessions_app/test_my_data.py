"""All there is about a person, taken away: complete, readable, and with nothing that is another's."""

import csv
import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import my_data
from accounts.models import Topic, User
from hopps.limits import Limit
from hopps.rates import Rate
from sessions_app import chat, rate
from sessions_app.models import HelpSession, PersonReport
from tests.accounts.test_erasing import signed_in
from tests.people import make_active
from tests.sessions_app.test_erasing import live_a_life, over, quagga, uploads

__all__ = ["quagga", "uploads"]

pytestmark = pytest.mark.django_db


def document(person: User) -> dict[str, Any]:
    """Return the JSON document `person` downloads."""
    answer = signed_in(person).get("/settings/data/json/")
    assert answer["Content-Disposition"] == f'attachment; filename="hopps-{timezone.now():%Y-%m-%d}.json"'
    assert answer["Cache-Control"] == "private, no-store"
    found: dict[str, Any] = json.loads(answer.getvalue())
    return found


def tables(person: User) -> dict[str, list[list[str]]]:
    """Return the tables of the zip `person` downloads, each with its header."""
    archive = zipfile.ZipFile(io.BytesIO(signed_in(person).get("/settings/data/csv/").getvalue()))
    assert archive.read("photo.webp")[8:12] == b"WEBP"
    names = [name for name in archive.namelist() if name.endswith(".csv")]
    return {name[:-4]: list(csv.reader(io.StringIO(archive.read(name).decode()))) for name in names}


def test_all_of_a_life_is_in_both(quagga: User, eve: User, topic: Topic) -> None:
    session = live_a_life(quagga, eve, topic)
    rate.rate(session=session, customer=quagga, stars=2, solved="no", comment="A quagga comment")
    found = document(quagga)
    assert found["profile"][0]["mail_address"] == "quagga@example.org"
    assert found["phone"][0]["number"] == "+436641234567"
    assert [line["text"] for line in found["chat"]] == ["A quagga line", "A line of the other"]
    assert [line["by"] for line in found["chat"]] == ["you", "Eve"]
    assert found["shared_notes"] == [{"session": str(session.pk), "text": "quagga notes, and more"}]
    assert found["files_you_sent"][0]["name"] == "quagga.png"
    assert (found["ratings"][0]["stars"], found["ratings"][0]["comment"]) == (2, "A quagga comment")
    assert found["problems_you_reported"][0]["problem"] == "A quagga problem"
    assert found["people_you_reported"][0]["words"] == "quagga words"
    assert (found["payments"][0]["charged_minor"], found["payments"][0]["currency"]) == (session.amount_minor, "USD")
    assert found["cards"][0]["last4"] == "4242"
    assert found["blocked_people"][0]["name"] == "Eve"
    nothing_of_an_expert = {"expert_profile", "expert_topics", "expert_hours", "earnings", "payouts", "refunds", "disputes"}
    # Nobody watched for: nothing else may be empty.
    empty = {name for name, rows in found.items() if rows == []}
    assert empty <= nothing_of_an_expert | {"waiting_to_be_told"}

    as_tables = tables(quagga)
    assert set(as_tables) == set(found) - {"made_at", "about"}
    # By now in a second browser.
    del as_tables["signed_in_devices"][-1]
    for name, rows in as_tables.items():
        assert len(rows) == len(found[name]) + 1, name


def test_an_expert_finds_what_they_earned(alice: User, eve: User, topic: Topic) -> None:
    session = over(make_active(alice, eve, topic, seconds=600), alice)
    found = document(eve)
    assert found["earnings"][0]["your_part_minor"] == session.amount_minor * 80 // 100
    assert found["sessions"][0]["you_were"] == "expert"
    assert found["expert_topics"][0]["topic"] == "Engineering / Databases"
    assert found["payments"] == []


def test_nothing_secret_and_nothing_of_others_is_in_it(quagga: User, eve: User, topic: Topic) -> None:
    session = live_a_life(quagga, eve, topic)
    PersonReport.objects.create(session=session, by=eve, about=quagga, reason="rude", words="Eve’s own words")
    whole = json.dumps(document(quagga), ensure_ascii=False)
    secrets = ("eve@example.org", "Eve’s own words", quagga.password, '"secret"', "demo_approved", "push.example.org")
    assert [secret for secret in secrets if secret in whole] == []


def test_a_formula_somebody_wrote_is_none_in_the_table(quagga: User, eve: User, topic: Topic) -> None:
    session = make_active(quagga, eve, topic, seconds=60)
    for words in ("=1+1", "@SUM(A1)", "-2", "fine"):
        chat.say(session=session, author=eve, message_id=uuid4(), body=words)
    file = io.BytesIO()
    my_data.write_zip(quagga, file)
    rows = list(csv.reader(io.StringIO(zipfile.ZipFile(file).read("chat.csv").decode())))
    assert [row[3] for row in rows[1:]] == ["'=1+1", "'@SUM(A1)", "'-2", "fine"]


def test_a_stranger_to_a_session_finds_nothing_of_it(bob: User, quagga: User, eve: User, topic: Topic) -> None:
    live_a_life(quagga, eve, topic)
    found = document(bob)
    full = {name for name, rows in found.items() if isinstance(rows, list) and rows}
    assert full == {"profile", "mail_addresses", "signed_in_devices"}
    assert HelpSession.objects.count() == 1


def test_there_is_no_other_kind_of_download(alice: User) -> None:
    assert signed_in(alice).get("/settings/data/xml/").status_code == 404


def test_a_download_is_counted_also_where_only_its_size_is_asked_for(alice: User, settings: Settings) -> None:
    settings.LIMITS = {**settings.LIMITS, Limit.DATA: Rate("1/hour", 5, "Too often.")}
    browser = signed_in(alice)
    assert browser.get("/settings/data/json/").getvalue()
    assert browser.head("/settings/data/json/").status_code == 429
