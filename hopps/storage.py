"""Static files: hashed names, compressed once at build time."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise carries no types
    """Hashed and compressed; ES modules that import each other get hashed names too."""

    support_js_module_import_aggregation = True
