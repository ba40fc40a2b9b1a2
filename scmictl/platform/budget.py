"""Power capping domains: their caps, averaging intervals and places in the tree of domains.

Theory of operation: a domain has a power cap, or none; the first of its limits is what messages
without a limit's number mean, version 3.0 shows the others too. A cap is kept per agent: each asks
for one or withdraws it (0), and the lowest is in force. What the board begins with counts as
somebody's until the first agent asks for something; then that agent's word replaces it. An
averaging interval belongs to the domain: the last who sets it wins. Everything an agent has set
remembers the agent, so that its configuration can be put back.
"""

from __future__ import annotations

from typing import NamedTuple

from scmictl.platform.waveform import Waveform
from scmictl.protocols.powercap import PowerUnit

CAP, INTERVAL, MEASUREMENT = "cap", "interval", "measurement"
CONTROLS = (CAP, INTERVAL, MEASUREMENT)
"""What an agent can be kept from setting, or from reading, of a domain."""

LIMITS = 0x30000
"""The version from which on agents see that a domain can have several limits."""
START = 0
"""Who asks for the cap of the start; agents count from 1."""
U32 = 0xFFFFFFFF

UNITS = {
    "mW": PowerUnit.MILLIWATTS,
    "uW": PowerUnit.MICROWATTS,
    "abstract": PowerUnit.ABSTRACT_LINEAR_SCALE,
}
SYMBOLS = {unit: None if name == "abstract" else name for name, unit in UNITS.items()}
"""What the powers of a domain may be typed in; None for plain numbers."""
SCALES = {PowerUnit.MILLIWATTS: 1000, PowerUnit.MICROWATTS: 1, PowerUnit.ABSTRACT_LINEAR_SCALE: 1}
"""Microwatts to one of a unit, so that domains of both units can be added up."""


class Range(NamedTuple):
    """What a value can be: ``lowest`` to ``highest`` in steps, or just ``lowest`` (step 0)."""

    lowest: int
    highest: int
    step: int = 0

    @property
    def configurable(self) -> bool:
        return self.lowest != self.highest

    def spans(self, value: int) -> bool:
        """Return whether ``value`` is not too low and not too high."""
        return self.lowest <= value <= self.highest

    def has(self, value: int) -> bool:
        """Return whether ``value`` is one of the steps."""
        return self.spans(value) and not (self.step and (value - self.lowest) % self.step)

    def __str__(self) -> str:
        steps = f" in steps of {self.step}" if self.step else ""
        return f"{self.lowest} to {self.highest}{steps}" if self.configurable else str(self.lowest)


class Interval:
    """An averaging interval in microseconds, and who has set it."""

    __slots__ = ("range", "set_by", "start", "us")

    def __init__(self, range: Range, us: int) -> None:
        self.range = range
        self.us = self.start = us
        self.set_by = START

    def set(self, us: int, agent: int) -> bool:
        """Set the interval; return whether it has changed."""
        if agent == START:
            self.start = us
        self.set_by = agent
        before, self.us = self.us, us
        return before != us

    def put_back(self, agent: int) -> bool:
        """Undo what the agent has set; return whether that has changed anything."""
        return self.set_by == agent and self.set(self.start, START)


class Limit:
    """One power limit of a domain: what it can be, and who asks for which cap."""

    __slots__ = ("asked", "cai", "caps", "name", "pending", "replaced_by", "start")

    def __init__(self, name: str, caps: Range, cap: int, cai: Interval) -> None:
        self.name = name
        self.caps = caps
        self.cai = cai
        self.start = cap
        self.asked = {START: cap} if cap else {}
        self.replaced_by: int | None = None
        """The agent whose word took the place of the cap of the start."""
        self.pending: int | None = None
        """The agent whose asynchronous change is accepted but not yet made."""

    @property
    def cap(self) -> int:
        """The cap in force: the lowest that anybody asks for; 0 if nobody does."""
        return min(self.asked.values(), default=0)

    def ask(self, agent: int, cap: int) -> bool:
        """Take note of the cap an agent wants (0: none); return whether the cap has changed."""
        before = self.cap
        if self.asked.pop(START, None) is not None:
            self.replaced_by = agent
        if cap:
            self.asked[agent] = cap
        else:
            self.asked.pop(agent, None)
        return self.cap != before

    def put_back(self, agent: int) -> bool:
        """Forget what the agent wants; return whether the cap has changed."""
        before = self.cap
        self.asked.pop(agent, None)
        if self.pending == agent:
            self.pending = None
        if self.replaced_by == agent:
            self.replaced_by = None
            if self.start:
                self.asked[START] = self.start
        return self.cap != before

    def impose(self, cap: int) -> bool:
        """Set the cap whatever the agents want; return whether it has changed."""
        before = self.cap
        self.start = cap
        self.asked = {START: cap} if cap else {}
        self.replaced_by = None
        return self.cap != before


class Domain:
    """One power capping domain, as :func:`scmictl.platform.allotment.read` makes it."""

    __slots__ = (
        "accuracy", "asynchronous", "children", "family", "fastchannel", "id", "latency", "limits",
        "monitoring", "name", "notify", "pai", "parent", "restricted", "sustainable", "unit",
        "wave",
    )  # fmt: skip

    def __init__(
        self, id: int, name: str, unit: PowerUnit, wave: Waveform, limits: tuple[Limit, ...]
    ) -> None:
        self.id = id
        self.name = name
        self.unit = unit
        self.wave = wave
        """What it would draw itself, without its children and without caps, in its unit."""
        self.limits = limits
        self.pai = Interval(Range(1, 1), 1)
        self.parent: Domain | None = None
        self.children: list[Domain] = []
        self.family: tuple[Domain, ...] = ()
        """All domains of its tree, every parent before its children."""
        self.sustainable = 0
        self.accuracy = 0
        self.monitoring = self.notify = True
        self.asynchronous = self.fastchannel = False
        self.latency = 0.0
        self.restricted: dict[int, frozenset[str]] = {}

    @property
    def scale(self) -> int:
        """How many microwatts one of its unit is; 1 on an abstract scale."""
        return SCALES[self.unit]

    @property
    def configurable(self) -> bool:
        """Whether its cap can be set."""
        return bool(self.limits) and self.limits[0].caps.configurable

    @property
    def caps(self) -> Range:
        """What its cap can be; the most it can draw where it has none."""
        if self.limits:
            return self.limits[0].caps
        most = max(1, min(self.wave.base + self.wave.swing + self.wave.noise, U32))
        return Range(most, most)

    @property
    def ceiling(self) -> int | None:
        """The lowest cap in force of all its limits; None if there is none."""
        return min((limit.cap for limit in self.limits if limit.cap), default=None)

    def allows(self, agent: int, control: str) -> bool:
        """Return whether the agent has this control of the domain."""
        return control not in self.restricted.get(agent, ())
