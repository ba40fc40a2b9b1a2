"""When a watch ends, and whether it has then reached what it was to reach; and its time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.commands.command import Arguments, Opt, Record
from scmictl.errors import CriteriaNotMet, ExpectationFailed, UsageError
from scmictl.wire import Message, Request, Struct

if TYPE_CHECKING:
    from scmictl.commands.expression import Expression

OPTIONS = (
    Opt("--count", "end after N notifications (of polling: rounds)", "number", "N", short="-n"),
    Opt("--for", "end after this time", "duration", "DUR"),
    Opt("--idle", "end when nothing has come for this time", "duration", "DUR"),
    Opt("--until", "end when this holds for a record", "text", "EXPR"),
    Opt("--interval", "read again and again, in this interval", "duration", "DUR"),
    Opt("--timestamps", "what the time of a record is: wall clock, since the last record, or since "
        "the first one", "choice", choices=("abs", "delta", "zero")),
)  # fmt: skip
"""What every watch takes."""


class Criteria:
    """Decides about the end of one watch.

    Theory of operation. :meth:`begin` starts the clock; every record counts with :meth:`take`,
    which says whether that was the last one; :meth:`limit` is until when to wait for the next; when
    that has passed, :meth:`finish` raises if more was wanted. All times are monotonic seconds.
    """

    def __init__(
        self, args: Arguments, *, units: Mapping[str, str] | None = None, differ: str = ""
    ) -> None:
        """Raise UsageError for options that cannot be.

        ``units`` are those of the keys of the records. ``differ`` says in what records differ, so
        that an expression which does not fit one of them only means that this is not the one waited
        for: in their ``values`` (units, say), or in their ``keys`` too.
        """
        self.count = values.number(args.count) if args.count else None
        if self.count is not None and self.count < 1:
            raise UsageError(f"--count is {self.count}, expected 1 or more")
        self.span = _seconds(args, "for")
        self.idle = _seconds(args, "idle")
        self.interval = _seconds(args, "interval")
        if self.interval == 0:
            raise UsageError("--interval is 0, expected some time")
        self.until: Expression | None = None
        if args.until:
            from scmictl.commands.expression import compile_expression  # not every watch needs it

            self.until = compile_expression(args.until)
        self.units = units or {}
        self.differ = differ
        self.taken = 0
        self._begun = self._last = 0.0

    def begin(self, now: float) -> None:
        """Start to measure the time."""
        self._begun = self._last = now

    def take(self, records: Iterable[Record], now: float) -> bool:
        """Count one notification (or round) with its records; return whether it is the last.

        Raises ExpectationFailed for an expression that does not fit the record, and CriteriaNotMet
        where the last one has come without it.
        """
        self._last = now
        self.taken += 1
        if self.until is not None and any(self._holds(record) for record in records):
            return True
        if self.count is None or self.taken < self.count:
            return False
        if self.until is not None:
            raise CriteriaNotMet(f"--until did not hold within {self.count} records")
        return True

    def _holds(self, record: Record) -> bool:
        assert self.until is not None
        try:
            return self.until.evaluate(record, units=self.units)
        except ExpectationFailed:
            if self.differ == "keys" or (self.differ and self._has_names(record)):
                return False
            raise

    def _has_names(self, record: Record) -> bool:
        """Return whether the record has every key that the expression names."""
        assert self.until is not None
        return all(name.partition(".")[0] in record for name in self.until.names())

    def limit(self) -> float | None:
        """Return until when to wait for the next record; None: for ever."""
        ends = []
        if self.span is not None:
            ends.append(self._begun + self.span)
        if self.idle is not None:
            ends.append(self._last + self.idle)
        return min(ends, default=None)

    def over(self, now: float) -> bool:
        """Return whether the time is up, whatever may still come."""
        limit = self.limit()
        return limit is not None and now >= limit

    def finish(self, now: float) -> None:
        """Raise CriteriaNotMet if the time is up before what was wanted has come."""
        spent = f"in {now - self._begun:.3g} s"
        if self.until is not None:
            raise CriteriaNotMet(f"--until did not hold for any of {self.taken} records {spent}")
        if self.count is not None:
            raise CriteriaNotMet(f"{self.taken} of {self.count} records came {spent}")


def _seconds(args: Arguments, name: str) -> float | None:
    text = getattr(args, name, None)
    return None if text is None else values.duration(text)


def check(args: Arguments) -> None:
    """Raise UsageError for criteria that cannot be."""
    Criteria(args)


def units_of(messages: Iterable[type[Message]]) -> dict[str, str]:
    """Return the units of the fields of notifications, as `watch` names them."""
    return {
        f"fields.{field.key}": field.unit
        for message in messages
        for field in message.FIELDS
        if field.unit
    }


def units_in(record: object) -> dict[str, str]:
    """Return the units of the fields in a record of `call` or of a notification, by their keys."""
    if not isinstance(record, dict) or not isinstance(record.get("fields"), dict):
        return {}
    name = record.get("message") or record.get("event")
    if not isinstance(name, str):
        return {}
    from scmictl.commands import message

    try:
        found = message.find(name, Message)[1]
    except UsageError:
        return {}  # nobody knows it, or it is in every protocol and has no units
    if record.get("type") == "response" and issubclass(found, Request):
        return dict(_units(found.RESPONSE))
    return dict(_units(found))


def _units(kind: type[Struct]) -> Iterator[tuple[str, str]]:
    for field in kind.FIELDS:
        if field.unit:
            yield field.key, field.unit
        if isinstance(field.element, type) and issubclass(field.element, Struct):
            yield from _units(field.element)


class Stamps:
    """Turns the time of records (wall-clock seconds) into what --timestamps asks for."""

    def __init__(self, style: str | None) -> None:
        self.style = style or "abs"
        self._from: float | None = None

    def put(self, record: Record) -> Record:
        """Return the record with its time as it is to be shown."""
        seconds: float = record["time"]
        return {**record, "time": self._text(seconds)}

    def _text(self, seconds: float) -> Any:
        if self.style == "abs":
            from scmictl.commands.event import iso

            return iso(seconds)
        start = seconds if self._from is None else self._from
        if self.style == "delta" or self._from is None:
            self._from = seconds
        return round(seconds - start, 6)
