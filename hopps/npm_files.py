"""Files of npm packages that pages load: named here one by one, taken from node_modules, never committed (decision 0012)."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage

NODE_MODULES = settings.BASE_DIR / "node_modules"
PREFIX = "npm"
# Twilio's Video SDK, for pages whose call goes through Twilio.
TWILIO_VIDEO = f"{PREFIX}/twilio-video.min.js"
# Where in node_modules each of the static files comes from.
FILES = {TWILIO_VIDEO: "twilio-video/dist/twilio-video.min.js"}


class NpmFilesFinder(BaseFinder):
    """Finds the static files in FILES whose package is installed; the others are just not there."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return where the static file `path` is, with `find_all` as a list; an empty list if it is not there."""
        source = NODE_MODULES / FILES[path] if path in FILES else None
        if source is None or not source.is_file():
            return []
        return [str(source)] if find_all else str(source)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        """Yield each file that is there: its name in its storage, and the storage, whose `prefix` is put before the name."""
        for name, source in FILES.items():
            place = NODE_MODULES / source
            if not place.is_file() or matches_patterns(name, list(ignore_patterns or [])):
                continue
            yield PurePosixPath(source).name, _PackageFiles(place.parent)


class _PackageFiles(FileSystemStorage):
    """A folder of a package; `collectstatic` puts the prefix before its files' names."""

    prefix = PREFIX

    def __init__(self, folder: Path) -> None:
        super().__init__(location=folder)
