"""Our calls against Twilio's list of who was in them: by hand and by night, and what is for a person to look at."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import Settings

from accounts.models import Topic, User
from sessions_app.models import Attendance, HelpSession, Pause, State, Video
from sessions_app.sweep import sweep
from sessions_app.tasks import reconcile_video_nightly
from sessions_app.video import callbacks, rooms, service
from tests.peers.twilio_video import TwilioVideo
from tests.people import be_present, make_accepted

pytestmark = pytest.mark.django_db

AGO = timedelta(hours=1)


def run(*arguments: str) -> tuple[int, str]:
    """Return exit status and output of `manage.py reconcile_video`."""
    out = StringIO()
    try:
        call_command("reconcile_video", *arguments, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def start() -> datetime:
    """When the calls of this file began: an hour ago, on a second, as Twilio's lists say it."""
    return (timezone.now() - AGO).replace(microsecond=0)


@pytest.fixture
def call(video_peer: TwilioVideo, alice: User, eve: User, topic: Topic, start: datetime) -> HelpSession:
    """A call of 600 s, billed so, which ended most of an hour ago; Twilio saw both for as long, and told of nothing."""
    session = make_accepted(alice, eve, topic)
    rooms.open_room(session.pk)
    session.refresh_from_db()
    for person in (alice, eve):
        video_peer.connect(session.room_sid, person.pk, at=start + timedelta(seconds=3))
        be_present(session, person, start, left=start + timedelta(seconds=600))
    end = start + timedelta(seconds=600)
    video_peer.end_room(session.room_sid, at=end)
    rooms.close_room(session.room_sid)
    HelpSession.objects.filter(pk=session.pk).update(
        state=State.ENDED, active_at=start, ended_at=end, settled_at=end, billable_seconds=600, amount_minor=1600
    )
    session.refresh_from_db()
    return session


def test_without_calls_all_agrees_and_nobody_is_asked(video_peer: TwilioVideo, settings: Settings) -> None:
    settings.VIDEO = "peer"
    assert run() == (0, "All agree.\n")
    assert video_peer.asked == []


def test_what_was_not_told_is_written_down_once(video_peer: TwilioVideo, call: HelpSession, alice: User) -> None:
    for arguments, word in ((("--dry-run",), "Needs a person."), ((), "Repaired.")):
        status, said = run(*arguments)
        assert status == 1
        assert f"Session {call.pk} (Query is slow): of its comings and goings there, 4 were not told. {word}" in said
    assert run() == (0, "All agree.\n")
    events = call.video_events.filter(person=alice)
    assert [event.kind for event in events] == ["participant-connected", "participant-disconnected"]
    assert (events[1].at - events[0].at).total_seconds() == 597


def test_what_was_told_already_is_not_written_again(video_peer: TwilioVideo, call: HelpSession) -> None:
    for _, fields, _ in video_peer.calls:
        callbacks.hear(fields)
    assert run() == (0, "All agree.\n")
    assert call.video_events.count() == 6


def test_a_bill_that_says_more_than_twilio_saw_is_for_a_person_and_stays_as_it_is(
    video_peer: TwilioVideo, call: HelpSession, start: datetime
) -> None:
    video_peer.people[call.room_sid][0]["end_time"] = f"{start + timedelta(seconds=303):%Y-%m-%dT%H:%M:%SZ}"
    run()
    status, said = run()
    assert status == 1
    assert "was billed 600 s, and there both were connected for 300 s, pauses left out. Needs a person." in said
    before = HelpSession.objects.values().get(pk=call.pk)
    assert (before["billable_seconds"], before["amount_minor"]) == (600, 1600)


@pytest.mark.parametrize(("late", "is_reported"), [(29, False), (45, True)])
def test_some_seconds_of_connecting_are_no_difference(
    video_peer: TwilioVideo, call: HelpSession, start: datetime, late: int, is_reported: bool
) -> None:
    for person in video_peer.people[call.room_sid]:
        person["start_time"] = f"{start + timedelta(seconds=late):%Y-%m-%dT%H:%M:%SZ}"
    run()
    assert run()[0] == int(is_reported)


def test_pauses_are_left_out_of_what_twilio_saw(
    video_peer: TwilioVideo, call: HelpSession, start: datetime, alice: User
) -> None:
    begin = start + timedelta(seconds=100)
    Pause.objects.create(session=call, by=alice, started_at=begin, ended_at=begin + timedelta(seconds=200))
    HelpSession.objects.filter(pk=call.pk).update(billable_seconds=400)
    run()
    assert run() == (0, "All agree.\n")
    HelpSession.objects.filter(pk=call.pk).update(billable_seconds=600)
    assert "both were connected for 397 s" in run()[1]


def test_a_call_that_was_free_because_no_page_spoke_is_for_a_person_where_twilio_saw_it(
    video_peer: TwilioVideo, call: HelpSession
) -> None:
    HelpSession.objects.filter(pk=call.pk).update(amount_minor=0)
    Attendance.objects.update(media_at=None)
    run()
    assert "was not charged, as no page said that it connected; there both were connected for 597 s" in run()[1]


def test_a_call_that_went_on_between_the_browsers_is_not_twilios_to_measure(
    video_peer: TwilioVideo, call: HelpSession
) -> None:
    HelpSession.objects.filter(pk=call.pk).update(video=Video.PEER, billable_seconds=3000)
    run()
    assert run() == (0, "All agree.\n")


def test_a_room_twilio_does_not_know_is_for_a_person(video_peer: TwilioVideo, call: HelpSession) -> None:
    del video_peer.rooms[call.room_sid]
    assert "is unknown there. Needs a person." in run()[1]


def test_rooms_left_open_are_ended_and_others_are_left_alone(
    video_peer: TwilioVideo, call: HelpSession, alice: User, eve: User, topic: Topic
) -> None:
    run()
    lost = service.service().open(rooms.name_of(call))
    other_sites = service.service().open("somebody-elses")
    live = make_accepted(alice, eve, topic)
    rooms.open_room(live.pk)
    live.refresh_from_db()
    assert run() == (0, "All agree.\n")  # all are young
    for room in video_peer.rooms.values():
        room["date_created"] = f"{timezone.now() - AGO:%Y-%m-%dT%H:%M:%SZ}"
    assert "Needs a person." in run("--dry-run")[1]
    status, said = run()
    assert (status, f"Room {lost.sid} of Session {call.pk} (Query is slow) is open" in said) == (1, True)
    assert set(video_peer.open_rooms()) == {other_sites.sid, live.room_sid}
    assert run() == (0, "All agree.\n")


def test_calls_of_the_last_minutes_and_of_long_ago_are_left_alone(video_peer: TwilioVideo, call: HelpSession) -> None:
    for ended in (timezone.now() - timedelta(minutes=10), timezone.now() - timedelta(days=4)):
        HelpSession.objects.filter(pk=call.pk).update(ended_at=ended)
        assert run() == (0, "All agree.\n")
    assert run("--days", "5")[0] == 1


def test_twilio_out_of_reach_is_another_status(video_peer: TwilioVideo, call: HelpSession) -> None:
    video_peer.refuse_next(status=503)
    with pytest.raises(CommandError, match="could not be compared: Twilio answered 20500") as failed:
        call_command("reconcile_video", stdout=StringIO())
    assert failed.value.returncode == 2


def test_one_call_that_cannot_be_compared_keeps_no_other_waiting(video_peer: TwilioVideo, call: HelpSession) -> None:
    video_peer.refuse_next("/Participants", status=500)
    status, said = run()
    assert status == 1
    assert f"Session {call.pk} (Query is slow) could not be compared (Twilio answered 20500" in said


@pytest.mark.parametrize("days", ["0", "-1", "366"])
def test_days_nobody_has_are_refused_in_a_sentence(days: str) -> None:
    with pytest.raises(CommandError, match=r"^--days must be from 1 to 365\.$"):
        call_command("reconcile_video", f"--days={days}", stdout=StringIO())


def test_operators_are_mailed_what_the_night_found_or_that_it_could_not_look(
    video_peer: TwilioVideo, call: HelpSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HUEY, "immediate", True)
    reconcile_video_nightly.call_local()
    reconcile_video_nightly.call_local()
    assert [message.subject for message in mail.outbox] == ["[Hopps] Reconcile of calls found 1 differences"]
    assert "4 were not told. Repaired." in mail.outbox[0].body
    video_peer.refuse_next(status=503)
    reconcile_video_nightly.call_local()
    assert mail.outbox[1].subject == "[Hopps] Reconcile of calls could not run"
    assert "Twilio answered 20500" in mail.outbox[1].body


def test_the_sweep_leaves_a_compared_call_alone(video_peer: TwilioVideo, call: HelpSession) -> None:
    run()
    asked = len(video_peer.asked)
    sweep(now=timezone.now() + timedelta(minutes=5))
    assert len(video_peer.asked) == asked
