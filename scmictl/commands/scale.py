"""What the numbers of a performance domain mean: levels, their indices and their frequencies.

In level indexing mode (a bit of the domain, from 4.0) messages carry the index of a level; people
and records have the level itself. Lists of levels are read in bulk, once per connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from scmictl import values
from scmictl.agent import Discovery, Resource
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.commands.subject import ask, called
from scmictl.errors import RemoteProtocolError, ScmictlError, UsageError
from scmictl.protocols import perf

MOST = 0xFFFFFFFF
INDEX = "index="
SYNTAX = "a level such as 1500000, a frequency such as 1.5GHz, or index=3"

_known: WeakKeyDictionary[Discovery, dict[int, list[perf.Level]]] = WeakKeyDictionary()
"""The lists read so far; they are forgotten with the discovery of the connection."""


class Typed(NamedTuple):
    """A level as it was typed: ``kind`` is ``level``, ``frequency`` (in Hz) or ``index``."""

    kind: str
    number: int
    text: str


def typed(text: str) -> Typed:
    """Read a level, a frequency or ``index=N``; raises UsageError."""
    kind, word = "level", text
    if text.startswith(INDEX):
        kind, word = "index", text.removeprefix(INDEX)
    try:
        number = values.number(word)
    except UsageError:
        try:
            number = values.number(text, "Hz")
        except UsageError:
            raise UsageError(f"found {text!r}, expected {SYNTAX}") from None
        kind = "frequency"
    most = MOST if kind != "frequency" else MOST * 1000
    if not 0 <= number <= most:
        raise UsageError(f"found {text!r}, expected 0 to {most}")
    return Typed(kind, number, text)


class Scale:
    """The levels of one domain.

    ``description`` is None where the platform does not say (or was not asked) what the domain is
    like; ``error`` is why, or why its ``levels`` are not complete. Levels are only there for who
    needs them: in level indexing mode, or where they were asked for.
    """

    def __init__(
        self, resource: Resource, description: perf.DomainAttributesResponse | None = None
    ) -> None:
        self.resource = resource
        self.description = description
        self.levels: list[perf.Level] = []
        self.error: ScmictlError | None = None

    @property
    def indexed(self) -> bool:
        """Whether messages carry indices instead of levels."""
        return self.description is not None and self.description.attributes.level_indexing_mode

    @property
    def called(self) -> str:
        """The domain for people."""
        return called("performance domain", self.resource)

    def level(self, word: int) -> int | None:
        """Return the level that a word of a message stands for; None for an unknown index."""
        if not self.indexed:
            return word
        return next((one.performance_level for one in self.levels if one.level_index == word), None)

    def doubt(self, word: int, spec: str) -> ScmictlError:
        """Return why an index has no level: the list is not complete, or does not have it."""
        return self.error or RemoteProtocolError(
            f"{spec}: the index {word} of {self.called}, expected one of the {len(self.levels)} of "
            "PERFORMANCE_DESCRIBE_LEVELS"
        )

    def frequency_khz(self, level: int | None) -> int | None:
        """Return the frequency of a level, if it is known."""
        if level is None or self.description is None:
            return None
        if self.indexed:
            found = (one for one in self.levels if one.performance_level == level)
            return next((one.indicative_frequency or None for one in found), None)
        freq, sustained = self.description.sustained_freq, self.description.sustained_perf_level
        return round(level * freq / sustained) if freq and sustained else None

    def word(self, wanted: Typed) -> int:
        """Return what to send for a level that was typed.

        A level that the domain may not have is the platform's to refuse, as long as it can be said
        at all. Raises UsageError where it cannot, and what kept the levels from being read.
        """
        if self.indexed:
            return self._index(wanted)
        if wanted.kind == "level" or self.description is None:
            if wanted.kind != "frequency":
                return wanted.number
            raise self.error or UsageError(
                f"found {wanted.text!r}, expected a level: only a platform that may be asked knows "
                "the frequencies of its levels"
            )
        if wanted.kind == "index":
            raise UsageError(f"{self.called} is not in level indexing mode: it has no indices")
        freq, sustained = self.description.sustained_freq, self.description.sustained_perf_level
        if not freq or not sustained:
            raise UsageError(f"{self.called} does not say which frequency a level has")
        level, rest = divmod(wanted.number * sustained, freq * 1000)
        if rest or level > MOST:
            raise UsageError(f"{self.called} has no level of {wanted.text}")
        return level

    def _index(self, wanted: Typed) -> int:
        if wanted.kind == "index":
            return wanted.number
        for one in self.levels:
            found = one.performance_level
            if wanted.kind == "frequency":
                found = (one.indicative_frequency or 0) * 1000
            if found == wanted.number and one.level_index is not None:
                return one.level_index
        if self.error is not None:
            raise self.error
        there = [str(one.performance_level) for one in self.levels]
        if wanted.kind == "frequency":
            there = [values.format_si(one.indicative_frequency or 0, "kHz") for one in self.levels]
        raise UsageError(
            f"{self.called} has no level {wanted.text}, expected {values.listing(there)}"
        )


def scales(
    ctx: Context, domains: Sequence[Resource], *, fresh: bool = False, listed: bool = False
) -> dict[int, Scale]:
    """Return the scale of each domain by id, with the levels of all of them if ``listed``.

    With ``fresh`` what ``domains`` lack in descriptions is not asked for again.
    """
    found = {one.id: Scale(one, one.description) for one in domains}
    missing = [one for one in domains if one.description is None and not (fresh and one.error)]
    asked = ask(ctx, {one.id: perf.DomainAttributes(domain_id=one.id) for one in missing})
    for one in domains:
        scale = found[one.id]
        transfer = asked.get(one.id)
        if transfer is not None and transfer.error is None:
            scale.description = transfer.response
        elif scale.description is None:
            scale.error = one.error if transfer is None else transfer.error
    known = _known.setdefault(ctx.discover(perf.PROTOCOL), {})
    wanted = []
    for scale in found.values():
        if scale.resource.id in known:
            scale.levels = known[scale.resource.id]
        elif scale.indexed or (listed and scale.error is None):
            wanted.append(scale)
    listings = ctx.agent.listings(
        [perf.DescribeLevels(domain_id=scale.resource.id, level_index=0) for scale in wanted]
    )
    for scale, listing in zip(wanted, listings, strict=True):
        scale.levels, scale.error = listing.items, listing.error
        if listing.error is None:
            known[scale.resource.id] = listing.items
    return found


# --- records --------------------------------------------------------------------------------------


def level_record(scale: Scale, word: int | None) -> Record:
    """Return level, frequency and index for what a message says; None if it says nothing."""
    level = None if word is None else scale.level(word)
    return {
        "level": level,
        "frequency_khz": scale.frequency_khz(level),
        "level_index": word if scale.indexed else None,
    }


def limits_record(scale: Scale, low: int | None, high: int | None) -> Record:
    """Return the limits as levels."""
    return {
        "min": None if low is None else scale.level(low),
        "max": None if high is None else scale.level(high),
    }


def meaning(ctx: Context, resource: Resource, message: Any) -> Record:
    """Return what a notification, or a level or limits that were read, says in levels."""
    scale = scales(ctx, [resource], fresh=True)[resource.id]
    if isinstance(message, perf.LimitsChanged | perf.LimitsGetResponse):
        return limits_record(scale, message.range_min, message.range_max)
    return level_record(scale, message.performance_level)
