"""What becomes of static files when they are collected."""

import subprocess
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static

SOURCES = settings.BASE_DIR / "static"
SCRIPTS = sorted(SOURCES.rglob("*.js"))
# Node reads each file as a module, as browsers do, and says which one it cannot read.
READ = """
const vm = require("node:vm"), fs = require("node:fs");
for (const identifier of process.argv.slice(1)) new vm.SourceTextModule(fs.readFileSync(identifier, "utf8"), { identifier });
"""


def served(name: str) -> Path:
    """Return the file that is served for the static file `name`."""
    return Path(staticfiles_storage.path(static(name).removeprefix("/static/")))


def test_scripts_are_served_without_their_comments_and_still_are_scripts() -> None:
    files = {script: served(script.relative_to(SOURCES).as_posix()) for script in SCRIPTS}
    assert len(files) > 20
    for source, file in files.items():
        text = file.read_text()
        assert "/**" not in text, file
        assert "\n//" not in text, file
        assert len(text) < len(source.read_text()), file
    subprocess.run(["node", "--experimental-vm-modules", "-e", READ, "--", *files.values()], check=True)


def test_what_a_script_imports_is_named_by_its_content() -> None:
    assert f'from"./{served("js/room/peer.js").name}"' in served("js/room/adapters.js").read_text()
