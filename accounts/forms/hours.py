"""The hours editor: seven days, up to three stretches a day, and the time zone they are in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.forms import BoundField
from django.forms.utils import ErrorList
from django.http import QueryDict

from accounts.forms.people import time_zones
from accounts.hours import DAY, Stretch, first_clash
from accounts.hours_words import WEEKDAYS, stretch_words
from accounts.models import User

STRETCHES = 3
# What a new expert starts from: Monday to Friday, nine to six.
USUAL = tuple(Stretch(weekday, 9 * 60, 18 * 60) for weekday in range(5))
WORKDAYS = range(1, 5)


@dataclass(frozen=True)
class Row:
    """One stretch on the page."""

    start: BoundField
    end: BoundField


@dataclass(frozen=True)
class Day:
    """One day on the page."""

    name: str
    first: Row
    more: tuple[Row, ...]
    errors: ErrorList

    @property
    def is_open(self) -> bool:
        """Whether the further stretches are to be seen at once."""
        return any(row.start.value() or row.end.value() for row in self.more)


class HoursForm(forms.Form):
    """Two times for each stretch, named `<weekday>-<number>-from` and `-to`: both, or neither."""

    time_zone = forms.ChoiceField(
        choices=time_zones,
        error_messages={"invalid_choice": "That is not a time zone we know. Choose one such as Europe/Vienna."},
    )

    def __init__(self, data: QueryDict | None = None, *, user: User, hours: Iterable[Stretch] = ()) -> None:
        super().__init__(data)
        self.stretches: list[Stretch] = []
        self.fields["time_zone"].initial = user.time_zone
        if data is None:  # what somebody chose stays
            self.fields["time_zone"].widget.attrs["data-time-zone"] = ""
        by_day: dict[int, list[Stretch]] = {}
        for stretch in sorted(hours):
            by_day.setdefault(stretch.weekday, []).append(stretch)
        for weekday, name in enumerate(WEEKDAYS):
            for number in range(STRETCHES):
                there = by_day.get(weekday, [])[number : number + 1]
                label = f"{name}, {('first', 'second', 'third')[number]} stretch"
                for place, (what, word) in enumerate((("from", "from"), ("to", "until"))):
                    minute = there[0][1 + place] if there else None
                    self.fields[_name(weekday, number, what)] = _time_field(f"{label}, {word}", minute)

    def days(self) -> Iterator[Day]:
        """Yield the days as the page shows them, each with what is wrong with it."""
        for weekday, name in enumerate(WEEKDAYS):
            rows = [Row(self[_name(weekday, n, "from")], self[_name(weekday, n, "to")]) for n in range(STRETCHES)]
            wrong = [str(error) for row in rows for field in (row.start, row.end) for error in field.errors]
            yield Day(name, rows[0], tuple(rows[1:]), ErrorList(list(dict.fromkeys(wrong)), renderer=self.renderer))

    def clean(self) -> dict[str, Any]:
        """Read the stretches, and refuse halves, and what overlaps, at its day."""
        for weekday in range(7):
            for number in range(STRETCHES):
                self._read(weekday, number)
        clash = first_clash(self.stretches)
        if clash is not None:
            earlier, later = clash
            if earlier == later:
                sentence = f"{stretch_words(later)} is here twice. Leave one of them empty."
            else:
                sentence = f"{stretch_words(earlier)} and {stretch_words(later)} overlap. Make them one, or move one."
            self.add_error(self._field_of(later), sentence)
        return self.cleaned_data

    def _read(self, weekday: int, number: int) -> None:
        start_name, end_name = _name(weekday, number, "from"), _name(weekday, number, "to")
        if start_name in self.errors or end_name in self.errors:
            return
        start, end = self.cleaned_data.get(start_name), self.cleaned_data.get(end_name)
        if start is None and end is None:
            return
        if start is None or end is None:
            missing, word = (start_name, "begins") if start is None else (end_name, "ends")
            self.add_error(missing, f"Say when this stretch {word}, or leave both times empty.")
            return
        if start == end != time(0):  # more likely a slip than a day and a night
            self.add_error(end_name, "For the whole day write 00:00–00:00.")
            return
        self.stretches.append(Stretch(weekday, _minute(start), _minute(end)))

    def _field_of(self, stretch: Stretch) -> str:
        """Return the name of the last field that says `stretch`: of two alike the second is too many."""
        names = [_name(stretch.weekday, number, "from") for number in range(STRETCHES)]
        return next(
            name
            for name in reversed(names)
            if self.cleaned_data.get(name) is not None and _minute(self.cleaned_data[name]) == stretch.start_minute
        )


def with_monday_on_workdays(data: QueryDict) -> QueryDict:
    """Return what was sent with Monday's stretches on Tuesday to Friday too, whatever stood there."""
    copied = data.copy()
    for number in range(STRETCHES):
        for what in ("from", "to"):
            value = data.get(_name(0, number, what), "")
            for weekday in WORKDAYS:
                copied[_name(weekday, number, what)] = value
    return copied


def as_sent(hours: Iterable[Stretch], time_zone: str) -> Mapping[str, str]:
    """Return what a browser sends for these hours."""
    sent = {"time_zone": time_zone}
    numbers = dict.fromkeys(range(7), 0)
    for stretch in sorted(hours):
        number = numbers[stretch.weekday]
        for what, minute in zip(("from", "to"), stretch[1:], strict=True):
            sent[_name(stretch.weekday, number, what)] = f"{_time(minute):%H:%M}"
        numbers[stretch.weekday] += 1
    return sent


def _name(weekday: int, number: int, what: str) -> str:
    return f"{WEEKDAYS[weekday].lower()}-{number + 1}-{what}"


def _time_field(label: str, minute: int | None) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        initial=None if minute is None else _time(minute),
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "aria-label": label}),
        error_messages={"invalid": "Write a time of the day such as 09:00 or 18:30."},
    )


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _time(minute: int) -> time:
    return time(*divmod(minute % DAY, 60))
