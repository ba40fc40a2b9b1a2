"""A platform changed by hand: its state, values, faults, permissions and notifications.

Theory of operation. A :class:`Hand` works on a platform that others use meanwhile, at the time it
is given; whoever serves their ports finds there what it causes. :meth:`Hand.ask` takes a request as
plain data, ``{"ask": "set", "resource": "clock:uart0", "settings": ["rate=25MHz"]}``, and gives
records: in one process, and behind a control socket as lines of JSON. What arrives there can be
anything, so :mod:`~scmictl.platform.ask` takes nothing for granted.

A resource is named ``clock:uart0``, ``clock:3``, by a pattern ``clock:uart*``, or all of a protocol
by its name alone. A protocol that has no resources is one thing, number 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import RemoteProtocolError, UsageError
from scmictl.platform import ask
from scmictl.platform.behaviour import Behaviour, Refusal
from scmictl.platform.fault import NONE
from scmictl.platform.savepoint import Savepoint
from scmictl.protocols.protocol import version_text
from scmictl.wire import Notification, codec
from scmictl.wire.record import record as fields_of

if TYPE_CHECKING:
    from scmictl.platform.permission import Device
    from scmictl.platform.platform import Agent, Platform

Record = dict[str, Any]

EVERYTHING = "all"


class Hand:
    """What can be done to ``platform`` by hand; ``now`` is the time of whoever serves it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def ask(self, request: Mapping[str, Any], now: float) -> Iterator[Record]:
        """Do what ``request`` asks, and return the records that answer it.

        Raises UsageError for a request that cannot be understood or done; nothing has changed then.
        """
        name, given = ask.read(request)
        now = self.platform.advance(now)
        does: dict[str, Callable[..., Iterable[Record]]] = {
            "facts": self.facts,
            "state": self.state,
            "set": self.adjust,
            "fault": self.fault,
            "perms": self.perms,
            "notify": self.notify,
        }
        return iter(does[name](now=now, **given))

    def facts(self, *, now: float) -> list[Record]:
        """Return the board, the agents, and the version of every protocol."""
        platform = self.platform
        return [
            {
                "board": platform.name,
                "agents": list(platform.agents),
                "versions": {
                    made.PROTOCOL.name: version_text(made.version)
                    for made in platform.behaviours.values()
                },
            }
        ]

    # --- state and values -------------------------------------------------------------------------

    def state(self, resources: Sequence[str], *, now: float) -> Iterator[Record]:
        """Yield the records of these resources, or of all there are, each once."""
        found: dict[tuple[int, int], None] = {}
        for word in resources or (EVERYTHING,):
            for made, number in self._resources(word):
                found[made.PROTOCOL.id, number] = None
        # Records come as they are wanted: there may be a hundred thousand.
        return (self._record(self.platform.behaviours[id], number) for id, number in found)

    def adjust(self, resource: str, settings: Sequence[str], *, now: float) -> list[Record]:
        """Change resources, all settings of all of them or none, and return their records."""
        pairs = _pairs(settings)
        chosen = self._resources(resource)
        # A single change is made or not by itself.
        saved = self._savepoint(chosen) if len(pairs) * len(chosen) > 1 else None
        for made, number in chosen:
            try:
                for key, text in pairs.items():
                    made.adjust(number, key, text, now)
            except (UsageError, Refusal) as error:
                if saved is not None:
                    saved.restore()
                called = f"{made.PROTOCOL.name}:{_name(made, number) or number}"
                if isinstance(error, Refusal):
                    raise UsageError(f"{called}: refused with {error.status.name}") from error
                raise UsageError(f"{called}: {error.message}", hint=error.hint) from error
        return [self._record(made, number) for made, number in chosen]

    def _savepoint(self, chosen: Iterable[tuple[Behaviour, int]]) -> Savepoint:
        platform = self.platform
        changing = [one for made, number in chosen for one in made.behind(number)]
        # Timers may be set, and notifications be on their way, before the wrong key is met.
        roots = (*changing, platform.timers, *platform.ports)
        return Savepoint(roots, border=(platform, *platform.behaviours.values()))

    def _resources(self, word: str) -> list[tuple[Behaviour, int]]:
        """Return what ``word`` names; raises UsageError for what there is not."""
        name, colon, pattern = word.partition(":")
        by_name = {made.PROTOCOL.name: made for made in self.platform.behaviours.values()}
        if name == EVERYTHING and not colon:
            return [(made, n) for made in by_name.values() for n in range(_count(made))]
        made = by_name.get(name.lower())
        if made is None:
            error = values.unknown("protocol", name, by_name, limit=len(by_name))
            error.hint = error.hint or "a resource is PROTOCOL:NAME, such as clock:uart0"
            raise error
        if not colon:
            return [(made, number) for number in range(_count(made))]
        names: list[str | None] = [*made.names] or [None]
        numbers = values.select(pattern, names, kind=made.PROTOCOL.name)
        for number in numbers:
            if number >= len(names):
                raise UsageError(f"found {word}, expected a number from 0 to {len(names) - 1}")
        return [(made, number) for number in numbers]

    def _record(self, made: Behaviour, number: int) -> Record:
        head = {"protocol": made.PROTOCOL.name, "id": number, "name": _name(made, number)}
        return {**head, **made.state(number)}

    # --- faults -----------------------------------------------------------------------------------

    def fault(self, do: str, spec: str | None, *, now: float) -> list[Record]:
        """Add faults, end them all, or only ``list`` those in force; return them."""
        faults = self.platform.faults
        if do == "add" and spec is not None and spec.strip() != NONE:
            faults.add(spec)
        elif do == "clear" or (do == "add" and spec is not None):
            faults.clear()
        elif do != "list":
            raise values.unknown("way to change faults", do[:80], ("list", "add", "clear"))
        return faults.list()

    # --- permissions ------------------------------------------------------------------------------

    def perms(
        self,
        do: str,
        agent: str | None,
        device: str | None,
        protocol: str | None,
        *,
        now: float,
    ) -> list[Record]:
        """Show, change (``allow``, ``deny``) or ``reset`` permissions; return those meant.

        A change is that of BASE_SET_PROTOCOL_PERMISSIONS, with what follows from it.
        """
        if do not in ("list", "allow", "deny", "reset"):
            raise values.unknown(
                "way to change permissions", do[:80], ("list", "allow", "deny", "reset")
            )
        agents = self._agents(agent)
        devices = self._devices(device)
        wanted = self._protocol_ids(protocol, devices)
        permissions = self.platform.permissions
        if do in ("allow", "deny"):
            for one in agents:
                for each in devices:
                    owned = [id for id in each.owns if wanted is None or id in wanted]
                    permissions.change(one.id, each, owned, do == "allow")
        elif do == "reset":
            for one in agents:
                permissions.reset(one.id)
                for made in self.platform.behaviours.values():
                    made.reset_permissions(one.id)
        return [
            {
                "agent_id": one.id,
                "agent": one.name,
                "device_id": each.id,
                "device": each.name,
                "protocol": self.platform.behaviours[id].PROTOCOL.name,
                "access": "allow" if permissions.may_use(one.id, each, id) else "deny",
            }
            for one in agents
            for each in devices
            for id in sorted(each.owns)
            if wanted is None or id in wanted
        ]

    def _agents(self, word: str | None) -> list[Agent]:
        agents = self.platform.by_agent
        if word is None or word == EVERYTHING:
            return list(agents.values())
        names: list[str | None] = [None, *(agent.name for agent in agents.values())]
        found = values.select(word, names, kind="agent")
        for number in found:
            if number not in agents:
                raise UsageError(f"found agent {number}, expected 1 to {len(agents)}")
        return [agents[number] for number in found]

    def _devices(self, word: str | None) -> list[Device]:
        devices = self.platform.permissions.devices
        if word is None or word == EVERYTHING:
            return list(devices)
        try:
            number = values.number(word)
        except UsageError:
            names = [device.name for device in devices]
            return [devices[place] for place in values.select(word, names, kind="device")]
        # Not the position but the number that the board gives it.
        by_id = self.platform.permissions.device(number)
        if by_id is None:
            raise values.unknown("device", word, [device.name for device in devices])
        return [by_id]

    def _protocol_ids(self, word: str | None, devices: Sequence[Device]) -> set[int] | None:
        if word is None or word == EVERYTHING:
            return None
        owned = {id for device in devices for id in device.owns}
        by_name = {self.platform.behaviours[id].PROTOCOL.name: id for id in sorted(owned)}
        if word.lower() not in by_name:
            raise values.unknown("protocol", word, by_name)
        return {by_name[word.lower()]}

    # --- notifications ----------------------------------------------------------------------------

    def notify(
        self, protocol: str, message: str, payload: str, to: str | None, *, now: float
    ) -> list[Record]:
        """Send a notification to all who have subscribed to it, or only to the agents ``to``.

        ``payload`` is what follows its header, in hex and as the version says that the platform
        reports; every connection gets it as its own version says.
        """
        by_name = {made.PROTOCOL.name: made for made in self.platform.behaviours.values()}
        made = by_name.get(protocol)
        if made is None:
            raise values.unknown("protocol", protocol, by_name, limit=len(by_name))
        kind = made.PROTOCOL.by_spec.get(message)
        if kind is None or not issubclass(kind, Notification):
            known = [event.SPEC for event in made.PROTOCOL.notifications]
            raise values.unknown("notification", message, known, limit=len(known))
        if made.version < kind.SINCE:
            raise UsageError(
                f"{message} exists from {protocol} {version_text(kind.SINCE)} on, the platform "
                f"speaks {version_text(made.version)}"
            )
        chosen = {agent.id for agent in self._agents(to)}
        try:
            event = codec.decode(kind, made.version, bytes.fromhex(payload))
        except (ValueError, RemoteProtocolError) as error:
            raise UsageError(f"{message}: {error}, expected its payload in hex") from error
        if event.surplus:
            raise UsageError(f"{message}: {len(event.surplus)} bytes too many in its payload")
        reached = self.platform.notify(
            event, made.subject(event), who=lambda port: port.agent in chosen
        )
        agents = self.platform.by_agent
        return [
            {
                "message": message,
                "fields": fields_of(event, made.version),
                "sent": len(reached),
                "agents": [agents[n].name for n in sorted({port.agent for port in reached})],
            }
        ]


def _pairs(settings: Sequence[str]) -> dict[str, str]:
    if not settings:
        raise UsageError("found no setting, expected KEY=VALUE")
    pairs: dict[str, str] = {}
    for word in settings:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise UsageError(f"found {ask.brief(word)}, expected KEY=VALUE")
        if key in pairs:
            raise UsageError(f"{values.shown(key)} is given twice")
        pairs[key] = text
    return pairs


def _count(made: Behaviour) -> int:
    return len(made.names) or 1


def _name(made: Behaviour, number: int) -> str | None:
    return made.names[number] if made.names else None
