"""The receipt on paper: A4, text that can be selected, in every script the fonts have.

Import it late: drawing needs half a second of libraries that most processes never use.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, TextMode, XPos, YPos

from hopps.http import public_url
from sessions_app.receipts import Receipt

_FONTS = Path(str(files("manimgx_fonts")))
# Latin, Greek and Cyrillic; what it lacks is looked for in the others, in their order.
_MAIN = "NotoSans[wght].ttf"
_OTHERS = (
    *(
        f"NotoSans{script}[wght].ttf"
        for script in (
            "Symbols", "Hebrew", "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati",
            "Gurmukhi", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
        )
    ),
    "NotoEmoji[wght].ttf",
)  # fmt: skip
_MISSING = "\ufffd"
# Variation selectors: they shape the sign before them, and no font needs to have them.
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))

_MARGIN = 22.0  # mm, as every length here that is not the size of a font
_INNER = 210.0 - 2 * _MARGIN
_VALUES = 40.0  # the column of amounts
_ACCENT, _INK, _SOFT, _RULE, _WASH = (10, 102, 87), (16, 32, 28), (76, 93, 87), (190, 200, 196), (253, 240, 213)


def render(receipt: Receipt) -> bytes:
    """Return the receipt as a PDF. The same receipt gives the same bytes."""
    sheet = _Sheet(receipt)
    sheet.draw()
    return bytes(sheet.output())


def file_name(receipt: Receipt) -> str:
    """Return what the file is called where it is saved."""
    return f"hopps-receipt-{receipt.number[:8]}.pdf"


@cache
def _characters(file: str) -> frozenset[str]:
    """Return what a font has a shape for."""
    with TTFont(_FONTS / file, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


def _fonts_for(text: str) -> Iterator[str]:
    """Yield the fonts that have what the main one lacks of `text`."""
    missing = set(text) - _characters(_MAIN)
    for file in _OTHERS:
        if not missing:
            return
        if found := missing & _characters(file):
            missing -= found
            yield file


class _Sheet(FPDF):
    """The sheet, drawn from top to bottom."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(format="A4")
        self.receipt = receipt
        self.set_margin(_MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, margin=_MARGIN)
        # Nobody's title is taken for the place where the number of pages goes.
        self.str_alias_nb_pages = ""
        self.set_title(f"Receipt: {receipt.title}")
        self.set_author(receipt.seller)
        self.set_creator("Hopps")
        self.set_producer("Hopps")
        self.set_lang("en")
        self.set_creation_date(receipt.issued_at)
        own = (receipt.seller, receipt.title, receipt.topic, receipt.expert, receipt.customer, *receipt.notes)
        everything = "".join((*own, *("".join(line) for line in receipt.bill), receipt.tax.label if receipt.tax else ""))
        self.add_font("main", fname=_FONTS / _MAIN)
        others = list(_fonts_for(everything))
        for file in others:
            self.add_font(file, fname=_FONTS / file)
        self.set_fallback_fonts(others, exact_match=False)
        self.known = frozenset().union(*(_characters(file) for file in (_MAIN, *others)))
        self.set_text_shaping(True)
        self.add_page()

    def draw(self) -> None:
        """Draw all of it."""
        receipt = self.receipt
        self._head()
        if receipt.demo:
            self._notice("Demo payments: no real money moved.")
        self._facts()
        for label, note, value in receipt.bill:
            self._row(label, value, note=note)
        self._rule(dashed=True)
        self._row("Total paid", receipt.total, size=15, bold=True)
        if receipt.tax is not None:
            self._row(receipt.tax.label, receipt.tax.value, color=_SOFT)
        self.ln(8)
        for note in receipt.notes:
            self._text(note, size=9, color=_SOFT)
            self.ln(1)
        self.ln(3)
        self._text(public_url(receipt.path), size=9, color=_ACCENT, link=public_url(receipt.path))

    # --- its parts ---

    def _head(self) -> None:
        top = self.get_y()
        self.image(settings.BASE_DIR / "static" / "icons" / "logo.svg", x=_MARGIN - 1.5, y=top, h=13)
        self.set_xy(_MARGIN + 15, top)
        self._text("Receipt", size=24, bold=True, width=60)
        left_ends = self.get_y()
        self.set_xy(_MARGIN + 80, top + 3)
        self._text(self.receipt.seller, color=_SOFT, width=_INNER - 80, align=Align.R)
        self.set_y(max(left_ends, self.get_y()) + 9)

    def _notice(self, sentence: str) -> None:
        self.set_fill_color(*_WASH)
        self.rect(_MARGIN, self.get_y(), _INNER, 9, style="F", round_corners=True, corner_radius=1.5)
        self.set_xy(_MARGIN + 4, self.get_y() + 1.9)
        self._text(sentence, width=_INNER - 8)
        self.ln(8)

    def _facts(self) -> None:
        receipt = self.receipt
        self._text(receipt.title, size=15, bold=True)
        self.ln(3)
        facts = (
            ("For", receipt.customer),
            ("With", f"{receipt.expert}, {receipt.topic}"),
            ("When", receipt.when),
            ("No.", receipt.number),
        )
        for name, fact in facts:
            self._room_for(7)
            top = self.get_y()
            self._text(name, color=_SOFT, width=20)
            self.set_xy(_MARGIN + 20, top)
            self._text(fact, width=_INNER - 20)
            self.ln(0.8)
        self.ln(6)
        self._rule()

    def _row(
        self,
        label: str,
        value: str,
        *,
        note: str = "",
        size: float = 10.5,
        bold: bool = False,
        color: tuple[int, int, int] = _INK,
    ) -> None:
        width = _INNER - _VALUES
        self._room_for(self._height(label, size, width) + (self._height(note, 9, width) if note else 0) + 3)
        top = self.get_y()
        # In the order it is read aloud and copied in.
        self._text(label, size=size, bold=bold, color=color, width=width)
        ends = self.get_y()
        self.set_xy(_MARGIN + width, top)
        self._text(value, size=size, bold=bold, color=color, width=_VALUES, align=Align.R)
        self.set_y(ends)
        if note:
            self._text(note, size=9, color=_SOFT, width=width)
        self.ln(2.2)

    def _rule(self, *, dashed: bool = False) -> None:
        self.set_draw_color(*_RULE)
        self.set_line_width(0.3)
        if dashed:
            self.set_dash_pattern(dash=1.2, gap=1.0)
        self.line(_MARGIN, self.get_y(), _MARGIN + _INNER, self.get_y())
        self.set_dash_pattern()
        self.ln(4)

    # --- type ---

    def _text(
        self,
        text: str,
        *,
        size: float = 10.5,
        bold: bool = False,
        color: tuple[int, int, int] = _INK,
        width: float = _INNER,
        align: Align = Align.L,
        link: str = "",
    ) -> None:
        """Write a paragraph where the pen is, and move the pen to the start of the line below it."""
        self.set_font("main", size=size)
        self.set_text_color(*color)
        self.set_draw_color(*color)
        # The bold shapes would take seconds to make from the font; a hair's breadth around each letter reads the same.
        mode = TextMode.FILL_STROKE if bold else TextMode.FILL
        with self.local_context(text_mode=mode, line_width=size * 0.014):
            # fpdf2 would choose the font inside the first line only, where that line begins in another script: the lines
            # below it would have none, and not be seen.
            assert self.current_font is not None
            self._out(self._set_font_for_page(self.current_font, self.font_size_pt))
            self.multi_cell(
                width, size * 0.5, self._fitting(text), align=align, link=link, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )

    def _fitting(self, text: str) -> str:
        """Return `text` with a sign for each character that no font has."""
        shown = (char for char in text if char not in _SELECTORS)
        return "".join(char if char in self.known else _MISSING for char in shown)

    def _height(self, text: str, size: float, width: float) -> float:
        self.set_font("main", size=size)
        height = self.multi_cell(width, size * 0.5, self._fitting(text), dry_run=True, output=MethodReturnValue.HEIGHT)
        assert isinstance(height, float | int)
        return height

    def _room_for(self, height: float) -> None:
        if self.will_page_break(height):
            self.add_page()
