"""Pin control behaviour: what the messages do to pins, groups and functions.

What the reference leaves open is decided like this: nothing has to be claimed before it is used,
but what another agent has claimed cannot be claimed, configured or released (IN_USE); a group with
such a pin cannot either, nor can an exclusive function that another agent uses on what it has
claimed. Claiming twice is claiming once; releasing what nobody holds succeeds. A claim does not
count while its agent may not use the target. A group with a pin that an agent may not use is DENIED
to it. A function that does not go with the target, and settings that one of its pins does not have,
are NOT_SUPPORTED; a message that would change nothing is INVALID_PARAMETERS. Settings are made in
the order in which they come, all or none, and their values are not checked: Linux sends values of
other units with the same types. A setting that is not made, or not alike on all pins of a group,
reads as 0 and is missing from the list. Of identifiers the upper half is ignored.
PINCTRL_SET_PERMISSIONS, for trusted agents, is there only if the board wants it.

For permissions, and in ``names``, the resources are numbered through: pins, groups, functions. A
pin is called by its name there, the others ``group/NAME`` and ``function/NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import pad
from scmictl.platform.behaviour import (
    COUNT_BITS,
    Behaviour,
    Call,
    Handler,
    Message,
    Refusal,
    require,
)
from scmictl.platform.board import SHORT
from scmictl.platform.pad import Function, Pin, Target
from scmictl.protocols import pinctrl, setting
from scmictl.protocols.pinctrl import NO_FUNCTION, ConfigType, Selector, Wanted
from scmictl.wire import Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

ID_BITS = 0xFFFF
"""The significant bits of an identifier."""
ENTRY = 8
"""Bytes of a setting in a list, and of what stands before it."""
NOTHING = "none"


class Pinctrl(Behaviour):
    """The pin control protocol; ``pads`` are the pins, groups and functions."""

    PROTOCOL = pinctrl.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        table = board.table("pinctrl").only("set_permissions", "pin", "group", "function")
        self.pads = pad.read(table, platform.agent_id)
        self.names = [
            *(pin.name for pin in self.pads.pins),
            *(f"group/{group.name}" for group in self.pads.groups),
            *(f"function/{function.name}" for function in self.pads.functions),
        ]
        if len(set(self.names)) < len(self.names):
            raise table.error("pin", "no pin that is called like group/NAME of a group", "one")
        self.grantable = table.flag("set_permissions", False)

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            pinctrl.ProtocolAttributes: self.protocol_attributes,
            pinctrl.Attributes: self.attributes,
            pinctrl.ListAssociations: self.list_associations,
            pinctrl.SettingsGet: self.settings_get,
            pinctrl.SettingsConfigure: self.settings_configure,
            pinctrl.Request: self.request,
            pinctrl.Release: self.release,
            pinctrl.NameGet: self.name_get,
            pinctrl.SetPermissions: self.set_permissions,
        }

    def needed(self) -> Mapping[Message, bool]:
        return {
            pinctrl.ListAssociations: bool(self.pads.groups or self.pads.functions),
            pinctrl.NameGet: any(len(self.thing(n).name) > SHORT for n in range(len(self.names))),
            pinctrl.SetPermissions: self.grantable,
        }

    @property
    def counts(self) -> dict[str, int]:
        kinds = zip(self.PROTOCOL.kinds, self.pads, strict=True)
        return {self.PROTOCOL.label(how): len(things) for how, things in kinds}

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: pinctrl.ProtocolAttributes
    ) -> pinctrl.ProtocolAttributesResponse:
        return pinctrl.ProtocolAttributesResponse(
            attributes_low=pinctrl.AttributesLow(
                num_groups=len(self.pads.groups), num_pins=len(self.pads.pins)
            ),
            attributes_high=pinctrl.AttributesHigh(num_functions=len(self.pads.functions)),
        )

    def attributes(self, call: Call, request: pinctrl.Attributes) -> pinctrl.AttributesResponse:
        one = self.find(call, request.flags.selector, request.identifier)
        require(not request.flags.reserved)
        word = pinctrl.AttributesWord(
            extended_name=len(one.name) > SHORT,
            gpio_function=isinstance(one, Function) and one.gpio,
            pin_only=isinstance(one, Function) and one.pin_only,
            number_of_elements=len(one.targets if isinstance(one, Function) else one.pins),
        )
        return pinctrl.AttributesResponse(attributes=word, name=one.name[:SHORT])

    def name_get(self, call: Call, request: pinctrl.NameGet) -> pinctrl.NameGetResponse:
        one = self.find(call, request.flags.selector, request.identifier)
        require(not request.flags.reserved)
        require(len(one.name) > SHORT, Status.NOT_FOUND)
        return pinctrl.NameGetResponse(name=one.name)

    def list_associations(
        self, call: Call, request: pinctrl.ListAssociations
    ) -> pinctrl.ListAssociationsResponse:
        one = self.find(call, request.flags.selector, request.identifier)
        elements = one.targets if isinstance(one, Function) else one.pins
        require(not request.flags.reserved)
        require(request.flags.selector != Selector.PIN, Status.NOT_SUPPORTED)
        require(request.index < len(elements))
        end = request.index + min(call.fit(2), COUNT_BITS)
        ids = [element.id for element in elements[request.index : end]]
        left = max(len(elements) - end, 0)
        return pinctrl.ListAssociationsResponse(
            flags=pinctrl.AssociationsFlags(remaining=left, returned=len(ids)), array_=ids
        )

    # --- settings ---------------------------------------------------------------------------------

    def settings_get(self, call: Call, request: pinctrl.SettingsGet) -> pinctrl.SettingsGetResponse:
        word = request.attributes
        target = self.target(call, word.selector, request.identifier)
        require(not word.reserved and word.config_flag in list(Wanted))
        left = []
        if word.config_flag == Wanted.ONE:
            kind = word.config_type
            require(kind != ConfigType.DEFAULT and target.supports(kind), Status.NOT_SUPPORTED)
            left = [(kind, target.value(kind))]
        elif word.config_flag == Wanted.ALL:
            require(word.skip_configs <= len(target.settings))
            left = target.settings[word.skip_configs :]
        made = left[: call.fit(ENTRY, ENTRY)] if left else []
        function = target.selected
        return pinctrl.SettingsGetResponse(
            function_selected=NO_FUNCTION if function is None else function.id,
            num_configs=pinctrl.NumConfigs(remaining=len(left) - len(made), returned=len(made)),
            configs=[pinctrl.PinConfig(type=kind, value=value) for kind, value in made],
        )

    def settings_configure(self, call: Call, request: pinctrl.SettingsConfigure) -> None:
        word = request.attributes
        target = self.target(call, word.selector, request.identifier)
        function = None
        if word.function_valid and request.function_id != NO_FUNCTION:
            found = self.find(call, Selector.FUNCTION, request.function_id)
            assert isinstance(found, Function)
            function = found
        require(not word.reserved)
        require(word.function_valid or request.configs)
        require(all(config.type <= setting.LAST_TYPE for config in request.configs))
        fits = function is None or function in target.functions
        supported = all(target.supports(config.type) for config in request.configs)
        require(fits and supported, Status.NOT_SUPPORTED)
        self.permit(call, target)
        if function is not None and function.exclusive:
            users = {self.holder(pin) for pin in function.pins()}
            require(not users - {None, call.agent}, Status.IN_USE)
        if word.function_valid:
            target.select(function, call.agent)
        for config in request.configs:
            target.apply(config.type, config.value, call.agent)

    # --- claims -----------------------------------------------------------------------------------

    def request(self, call: Call, request: pinctrl.Request) -> None:
        target = self.target(call, request.flags.selector, request.identifier)
        require(not request.flags.reserved)
        self.permit(call, target)
        target.claim(call.agent)

    def release(self, call: Call, request: pinctrl.Release) -> None:
        target = self.target(call, request.flags.selector, request.identifier)
        require(not request.flags.reserved)
        self.permit(call, target)
        if target.pins[0].owner == call.agent:
            target.release()

    def reset(self, agent: int, now: float) -> None:
        for pin in self.pads.pins:
            if pin.owner == agent:
                pin.free()
            pin.put_back(agent)

    # --- permissions ------------------------------------------------------------------------------

    def set_permissions(self, call: Call, request: pinctrl.SetPermissions) -> None:
        require(request.agent_id in self.platform.by_agent, Status.NOT_FOUND)
        target = self.target(call, request.flags.selector, request.identifier)
        require(not request.flags.reserved)
        require(self.platform.by_agent[call.agent].trusted, Status.DENIED)
        if request.flags.permission:
            target.refused.discard(request.agent_id)
        else:
            target.refused.add(request.agent_id)

    def reset_permissions(self, agent: int) -> None:
        for target in (*self.pads.pins, *self.pads.groups):
            target.refused.discard(agent)
            target.refused |= target.refused_at_start & {agent}

    def permitted(self, agent: int, target: Target) -> bool:
        """Return whether the agent may claim and change the target and all its pins."""
        return all(
            agent not in one.refused and self.visible(agent, self.number(one))
            for one in (target, *target.pins)
        )

    def permit(self, call: Call, target: Target) -> None:
        """Raise DENIED if the calling agent may not use the target, IN_USE if another one does."""
        require(self.permitted(call.agent, target), Status.DENIED)
        holders = {self.holder(pin) for pin in target.pins}
        require(not holders - {None, call.agent}, Status.IN_USE)

    def holder(self, pin: Pin) -> int | None:
        """Return the agent that has claimed the pin, by something that it may still use."""
        owner = pin.owner
        held = owner is not None and any(self.permitted(owner, target) for target in pin.held)
        return owner if held else None

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.thing(resource)
        if isinstance(one, Function):
            on = [target for target in one.targets if target.selected is one]
            return {"selected_on": [self.names[self.number(target)] for target in on]}
        function = one.selected
        agents = self.platform.by_agent
        owners = {self.holder(pin) for pin in one.pins}
        return {
            "function": None if function is None else function.name,
            "owner": next((agents[agent].name for agent in owners if agent is not None), None),
            "held_by": sorted({self.names[self.number(t)] for pin in one.pins for t in pin.held}),
            "settings": {setting.key(kind): value for kind, value in one.settings},
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Change ``function``, ``owner`` or a setting; ``none`` takes it away."""
        one = self.thing(resource)
        if isinstance(one, Function):
            raise values.unknown("key", key, ())
        none = text.lower() == NOTHING
        if key == "function":
            by_name = {function.name: function for function in one.functions}
            if not none and text not in by_name:
                raise values.unknown("function", text, (*by_name, NOTHING))
            one.select(None if none else by_name[text], 0)
        elif key == "owner":
            agents = {agent.name: agent.id for agent in self.platform.by_agent.values()}
            if not none and text not in agents:
                raise values.unknown("agent", text, (*agents, NOTHING))
            for pin in one.pins:
                pin.free()
            if not none:
                one.claim(agents[text])
        else:
            kind = self.setting_key(one, key)
            one.apply(kind, None if none else setting.value_of(kind, text), 0)

    def setting_key(self, target: Target, key: str) -> int:
        """Return the type of a setting that a target can have; raises UsageError."""
        try:
            kind = setting.type_of(key)
        except UsageError:
            kind = -1
        if not target.supports(kind):
            types = [setting.type_name(t) for t in sorted(target.pins[0].types)]
            raise values.unknown("key", key, ("function", "owner", *types), limit=len(types) + 2)
        return kind

    # --- numbers ----------------------------------------------------------------------------------

    def find(self, call: Call, selector: int, identifier: int) -> Target | Function:
        """Return what an identifier means; raises NOT_FOUND if that is nothing to the agent."""
        require(selector < len(self.pads), Status.NOT_FOUND)
        things, id = self.pads[selector], identifier & ID_BITS
        require(id < len(things), Status.NOT_FOUND)
        one = things[id]
        require(self.visible(call.agent, self.number(one)), Status.NOT_FOUND)
        return one

    def target(self, call: Call, selector: int, identifier: int) -> Target:
        """Return the pin or group meant; raises INVALID_PARAMETERS for another selector."""
        require(selector in (Selector.PIN, Selector.GROUP))
        one = self.find(call, selector, identifier)
        assert isinstance(one, Target)
        return one

    def number(self, one: Target | Function) -> int:
        """Return the number of a resource among those of all kinds."""
        pins, groups = len(self.pads.pins), len(self.pads.groups)
        if isinstance(one, Function):
            return pins + groups + one.id
        return one.id if one.SELECTOR == Selector.PIN else pins + one.id

    def thing(self, resource: int) -> Target | Function:
        """Return the resource of a number."""
        for things in self.pads:
            if resource < len(things):
                return things[resource]
            resource -= len(things)
        raise Refusal(Status.NOT_FOUND)


BEHAVIOUR = Pinctrl
