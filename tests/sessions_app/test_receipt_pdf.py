"""The receipt as a PDF: its words can be read back, whatever people are called."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Topic, User
from billing.models import Payment
from sessions_app import receipt_pdf
from sessions_app.models import HelpSession
from sessions_app.receipts import CardUse, Line, Receipt, RefundLine, Tax, plain
from tests.people import make_active
from tests.sessions_app.test_receipts import make_charged

AT = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
RECEIPT = Receipt(
    number="3f1b9c7e-5a53-4a55-93a8-4c9d5f1e2d3c", path="/sessions/3f1b9c7e-5a53-4a55-93a8-4c9d5f1e2d3c/",
    seller="Hopps GmbH, Wien", customer="Alice", expert="Eve", topic="Databases", title="Query is slow", at=AT, issued_at=AT,
    currency="EUR", state="charged", seconds=330, free_seconds=120, price_per_minute=200, due_minor=700, charged_minor=700,
    total_minor=450,
    lines=(Line(label="Time you were both there", value="5:30"), Line(label="3:30 at €2.00 a minute", value="€7.00")),
    refunds=(
        RefundLine(id="1", at=AT, reason="Bad sound", pending=True, amount_minor=250, currency="EUR", to="Visa ending 4242"),
    ),
    tax=Tax(name="VAT", basis_points=2000, amount_minor=75, currency="EUR"),
    cards=(CardUse(card="Visa ending 4242", held_minor=6000, charged_minor=700, rest="released", currency="EUR"),),
    ended="The customer ended it", demo=True,
)  # fmt: skip


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def words(receipt: Receipt) -> str:
    """Return all the text of the receipt's PDF, its line breaks as spaces."""
    return " ".join(" ".join(page.extract_text() for page in read(receipt_pdf.render(receipt)).pages).split())


def test_all_of_the_receipt_can_be_selected_in_the_order_it_is_read() -> None:
    text = words(RECEIPT)
    assert RECEIPT.tax is not None
    told = [
        "Receipt", RECEIPT.seller, "Demo payments: no real money moved.", RECEIPT.title, "Alice", "Eve, Databases",
        "24 November 2026, 13:05 (UTC)", RECEIPT.number, "Time you were both there", "5:30", "3:30 at €2.00 a minute",
        "€7.00",
        "Refund, 24 November 2026 (on its way)", "−€2.50", "Bad sound", "Total paid", "€4.50", RECEIPT.tax.label, "€0.75",
        RECEIPT.cards[0].sentence, RECEIPT.path,
    ]  # fmt: skip
    places: list[int] = []
    for sentence in told:
        assert sentence in text
        places.append(text.index(sentence, places[-1] if places else 0))
    assert places == sorted(places)


def test_it_is_one_a4_page_that_says_what_it_is_and_in_which_language() -> None:
    pdf = read(receipt_pdf.render(RECEIPT))
    assert len(pdf.pages) == 1
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]
    assert pdf.metadata is not None
    assert (pdf.metadata.title, pdf.metadata.author) == ("Receipt: Query is slow", "Hopps GmbH, Wien")
    assert pdf.metadata.creation_date == AT
    assert str(pdf.root_object["/Lang"]) == "en"


def test_the_same_receipt_gives_the_same_bytes() -> None:
    assert receipt_pdf.render(RECEIPT) == receipt_pdf.render(replace(RECEIPT))


@pytest.mark.parametrize(
    "title",
    [
        "Straße, façade, Žižkov: „Größe“ – 100 %",
        "Αργό ερώτημα στη βάση",
        "Почему запрос такой медленный?",
        "שאילתה איטית",
        "नमस्ते",
        "Slow 🐘 query 🎉",
    ],
)
def test_a_title_in_any_of_these_scripts_is_there_to_read(title: str) -> None:
    text = words(replace(RECEIPT, title=title))
    assert "\ufffd" not in text
    # Right-to-left words come back in the order they stand on the paper.
    for word in title.split():
        assert word in text


def test_what_no_font_has_shows_as_a_replacement_sign() -> None:
    text = words(replace(RECEIPT, title="慢查询 in Postgres"))
    assert "\ufffd\ufffd\ufffd in Postgres" in text


@pytest.mark.parametrize(
    "title",
    [
        "W" * 120,
        "🐘" * 60 + "א" * 60,
        "👩‍👩‍👧‍👦🏳️‍🌈 مرحبا بالعالم עולם 12:30 (abc) ไทย 中文",
        "\x00\x01\x1b[31m\ufeff\u2028\u200b\u200d\ufe0f\u202e",
        "\ud800 \U0010ffff \ufffe {nb} **bold** __u__ ~~x~~",
        "i\u0301" + "\u0301" * 60,
        " ",
        "",
    ],
    ids=range(8),
)
def test_no_title_breaks_it(title: str) -> None:
    line = plain(title)
    text = words(replace(RECEIPT, title=line, customer=line, expert=line, seller=line, topic=line))
    assert "Total paid" in text
    assert "€4.50" in text


def test_the_lines_below_one_in_another_script_are_seen() -> None:
    """They had no font, which shows on the paper and not in the text: every one of them must name one first."""
    page = read(receipt_pdf.render(replace(RECEIPT, title="ไทย " + "W" * 100))).pages[0]
    contents = page.get_contents()
    assert contents is not None
    # Fonts chosen inside q … Q are forgotten at its end: count what is shown where none was chosen.
    chosen, shown_without = [False], 0
    for operands, operator in contents.operations:
        if operator == b"q":
            chosen.append(chosen[-1])
        elif operator == b"Q":
            chosen.pop()
        elif operator == b"Tf":
            chosen[-1] = True
        elif operator == b"Tj" and operands and not chosen[-1]:
            shown_without += 1
    assert shown_without == 0


def test_many_refunds_go_on_over_pages_and_none_is_cut() -> None:
    many = replace(
        RECEIPT, refunds=tuple(replace(RECEIPT.refunds[0], reason=f"Reason {n}. " + "long " * 50) for n in range(60))
    )
    pdf = read(receipt_pdf.render(many))
    assert len(pdf.pages) > 2
    for page in pdf.pages:
        text = page.extract_text()
        assert text.count("Reason ") == text.count("Refund, ")
    assert sum("Total paid" in page.extract_text() for page in pdf.pages) == 1


# --- its address ---


@pytest.mark.django_db
def test_the_customer_gets_it_as_a_file_nobody_keeps_on_the_way(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_charged(alice, eve, topic)
    client.force_login(alice)
    page = client.get(session.get_absolute_url()).content.decode()
    address = reverse("session_receipt", args=[session.pk])
    assert f'href="{address}"' in page
    assert f'href="{address}"' in client.get(reverse("billing")).content.decode()
    answer = client.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'inline; filename="hopps-receipt-{str(session.pk)[:8]}.pdf"'
    assert "no-store" in answer["Cache-Control"]
    assert "$7.00" in read(answer.content).pages[0].extract_text()


@pytest.mark.django_db
def test_the_expert_and_strangers_get_none(client: Client, alice: User, bob: User, eve: User, topic: Topic) -> None:
    address = reverse("session_receipt", args=[make_charged(alice, eve, topic).pk])
    for person in (bob, eve):
        client.force_login(person)
        assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_before_the_card_is_charged_it_says_when_there_will_be_one(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    client.force_login(alice)
    session = make_active(alice, eve, topic, seconds=10)
    address = reverse("session_receipt", args=[session.pk])

    def said() -> str:
        answer = client.get(address)
        assert answer.status_code == 404
        return answer.content.decode()

    assert "when the session has ended and your card is charged" in said()
    HelpSession.objects.filter(pk=session.pk).update(state="ended")
    assert "The seconds are being counted" in said()
    HelpSession.objects.filter(pk=session.pk).update(settled_at=AT, amount_minor=700)
    Payment.objects.update(state=Payment.State.FAILED)
    assert "The receipt is made when your card is charged" in said()
    HelpSession.objects.filter(pk=session.pk).update(state="cancelled", settled_at=None)
    assert "Nothing was charged for this request" in said()
