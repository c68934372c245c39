"""What becomes of static files when they are collected."""

import subprocess
from collections.abc import Iterable
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
# A script as Node's own parser reads it, without where in the file each thing stands: what it means, and nothing else. The
# addresses of what it imports lose the hash they are served with.
PARSE = """
const { parse } = require("internal/deps/acorn/acorn/dist/acorn"), fs = require("node:fs");
const meaning = (file) => {
  const tree = parse(fs.readFileSync(file, "utf8"), { ecmaVersion: "latest", sourceType: "module" });
  return JSON.stringify(tree, (key, value) => {
    if (key === "start" || key === "end") return undefined;
    if (/^(Import|Export).*Declaration$/.test(value?.type) && value.source) {
      return { ...value, source: value.source.value.replace(/\\.[0-9a-f]{12}\\.js$/, ".js") };
    }
    return typeof value === "bigint" ? `${value}n` : value;
  });
};
const files = process.argv.slice(1);
for (let at = 0; at < files.length; at += 2) {
  if (meaning(files[at]) !== meaning(files[at + 1])) console.log(files[at]);
}
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


def changed_in_meaning(pairs: Iterable[tuple[Path, Path]]) -> list[str]:
    """Return the first of each two scripts that do not mean the same."""
    command = ["node", "--expose-internals", "-e", PARSE, "--", *(str(file) for pair in pairs for file in pair)]
    said: str = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said.split()


def test_a_script_means_what_it_meant_before_its_comments_were_taken_out() -> None:
    """What takes them out is no parser: a template within a template is code to it, and loses its spaces."""
    assert changed_in_meaning((script, served(script.relative_to(SOURCES).as_posix())) for script in SCRIPTS) == []


def test_what_a_script_imports_is_named_by_its_content() -> None:
    assert f'from"./{served("js/room/peer.js").name}"' in served("js/room/adapters.js").read_text()
