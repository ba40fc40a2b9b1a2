"""Voltage domain protocol behaviour: what the messages do to the levels and modes of domains.

What the reference leaves open is decided like this: the upper half of a domain_id is ignored, and
of an index into a triplet all; a level can be set while the domain is off, and stays when it is
switched; whoever sets mode or level last wins. Of a domain with a fixed level, its own level is
NOT_SUPPORTED to set and every other one INVALID_PARAMETERS. A mode that the domain does not have is
INVALID_PARAMETERS, so one without ``off`` is always on. Asynchronous changes count per connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import regulator
from scmictl.platform.behaviour import COUNT_BITS, Behaviour, Call, Handler, Message, require
from scmictl.platform.board import SHORT
from scmictl.platform.regulator import LEVEL, STATE, Domain
from scmictl.protocols import voltage
from scmictl.wire import Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform


class Voltages(Behaviour):
    """The voltage domain protocol; ``domains`` are the voltage domains by id."""

    PROTOCOL = voltage.PROTOCOL
    ID_BITS = 0xFFFF

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.domains = regulator.read(board, platform.agent_id)
        self.names = [one.name for one in self.domains]

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            voltage.ProtocolAttributes: self.protocol_attributes,
            voltage.DomainAttributes: self.domain_attributes,
            voltage.DescribeLevels: self.describe_levels,
            voltage.ConfigSet: self.config_set,
            voltage.ConfigGet: self.config_get,
            voltage.LevelSet: self.level_set,
            voltage.LevelGet: self.level_get,
        }

    def reset(self, agent: int, now: float) -> None:
        for one in self.domains:
            one.put_back(agent)

    def state(self, resource: int) -> dict[str, Any]:
        one = self.domains[resource]
        return {
            "enabled": one.enabled,
            "mode": regulator.mode_name(one.mode),
            "level_uv": one.level,
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.domains[resource]
        if key == "level":
            level = values.number(text, "uV")
            if not one.has(level):
                raise UsageError(f"found the level {text!r}, expected one of the domain's levels")
            one.set_level(level, 0)
        elif key in ("enabled", "mode"):
            mode = regulator.mode_named(text)
            if mode not in one.modes or (key == "enabled" and mode in regulator.OWN_MODES):
                known = [regulator.mode_name(mode) for mode in one.modes]
                raise values.unknown("mode", text, known)
            one.set_mode(mode, 0)
        else:
            raise values.unknown("key", key, ("level", "enabled", "mode"))

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: voltage.ProtocolAttributes
    ) -> voltage.ProtocolAttributesResponse:
        return voltage.ProtocolAttributesResponse(
            attributes=voltage.ProtocolAttributesWord(num_domains=len(self.domains))
        )

    def domain_attributes(
        self, call: Call, request: voltage.DomainAttributes
    ) -> voltage.DomainAttributesResponse:
        one = self.find(call, request.domain_id)
        word = voltage.DomainAttributesWord(
            async_level_set=self.can_defer(call, one), extended_name=len(one.name) > SHORT
        )
        return voltage.DomainAttributesResponse(attributes=call.known(word), name=one.name[:SHORT])

    def describe_levels(
        self, call: Call, request: voltage.DescribeLevels
    ) -> voltage.DescribeLevelsResponse:
        levels = self.find(call, request.domain_id).levels
        if levels.triplet:
            call.fit(4 * 3)
            flags = voltage.LevelsFlags(format=voltage.LevelFormat.TRIPLET, returned=3)
            return voltage.DescribeLevelsResponse(flags=flags, voltage=list(levels.items))
        require(request.level_index < len(levels.items), Status.OUT_OF_RANGE)
        left = levels.items[request.level_index :]
        found = list(left[: min(call.fit(4), COUNT_BITS)])
        flags = voltage.LevelsFlags(returned=len(found), remaining=len(left) - len(found))
        return voltage.DescribeLevelsResponse(flags=flags, voltage=found)

    # --- on and off -------------------------------------------------------------------------------

    def config_set(self, call: Call, request: voltage.ConfigSet) -> None:
        one = self.find(call, request.domain_id)
        # The word has no other bits than the mode's, and a mode with others is none.
        require(int(request.config) in one.modes)
        self.permit(call, one, STATE)
        one.set_mode(int(request.config), call.agent)

    def config_get(self, call: Call, request: voltage.ConfigGet) -> voltage.ConfigGetResponse:
        one = self.find(call, request.domain_id)
        return voltage.ConfigGetResponse(config=voltage.ConfigWord(mode=one.mode))

    # --- levels -----------------------------------------------------------------------------------

    def level_get(self, call: Call, request: voltage.LevelGet) -> voltage.LevelGetResponse:
        return voltage.LevelGetResponse(voltage_level=self.find(call, request.domain_id).level)

    def level_set(self, call: Call, request: voltage.LevelSet) -> None:
        one = self.find(call, request.domain_id)
        flags, level = request.flags, request.voltage_level
        require(not flags.reserved)
        require(one.has(level))
        require(one.settable, Status.NOT_SUPPORTED)
        require(not flags.async_ or self.can_defer(call, one), Status.NOT_SUPPORTED)
        self.permit(call, one, LEVEL)
        if flags.async_:
            self.accept(call, one, level)
        else:
            one.set_level(level, call.agent)

    def accept(self, call: Call, one: Domain, level: int) -> None:
        """Have the level set later."""
        agent = call.agent

        def work(now: float) -> voltage.LevelSetComplete:
            require(self.visible(agent, one.id), Status.NOT_FOUND)
            one.set_level(level, agent)
            return voltage.LevelSetComplete(domain_id=one.id, voltage_level=one.level)

        call.port.defer(call, one.latency, self.max_async, work)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, domain_id: int) -> Domain:
        """Return the domain; raises NOT_FOUND if it does not exist for the agent."""
        return self.domains[self.resolve(call, domain_id)]

    def permit(self, call: Call, one: Domain, control: str) -> None:
        """Raise DENIED unless the calling agent has this control of the domain."""
        require(control not in one.restricted.get(call.agent, ()), Status.DENIED)

    def can_defer(self, call: Call, one: Domain) -> bool:
        """Return whether the level can be set asynchronously over this connection."""
        return one.asynchronous and self.max_async > 0 and call.port.events


BEHAVIOUR = Voltages
