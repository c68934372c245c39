"""TypeScript declarations from event structs."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from django.core.management import CommandError, call_command

from hopps.realtime.declarations import declarations
from hopps.realtime.messages import Event, Message


class Inner(msgspec.Struct):
    at: datetime
    of: UUID


class EveryKind(Event):
    text: str
    short: Annotated[str, msgspec.Meta(max_length=3)]
    whole: int
    part: float
    yes: bool
    maybe: int | None
    one_of: Literal["b", "a"]
    many: list[int | str]
    by_name: dict[str, Inner]
    raw: msgspec.Raw
    anything: list[dict[str, object]]
    untyped: Any
    always_sent: int = 7


class Wish(Message):
    needed: str
    spare: int | None = None


def test_every_kind_of_field_has_its_counterpart() -> None:
    text = declarations({"AnEvent": EveryKind})

    assert (
        """export interface EveryKind {
  type: "every_kind";
  text: string;
  short: string;
  whole: number;
  part: number;
  yes: boolean;
  maybe: number | null;
  one_of: "a" | "b";
  many: Array<number | string>;
  by_name: Record<string, Inner>;
  raw: unknown;
  anything: Array<Record<string, unknown>>;
  untyped: unknown;
  always_sent: number;
}
"""
        in text
    )
    assert "export interface Inner {\n  at: string;\n  of: string;\n}\n" in text


def test_a_page_may_leave_out_what_has_a_default() -> None:
    assert "  needed: string;\n  spare?: number | null;\n" in declarations({"AMessage": Wish})


def test_a_union_lists_its_structs_in_their_order() -> None:
    text = declarations({"Both": Wish | EveryKind, "One": Wish})

    assert "export type Both =\n  | Wish\n  | EveryKind;\n" in text
    assert "export type One =\n  | Wish;\n" in text
    assert text.count("export interface Wish") == 1


def test_a_field_without_a_counterpart_is_refused() -> None:
    class Odd(Event):
        amount: Decimal

    with pytest.raises(TypeError, match="Decimal"):
        declarations({"AnEvent": Odd})


def test_the_check_fails_until_the_file_says_what_the_events_say(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    file = tmp_path / "static" / "js" / "events.d.ts"
    file.parent.mkdir(parents=True)

    with pytest.raises(CommandError, match="out of date"):
        call_command("typescript", check=True)
    assert not file.exists()

    call_command("typescript")
    call_command("typescript", check=True)

    file.write_text(file.read_text().replace("available: boolean", "free: boolean"))
    with pytest.raises(CommandError, match="out of date"):
        call_command("typescript", check=True)
