"""What forms the pages hold: the fields of each address, with the values a person would send."""

from collections import defaultdict
from html.parser import HTMLParser

Fields = dict[str, list[str]]


class _Forms(HTMLParser):
    """Collects the fields of forms that POST, by their address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: dict[str, Fields] = defaultdict(dict)
        self._open: Fields | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            posts = (given.get("method") or "").lower() == "post"
            address = (given.get("action") or self.page).split("?")[0]
            self._open = self.forms[address] if posts else None
        if self._open is None:
            return
        name = given.get("name") or self._select
        if tag == "select":
            self._select = given.get("name") or ""
        if tag == "option" and self._select:
            self._open.setdefault(self._select, []).append(given.get("value") or "")
        elif tag in ("input", "textarea", "button", "select") and name:
            self._open.setdefault(name, []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = ""


def forms_on(page: str, html: str) -> dict[str, Fields]:
    """Return the forms of the page at the address `page`: their fields, each with the values it offers."""
    parser = _Forms(page)
    parser.feed(html)
    return dict(parser.forms)
