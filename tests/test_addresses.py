"""Every address of the site against every kind of person: one table. The admin's is in test_operators.py.

A number is the answer's status. 302 for a visitor leads to the sign-in page; for anybody else it is the answer of an
address that did its work, or refused it in a sentence, and sends the browser on.
"""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import NamedTuple
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from PIL import Image

from accounts import blocking, erasing, photos, suspending
from accounts.models import Topic, User
from billing import holds
from billing.models import Payment
from billing.payout_accounts import open_account
from sessions_app import files
from sessions_app.models import HelpSession
from tests.people import (
    alice,
    bob,
    erin,
    eve,
    give_card,
    make_active,
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

# Alice is in a session with Eve; Erin is an expert of the same topic; Bob is another customer; Olga owns the site.
KINDS = ("visitor", "alice", "bob", "eve", "erin", "olga")
# The rest of them stand as these do: whoever was suspended or deleted the account, with a browser that was signed in before;
# operators of both groups. Who is an operator in no group is no more than anybody.
AS = {"suspended": "visitor", "gone": "visitor", "sam": "olga", "mona": "olga", "nora": "bob"}
# But she is an operator: she is not deleted by herself, and comes to an admin that shows her nothing.
APART = {("nora", "post", "account_delete"): 409, ("nora", "get", "admin_login"): 302}


class Row(NamedTuple):
    """A method, an address by name, and the answer's status for each of KINDS."""

    method: str
    name: str
    statuses: tuple[int, int, int, int, int, int]
    of: str = ""
    """Whose thing is asked for: the key of `things`; empty where the address takes none."""


#                                                   visitor alice  bob    eve   erin   olga
TABLE = [
    Row("get", "home",                              (200,   200,   200,   200,   200,   200)),
    Row("get", "ask",                               (200,   302,   200,   200,   200,   200)),
    Row("post", "ask",                              (422,   302,   422,   422,   422,   422)),
    Row("put", "ask",                               (405,   405,   405,   405,   405,   405)),
    Row("get", "sessions",                          (302,   200,   200,   200,   200,   200)),
    Row("get", "sessions_csv",                      (302,   200,   200,   200,   200,   200)),
    # Erin could have accepted it: she is told that she came too late.
    Row("get", "session",                           (302,   200,   404,   200,   410,   404), "running"),
    Row("get", "session",                           (302,   404,   404,   200,   200,   404), "open"),
    Row("get", "session",                           (302,   404,   404,   404,   404,   404), "nothing"),
    Row("get", "session_receipt",                   (302,   404,   404,   404,   404,   404), "running"),
    Row("get", "session_receipt",                   (302,   200,   404,   404,   404,   404), "settled"),
    Row("post", "session_receipt",                  (302,   405,   405,   405,   405,   405), "settled"),
    # Sent with nothing in it: who may send is told what is missing.
    Row("post", "session_files",                    (302,   400,   404,   400,   404,   404), "running"),
    Row("get", "session_files",                     (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_files",                    (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "session_file",                      (302,   200,   404,   200,   404,   404), "file"),
    Row("post", "session_file",                     (302,   405,   405,   405,   405,   405), "file"),
    Row("get", "session_file",                      (302,   404,   404,   404,   404,   404), "no_file"),
    Row("get", "session_chat",                      (302,   200,   404,   200,   404,   404), "running"),
    Row("get", "session_chat",                      (302,   404,   404,   404,   404,   404), "open"),
    Row("post", "session_chat",                     (302,   405,   405,   405,   405,   405), "running"),
    Row("get", "session_notes",                     (302,   200,   404,   200,   404,   404), "running"),
    Row("get", "session_notes",                     (302,   200,   404,   200,   404,   404), "settled"),
    Row("get", "session_notes",                     (302,   404,   404,   404,   404,   404), "open"),
    Row("post", "session_notes",                    (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_accept",                   (302,   404,   404,   302,   302,   404), "running"),
    Row("post", "session_accept",                   (302,   404,   404,   302,   302,   404), "open"),
    Row("post", "session_accept",                   (302,   404,   404,   404,   404,   404), "nothing"),
    Row("get", "session_accept",                    (302,   405,   405,   405,   405,   405), "open"),
    Row("post", "session_cancel",                   (302,   302,   404,   404,   404,   404), "running"),
    Row("get", "session",                           (302,   404,   404,   410,   410,   404), "lapsed"),
    Row("get", "session",                           (302,   404,   404,   200,   404,   404), "for_eve"),
    Row("post", "session_accept",                   (302,   404,   404,   302,   404,   404), "for_eve"),
    Row("post", "session_pass",                     (302,   404,   404,   302,   404,   404), "for_eve"),
    Row("post", "session_pass",                     (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "session_pass",                      (302,   405,   405,   405,   405,   405), "for_eve"),
    Row("post", "session_wait",                     (302,   302,   404,   404,   404,   404), "running"),
    Row("post", "session_wait",                     (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "session_wait",                      (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_later",                    (302,   302,   404,   404,   404,   404), "running"),
    Row("post", "session_later",                    (302,   404,   404,   404,   404,   404), "lapsed"),
    Row("get", "session_later",                     (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_later_stop",               (302,   302,   404,   404,   404,   404), "running"),
    Row("post", "session_later_stop",               (302,   404,   404,   404,   404,   404), "lapsed"),
    Row("get", "session_later_stop",                (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_release",                  (302,   404,   404,   302,   404,   404), "running"),
    Row("post", "session_join",                     (302,   302,   404,   302,   404,   404), "running"),
    Row("post", "session_pause",                    (302,   302,   404,   302,   404,   404), "running"),
    Row("post", "session_resume",                   (302,   302,   404,   302,   404,   404), "running"),
    Row("post", "session_extend",                   (302,   302,   404,   404,   404,   404), "running"),
    Row("post", "session_end",                      (302,   302,   404,   302,   404,   404), "running"),
    Row("post", "session_rate",                     (302,   422,   404,   404,   404,   404), "running"),
    Row("post", "session_report",                   (302,   422,   404,   422,   404,   404), "running"),
    Row("get", "session_end",                       (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_join",                     (302,   404,   404,   404,   404,   404), "open"),
    Row("post", "session_cancel",                   (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "board",                             (302,   404,   404,   200,   200,   404)),
    Row("post", "expert_availability",              (302,   404,   404,   302,   302,   404)),
    Row("get", "expert_availability",               (302,   405,   405,   405,   405,   405)),
    Row("get", "expert_numbers",                    (302,   404,   404,   200,   200,   404)),
    Row("post", "expert_numbers",                   (302,   405,   405,   405,   405,   405)),
    Row("get", "expert_apply",                      (302,   200,   200,   302,   302,   200)),
    Row("post", "expert_apply",                     (302,   422,   422,   302,   302,   422)),
    Row("get", "expert_settings",                   (302,   302,   302,   200,   200,   302)),
    Row("post", "expert_settings",                  (302,   302,   302,   422,   422,   302)),
    Row("get", "expert_hours",                      (302,   302,   302,   200,   200,   302)),
    Row("post", "expert_hours",                     (302,   302,   302,   422,   422,   302)),
    Row("get", "expert_check",                      (302,   302,   302,   200,   200,   302)),
    Row("post", "expert_check",                     (302,   302,   302,   302,   302,   302)),
    Row("get", "expert_reach",                      (302,   404,   404,   200,   200,   404)),
    Row("post", "expert_reach",                     (302,   404,   404,   302,   302,   404)),
    Row("post", "expert_consent",                   (302,   404,   404,   302,   302,   404)),
    Row("get", "expert_consent",                    (302,   405,   405,   405,   405,   405)),
    Row("post", "expert_reach_test",                (302,   404,   404,   302,   302,   404), "way"),
    Row("get", "expert_reach_test",                 (302,   405,   405,   405,   405,   405), "way"),
    Row("post", "expert_reach_test",                (302,   404,   404,   404,   404,   404), "no_way"),
    Row("post", "expert_quiet",                     (302,   404,   404,   400,   400,   404)),
    Row("get", "expert_quiet",                      (302,   405,   405,   405,   405,   405)),
    Row("get", "account_change_phone",              (302,   200,   200,   200,   200,   200)),
    Row("post", "account_change_phone",             (302,   422,   422,   422,   422,   422)),
    Row("get", "account_verify_phone",              (302,   302,   302,   302,   302,   302)),
    Row("post", "account_verify_phone",             (302,   302,   302,   302,   302,   302)),
    Row("post", "account_remove_phone",             (302,   302,   302,   302,   302,   302)),
    Row("get", "account_remove_phone",              (302,   405,   405,   405,   405,   405)),
    Row("get", "push_subscribe",                    (302,   404,   404,   200,   200,   404)),
    Row("post", "push_subscribe",                   (302,   404,   404,   422,   422,   404)),
    Row("get", "push_unsubscribe",                  (302,   405,   405,   405,   405,   405)),
    Row("post", "push_unsubscribe",                 (302,   404,   404,   422,   422,   404)),
    Row("get", "service_worker",                    (200,   200,   200,   200,   200,   200)),
    Row("post", "service_worker",                   (405,   405,   405,   405,   405,   405)),
    Row("get", "earnings",                          (302,   404,   404,   200,   200,   404)),
    Row("get", "earnings_csv",                      (302,   404,   404,   200,   200,   404)),
    Row("post", "payout_account",                   (302,   404,   404,   302,   302,   404)),
    Row("get", "payout_account",                    (302,   405,   405,   405,   405,   405)),
    Row("get", "payout_return",                     (302,   404,   404,   302,   302,   404)),
    Row("post", "payout_return",                    (302,   405,   405,   405,   405,   405)),
    Row("post", "payout_dashboard",                 (302,   404,   404,   302,   302,   404)),
    Row("get", "payout_dashboard",                  (302,   405,   405,   405,   405,   405)),
    Row("get", "demo_account",                      (302,   404,   404,   200,   404,   404), "account"),
    Row("post", "demo_account",                     (302,   404,   404,   302,   404,   404), "account"),
    Row("post", "session_report_person",            (302,   422,   404,   422,   404,   404), "running"),
    Row("post", "session_report_person",            (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "session_report_person",             (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_block",                    (302,   302,   404,   302,   404,   404), "running"),
    Row("post", "session_block",                    (302,   302,   404,   302,   404,   404), "settled"),
    Row("post", "session_block",                    (302,   404,   404,   404,   404,   404), "open"),
    Row("get", "session_block",                     (302,   405,   405,   405,   405,   405), "running"),
    Row("post", "session_unblock",                  (302,   302,   404,   302,   404,   404), "running"),
    Row("get", "session_unblock",                   (302,   405,   405,   405,   405,   405), "running"),
    Row("get", "blocked",                           (302,   200,   200,   200,   200,   200)),
    Row("post", "blocked",                          (302,   405,   405,   405,   405,   405)),
    # Whom Alice blocked, Eve, finds nothing of hers there.
    Row("post", "unblock",                          (302,   302,   404,   404,   404,   404), "block"),
    Row("get", "unblock",                           (302,   405,   405,   405,   405,   405), "block"),
    Row("get", "person_settings",                   (302,   200,   200,   200,   200,   200)),
    Row("post", "person_settings",                  (302,   422,   422,   422,   422,   422)),
    Row("post", "photo_set",                        (302,   422,   422,   422,   422,   422)),
    Row("get", "photo_set",                         (302,   405,   405,   405,   405,   405)),
    Row("post", "photo_remove",                     (302,   302,   302,   302,   302,   302)),
    Row("get", "photo_remove",                      (302,   405,   405,   405,   405,   405)),
    Row("get", "photo",                             (302,   404,   404,   404,   404,   404), "no_photo"),
    # Dora's; whom she met, sees it too (tests/accounts/test_photos.py).
    Row("get", "photo",                             (302,   404,   404,   404,   404,   200), "photo"),
    Row("post", "photo",                            (302,   405,   405,   405,   405,   405), "photo"),
    Row("get", "my_data",                           (302,   200,   200,   200,   200,   200)),
    Row("post", "my_data",                          (302,   405,   405,   405,   405,   405)),
    # Who signed in a while ago is asked who they are first (tests/accounts/test_reauthentication.py).
    Row("get", "my_data_download",                  (302,   200,   200,   200,   200,   200), "kind"),
    Row("post", "my_data_download",                 (302,   405,   405,   405,   405,   405), "kind"),
    # Alice and Eve are in a session, and operators are not deleted.
    Row("get", "account_delete",                    (302,   200,   200,   200,   200,   200)),
    Row("post", "account_delete",                   (302,   409,   422,   409,   422,   409)),
    Row("get", "billing",                           (302,   200,   200,   200,   200,   200)),
    Row("get", "card_add",                          (302,   200,   200,   200,   200,   200)),
    Row("post", "card_add",                         (302,   422,   422,   422,   422,   422)),
    # The demo's cards are chosen from a list: no page of a processor's.
    Row("post", "card_page",                        (302,   404,   404,   404,   404,   404)),
    Row("get", "card_page",                         (302,   405,   405,   405,   405,   405)),
    Row("get", "card_added",                        (302,   302,   302,   302,   302,   302)),
    Row("get", "hold_continue",                     (302,   302,   404,   404,   404,   404), "hold"),
    Row("get", "hold_return",                       (302,   302,   404,   404,   404,   404), "hold"),
    Row("post", "hold_return",                      (302,   405,   405,   405,   405,   405), "hold"),
    Row("post", "stripe_webhook",                   (404,   404,   404,   404,   404,   404)),
    Row("get", "stripe_webhook",                    (405,   405,   405,   405,   405,   405)),
    Row("post", "twilio_webhook",                   (404,   404,   404,   404,   404,   404)),
    Row("get", "twilio_webhook",                    (405,   405,   405,   405,   405,   405)),
    Row("post", "twilio_video_webhook",             (404,   404,   404,   404,   404,   404)),
    Row("get", "twilio_video_webhook",              (405,   405,   405,   405,   405,   405)),
    Row("post", "card_remove",                      (302,   302,   404,   404,   404,   404), "card"),
    Row("get", "card_remove",                       (302,   405,   405,   405,   405,   405), "card"),
    Row("post", "card_default",                     (302,   302,   404,   404,   404,   404), "card"),
    Row("get", "demo_bank",                         (302,   200,   404,   404,   404,   404), "hold"),
    Row("post", "demo_bank",                        (302,   422,   404,   404,   404,   404), "hold"),
    Row("get", "healthz",                           (200,   200,   200,   200,   200,   200)),
    Row("get", "readyz",                            (200,   200,   200,   200,   200,   200)),
    # With a token set (tests/hopps/test_metrics.py): for nobody who has not got it, whoever they are.
    Row("get", "metrics",                           (200,   200,   200,   200,   200,   200)),
    # Sent with nothing in it.
    Row("post", "csp_report",                       (400,   400,   400,   400,   400,   400)),
    Row("get", "csp_report",                        (405,   405,   405,   405,   405,   405)),
    Row("get", "account_login",                     (200,   302,   302,   302,   302,   302)),
    Row("get", "account_signup",                    (200,   302,   302,   302,   302,   302)),
    Row("get", "account_logout",                    (302,   200,   200,   200,   200,   200)),
    Row("get", "account_inactive",                  (200,   200,   200,   200,   200,   200)),
    Row("get", "account_reauthenticate",            (302,   200,   200,   200,   200,   200)),
    Row("get", "account_email",                     (302,   200,   200,   200,   200,   200)),
    Row("get", "account_sign_in",                   (302,   200,   200,   200,   200,   200)),
    Row("get", "account_sign_in_again",             (302,   200,   200,   200,   200,   200)),
    Row("post", "account_devices_sign_out",         (302,   302,   302,   302,   302,   302)),
    Row("get", "account_devices_sign_out",          (302,   405,   405,   405,   405,   405)),
    # Somebody else's device is as good as none.
    Row("post", "account_device_sign_out",          (302,   302,   302,   302,   302,   302), "device"),
    Row("get", "mfa_index",                         (302,   302,   302,   302,   302,   302)),
    Row("get", "mfa_list_webauthn",                 (302,   302,   302,   302,   302,   302)),
    Row("get", "usersessions_list",                 (302,   302,   302,   302,   302,   302)),
    Row("get", "mfa_authenticate",                  (302,   302,   302,   302,   302,   302)),
    Row("get", "mfa_reauthenticate",                (302,   302,   302,   302,   302,   302)),
    Row("get", "mfa_reauthenticate_webauthn",       (302,   302,   302,   302,   302,   302)),
    Row("get", "mfa_activate_totp",                 (302,   200,   200,   200,   200,   200)),
    Row("get", "mfa_deactivate_totp",               (302,   404,   404,   404,   404,   404)),
    Row("get", "mfa_view_recovery_codes",           (302,   404,   404,   404,   404,   404)),
    Row("get", "mfa_download_recovery_codes",       (302,   404,   404,   404,   404,   404)),
    Row("get", "mfa_generate_recovery_codes",       (302,   200,   200,   200,   200,   200)),
    Row("get", "mfa_add_webauthn",                  (302,   200,   200,   200,   200,   200)),
    Row("get", "mfa_edit_webauthn",                 (302,   404,   404,   404,   404,   404), "device"),
    Row("get", "mfa_remove_webauthn",               (302,   404,   404,   404,   404,   404), "device"),
    Row("get", "mfa_login_webauthn",                (302,   302,   302,   302,   302,   302)),
    Row("get", "admin_login",                       (302,   404,   404,   404,   404,   302)),
    Row("get", "admin_password_change",             (302,   302,   302,   302,   302,   302)),
    Row("get", "account_change_password",           (302,   200,   200,   200,   200,   200)),
    Row("get", "account_set_password",              (302,   302,   302,   302,   302,   302)),
    Row("get", "account_reset_password",            (200,   200,   200,   200,   200,   200)),
    Row("get", "account_reset_password_done",       (200,   200,   200,   200,   200,   200)),
    Row("get", "account_reset_password_from_key_done", (200, 200,  200,   200,   200,   200)),
    Row("get", "account_confirm_login_code",        (302,   302,   302,   302,   302,   302)),
    Row("get", "account_request_login_code",        (200,   302,   302,   302,   302,   302)),
    # None is switched on here (tests/accounts/test_provider_sign_in.py has them on).
    Row("post", "google_login",                     (404,   404,   404,   404,   404,   404)),
    Row("get", "google_callback",                   (404,   404,   404,   404,   404,   404)),
    Row("post", "google_login_by_token",            (404,   404,   404,   404,   404,   404)),
    Row("post", "no_google_token",                  (404,   404,   404,   404,   404,   404)),
    Row("post", "amazon_cognito_login",             (404,   404,   404,   404,   404,   404)),
    Row("get", "amazon_cognito_callback",           (404,   404,   404,   404,   404,   404)),
    Row("post", "openid_connect_login",             (404,   404,   404,   404,   404,   404), "provider"),
    Row("get", "openid_connect_callback",           (404,   404,   404,   404,   404,   404), "provider"),
    Row("get", "socialaccount_login_cancelled",     (200,   200,   200,   200,   200,   200)),
    Row("get", "socialaccount_login_error",         (401,   401,   401,   401,   401,   401)),
    Row("get", "socialaccount_signup",              (302,   302,   302,   302,   302,   302)),
    Row("get", "socialaccount_connections",         (302,   200,   200,   200,   200,   200)),
    Row("get", "account_email_verification_sent",   (302,   302,   302,   302,   302,   302)),
]  # fmt: skip

# Addresses the table cannot hold: one needs a mailed key.
ELSEWHERE = {"account_reset_password_from_key"}


def picture() -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (20, 20)).save(made, "PNG")
    made.seek(0)
    return made


@pytest.fixture
def things(alice: User, eve: User, erin: User, olga: User, topic: Topic) -> dict[str, list[object]]:
    carol = make_person("carol@example.org", "Carol")
    waiting = make_request(carol, topic)
    dora = make_person("dora@example.org", "Dora")
    lapsed = HelpSession.objects.create(
        customer=dora, topic=topic, title="Nobody came", state="expired", currency="USD", price_per_minute=200,
        cap_minutes=30, requested_at=timezone.now(), queued_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    for_eve = make_request(dora, topic)
    HelpSession.objects.filter(pk=for_eve.pk).update(first_expert=eve, first_until=timezone.now() + timedelta(hours=1))
    running = make_active(alice, eve, topic, seconds=200)
    settled = HelpSession.objects.create(
        customer=alice, expert=eve, topic=topic, title="Before", state="ended", currency="USD", price_per_minute=200,
        cap_minutes=30, settled_at=timezone.now(), billable_seconds=150, amount_minor=500,
    )  # fmt: skip
    Payment.objects.create(
        reference=settled.pk, payer=alice, payee=eve, currency="USD", state=Payment.State.CHARGED, charged_minor=500
    )
    asks_bank = holds.place_hold(
        reference=uuid4(),
        payer=alice,
        amount_minor=3000,
        currency="USD",
        description="Another",
        card=give_card(alice, 2),
        return_url="/",
    )
    assert isinstance(asks_bank, holds.HoldNeedsAction)
    file_id = uuid4()
    files.attach(session=running, author=alice, message_id=file_id, name="a.txt", content=BytesIO(b"words"))
    return {
        "": [],
        "running": [running.pk],
        "file": [running.pk, file_id],
        "no_file": [running.pk, uuid4()],
        "settled": [settled.pk],
        "open": [waiting.pk],
        "lapsed": [lapsed.pk],
        "for_eve": [for_eve.pk],
        "nothing": [uuid4()],
        "device": [2**40],
        "photo": [dora.pk, photos.set_photo(user=dora, content=picture()).version],
        "no_photo": [dora.pk, "0123456789ab"],
        "kind": ["json"],
        "provider": ["acme"],
        "way": ["mail"],
        "no_way": ["pigeon"],
        "card": [give_card(alice).pk],
        "hold": [asks_bank.hold.pk],
        "account": [open_account(owner=eve).gateway_ref],
        "block": [blocking.block(by=alice, person=eve).pk],
    }


def test_every_address_answers_every_kind_of_person_as_the_table_says(
    things: dict[str, list[object]],
    alice: User,
    bob: User,
    eve: User,
    erin: User,
    olga: User,
    sam: User,
    mona: User,
    nora: User,
) -> None:
    frank, grace = make_person("frank@example.org", "Frank"), make_person("grace@example.org", "Grace")
    people = {
        "visitor": None, "alice": alice, "bob": bob, "eve": eve, "erin": erin, "olga": olga, "sam": sam, "mona": mona,
        "nora": nora, "suspended": frank, "gone": grace,
    }  # fmt: skip
    assert people.keys() == {*KINDS, *AS}
    wrong = []
    for kind, person in people.items():
        client = Client()
        if person is not None:
            client.force_login(person)
        if kind == "suspended":
            suspending.suspend(user=frank, by=olga, reason="Rude.")
        elif kind == "gone":
            erasing.erase(user=grace)
        for row in TABLE:
            with taken_back():
                answer = client.generic(row.method.upper(), reverse(row.name, args=things[row.of]))
                if answer.streaming:  # a file is let go of when it was read
                    b"".join(answer)
            expected = APART.get((kind, row.method, row.name), row.statuses[KINDS.index(AS.get(kind, kind))])
            if answer.status_code != expected:
                wrong.append(f"{kind}: {row.method} {row.name} {row.of}: {answer.status_code}, not {expected}")
            elif AS.get(kind, kind) == "visitor" and expected == 302 and not leads_to_sign_in(row, answer["Location"]):
                wrong.append(f"{kind}: {row.name} leads to {answer['Location']}")
    assert not wrong, "\n".join(wrong)


def leads_to_sign_in(row: Row, location: str) -> bool:
    # allauth's own addresses lead where their step of signing in begins.
    return row.name.startswith("account_") or "/login/" in location


def names_of(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name"
            yield pattern.name
        elif pattern.namespace != "admin":
            yield from names_of(pattern)


def test_no_address_is_missing_from_the_table() -> None:
    assert set(names_of(get_resolver())) == {row.name for row in TABLE} | ELSEWHERE
