"""Becoming an expert: the application, and changing it."""

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import applying, deciding, experts, tasks
from accounts.experts import week_of
from accounts.forms.hours import USUAL, as_sent
from accounts.models import ExpertProfile, ExpertTopic, Topic, User
from hopps.errors import Refused
from sessions_app.matching import approved_topic_ids, requests_for
from tests.people import give_phone, make_request

pytestmark = pytest.mark.django_db

LINKS = "https://example.org/bob\nhttp://example.org/talks"


@pytest.fixture
def seo(db: None) -> Topic:
    return Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150)


@pytest.fixture
def operators_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done at once, and operators have an address."""
    monkeypatch.setattr(HUEY, "_immediate", True)
    monkeypatch.setattr(settings, "MANAGERS", [("", "olga@example.org")])


def form(*topics: Topic, **changes: str) -> dict[str, object]:
    """What a browser sends from the application's page."""
    said = {"headline": "Postgres, 12 years", "about": "", "links": "", "topics": [str(topic.pk) for topic in topics]}
    return {**said, **as_sent(USUAL, "Europe/Vienna"), **changes}


def test_the_page_starts_from_office_hours_and_ones_own_time_zone(client: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(time_zone="Asia/Kathmandu")
    client.force_login(bob)
    page = client.get("/expert/apply/").content.decode()
    assert page.count('value="09:00"') == page.count('value="18:00"') == 5
    assert '<option value="Asia/Kathmandu" selected>' in page
    assert "verified next" in page


def test_an_application_is_kept_whole(client: Client, bob: User, topic: Topic, seo: Topic) -> None:
    client.force_login(bob)
    answer = client.post("/expert/apply/", form(topic, seo, about="I tune databases.", links=LINKS))
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/phone/change/?applied=1")
    expert = ExpertProfile.objects.get(user=bob)
    assert (expert.headline, expert.about, expert.links) == ("Postgres, 12 years", "I tune databases.", LINKS)
    assert {row.topic for row in expert.topics.all()} == {topic, seo}
    assert week_of(expert) == list(USUAL)
    bob.refresh_from_db()
    assert bob.time_zone == "Europe/Vienna"


def test_the_phone_is_the_next_step_and_can_be_left_for_later(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    page = client.post("/expert/apply/", form(topic), follow=True).content.decode()
    assert "Now your phone, so that we can text you." in page
    later = '<a class="button button-quiet" href="/expert/settings/">Later</a>'
    assert later in page
    again = client.post("/accounts/phone/change/?applied=1", {"phone": "1"})
    assert (again.status_code, later in again.content.decode()) == (422, True)


def test_whoever_verified_a_phone_before_applying_is_done(client: Client, bob: User, topic: Topic) -> None:
    give_phone(bob, "+436641234567")
    client.force_login(bob)
    assert client.post("/expert/apply/", form(topic))["Location"] == "/expert/settings/"


def test_an_application_waits_for_an_operator(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    client.post("/expert/apply/", form(topic))
    assert approved_topic_ids(bob) == []
    with pytest.raises(Refused, match="operator looks at new applications"):
        experts.set_availability(user=bob, available=True)
    assert "An operator is looking at your application" in client.get("/expert/").content.decode()


def test_who_is_approved_can_be_available(client: Client, alice: User, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    client.post("/expert/apply/", form(topic))
    deciding.approve_all(expert=bob.expert)
    client.post("/expert/availability/", {"available": "1"})
    session = make_request(alice, topic)
    assert requests_for(bob) == [session]


def test_operators_hear_of_an_application_once(
    client: Client,
    bob: User,
    topic: Topic,
    operators_mail: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client.force_login(bob)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            client.post("/expert/apply/", form(topic, about="I tune databases.", links=LINKS))
    [told] = mail.outbox
    assert told.subject == "[Hopps] Bob wants to become an expert"
    assert told.from_email == settings.DEFAULT_FROM_EMAIL
    address = reverse("admin:accounts_expertprofile_change", args=[bob.expert.pk])
    for words in ("I tune databases.", "http://example.org/talks", "Engineering / Databases", "bob@example.org", address):
        assert words in str(told.body)


def test_operators_are_told_every_day_who_waits_whatever_became_of_the_first_mail(
    bob: User, eve: User, topic: Topic, seo: Topic, operators_mail: None
) -> None:
    tasks.remind_operators_daily.call_local()
    assert mail.outbox == [], "nobody waits"
    said = applying.Application(headline="Postgres, 12 years", about="", links="", topics=(topic,))
    applying.apply(user=bob, application=said, hours=USUAL, time_zone="UTC")  # and the process died before it set the job
    said = applying.Application(headline="Search", about="", links="", topics=(topic, seo))
    applying.change(user=eve, application=said)
    assert mail.outbox == []
    tasks.remind_operators_daily.call_local()
    [told] = mail.outbox
    assert told.subject == "[Hopps] 2 experts wait for a decision"
    listed = f"{reverse('admin:accounts_expertprofile_changelist')}?waiting=yes"
    for words in ("Bob (bob@example.org): Postgres, 12 years", "Eve (eve@example.org): Search", listed):
        assert words in str(told.body)
    deciding.approve_all(expert=bob.expert)
    tasks.remind_operators_daily.call_local()
    assert mail.outbox[1].subject == "[Hopps] 1 expert waits for a decision"


def test_operators_hear_of_a_topic_added_later_and_of_nothing_else(
    client: Client,
    eve: User,
    topic: Topic,
    seo: Topic,
    operators_mail: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client.force_login(eve)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/expert/settings/", form(topic, about="New words"))
    assert mail.outbox == []
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/expert/settings/", form(topic, seo))
    assert [told.subject for told in mail.outbox] == ["[Hopps] Eve applied for SEO"]


@pytest.mark.parametrize(
    ("links", "sentence"),
    [
        ("ftp://example.org/x", "is not a web address"),
        ("javascript:alert(1)", "is not a web address"),
        ("example.org/me", "Start it with https://"),
        ("\n".join(f"https://example.org/{number}" for number in range(6)), "These are 6 links"),
    ],
)
def test_a_link_that_is_none_gets_a_sentence(client: Client, bob: User, topic: Topic, links: str, sentence: str) -> None:
    client.force_login(bob)
    answer = client.post("/expert/apply/", form(topic, links=links))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ExpertProfile.objects.exists()


def test_nothing_typed_is_lost_on_an_error(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    sent = form(topic, headline="", about="I tune databases.", links="https://example.org/bob", time_zone="Asia/Kathmandu")
    answer = client.post("/expert/apply/", {**sent, "sunday-2-from": "22:15", "sunday-2-to": "02:45"})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("I tune databases.", "https://example.org/bob", 'value="22:15"', 'value="02:45"'):
        assert words in page
    assert '<option value="Asia/Kathmandu" selected>' in page
    assert page.count("checked") == 1
    assert "data-time-zone" not in page, "the browser's zone would overwrite the one chosen"


def test_what_is_wrong_with_words_and_hours_is_said_at_once(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    page = client.post("/expert/apply/", {**form(headline=""), "monday-1-to": ""}).content.decode()
    assert "Choose at least one topic" in page
    assert "Say when this stretch ends" in page


def test_an_application_may_go_without_hours(client: Client, bob: User, topic: Topic) -> None:
    client.force_login(bob)
    client.post("/expert/apply/", {**form(topic), **{name: "" for name in as_sent(USUAL, "") if name != "time_zone"}})
    assert week_of(bob.expert) == []


def test_who_has_applied_comes_to_the_settings(client: Client, eve: User, topic: Topic) -> None:
    client.force_login(eve)
    assert client.post("/expert/apply/", form(topic, headline="Other")).headers["Location"] == "/expert/settings/"
    assert ExpertProfile.objects.get(user=eve).headline == "Knows it"


def test_the_settings_show_each_topic_with_its_state_and_reason(
    client: Client, eve: User, olga: User, topic: Topic, seo: Topic
) -> None:
    client.force_login(eve)
    client.post("/expert/settings/", form(topic, seo))
    assert "Waits for an operator" in client.get("/expert/settings/").content.decode()
    deciding.decide(expert_topic=eve.expert.topics.get(topic=seo), approved=False, reason="No work shown.", by=olga)
    page = client.get("/expert/settings/").content.decode()
    assert "Waits for an operator" not in page
    assert "No work shown." in page
    assert "To apply again" in page


def test_a_refused_topic_is_applied_for_again_and_the_reason_stays(
    client: Client, eve: User, olga: User, topic: Topic, seo: Topic
) -> None:
    client.force_login(eve)
    client.post("/expert/settings/", form(topic, seo))
    row = eve.expert.topics.get(topic=seo)
    deciding.decide(expert_topic=row, approved=False, reason="No work shown.", by=olga)
    page = client.get("/expert/settings/")
    assert page.context["form"].initial["topics"] == [topic.pk]
    client.post("/expert/settings/", form(topic, about="Something else"))
    row.refresh_from_db()
    assert row.state == ExpertTopic.State.REFUSED, "saving something else applies for nothing"
    client.post("/expert/settings/", form(topic, seo, links=LINKS))
    row.refresh_from_db()
    assert (row.state, row.reason) == (ExpertTopic.State.APPLIED, "No work shown.")
    client.post("/expert/settings/", form(topic))
    row.refresh_from_db()
    assert (row.state, row.reason) == (ExpertTopic.State.REFUSED, "No work shown."), "called off: as it was"


def test_who_was_refused_waits_again_once_they_apply_again(client: Client, bob: User, olga: User, topic: Topic) -> None:
    client.force_login(bob)
    client.post("/expert/apply/", form(topic))
    deciding.decide(expert_topic=bob.expert.topics.get(), approved=False, reason="Say more.", by=olga)
    assert ExpertProfile.objects.get(user=bob).state == ExpertProfile.State.REFUSED
    client.post("/expert/settings/", form(topic, about="Much more"))
    assert ExpertProfile.objects.get(user=bob).state == ExpertProfile.State.APPLIED


def test_an_error_in_the_settings_shows_what_stands_and_keeps_what_was_typed(
    client: Client, eve: User, topic: Topic
) -> None:
    client.force_login(eve)
    answer = client.post("/expert/settings/", form(topic, headline="", about="Half a"))
    assert answer.status_code == 422
    assert "Half a" in answer.content.decode()
    assert answer.context["expert"].headline == "Knows it"


def test_a_topic_added_later_waits_while_the_others_stay_approved(
    client: Client, eve: User, topic: Topic, seo: Topic
) -> None:
    client.force_login(eve)
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(topic.pk), str(seo.pk)]})
    assert approved_topic_ids(eve) == [topic.pk]
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(seo.pk)]})
    assert approved_topic_ids(eve) == []


def test_a_topic_off_the_list_for_a_while_keeps_its_approval(client: Client, eve: User, topic: Topic, seo: Topic) -> None:
    Topic.objects.filter(pk=topic.pk).update(is_active=False)
    client.force_login(eve)
    client.post("/expert/settings/", {"headline": "h", "about": "", "topics": [str(seo.pk)]})
    assert topic.pk in approved_topic_ids(eve)


@pytest.mark.parametrize("topics", [[], ["nonsense"], ["00000000-0000-0000-0000-000000000000"]])
def test_an_application_without_a_known_topic_gets_a_sentence(
    client: Client, bob: User, topic: Topic, topics: list[str]
) -> None:
    client.force_login(bob)
    answer = client.post("/expert/apply/", {**form(), "topics": topics})
    assert answer.status_code == 422
    assert answer.context["form"].errors["topics"]
    assert not ExpertProfile.objects.exists()
