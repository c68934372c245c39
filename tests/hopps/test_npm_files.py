"""Files of npm packages among the static files: those named, where they are installed, and nothing else."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.templatetags.static import static
from pytest_django import Settings

from hopps import npm_files
from hopps.npm_files import TWILIO_VIDEO, NpmFilesFinder
from hopps.storage import HashedStaticFiles
from sessions_app.models import HelpSession, Video
from sessions_app.video.sdk import sdk_address


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """No npm package is there, and none was when the static files were collected."""
    monkeypatch.setattr(npm_files, "NODE_MODULES", tmp_path)
    monkeypatch.setattr(staticfiles_storage, "_wrapped", HashedStaticFiles(location=str(tmp_path), base_url="/static/"))


def test_the_sdk_is_collected_with_a_name_of_its_content_and_compressed() -> None:
    served = static(TWILIO_VIDEO).removeprefix("/static/")
    assert served != TWILIO_VIDEO
    assert staticfiles_storage.exists(served)
    for compressed in (f"{served}.gz", f"{served}.br"):
        assert staticfiles_storage.size(compressed) < 130_000


def test_of_a_package_only_the_file_that_is_named_is_served() -> None:
    assert finders.find(TWILIO_VIDEO)
    for name in ("npm/twilio-video.js", "npm/../axe-core/axe.min.js", "npm/axe.min.js", "twilio-video/package.json"):
        assert finders.find(name) is None


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_package_calls_between_the_browsers_lack_nothing(settings: Settings) -> None:
    settings.VIDEO = "peer"
    assert list(NpmFilesFinder().list([])) == []
    call_command("check")
    assert sdk_address(HelpSession(video=Video.PEER)) == ""


@pytest.mark.usefixtures("nothing_installed")
def test_where_the_package_was_removed_the_page_of_a_call_is_served_without_it() -> None:
    assert sdk_address(HelpSession(video=Video.TWILIO)) == ""


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_package_nobody_starts_with_calls_through_twilio(settings: Settings) -> None:
    settings.VIDEO = "twilio"
    with pytest.raises(SystemCheckError, match="VIDEO=twilio needs Twilio's SDK for the page, and it is not installed"):
        call_command("check")


def test_with_the_package_calls_through_twilio_may_start(settings: Settings) -> None:
    settings.VIDEO = "twilio"
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET"):
        setattr(settings, name, "set")
    call_command("check")
    assert sdk_address(HelpSession(video=Video.TWILIO)).startswith("/static/npm/twilio-video.min.")
    assert sdk_address(HelpSession(video=Video.PEER)) == ""
