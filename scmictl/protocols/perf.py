"""The performance domain protocol (0x13): levels and limits (reference part A, section 6).

In level indexing mode (a bit of the domain, from 4.0) whatever sets, reads or announces a level
carries the level's index of PERFORMANCE_DESCRIBE_LEVELS instead; sustained_perf_level does not.

Version 4.1, of SCMI 4.0, is known from transcriptions only: its longer domain attributes are here,
its five new messages are not, because their ids are not public.
"""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Paging,
    Request,
    Response,
    Struct,
    array,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x13
NO_PARENT = 0xFFFFFFFF
"""The qos_parent_id of a domain without a parent."""


class PowerUnit(IntEnum):
    """What the power cost of a level is in."""

    ABSTRACT_LINEAR_SCALE = 0
    MILLIWATT = 1
    MICROWATT = 2


class DoorbellWidth(IntEnum):
    """How wide an access rings a doorbell."""

    BITS_8 = 0
    BITS_16 = 1
    BITS_32 = 2
    BITS_64 = 3


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the performance domain protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's performance domain protocol has."""

    power_unit = bits(17, 16, "unit of power_cost", enum=PowerUnit, since=0x30000)
    power_in_mw = flag(16, "power_cost is in mW; 0 = on an abstract scale", until=0x2FFFF)
    num_performance_domains = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many performance domains there are, and where their statistics are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)
    statistics_address: int = u64("physical address; meaningless if statistics_len is 0", default=0)
    statistics_len: int = u32("0 = no statistics region", unit="B", default=0)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 6, 0x1",
):
    """Ask how many performance domains there are."""


class MessageAttributesWord(Bits):
    """What a message that sets or reads a level or limits has; of others all bits are reserved."""

    fastchannel = flag(0, "PERFORMANCE_DESCRIBE_FASTCHANNEL describes it", since=0x20000)


class MessageAttributesResponse(Response):
    """The message exists; its attribute means something for messages 0x5 to 0x8 only."""

    attributes: MessageAttributesWord = word(MessageAttributesWord)


class MessageAttributes(
    Request[MessageAttributesResponse],
    protocol=ID,
    id=0x2,
    spec="PROTOCOL_MESSAGE_ATTRIBUTES",
    section="A 2, 0x2",
):
    """Ask whether the platform implements a message of the performance domain protocol."""

    message_id: int = u32("a command id, never that of a notification")


class AttributesWord(Bits):
    """What a performance domain can do, and what the agent may."""

    can_set_limits = flag(31)
    can_set_level = flag(30)
    limits_change_notifications = flag(29)
    level_change_notifications = flag(28)
    fastchannel = flag(27, "never over virtio", since=0x20000)
    extended_name = flag(26, "PERFORMANCE_DOMAIN_NAME_GET has the whole name", since=0x30000)
    level_indexing_mode = flag(25, "levels are set and read by their index", since=0x40000)
    async_qos_config = flag(24, since=0x40001)
    qos_only_domain = flag(23, "bits 31 to 28 and 22 are 0", since=0x40001)
    reduce_sustained_level = flag(22, since=0x40001)


class RateLimit(Bits):
    """The time to leave between two requests."""

    rate_limit_us = bits(19, 0, "0 = none")


class QosCapabilityTypes(Bits):
    """Which kinds of quality of service a domain has, a bit for each."""

    oem_types = bits(23, 16)
    architected_types = bits(7, 0)


class DomainAttributesResponse(Response):
    """A performance domain's name and abilities."""

    attributes: AttributesWord = word(AttributesWord)
    rate_limit: RateLimit = word(RateLimit, default=0)
    sustained_freq: int = u32("0 = not given", unit="kHz", default=0)
    sustained_perf_level: int = u32("a level, never an index; 0 = not given", default=0)
    name: str = text(16)
    # A platform of 4.1 leaves these out where the agent has room for the answer of 4.0 only.
    guaranteed_perf_level: int | None = u32(since=0x40001, optional=True, default=None)
    qos_capability_types: QosCapabilityTypes | None = word(
        QosCapabilityTypes, since=0x40001, optional=True, default=None
    )
    qos_parent_id: int | None = u32("0xFFFFFFFF = none", since=0x40001, optional=True, default=None)


class DomainAttributes(
    Request[DomainAttributesResponse],
    protocol=ID,
    id=0x3,
    spec="PERFORMANCE_DOMAIN_ATTRIBUTES",
    section="A 6, 0x3",
):
    """Describe a performance domain."""

    domain_id: int = u32()


class LevelAttributes(Bits):
    """How long it takes to reach a level."""

    transition_latency_us = bits(15, 0, "worst case")


class Level(Struct):
    """One performance level."""

    performance_level: int = u32()
    power_cost: int = u32("in the unit of PROTOCOL_ATTRIBUTES; 0 = not given", default=0)
    attributes: LevelAttributes = word(LevelAttributes, default=0)
    indicative_frequency: int | None = u32(
        "meaningful in level indexing mode", unit="kHz", since=0x40000, default=0
    )
    level_index: int | None = u32(
        "what stands for this level in level indexing mode", since=0x40000, default=0
    )


class NumLevels(Bits):
    """How many levels are here and how many are left."""

    num_remaining = bits(31, 16)
    num_returned = bits(11, 0)


class DescribeLevelsResponse(Response):
    """Levels in ascending order."""

    num_levels: NumLevels = word(NumLevels)
    perf_levels: list[Level] = array(Level, count="num_levels.num_returned")


class DescribeLevels(
    Request[DescribeLevelsResponse],
    protocol=ID,
    id=0x4,
    spec="PERFORMANCE_DESCRIBE_LEVELS",
    section="A 6, 0x4",
    paging=Paging(
        "level_index", "num_levels.num_returned", "num_levels.num_remaining", "perf_levels"
    ),
):
    """List the levels a performance domain can have."""

    domain_id: int = u32()
    level_index: int = u32("number of leading levels to skip")


class LimitsSetResponse(Response):
    """The limits are recorded; the platform combines those of all agents."""


class LimitsSet(
    Request[LimitsSetResponse],
    protocol=ID,
    id=0x5,
    spec="PERFORMANCE_LIMITS_SET",
    section="A 6, 0x5",
    effect=Effect.WRITE,
):
    """Set the highest and the lowest level a performance domain may have."""

    domain_id: int = u32()
    range_max: int = u32("level or level index; from 3.0, 0 = leave it alone")
    range_min: int = u32("level or level index; from 3.0, 0 = leave it alone")


class LimitsGetResponse(Response):
    """The limits that hold."""

    range_max: int = u32("level or level index")
    range_min: int = u32("level or level index")


class LimitsGet(
    Request[LimitsGetResponse],
    protocol=ID,
    id=0x6,
    spec="PERFORMANCE_LIMITS_GET",
    section="A 6, 0x6",
):
    """Read the limits of a performance domain."""

    domain_id: int = u32()


class LevelSetResponse(Response):
    """The level is accepted; the hardware may reach it later."""


class LevelSet(
    Request[LevelSetResponse],
    protocol=ID,
    id=0x7,
    spec="PERFORMANCE_LEVEL_SET",
    section="A 6, 0x7",
    effect=Effect.WRITE,
):
    """Set the level of a performance domain."""

    domain_id: int = u32()
    performance_level: int = u32("level or level index")


class LevelGetResponse(Response):
    """The current level."""

    performance_level: int = u32("level or level index")


class LevelGet(
    Request[LevelGetResponse],
    protocol=ID,
    id=0x8,
    spec="PERFORMANCE_LEVEL_GET",
    section="A 6, 0x8",
):
    """Read the level of a performance domain."""

    domain_id: int = u32()


class LimitsChanged(
    Notification,
    protocol=ID,
    id=0x0,
    spec="PERFORMANCE_LIMITS_CHANGED",
    section="A 6, notification 0x0",
):
    """A performance domain has other limits now."""

    agent_id: int = u32("agent that caused the change; 0 = platform")
    domain_id: int = u32()
    range_max: int = u32("level or level index")
    range_min: int = u32("level or level index")


class LevelChanged(
    Notification,
    protocol=ID,
    id=0x1,
    spec="PERFORMANCE_LEVEL_CHANGED",
    section="A 6, notification 0x1",
):
    """A performance domain has another level now."""

    agent_id: int = u32("agent that caused the change; 0 = platform")
    domain_id: int = u32()
    performance_level: int = u32("level or level index")


class NotifyLimitsResponse(Response):
    """The setting is stored."""


class NotifyLimits(
    Request[NotifyLimitsResponse],
    protocol=ID,
    id=0x9,
    spec="PERFORMANCE_NOTIFY_LIMITS",
    section="A 6, 0x9",
    subscribes=LimitsChanged,
    offered=("attributes.limits_change_notifications",),
):
    """Switch the notification of changes of a domain's limits on or off."""

    domain_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class NotifyLevelResponse(Response):
    """The setting is stored."""


class NotifyLevel(
    Request[NotifyLevelResponse],
    protocol=ID,
    id=0xA,
    spec="PERFORMANCE_NOTIFY_LEVEL",
    section="A 6, 0xA",
    subscribes=LevelChanged,
    offered=("attributes.level_change_notifications",),
):
    """Switch the notification of changes of a domain's level on or off."""

    domain_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class FastchannelAttributes(Bits):
    """Whether a fast channel has a doorbell, and how to ring it."""

    doorbell_width = bits(2, 1, enum=DoorbellWidth)
    doorbell_present = flag(0)


class DescribeFastchannelResponse(Response):
    """Where a fast channel is; to ring its doorbell write old & preserve_mask | set_mask."""

    attributes: FastchannelAttributes = word(FastchannelAttributes)
    rate_limit: RateLimit = word(RateLimit)
    chan_addr: int = u64("physical address")
    chan_size: int = u32("8 for limits, highest first; 4 for a level", unit="B")
    doorbell_addr: int = u64("physical address")
    doorbell_set_mask: int = u64()
    doorbell_preserve_mask: int = u64()


class DescribeFastchannel(
    Request[DescribeFastchannelResponse],
    protocol=ID,
    id=0xB,
    spec="PERFORMANCE_DESCRIBE_FASTCHANNEL",
    since=0x20000,
    section="A 6, 0xB",
):
    """Ask for the fast channel of a message, which virtio platforms do not have."""

    domain_id: int = u32()
    message_id: int = u32("0x5 to 0x8: what sets or reads limits or a level")


class DomainNameGetResponse(Response):
    """A performance domain's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class DomainNameGet(
    Request[DomainNameGetResponse],
    protocol=ID,
    id=0xC,
    spec="PERFORMANCE_DOMAIN_NAME_GET",
    since=0x30000,
    section="A 6, 0xC",
):
    """Read the whole name of a performance domain whose name has more than 15 characters."""

    domain_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x40000):
    """Ask the platform to speak another version of the performance protocol to this agent."""


PROTOCOL = Protocol(
    "perf",
    ID,
    title="Performance domain management",
    versions=(0x10000, 0x20000, 0x30000, 0x40000, 0x40001),
    experimental=(0x40001,),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DomainAttributes,
        DescribeLevels,
        LimitsSet,
        LimitsGet,
        LevelSet,
        LevelGet,
        NotifyLimits,
        NotifyLevel,
        DescribeFastchannel,
        DomainNameGet,
        NegotiateProtocolVersion,
    ),
    notifications=(LimitsChanged, LevelChanged),
    resources=Resources(
        "performance domain",
        count="attributes.num_performance_domains",
        describe=DomainAttributes,
        id="domain_id",
        name="name",
        extended="attributes.extended_name",
        name_get=DomainNameGet,
    ),
)
