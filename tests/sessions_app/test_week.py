"""A week of 200 experts and 2 000 requests: whom texts reach, and whom they leave in peace."""

import pytest
from pytest_django import Settings

from sessions_app.models import HelpSession, State
from tests.sessions_app.week import week


@pytest.mark.django_db(transaction=True)
def test_in_a_week_nobody_is_texted_when_they_must_not_be_and_every_request_reaches_somebody(settings: Settings) -> None:
    settings.REQUEST_EXPIRES_SECONDS = 180
    settings.WAVE_SIZE = 3
    with week(experts=200, requests=2000, seed=4) as it:
        it.run()
        assert it.wrong == []
        asked = HelpSession.objects.exclude(state=State.DRAFT).count()
        unheard = [request for request in it.requests.values() if request.anybody and not request.reached]
        print(f"{asked} requests, {it.texts} texts, {it.mails_read} mails, answered {it.answered} times")
        assert unheard == []
        assert asked == 2000
        # A week in which hardly anything happens would show nothing.
        assert it.texts > 4000
        assert it.answered > 800
