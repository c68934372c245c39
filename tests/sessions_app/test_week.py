"""A week of 200 experts and 2 000 requests (on SQLite): whom texts reach, and whom they leave in peace."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from sessions_app.models import HelpSession, State
from tests.databases import Databases, MongoDatabases, PostgresDatabases, SqliteFiles, databases
from tests.sessions_app.week import DAYS, Week, week

DAY = range(DAYS)
# The rules are the same on each; what plays MongoDB for the tests takes its time.
SIZES: dict[type[Databases], tuple[int, int]] = {
    SqliteFiles: (200, 2000),
    PostgresDatabases: (200, 400),
    MongoDatabases: (60, 100),
}
EXPERTS, REQUESTS = SIZES[type(databases)]


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One database for all seven days. By this name pytest-django knows that it has to make one."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def the_week(db: None) -> Iterator[Week]:
    """The people, and what they are going to do."""
    with week(experts=EXPERTS, requests=REQUESTS, seed=4) as it:
        yield it


@pytest.mark.parametrize("day", DAY)
def test_on_no_day_is_anybody_texted_who_must_not_be_and_every_request_reaches_somebody(the_week: Week, day: int) -> None:
    texts = the_week.texts
    the_week.run(day)
    assert the_week.wrong == []
    assert [request for request in the_week.requests.values() if request.anybody and not request.reached] == []
    # A day on which hardly anything happens would show nothing.
    assert the_week.texts > texts + REQUESTS // 20


def test_that_was_a_whole_week(the_week: Week) -> None:
    the_week.run(DAYS - 1)  # run by itself, all of it
    assert HelpSession.objects.exclude(state=State.DRAFT).count() == REQUESTS
    assert the_week.answered > 0.4 * REQUESTS
    print(f"{REQUESTS} requests, {the_week.texts} texts, {the_week.mails_read} mails, answered {the_week.answered} times")
