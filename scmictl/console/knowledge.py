"""What completion knows of a connection, and how that is learnt without ever waiting.

Theory of operation. A :class:`Knowledge` is data that completion reads; a :class:`Learner` fills
it: told what is wanted, it submits requests that only read, as many as the ring has room for, and
goes on whenever :meth:`Learner.step` is called after the connection has been dispatched. Nothing
here blocks. Of a protocol that would have to be negotiated first nothing is learnt: that is left to
a command.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple

from scmictl import protocols
from scmictl.agent import Agent, Discovery, Listing, Transfer
from scmictl.agent.identity import questions
from scmictl.commands import verbs
from scmictl.commands.command import Glimpse
from scmictl.errors import ScmictlError
from scmictl.protocols import Protocol, Resources, base
from scmictl.wire import Request

FRESH_S = 1.0
"""How old values may be before they are asked for again."""
MOST = 32
"""Requests under way at the same time; a ring with less room gets fewer."""
VALUED = 256
"""Of more things than this the values are not read, only the names."""
AGENTS = "agent"
"""The kind of the platform's agents; all other kinds are what `Protocol.label` calls them."""

Wave = Generator[Sequence[Request[Any]], list[Transfer[Any]], None]
"""Yields requests that belong together, and is sent their transfers when all are done."""


class Item(NamedTuple):
    """One thing that can be named: a clock, a sensor, an agent; ``value`` is for people."""

    id: int
    name: str | None
    value: str = ""


class Knowledge:
    """The items of one connection by kind; the values of a kind may be older than its names."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = {}
        self.versions: dict[int, int] = {}
        """The layout versions in use, by protocol id."""


class Learner:
    """Learns the items of one agent; ``clock`` returns monotonic seconds."""

    def __init__(
        self, agent: Agent, knowledge: Knowledge, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.agent = agent
        self.knowledge = knowledge
        self._clock = clock
        self._learnt: dict[str, float] = {}
        self._found: dict[str, Discovery] = {}
        """What there is of a kind, which stays as it is for the life of a connection."""
        self._running: dict[str, _Run] = {}

    @property
    def busy(self) -> bool:
        """Whether something is being learnt."""
        return bool(self._running)

    def want(self, kinds: Iterable[str]) -> None:
        """Begin to learn ``kinds``, unless they are known and fresh. Sends nothing yet."""
        now = self._clock()
        self.knowledge.versions = self.agent.versions
        for kind in kinds:
            if kind in self._running or now < self._learnt.get(kind, float("-inf")) + FRESH_S:
                continue
            wave = self._wave(kind)
            if wave is not None:
                self._running[kind] = _Run(wave)

    def recall(self, kinds: Iterable[str]) -> None:
        """Take over the names that commands have discovered meanwhile."""
        for kind in kinds:
            subject = _subject(kind)
            found = self.agent.discovered(*subject) if subject is not None else None
            if found is not None and kind not in self.knowledge.items:
                self.knowledge.items[kind] = [Item(r.id, r.name) for r in found.resources]

    def forget(self) -> None:
        """Drop everything: the platform may be another one now."""
        self.knowledge.items.clear()
        self._learnt.clear()
        self._found.clear()
        self._running.clear()

    def step(self) -> bool:
        """Take what has come and submit what there is room for.

        Return whether anything was submitted: the caller then dispatches. What cannot be asked is
        left unknown.
        """
        submitted = False
        for kind, run in list(self._running.items()):
            try:
                submitted = run.advance(self.agent) or submitted
            except ScmictlError:
                # A platform that refuses, is slow or gone: names are a comfort, not a need.
                run.over = True
            if run.over:
                del self._running[kind]
                self._learnt[kind] = self._clock()
        return submitted

    def _wave(self, kind: str) -> Wave | None:
        if kind == AGENTS:
            return self._agents()
        subject = _subject(kind)
        return self._resources(*subject) if subject is not None else None

    # -- what is asked -----------------------------------------------------------------------

    def _version(self, protocol: Protocol) -> Generator[Any, list[Transfer[Any]], bool]:
        """Ask for the version, if nobody has; return whether it is one that we speak.

        Of a vendor's protocol first of all whose the platform is. `Agent.version` would wait for
        the answers.
        """
        if protocol.id >= protocols.VENDOR_FIRST:
            if not self.agent.protocols.settled:
                vendor, sub_vendor = yield questions()
                self.agent.protocols.learn(vendor, sub_vendor)
            if self.agent.protocols.by_id(protocol.id, ask=False) is not protocol:
                return False
        if protocol.id not in self.agent.versions:
            (transfer,) = yield [protocol.by_id[0x0]()]
            reported = int(transfer.result().version)
            if protocol.layout_version(reported) != reported:
                return False
            self.agent.reported[protocol.id] = self.agent.versions[protocol.id] = reported
        return True

    def _agents(self) -> Wave:
        if not (yield from self._version(base.PROTOCOL)):
            return
        (attributes,) = yield [base.ProtocolAttributes()]
        count = attributes.result().attributes.num_agents
        found = yield [base.DiscoverAgent(agent_id=number) for number in range(1, count + 1)]
        self.knowledge.items[AGENTS] = [
            Item(number, transfer.response.name if transfer.response is not None else None)
            for number, transfer in enumerate(found, 1)
        ]

    def _resources(self, protocol: Protocol, how: Resources) -> Wave:
        if not (yield from self._version(protocol)):
            return
        kind = protocol.label(how)
        found = self.agent.discovered(protocol, how) or self._found.get(kind)
        if found is None:
            found = yield from _discover(protocol, how)
            if found.fault is None:
                self._found[kind] = found
        resources = found.resources
        look = _glimpse(protocol)
        valued = look is not None and len(resources) <= VALUED
        known = self.knowledge.items.get(kind, ())
        if valued or len(known) != len(resources):
            before = {item.id: item.value for item in known}
            self.knowledge.items[kind] = [
                Item(r.id, r.name, before.get(r.id, "")) for r in resources
            ]
        if look is not None and valued:
            shown = yield from look(how, resources)
            self.knowledge.items[kind] = [
                Item(r.id, r.name, text) for r, text in zip(resources, shown, strict=True)
            ]


class _Run:
    """A wave under way."""

    def __init__(self, wave: Wave) -> None:
        self.over = False
        self._wave = wave
        # There may be nothing left to ask.
        self._left = deque(next(wave, ()))
        self._sent: list[Transfer[Any]] = []

    def advance(self, agent: Agent) -> bool:
        """Submit what there is room for, go on to the next requests when these are answered.

        Return whether anything was submitted. Raises what submitting raises, and StatusError and
        the like for an answer without which the wave cannot go on.
        """
        submitted = False
        while True:
            room = min(MOST, agent.link.depth) - agent.in_flight
            while self._left and room > 0:
                self._sent.append(agent.submit(self._left.popleft()))
                submitted = True
                room -= 1
            if self._left or not all(transfer.done for transfer in self._sent):
                return submitted
            try:
                self._left = deque(self._wave.send(self._sent))
            except StopIteration:
                self.over = True
                return submitted
            self._sent = []


def _subject(kind: str) -> tuple[Protocol, Resources] | None:
    """Return the protocol and the kind of its things, or None for what is no such kind."""
    if kind == AGENTS:
        return None
    try:
        return protocols.by_label(kind)
    except ScmictlError:
        return None


def _glimpse(protocol: Protocol) -> Glimpse | None:
    """Return what the group of the protocol has to say of its things in few words."""
    return next((one.glimpse for one in verbs(protocol).values() if one.glimpse), None)


def _discover(protocol: Protocol, how: Resources) -> Generator[Any, list[Transfer[Any]], Discovery]:
    """Find the resources of a protocol as the agent's discovery does, piece by piece."""
    (attributes,) = yield [protocol.by_id[0x1]()]
    found = Discovery(how, attributes.result())
    if found.listing is not None:
        listing = Listing(found.listing)
        while (request := listing.next_request()) is not None:
            (transfer,) = yield [request]
            listing.take(transfer)
        found.take_list(listing)
    else:
        found.take_each((yield found.describing()))
    found.take_names((yield found.naming()))
    return found
