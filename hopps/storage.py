"""Static files: hashed names, compressed once at build time."""

import re
from collections.abc import Callable
from typing import Any

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
