"""What operators decide about experts, topic by topic, and what the experts are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import applying, deciding, expert_mails, experts, tasks
from accounts.models import ExpertProfile, ExpertTopic, SentMail, Topic, User
from hopps.errors import Refused
from script.lib.processes import HOST, free_port
from sessions_app.matching import approved_topic_ids, requests_for
from tests.people import give_phone, make_person, make_request

pytestmark = pytest.mark.django_db

State = ExpertProfile.State
SMTP = "django.core.mail.backends.smtp.EmailBackend"
LISTED = "admin:accounts_expertprofile_changelist"


@pytest.fixture
def seo(db: None) -> Topic:
    return Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150)


@pytest.fixture
def nora(topic: Topic, seo: Topic) -> ExpertProfile:
    """Nora applied for Databases and SEO."""
    user = make_person("nora@example.org", "Nora")
    return applying.save_application(
        user=user,
        headline="Postgres, 12 years",
        about="I tune databases.\n<script>",
        topics=[topic, seo],
        links="https://example.org/nora",
    )


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture(autouse=True)
def _jobs_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HUEY, "_immediate", True)


def row(expert: ExpertProfile, topic: Topic) -> ExpertTopic:
    return ExpertTopic.objects.get(expert=expert, topic=topic)


def decide(expert: ExpertProfile, topic: Topic, by: User, *, reason: str = "") -> bool:
    """Refuse where there is a reason, approve where there is none."""
    return deciding.decide(expert_topic=row(expert, topic), approved=not reason, reason=reason, by=by)


def state(expert: ExpertProfile) -> str:
    return ExpertProfile.objects.get(pk=expert.pk).state


def page_of(expert: ExpertProfile) -> str:
    return reverse("admin:accounts_expertprofile_change", args=[expert.pk])


def decisions(expert: ExpertProfile, **by_topic: tuple[str, str]) -> dict[str, Any]:
    """What the expert's page in the admin sends: by topic's slug, state and reason."""
    rows = ExpertTopic.objects.filter(expert=expert).select_related("topic").order_by("topic__area", "topic__name")
    sent: dict[str, Any] = {"topics-TOTAL_FORMS": len(rows), "topics-INITIAL_FORMS": len(rows)}
    for number, one in enumerate(rows):
        chosen, reason = by_topic.get(one.topic.slug, (one.state, one.reason))
        values = {"id": one.pk, "expert": expert.pk, "seen": one.state, "state": chosen, "reason": reason}
        sent.update({f"topics-{number}-{name}": value for name, value in values.items()})
    return sent


def act(operator: Client, action: str, *chosen: ExpertProfile) -> str:
    """Carry out an action of the experts' list, and return the page that comes."""
    sent = {"action": action, "_selected_action": [expert.pk for expert in chosen]}
    return operator.post(reverse(LISTED), sent, follow=True).content.decode()


# --- the rules ---


def test_the_first_approved_topic_approves_the_expert(nora: ExpertProfile, olga: User, topic: Topic, seo: Topic) -> None:
    assert decide(nora, seo, olga, reason="No work shown.")
    assert state(nora) == State.APPLIED, "the other topic waits"
    before = timezone.now()
    assert decide(nora, topic, olga)
    assert state(nora) == State.APPROVED
    assert approved_topic_ids(nora.user) == [topic.pk]
    decided = row(nora, seo)
    assert (decided.reason, decided.decided_by) == ("No work shown.", olga)
    decided = row(nora, topic)
    assert decided.decided_at is not None
    assert abs((decided.decided_at - before).total_seconds()) < 60


def test_an_expert_all_of_whose_topics_are_refused_is_refused(
    nora: ExpertProfile, olga: User, topic: Topic, seo: Topic
) -> None:
    decide(nora, topic, olga)
    decide(nora, seo, olga, reason="No work shown.")
    experts.set_availability(user=nora.user, available=True)
    decide(nora, topic, olga, reason="Complaints.")
    nora.refresh_from_db()
    assert (nora.state, nora.available) == (State.REFUSED, False)
    decide(nora, seo, olga)
    assert state(nora) == State.APPROVED
    assert row(nora, seo).reason == "", "the old reason went with the refusal"


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_refusal_needs_a_reason(nora: ExpertProfile, olga: User, topic: Topic, reason: str) -> None:
    with pytest.raises(Refused, match="Say why Databases is refused"):
        deciding.decide(expert_topic=row(nora, topic), approved=False, reason=reason, by=olga)
    assert row(nora, topic).state == ExpertTopic.State.APPLIED


def test_of_two_operators_the_first_decides(nora: ExpertProfile, olga: User, topic: Topic, bob: User) -> None:
    seen = row(nora, topic)
    assert deciding.decide(expert_topic=seen, approved=True, reason="", by=olga)
    assert not deciding.decide(expert_topic=seen, approved=False, reason="No.", by=bob)
    decided = row(nora, topic)
    assert (decided.state, decided.decided_by) == (ExpertTopic.State.APPROVED, olga)


def test_a_suspended_expert_stays_so_until_it_is_lifted(nora: ExpertProfile, olga: User, topic: Topic, seo: Topic) -> None:
    deciding.suspend(expert=nora)
    decide(nora, topic, olga)
    assert state(nora) == State.SUSPENDED
    assert approved_topic_ids(nora.user) == []
    applying.save_application(user=nora.user, headline="h", about="", topics=[topic, seo])
    assert state(nora) == State.SUSPENDED
    assert deciding.lift_suspension(expert=nora)
    assert state(nora) == State.APPROVED
    assert not deciding.lift_suspension(expert=nora)


@pytest.mark.parametrize(("reasons", "stands"), [(["No.", "No."], State.REFUSED), (["No."], State.APPLIED)])
def test_whose_suspension_is_lifted_stands_as_their_topics_do(
    nora: ExpertProfile, olga: User, topic: Topic, seo: Topic, reasons: list[str], stands: str
) -> None:
    deciding.suspend(expert=nora)
    for one, reason in zip((topic, seo), reasons, strict=False):
        decide(nora, one, olga, reason=reason)
    deciding.lift_suspension(expert=nora)
    assert state(nora) == stands


def test_a_suspended_expert_is_off_at_once_and_cannot_come_back_alone(
    alice: User, eve: User, operator: Client, topic: Topic
) -> None:
    make_request(alice, topic)
    assert "1 suspended." in act(operator, "suspend", eve.expert)
    assert requests_for(eve) == []
    with pytest.raises(Refused):
        experts.set_availability(user=eve, available=True)
    assert "1 no longer suspended." in act(operator, "lift_suspension", eve.expert)
    assert len(requests_for(eve)) == 1


# --- the admin ---


def test_an_operator_decides_each_topic_and_one_mail_says_all(
    operator: Client,
    nora: ExpertProfile,
    olga: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent = decisions(nora, databases=("approved", ""), seo=("refused", "The links show no SEO work."))
    with django_capture_on_commit_callbacks(execute=True):
        assert operator.post(page_of(nora), sent).status_code == 302
    assert state(nora) == State.APPROVED
    [told] = mail.outbox
    assert told.to == ["nora@example.org"]
    assert told.subject == "You are approved: Databases; not for all topics"
    body = str(told.body)
    for words in ("Engineering / Databases: approved.", "Marketing / SEO: not approved.", "The links show no SEO work.",
                  reverse("board"), reverse("expert_settings")):  # fmt: skip
        assert words in body
    logged = LogEntry.objects.get(object_id=str(nora.pk))
    assert logged.user == olga
    assert "Engineering / Databases: approved." in logged.change_message
    assert "Marketing / SEO: refused (The links show no SEO work.)." in logged.change_message


def test_an_operator_sees_the_verified_phone_and_cannot_change_it(operator: Client, nora: ExpertProfile) -> None:
    assert "verified" not in operator.get(page_of(nora)).content.decode()
    give_phone(nora.user, "+436641234567")
    page = operator.get(page_of(nora)).content.decode()
    assert "+436641234567, verified " in page
    assert 'name="phone' not in page


def test_nobody_is_told_twice_of_a_decision(
    nora: ExpertProfile,
    olga: User,
    topic: Topic,
    seo: Topic,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        decide(nora, topic, olga)
    decided_at = row(nora, topic).decided_at
    assert decided_at is not None
    assert not expert_mails.mail_decisions(nora, decided_at)
    assert len(mail.outbox) == 1
    with django_capture_on_commit_callbacks(execute=True):
        decide(nora, seo, olga, reason="No work shown.")
    assert [told.subject for told in mail.outbox] == ["You are approved: Databases", "Not approved: SEO"]
    assert "Databases" not in str(mail.outbox[1].body)


def test_a_page_saved_without_a_decision_tells_nobody(
    operator: Client, nora: ExpertProfile, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert operator.post(page_of(nora), decisions(nora)).status_code == 302
    assert mail.outbox == []
    assert state(nora) == State.APPLIED


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (("refused", " "), "Say why: the applicant reads it."),
        (("applied", "Hm"), "A reason goes with a refusal."),
        (("nonsense", ""), "Select a valid choice."),
    ],
)
def test_a_decision_that_is_none_gets_a_sentence(
    operator: Client, nora: ExpertProfile, topic: Topic, decision: tuple[str, str], sentence: str
) -> None:
    answer = operator.post(page_of(nora), decisions(nora, databases=decision))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert row(nora, topic).state == ExpertTopic.State.APPLIED


def test_a_decision_is_not_unmade(operator: Client, nora: ExpertProfile, olga: User, topic: Topic) -> None:
    decide(nora, topic, olga)
    answer = operator.post(page_of(nora), decisions(nora, databases=("applied", "")))
    assert "Approve it or refuse it" in answer.content.decode()
    assert row(nora, topic).is_approved


def test_a_stale_page_overrides_nobody(operator: Client, nora: ExpertProfile, olga: User, topic: Topic) -> None:
    stale = decisions(nora, databases=("refused", "No."))
    decide(nora, topic, olga)
    answer = operator.post(page_of(nora), stale)
    assert "Olga decided this meanwhile: approved." in answer.content.decode()
    assert row(nora, topic).is_approved


def test_a_reason_can_be_put_better(operator: Client, nora: ExpertProfile, olga: User, topic: Topic) -> None:
    decide(nora, topic, olga, reason="No.")
    operator.post(page_of(nora), decisions(nora, databases=("refused", "Your links lead nowhere.")))
    assert row(nora, topic).reason == "Your links lead nowhere."


def test_the_page_shows_what_they_say_and_edits_none_of_it(operator: Client, nora: ExpertProfile) -> None:
    shown = operator.get(page_of(nora)).content.decode()
    link = (
        '<a href="https://example.org/nora" target="_blank" rel="noopener nofollow noreferrer">https://example.org/nora</a>'
    )
    assert link in shown
    assert "I tune databases.<br>&lt;script&gt;" in shown
    operator.post(page_of(nora), {**decisions(nora), "headline": "Other", "state": "approved", "available": "on"})
    nora.refresh_from_db()
    assert (nora.headline, nora.state, nora.available) == ("Postgres, 12 years", State.APPLIED, False)


def test_who_waits_is_first_and_can_be_listed_alone(
    operator: Client, nora: ExpertProfile, eve: User, erin: User, bob: User, topic: Topic
) -> None:
    later = applying.save_application(user=bob, headline="h", about="", topics=[topic])
    everybody = list(operator.get(reverse(LISTED)).context["cl"].result_list)
    assert everybody[:2] == [nora, later]
    answer = operator.get(reverse(LISTED), {"waiting": "yes"})
    assert list(answer.context["cl"].result_list) == [nora, later]
    shown = answer.content.decode()
    for words in ("Databases, SEO", "I tune databases.", 'href="https://example.org/nora"', "Waiting for a decision"):
        assert words in shown


def test_all_that_is_applied_for_is_approved_at_once(
    operator: Client,
    nora: ExpertProfile,
    olga: User,
    topic: Topic,
    seo: Topic,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    decide(nora, seo, olga, reason="No work shown.")
    with django_capture_on_commit_callbacks(execute=True):
        assert "1 approved." in act(operator, "approve_all", nora)
    assert approved_topic_ids(nora.user) == [topic.pk], "what was refused stays refused"
    assert [told.subject for told in mail.outbox] == ["You are approved: Databases"]
    assert LogEntry.objects.get(object_id=str(nora.pk)).change_message == "Engineering / Databases: approved."
    assert "None of them had a topic that waits" in act(operator, "approve_all", nora)


def test_the_suspended_hear_what_to_do_and_when_it_is_over(
    operator: Client, eve: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for action in ("suspend", "suspend", "lift_suspension"):
        with django_capture_on_commit_callbacks(execute=True):
            act(operator, action, eve.expert)
    assert [told.subject for told in mail.outbox] == [
        "Your expert account is suspended",
        "Your expert account is no longer suspended",
    ]
    assert "answer this mail" in str(mail.outbox[0].body)
    assert reverse("earnings") in str(mail.outbox[0].body)
    assert reverse("board") in str(mail.outbox[1].body)


# --- the process dies between the decision and the job: here on_commit is never reached ---


def test_a_decision_nobody_was_told_of_is_told_within_the_hour(
    nora: ExpertProfile, olga: User, topic: Topic, seo: Topic
) -> None:
    decisions = [deciding.Decision(row(nora, topic), approved=True), deciding.Decision(row(nora, seo), False, "No work.")]
    deciding.decide_each(decisions=decisions, by=olga)
    tasks.tell_experts_hourly.call_local()
    assert mail.outbox == [], "its job may be at it"
    decided_minutes_ago(nora, 2)
    for _ in range(2):
        tasks.tell_experts_hourly.call_local()
    assert [told.subject for told in mail.outbox] == ["You are approved: Databases; not for all topics"]


def test_what_is_no_news_or_nobodys_decision_is_not_told(nora: ExpertProfile, olga: User, topic: Topic, seo: Topic) -> None:
    decide(nora, topic, olga)
    decided_minutes_ago(nora, 24 * 60 + 1)
    tasks.tell_experts_hourly.call_local()
    deciding.decide_each(decisions=[deciding.Decision(row(nora, seo), approved=True)], by=None)
    decided_minutes_ago(nora, 2, decided_by=None)
    tasks.tell_experts_hourly.call_local()
    assert mail.outbox == []


def test_a_suspension_and_its_end_are_told_within_the_hour(eve: User) -> None:
    for change in (deciding.suspend, deciding.lift_suspension, deciding.suspend):
        assert change(expert=eve.expert)
        for _ in range(2):
            tasks.tell_experts_hourly.call_local()
    suspended, lifted = "Your expert account is suspended", "Your expert account is no longer suspended"
    assert [told.subject for told in mail.outbox] == [suspended, lifted, suspended]


def test_a_suspension_lifted_before_they_heard_of_it_is_no_news(eve: User) -> None:
    deciding.suspend(expert=eve.expert)
    deciding.lift_suspension(expert=eve.expert)
    tasks.tell_experts_hourly.call_local()
    assert mail.outbox == []


def test_of_two_who_tell_of_a_suspension_one_does(eve: User) -> None:
    deciding.suspend(expert=eve.expert)
    expert = ExpertProfile.objects.select_related("user").get(user=eve)

    def told_meanwhile(**_: object) -> None:
        pre_save.disconnect(told_meanwhile, sender=SentMail)
        assert expert_mails.mail_suspension(expert)

    # The other one mails after this one has counted, and before it writes.
    pre_save.connect(told_meanwhile, sender=SentMail)
    assert not expert_mails.mail_suspension(expert)
    assert len(mail.outbox) == 1


def test_a_mail_about_suspension_the_server_did_not_take_is_tried_again(eve: User, settings: Settings) -> None:
    deciding.suspend(expert=eve.expert)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, HOST, free_port()
    expert = ExpertProfile.objects.select_related("user").get(user=eve)
    with pytest.raises(OSError, match="refused"):
        expert_mails.mail_suspension(expert)
    settings.EMAIL_BACKEND = working
    tasks.tell_experts_hourly.call_local()
    assert len(mail.outbox) == 1


def decided_minutes_ago(expert: ExpertProfile, minutes: int, **fields: object) -> None:
    decided = ExpertTopic.objects.filter(expert=expert, decided_at__isnull=False, **fields)
    decided.update(decided_at=timezone.now() - timedelta(minutes=minutes))
