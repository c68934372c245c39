"""Static files: hashed names, scripts and stylesheets without their comments, compressed once at build time."""

import re
from collections.abc import Callable
from typing import Any

import rcssmin
import rjsmin
from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

from hopps.npm_files import FILES


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise carries no types
    """Hashed and compressed; ES modules that import each other get hashed names too."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, *arguments: Any, **options: Any) -> Callable[[re.Match[str]], str]:
        """Return what rewrites an address found in the file `name`. A bundle carries all it needs, and stays as it is."""
        if name in FILES:
            return lambda found: found[0]
        convert: Callable[[re.Match[str]], str] = super().url_converter(name, *arguments, **options)
        return convert

    def file_hash(self, name: str | None, content: File[bytes] | None = None) -> str | None:
        """Return the hash a file's name carries: of what is served."""
        found: str | None = super().file_hash(name, _served(name, content) if content is not None else None)
        return found

    def _save(self, name: str, content: File[bytes]) -> str:
        saved: str = super()._save(name, _served(name, content))
        return saved


def _served(name: str | None, content: File[bytes]) -> File[bytes]:
    """Return what is served for the static file `name` (None: the list of them all).

    What explains our scripts and stylesheets is much of their weight, and stays here. Others' files stay as they came. That
    nothing else is lost is seen by the tests, which read both: rjsmin knows no template within a template.
    """
    if name is not None and name.startswith("js/") and name.endswith(".js"):
        return ContentFile(rjsmin.jsmin(b"".join(content.chunks())))
    if name is not None and name.startswith("css/") and name.endswith(".css"):
        return ContentFile(rcssmin.cssmin(b"".join(content.chunks())))
    return content
