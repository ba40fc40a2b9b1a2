"""The clock protocol (0x14): rates, gates, parents (reference part A, section 7)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    AsyncRequest,
    Bits,
    Delayed,
    Effect,
    Notification,
    Paging,
    Request,
    Response,
    array,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x14

VENDOR_CONFIG = 0x80
"""The extended configuration types from here on are the vendor's."""


class RateFormat(IntEnum):
    """How CLOCK_DESCRIBE_RATES describes the rates."""

    LIST = 0
    TRIPLET = 1


class State(IntEnum):
    """What CLOCK_CONFIG_SET does to the gate (from 3.0)."""

    DISABLE = 0
    ENABLE = 1
    RESERVED = 2
    UNCHANGED = 3


class ExtendedConfig(IntEnum):
    """Extended configuration types; 0x80 to 0xFF belong to the vendor."""

    NONE = 0
    DUTY_CYCLE = 1
    PHASE = 2


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the clock protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's clock protocol has."""

    max_async_rate_changes = bits(
        23, 16, "pending asynchronous CLOCK_RATE_SET allowed; 0 = not supported"
    )
    num_clocks = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many clocks there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 7, 0x1",
):
    """Ask how many clocks there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the clock protocol."""


class AttributesWord(Bits):
    """What a clock can do, and whether it runs."""

    rate_changed_notifications = flag(31, since=0x20000)
    rate_change_requested_notifications = flag(30, since=0x20000)
    extended_name = flag(29, "CLOCK_NAME_GET has the whole name", since=0x20000)
    parent_ids_available = flag(
        28, "CLOCK_POSSIBLE_PARENTS_GET and CLOCK_PARENT_GET are usable", since=0x30000
    )
    extended_config = flag(27, since=0x30000)
    restricted = flag(1, "1 = some controls are denied, ask CLOCK_GET_PERMISSIONS", since=0x30000)
    enabled = flag(0)


class AttributesResponse(Response):
    """A clock's name and abilities."""

    attributes: AttributesWord = word(AttributesWord)
    clock_name: str = text(16)
    clock_enable_delay: int | None = u32(
        "worst case; 0 = not given", unit="us", since=0x20000, optional=True, default=None
    )


class Attributes(
    Request[AttributesResponse],
    protocol=ID,
    id=0x3,
    spec="CLOCK_ATTRIBUTES",
    section="A 7, 0x3",
):
    """Describe a clock."""

    clock_id: int = u32()


class NumRatesFlags(Bits):
    """How many rates are here and how many are left."""

    num_remaining = bits(31, 16, "0 for a triplet")
    rate_format = bits(12, 12, "list, or triplet lowest, highest, step", enum=RateFormat)
    num_returned = bits(11, 0, "64-bit values in this response; 3 for a triplet")


class DescribeRatesResponse(Response):
    """Rates in ascending order, or lowest, highest, step."""

    num_rates_flags: NumRatesFlags = word(NumRatesFlags)
    rates: list[int] = array("u64", count="num_rates_flags.num_returned", unit="Hz")


class DescribeRates(
    Request[DescribeRatesResponse],
    protocol=ID,
    id=0x4,
    spec="CLOCK_DESCRIBE_RATES",
    section="A 7, 0x4",
    paging=Paging(
        "rate_index", "num_rates_flags.num_returned", "num_rates_flags.num_remaining", "rates"
    ),
):
    """List the rates a clock can have."""

    clock_id: int = u32()
    rate_index: int = u32("number of leading rates to skip")


class RateSetFlags(Bits):
    """How to set a rate."""

    round_auto = flag(3, "the platform picks the closest rate; round_up is ignored")
    round_up = flag(2, "0 = round down")
    ignore_delayed_response = flag(1, "with async: send no CLOCK_RATE_SET_COMPLETE")
    async_ = flag(0, "answer at once, set the rate later")


class RateSetResponse(Response):
    """The rate is set, or the asynchronous change is accepted."""


class RateSetComplete(
    Delayed, protocol=ID, id=0x5, spec="CLOCK_RATE_SET_COMPLETE", section="A 7, 0x5"
):
    """An asynchronous rate change is done."""

    clock_id: int = u32()
    rate: int = u64("rate actually set", unit="Hz")


class RateSet(
    AsyncRequest[RateSetResponse, RateSetComplete],
    protocol=ID,
    id=0x5,
    spec="CLOCK_RATE_SET",
    section="A 7, 0x5",
    effect=Effect.WRITE,
    async_when=("flags.async_", "not flags.ignore_delayed_response"),
):
    """Set the rate of a clock."""

    flags: RateSetFlags = word(RateSetFlags, default=0)
    clock_id: int = u32()
    rate: int = u64(unit="Hz")


class RateGetResponse(Response):
    """A clock's rate; of a disabled clock, the rate it will have."""

    rate: int = u64(unit="Hz")


class RateGet(
    Request[RateGetResponse], protocol=ID, id=0x6, spec="CLOCK_RATE_GET", section="A 7, 0x6"
):
    """Read the rate of a clock."""

    clock_id: int = u32()


class ConfigSetAttributes(Bits):
    """The gate, and from 3.0 an extended configuration."""

    extended_config_type = bits(23, 16, enum=ExtendedConfig, since=0x20001)
    state = bits(1, 0, enum=State, since=0x20001)
    enable = flag(0, until=0x20000)


class ConfigSetResponse(Response):
    """The clock is configured."""


class ConfigSet(
    Request[ConfigSetResponse],
    protocol=ID,
    id=0x7,
    spec="CLOCK_CONFIG_SET",
    section="A 7, 0x7",
    effect=Effect.WRITE,
):
    """Enable or disable a clock, or set an extended configuration."""

    clock_id: int = u32()
    attributes: ConfigSetAttributes = word(ConfigSetAttributes)
    extended_config_val: int | None = u32(
        "value for extended_config_type; ignored for type 0", since=0x20001, default=0
    )


class NameGetResponse(Response):
    """A clock's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class NameGet(
    Request[NameGetResponse],
    protocol=ID,
    id=0x8,
    spec="CLOCK_NAME_GET",
    since=0x20000,
    section="A 7, 0x8",
):
    """Read the whole name of a clock whose name has more than 15 characters."""

    clock_id: int = u32()


class RateChanged(
    Notification,
    protocol=ID,
    id=0x0,
    spec="CLOCK_RATE_CHANGED",
    since=0x20000,
    section="A 7, notification 0x0",
):
    """A clock has another rate now."""

    agent_id: int = u32("agent that caused the change; 0 = platform")
    clock_id: int = u32()
    rate: int = u64("new rate", unit="Hz")


class RateChangeRequested(
    Notification,
    protocol=ID,
    id=0x1,
    spec="CLOCK_RATE_CHANGE_REQUESTED",
    since=0x20000,
    section="A 7, notification 0x1",
):
    """An agent asked for another rate."""

    agent_id: int = u32("agent that asked")
    clock_id: int = u32()
    rate: int = u64("requested rate", unit="Hz")


class RateNotifyResponse(Response):
    """The setting is stored."""


class RateNotify(
    Request[RateNotifyResponse],
    protocol=ID,
    id=0x9,
    spec="CLOCK_RATE_NOTIFY",
    since=0x20000,
    section="A 7, 0x9",
    subscribes=RateChanged,
    offered=("attributes.rate_changed_notifications",),
):
    """Switch the notification of a clock's rate changes on or off."""

    clock_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class RateChangeRequestedNotifyResponse(Response):
    """The setting is stored."""


class RateChangeRequestedNotify(
    Request[RateChangeRequestedNotifyResponse],
    protocol=ID,
    id=0xA,
    spec="CLOCK_RATE_CHANGE_REQUESTED_NOTIFY",
    since=0x20000,
    section="A 7, 0xA",
    subscribes=RateChangeRequested,
    offered=("attributes.rate_change_requested_notifications",),
):
    """Switch the notification of requests for another rate on or off."""

    clock_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class ConfigGetFlags(Bits):
    """Which extended configuration to read."""

    extended_config_type = bits(7, 0, enum=ExtendedConfig)


class ConfigWord(Bits):
    """The gate."""

    enabled = flag(0)


class ConfigGetResponse(Response):
    """The gate and the extended configuration asked for."""

    attributes: int = u32("reserved", default=0)
    config: ConfigWord = word(ConfigWord)
    extended_config_val: int = u32("meaningless for type 0")


class ConfigGet(
    Request[ConfigGetResponse],
    protocol=ID,
    id=0xB,
    spec="CLOCK_CONFIG_GET",
    since=0x30000,
    section="A 7, 0xB",
):
    """Read the configuration of a clock."""

    clock_id: int = u32()
    flags: ConfigGetFlags = word(ConfigGetFlags, default=0)


class NumParentFlags(Bits):
    """How many parents are here and how many are left."""

    num_remaining = bits(31, 24)
    num_returned = bits(7, 0)


class PossibleParentsGetResponse(Response):
    """Clock ids of the possible parents, in no particular order."""

    num_parent_flags: NumParentFlags = word(NumParentFlags)
    possible_parents: list[int] = array("u32", count="num_parent_flags.num_returned")


class PossibleParentsGet(
    Request[PossibleParentsGetResponse],
    protocol=ID,
    id=0xC,
    spec="CLOCK_POSSIBLE_PARENTS_GET",
    since=0x30000,
    section="A 7, 0xC",
    paging=Paging(
        "skip_parents",
        "num_parent_flags.num_returned",
        "num_parent_flags.num_remaining",
        "possible_parents",
    ),
):
    """List the clocks that can be the parent of a clock."""

    clock_id: int = u32()
    skip_parents: int = u32("number of leading parents to skip")


class ParentSetResponse(Response):
    """The parent is selected."""


class ParentSet(
    Request[ParentSetResponse],
    protocol=ID,
    id=0xD,
    spec="CLOCK_PARENT_SET",
    since=0x30000,
    section="A 7, 0xD",
    effect=Effect.WRITE,
):
    """Select the parent of a clock."""

    clock_id: int = u32()
    parent_id: int = u32("a clock id, not an index")


class ParentGetResponse(Response):
    """The current parent."""

    parent_id: int = u32()


class ParentGet(
    Request[ParentGetResponse],
    protocol=ID,
    id=0xE,
    spec="CLOCK_PARENT_GET",
    since=0x30000,
    section="A 7, 0xE",
):
    """Read the parent of a clock."""

    clock_id: int = u32()


class Permissions(Bits):
    """What this agent may do to a clock."""

    state_control_allowed = flag(31)
    parent_control_allowed = flag(30)
    rate_control_allowed = flag(29)


class GetPermissionsResponse(Response):
    """What this agent may do to the clock."""

    permissions: Permissions = word(Permissions)


class GetPermissions(
    Request[GetPermissionsResponse],
    protocol=ID,
    id=0xF,
    spec="CLOCK_GET_PERMISSIONS",
    since=0x30000,
    section="A 7, 0xF",
):
    """Ask what this agent may do to a clock."""

    clock_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x30000):
    """Ask the platform to speak another version of the clock protocol to this agent."""


PROTOCOL = Protocol(
    "clock",
    ID,
    title="Clock management",
    versions=(0x10000, 0x20000, 0x30000),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        Attributes,
        DescribeRates,
        RateSet,
        RateGet,
        ConfigSet,
        NameGet,
        RateNotify,
        RateChangeRequestedNotify,
        ConfigGet,
        PossibleParentsGet,
        ParentSet,
        ParentGet,
        GetPermissions,
        NegotiateProtocolVersion,
    ),
    notifications=(RateChanged, RateChangeRequested),
    resources=Resources(
        "clock",
        count="attributes.num_clocks",
        describe=Attributes,
        id="clock_id",
        name="clock_name",
        extended="attributes.extended_name",
        name_get=NameGet,
    ),
)
