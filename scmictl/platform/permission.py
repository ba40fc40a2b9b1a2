"""Who may use what: devices own resources, and agents are denied devices or a protocol of them.

Theory of operation: a resource that no device owns is everybody's. A denied resource does not exist
for the agent (NOT_FOUND). A protocol of which everything is denied to an agent is revoked: it
disappears from the agent's list and answers DENIED. Asking takes constant time; what follows from a
change is worked out when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scmictl.platform.board import LONG, Table, nearest, shown, unique

if TYPE_CHECKING:
    from scmictl.platform.behaviour import Behaviour

AgentId = Callable[[Table, str | int, str], int]
"""Finds an agent by the name that stands at a key of a table; raises BoardError."""


class Device(NamedTuple):
    """Something with resources of several protocols: ``owns`` maps protocol id to resource ids."""

    id: int
    name: str
    owns: Mapping[int, Iterable[int]]


class Permissions:
    """The permissions of all agents.

    ``counts`` maps protocol id to the number of resources there are; ``denied`` holds what is
    denied at the start, as (agent, position of the device, protocol id).
    """

    def __init__(
        self,
        devices: tuple[Device, ...],
        counts: Mapping[int, int],
        denied: Iterable[tuple[int, int, int]],
    ) -> None:
        self.devices = devices
        self._positions = {device.id: index for index, device in enumerate(devices)}
        self._owner: dict[int, dict[int, int]] = {protocol: {} for protocol in counts}
        for index, device in enumerate(devices):
            for protocol, resources in device.owns.items():
                self._owner[protocol].update(dict.fromkeys(resources, index))
        # Only of a protocol that is owned completely can everything be denied.
        self._revocable = {
            protocol: frozenset(owner.values())
            for protocol, owner in self._owner.items()
            if owner and len(owner) == counts[protocol]
        }
        self._default = frozenset(denied)
        self._denied = set(self._default)
        self._revoked: set[tuple[int, int]] = set()
        for agent in {agent for agent, _, _ in self._default}:
            self._work_out(agent)

    def allows(self, agent: int, protocol: int, resource: int) -> bool:
        """Return whether the resource exists for the agent."""
        if not self._denied:
            return True
        device = self._owner[protocol].get(resource)
        return device is None or (agent, device, protocol) not in self._denied

    def revoked(self, agent: int, protocol: int) -> bool:
        """Return whether the agent may not use the protocol at all."""
        return (agent, protocol) in self._revoked

    def device(self, device_id: int) -> Device | None:
        """Return the device with this id."""
        index = self._positions.get(device_id)
        return None if index is None else self.devices[index]

    def may_use(self, agent: int, device: Device, protocol: int | None = None) -> bool:
        """Return whether the agent may use anything of the device, or of one protocol of it."""
        index = self._positions[device.id]
        owned = device.owns if protocol is None else (protocol,)
        return any((agent, index, one) not in self._denied for one in owned)

    def change(self, agent: int, device: Device, protocols: Iterable[int], allow: bool) -> None:
        """Allow or deny the agent these protocols of the device."""
        index = self._positions[device.id]
        changed = {(agent, index, protocol) for protocol in protocols}
        self._denied = self._denied - changed if allow else self._denied | changed
        self._work_out(agent)

    def reset(self, agent: int) -> None:
        """Put the agent's permissions back to what the board says."""
        self._denied = {entry for entry in self._denied if entry[0] != agent}
        self._denied |= {entry for entry in self._default if entry[0] == agent}
        self._work_out(agent)

    def _work_out(self, agent: int) -> None:
        for protocol, owners in self._revocable.items():
            if all((agent, index, protocol) in self._denied for index in owners):
                self._revoked.add((agent, protocol))
            else:
                self._revoked.discard((agent, protocol))


def read(board: Table, behaviours: Sequence[Behaviour]) -> Permissions:
    """Read the devices of a board, and what its agents are denied; raises BoardError."""
    numbers = {made.PROTOCOL.name: made.PROTOCOL.id for made in behaviours}
    devices = _devices(board, behaviours)
    names = {device.name: index for index, device in enumerate(devices)}
    denied: set[tuple[int, int, int]] = set()
    for agent, row in enumerate(board.tables("agent"), 1):
        entries = row.each("denied", 'a list such as ["gpu", "display:clock"]')
        for position in entries.values:
            device, colon, protocol = entries.text(position, longest=2 * LONG).partition(":")
            if device not in names:
                error = entries.error(position, f"one of the devices: {', '.join(names) or 'none'}")
                error.hint = nearest(device, names)
                raise error
            owned = devices[names[device]].owns
            wanted = numbers.get(protocol)
            if colon and wanted not in owned:
                raise entries.error(position, f"a protocol of which {device} owns something")
            denied.update(
                (agent, names[device], number) for number in owned if not colon or number == wanted
            )
    counts = {made.PROTOCOL.id: len(made.names) for made in behaviours}
    return Permissions(devices, counts, denied)


def _devices(board: Table, behaviours: Sequence[Behaviour]) -> tuple[Device, ...]:
    # Ids by name once, not per device: a board may have tens of thousands of resources.
    ids = {
        made.PROTOCOL.name: {name: id for id, name in enumerate(made.names)} for made in behaviours
    }
    numbers = {made.PROTOCOL.name: made.PROTOCOL.id for made in behaviours}
    rows = board.tables("device")
    owners: dict[tuple[str, int], str] = {}
    devices = []
    for index, row in enumerate(rows):
        row.only("id", "name", "owns")
        device = Device(row.integer("id", 0, 0xFFFFFFFF, index), row.text("name"), {})
        owns: dict[int, list[int]] = {}
        entries = row.each("owns", 'a list such as ["clock:uart0", "sensor:*"]')
        for position in entries.values:
            protocol, _, name = entries.text(position, longest=2 * LONG).partition(":")
            known = ids.get(protocol, {})
            if not known or (name != "*" and name not in known):
                error = entries.error(position, '"PROTOCOL:NAME" or "PROTOCOL:*" of this board')
                error.hint = nearest(name, known)
                raise error
            for id in known.values() if name == "*" else (known[name],):
                if (protocol, id) in owners:
                    raise entries.error(
                        position,
                        "what no device owns yet",
                        f"{shown(entries.values[position])}, which "
                        f"{shown(owners[protocol, id])} owns",
                    )
                owners[protocol, id] = device.name
                owns.setdefault(numbers[protocol], []).append(id)
        devices.append(device._replace(owns=owns))
    unique(zip(rows, (device.name for device in devices), strict=True))
    unique(zip(rows, (str(device.id) for device in devices), strict=True), "id")
    return tuple(devices)


# --- what agents are kept from doing to single resources ------------------------------------------


def restricted(row: Table, agent_id: AgentId) -> frozenset[int]:
    """Take the list ``restrict`` of a resource: who may change nothing; raises BoardError."""
    names = row.each("restrict", "a list of agents")
    return frozenset(agent_id(names, position, names.text(position)) for position in names.values)


def lacking(row: Table, known: Sequence[str], agent_id: AgentId) -> dict[int, frozenset[str]]:
    """Take the table ``restrict`` of a resource: which of its controls ``known`` an agent lacks.

    Raises BoardError.
    """
    restrict = row.table("restrict")
    found = {}
    for name in restrict.values:
        given = restrict.each(name)
        found[agent_id(restrict, name, name)] = frozenset(
            given.choice(position, known) for position in given.values
        )
    return found
