"""The pin control protocol (0x19): pins, groups, functions, settings (reference B, section 6)."""

from __future__ import annotations

from enum import IntEnum

from scmictl import wire  # a message here is called Request too
from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Paging,
    Response,
    Struct,
    array,
    bits,
    flag,
    text,
    u32,
    word,
)

ID = 0x19

NO_FUNCTION = 0xFFFFFFFF
"""The function id that means none."""


class Selector(IntEnum):
    """Which of the three number spaces an identifier belongs to."""

    PIN = 0
    GROUP = 1
    FUNCTION = 2


class Wanted(IntEnum):
    """What PINCTRL_SETTINGS_GET is to return."""

    ONE = 0
    ALL = 1
    FUNCTION = 2


class ConfigType(IntEnum):
    """What a setting sets; 192 to 255 belong to the vendor."""

    DEFAULT = 0
    BIAS_BUS_HOLD = 1
    BIAS_DISABLE = 2
    BIAS_HIGH_IMPEDANCE = 3
    BIAS_PULL_UP = 4
    BIAS_PULL_DEFAULT = 5
    BIAS_PULL_DOWN = 6
    DRIVE_OPEN_DRAIN = 7
    DRIVE_OPEN_SOURCE = 8
    DRIVE_PUSH_PULL = 9
    DRIVE_STRENGTH = 10
    INPUT_DEBOUNCE = 11
    INPUT_MODE = 12
    PULL_MODE = 13
    INPUT_VALUE = 14
    INPUT_SCHMITT = 15
    LOW_POWER_MODE = 16
    OUTPUT_MODE = 17
    OUTPUT_VALUE = 18
    POWER_SOURCE = 19
    SLEW_RATE = 20


UNITS = {
    ConfigType.BIAS_PULL_UP: "Ω",
    ConfigType.BIAS_PULL_DEFAULT: "Ω",
    ConfigType.BIAS_PULL_DOWN: "Ω",
    ConfigType.DRIVE_STRENGTH: "mA",
    ConfigType.INPUT_DEBOUNCE: "us",
}
"""The unit of a setting's value, where it has one."""


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the pin control protocol the platform speaks."""


class AttributesLow(Bits):
    """Counts of groups and pins."""

    num_groups = bits(31, 16)
    num_pins = bits(15, 0)


class AttributesHigh(Bits):
    """The count of functions."""

    num_functions = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many pins, groups and functions there are."""

    attributes_low: AttributesLow = word(AttributesLow)
    attributes_high: AttributesHigh = word(AttributesHigh)


class ProtocolAttributes(
    wire.Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 6.4, 0x1",
):
    """Ask how many pins, groups and functions there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the pin control protocol."""


class SelectorFlags(Bits):
    """What the identifier is."""

    selector = bits(1, 0, enum=Selector)


class AttributesWord(Bits):
    """What a pin, group or function is."""

    extended_name = flag(31, "PINCTRL_NAME_GET has the whole name")
    gpio_function = flag(17, "functions only: it is the GPIO function")
    pin_only = flag(16, "functions only: for pins, not for groups")
    number_of_elements = bits(15, 0, "pins of a group; groups, or pins, a function can be used on")


class AttributesResponse(Response):
    """The name and size of a pin, group or function."""

    attributes: AttributesWord = word(AttributesWord)
    name: str = text(16)


class Attributes(
    wire.Request[AttributesResponse],
    protocol=ID,
    id=0x3,
    spec="PINCTRL_ATTRIBUTES",
    section="B 6.4, 0x3",
):
    """Describe a pin, a group or a function."""

    identifier: int = u32("16 significant bits")
    flags: SelectorFlags = word(SelectorFlags)


class AssociationsFlags(Bits):
    """How many identifiers are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(11, 0)


class ListAssociationsResponse(Response):
    """Identifiers in ascending order, two to a word."""

    flags: AssociationsFlags = word(AssociationsFlags)
    array_: list[int] = array("u16", count="flags.returned")


class ListAssociations(
    wire.Request[ListAssociationsResponse],
    protocol=ID,
    id=0x4,
    spec="PINCTRL_LIST_ASSOCIATIONS",
    section="B 6.4, 0x4",
    paging=Paging("index", "flags.returned", "flags.remaining", "array_"),
):
    """List the pins of a group, or the groups (or pins) a function can be used on."""

    identifier: int = u32("16 significant bits")
    flags: SelectorFlags = word(SelectorFlags, "group or function")
    index: int = u32("first identifier wanted")


class PinConfig(Struct):
    """One setting."""

    type: int = u32("8 significant bits", enum=ConfigType)
    value: int = u32("in the unit of its type")


class SettingsGetAttributes(Bits):
    """What to read, and of which kind of thing."""

    config_flag = bits(19, 18, enum=Wanted)
    selector = bits(17, 16, "pin or group", enum=Selector)
    skip_configs = bits(15, 8, "with all: number of leading settings to skip")
    config_type = bits(7, 0, "with one: the setting wanted", enum=ConfigType)


class NumConfigs(Bits):
    """How many settings are here and how many are left."""

    remaining = bits(31, 24)
    returned = bits(7, 0)


class SettingsGetResponse(Response):
    """The selected function, and settings in ascending order of their type."""

    function_selected: int = u32("0xFFFFFFFF = none")
    num_configs: NumConfigs = word(NumConfigs)
    configs: list[PinConfig] = array(PinConfig, count="num_configs.returned")


class SettingsGet(
    wire.Request[SettingsGetResponse],
    protocol=ID,
    id=0x5,
    spec="PINCTRL_SETTINGS_GET",
    section="B 6.4, 0x5",
    paging=Paging(
        "attributes.skip_configs", "num_configs.returned", "num_configs.remaining", "configs"
    ),
):
    """Read the function and the settings of a pin or a group."""

    identifier: int = u32("16 significant bits")
    attributes: SettingsGetAttributes = word(SettingsGetAttributes)


class SettingsConfigureAttributes(Bits):
    """What to change, and of which kind of thing."""

    function_valid = flag(10, "function_id is to be selected")
    num_configs = bits(9, 2, "settings that follow")
    selector = bits(1, 0, "pin or group", enum=Selector)


class SettingsConfigureResponse(Response):
    """The function is selected and the settings are made."""


class SettingsConfigure(
    wire.Request[SettingsConfigureResponse],
    protocol=ID,
    id=0x6,
    spec="PINCTRL_SETTINGS_CONFIGURE",
    section="B 6.4, 0x6",
    effect=Effect.WRITE,
):
    """Select the function, or change settings, of a pin or a group."""

    identifier: int = u32("16 significant bits")
    function_id: int = u32("0xFFFFFFFF = none; ignored without function_valid", default=NO_FUNCTION)
    attributes: SettingsConfigureAttributes = word(SettingsConfigureAttributes)
    configs: list[PinConfig] = array(
        PinConfig, "in ascending order of their type", count="attributes.num_configs"
    )


class RequestResponse(Response):
    """The agent has the pin or the group."""


class Request(
    wire.Request[RequestResponse],
    protocol=ID,
    id=0x7,
    spec="PINCTRL_REQUEST",
    section="B 6.4, 0x7",
    effect=Effect.WRITE,
):
    """Claim a pin or a group for this agent."""

    identifier: int = u32("16 significant bits")
    flags: SelectorFlags = word(SelectorFlags, "pin or group")


class ReleaseResponse(Response):
    """The pin or the group is free."""


class Release(
    wire.Request[ReleaseResponse],
    protocol=ID,
    id=0x8,
    spec="PINCTRL_RELEASE",
    section="B 6.4, 0x8",
    effect=Effect.WRITE,
):
    """Give back a pin or a group."""

    identifier: int = u32("16 significant bits")
    flags: SelectorFlags = word(SelectorFlags, "pin or group")


class NameGetResponse(Response):
    """The whole name of a pin, group or function."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class NameGet(
    wire.Request[NameGetResponse],
    protocol=ID,
    id=0x9,
    spec="PINCTRL_NAME_GET",
    section="B 6.4, 0x9",
):
    """Read the whole name of a pin, group or function whose name has more than 15 characters."""

    identifier: int = u32("16 significant bits")
    flags: SelectorFlags = word(SelectorFlags)


class PermissionFlags(Bits):
    """Allow or deny, and what the identifier is."""

    permission = flag(2, "1 = allow, 0 = deny")
    selector = bits(1, 0, "pin or group", enum=Selector)


class SetPermissionsResponse(Response):
    """The permission is changed."""


class SetPermissions(
    wire.Request[SetPermissionsResponse],
    protocol=ID,
    id=0xA,
    spec="PINCTRL_SET_PERMISSIONS",
    section="B 6.4, 0xA",
    effect=Effect.WRITE,
    hurts=("not flags.permission",),
):
    """Allow or deny an agent the use of a pin or a group."""

    agent_id: int = u32("agent whose permission changes")
    identifier: int = u32("16 significant bits")
    flags: PermissionFlags = word(PermissionFlags)


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the pin control protocol to this agent."""


def function_of(selector: int, id: int) -> SettingsGet:
    """Return the request for nothing but the function selected on a pin or a group."""
    attributes = SettingsGetAttributes(config_flag=Wanted.FUNCTION, selector=selector)
    return SettingsGet(identifier=id, attributes=attributes)


def settings_of(selector: int, id: int) -> SettingsGet:
    """Return the request for the function and all settings of a pin or a group: a list."""
    attributes = SettingsGetAttributes(config_flag=Wanted.ALL, selector=selector)
    return SettingsGet(identifier=id, attributes=attributes)


def _kind(noun: str, count: str, selector: Selector) -> Resources:
    return Resources(
        noun,
        count=count,
        describe=Attributes,
        id="identifier",
        name="name",
        extended="attributes.extended_name",
        name_get=NameGet,
        given={"flags": SelectorFlags(selector=selector)},
    )


PINS = _kind("pin", "attributes_low.num_pins", Selector.PIN)
GROUPS = _kind("group", "attributes_low.num_groups", Selector.GROUP)
FUNCTIONS = _kind("function", "attributes_high.num_functions", Selector.FUNCTION)

PROTOCOL = Protocol(
    "pinctrl",
    ID,
    title="Pin control",
    versions=(0x10000,),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        Attributes,
        ListAssociations,
        SettingsGet,
        SettingsConfigure,
        Request,
        Release,
        NameGet,
        SetPermissions,
        NegotiateProtocolVersion,
    ),
    resources=(PINS, GROUPS, FUNCTIONS),
)
