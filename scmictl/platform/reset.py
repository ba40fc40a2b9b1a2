"""Reset domain protocol behaviour: resets, signals that are held, and who hears of them.

What the reference leaves open is decided like this: a domain has one signal and the last one who
sets it wins, unless the board makes the domain exclusive; what an agent then holds in reset is
DENIED to the others until it lets go. A whole reset cycle leaves the signal deasserted. A cycle and
a signal that becomes asserted are resets, which RESET_ISSUED tells, also to the causing agent; a
deassertion is none. Where a board does not give 0x80000001 a meaning of its own, it is the cold
reset of old Linux drivers, and told as 0. Asynchronous resets count per connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import permission
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.board import SHORT, shown, unique
from scmictl.protocols import reset as protocol  # a method is called reset
from scmictl.wire import Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

MOST_DOMAINS = 0xFFFF
"""What the count of reset domains can say."""
PLATFORM = 0
"""Who caused what no agent did."""

KEYS = (
    "name", "latency", "states", "async", "explicit", "notify", "asserted", "exclusive", "faulty",
    "restrict",
)  # fmt: skip


class Domain:
    """One reset domain, as it stands in the board."""

    __slots__ = (
        "asserted", "asynchronous", "count", "exclusive", "explicit", "faulty", "id", "last",
        "latency", "latency_us", "name", "notify", "restricted", "set_by", "start", "states",
    )  # fmt: skip

    def __init__(self, id: int, row: Table) -> None:
        self.id = id
        self.name = row.text("name")
        self.latency = row.time("latency", "1ms").seconds
        self.latency_us = protocol.UNKNOWN_LATENCY
        if "latency" in row:
            # Rounded up: it is the worst case.
            self.latency_us = -(-row.time("latency").ticks // 10**10)
            if self.latency_us >= protocol.UNKNOWN_LATENCY:
                raise row.error("latency", f"at most {protocol.UNKNOWN_LATENCY - 1} us")
        self.states = _states(row)
        self.asynchronous = row.flag("async", True)
        self.explicit = row.flag("explicit", True)
        self.notify = row.flag("notify", True)
        self.exclusive = row.flag("exclusive", False)
        self.faulty = row.flag("faulty", False)
        self.restricted: frozenset[int] = frozenset()
        self.start = row.flag("asserted", False)
        self.asserted = self.start
        self.set_by = PLATFORM
        """Who has last set the signal."""
        self.count = 0
        """How many resets there were."""
        self.last: int | None = None
        """The reset state of the last one."""

    def held_against(self, agent: int) -> bool:
        """Return whether another agent holds the domain in reset, and alone may let go of it."""
        return self.exclusive and self.asserted and self.set_by not in (PLATFORM, agent)


class Resets(Behaviour):
    """The reset domain protocol; ``domains`` are the reset domains by id."""

    PROTOCOL = protocol.PROTOCOL
    NO_LONG_NAME = Status.NOT_SUPPORTED

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.domains = _read(board, platform)
        self.names = [one.name for one in self.domains]

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            protocol.ProtocolAttributes: self.protocol_attributes,
            protocol.DomainAttributes: self.domain_attributes,
            protocol.Reset: self.reset_domain,
            protocol.Notify: self.notify,
        }

    def needed(self) -> Mapping[Message, bool]:
        return {protocol.Notify: any(one.notify for one in self.domains)}

    def reset(self, agent: int, now: float) -> None:
        for one in self.domains:
            if one.set_by == agent:
                self.drive(one, one.start, one.states[0], PLATFORM)

    def state(self, resource: int) -> dict[str, Any]:
        one = self.domains[resource]
        holder = self.platform.by_agent.get(one.set_by)
        return {
            "state": "asserted" if one.asserted else "deasserted",
            "held_by": (holder.name if holder else "platform") if one.asserted else None,
            "resets": one.count,
            "last_reset_state": one.last,
            "faulty": one.faulty,
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.domains[resource]
        if key == "state":
            self.drive(one, _choice(text, "asserted", "deasserted"), one.states[0], PLATFORM)
        elif key == "pulse":
            self.cycle(one, _state(one, text), PLATFORM)
        elif key == "faulty":
            one.faulty = _choice(text, "on", "off")
        else:
            raise values.unknown("key", key, ("state", "pulse", "faulty"))

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: protocol.ProtocolAttributes
    ) -> protocol.ProtocolAttributesResponse:
        return protocol.ProtocolAttributesResponse(
            attributes=protocol.ProtocolAttributesWord(num_reset_domains=len(self.domains))
        )

    def domain_attributes(
        self, call: Call, request: protocol.DomainAttributes
    ) -> protocol.DomainAttributesResponse:
        one = self.find(call, request.domain_id)
        word = protocol.AttributesWord(
            async_supported=self.can_defer(call, one),
            notifications_supported=one.notify and call.port.events,
            extended_name=len(one.name) > SHORT,
        )
        return protocol.DomainAttributesResponse(
            attributes=call.known(word), latency=one.latency_us, name=one.name[:SHORT]
        )

    def notify(self, call: Call, request: protocol.Notify) -> None:
        one = self.find(call, request.domain_id)
        self.switch(call, request, one.id, one.notify)

    # --- resets -----------------------------------------------------------------------------------

    def reset_domain(self, call: Call, request: protocol.Reset) -> None:
        one = self.find(call, request.domain_id)
        flags, kind = request.flags, int(request.reset_state)
        require(not flags.reserved)
        require(flags.autonomous or not flags.async_)
        if kind == protocol.OLD_COLD_RESET and kind not in one.states:
            kind = protocol.COLD_RESET
        require(kind in one.states)
        require(flags.autonomous or one.explicit, Status.NOT_SUPPORTED)
        require(not flags.async_ or self.can_defer(call, one), Status.NOT_SUPPORTED)
        require(call.agent not in one.restricted, Status.DENIED)
        require(not one.held_against(call.agent), Status.DENIED)
        if flags.async_:
            self.accept(call, one, kind)
            return
        require(not one.faulty, Status.HARDWARE_ERROR)
        if flags.autonomous:
            self.cycle(one, kind, call.agent)
        else:
            self.drive(one, flags.explicit == protocol.Signal.ASSERT, kind, call.agent)

    def accept(self, call: Call, one: Domain, kind: int) -> None:
        """Have the whole reset cycle done later."""
        agent = call.agent

        def work(now: float) -> protocol.Complete:
            require(self.visible(agent, one.id), Status.NOT_FOUND)
            require(not one.held_against(agent), Status.GENERIC_ERROR)
            require(not one.faulty, Status.HARDWARE_ERROR)
            self.cycle(one, kind, agent)
            return protocol.Complete(domain_id=one.id)

        call.port.defer(call, one.latency, self.max_async, work)

    def cycle(self, one: Domain, kind: int, agent: int) -> None:
        """Assert the signal of a domain and deassert it again."""
        if one.asserted:
            one.asserted = False
            one.set_by = agent
        self.issue(one, kind, agent)

    def drive(self, one: Domain, asserted: bool, kind: int, agent: int) -> None:
        """Set the signal of a domain, and leave it so."""
        issued = asserted and not one.asserted
        one.asserted = asserted
        one.set_by = agent
        if issued:
            self.issue(one, kind, agent)

    def issue(self, one: Domain, kind: int, agent: int) -> None:
        """Count a reset, and tell the subscribers."""
        one.count += 1
        one.last = kind
        event = protocol.Issued(
            agent_id=agent, domain_id=one.id, reset_state=protocol.ResetState(kind)
        )
        self.platform.notify(event, one.id)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Domain:
        """Return the domain; raises NOT_FOUND if it does not exist for the agent."""
        return self.domains[self.resolve(call, id)]

    def can_defer(self, call: Call, one: Domain) -> bool:
        """Return whether the domain can be reset asynchronously over this connection."""
        return one.asynchronous and self.max_async > 0 and call.port.events


# --- what hands type ------------------------------------------------------------------------------


def _choice(text: str, yes: str, no: str) -> bool:
    if text not in (yes, no):
        raise values.unknown("value", text, (yes, no))
    return text == yes


def _state(one: Domain, text: str) -> int:
    """Return the reset state that ``text`` names; raises UsageError if the domain has none such."""
    kind = protocol.COLD_RESET if text == "cold" else values.number(text)
    if kind not in one.states:
        known = ", ".join(f"{state:#x}" if state else "cold" for state in one.states)
        raise UsageError(f"found the reset state {text!r}, expected one of: {known}")
    return kind


# --- the board ------------------------------------------------------------------------------------


def _read(board: Table, platform: Platform) -> list[Domain]:
    """Read the ``[[reset]]`` tables of a board; raises BoardError."""
    rows = [row.only(*KEYS) for row in board.tables("reset")]
    if len(rows) > MOST_DOMAINS:
        raise board.error("reset", f"at most {MOST_DOMAINS} reset domains")
    domains = []
    for id, row in enumerate(rows):
        one = Domain(id, row)
        one.restricted = permission.restricted(row, platform.agent_id)
        domains.append(one)
    unique((row, one.name) for row, one in zip(rows, domains, strict=True))
    return domains


def _states(row: Table) -> tuple[int, ...]:
    """Return the reset states that a domain takes: the cold reset, if there is no list of them."""
    entries = row.each("states", "a list of reset states")
    states = tuple(entries.integer(position, 0, 0xFFFFFFFF) for position in entries.values)
    for position, state in enumerate(states):
        if protocol.COLD_RESET < state < 1 << 31:
            raise entries.error(
                position, "0 for the cold reset, or 0x80000000 and more for one of your own"
            )
        if state in states[:position]:
            raise entries.error(position, "each reset state once", shown(state))
    if "states" in row and not states:
        raise row.error("states", "at least one reset state")
    return states or (protocol.COLD_RESET,)


BEHAVIOUR = Resets
