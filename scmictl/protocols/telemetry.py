"""The telemetry protocol (0x1B): data events and where to read them (reference B, section 7).

Experimental: SCMI 4.0 is the first to have it, and its text may still change. The data lines that
a reading or an update carries are left as words; their format is that of the shared memory.
"""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.protocols.unit import SensorType
from scmictl.wire import (
    AsyncRequest,
    Bits,
    Delayed,
    Effect,
    Notification,
    Paging,
    Request,
    Response,
    Status,
    Struct,
    array,
    bits,
    flag,
    i32,
    text,
    u32,
    u64,
    word,
)

ID = 0x1B

NO_GROUP = 0xFFFFFFFF
"""The group id that means none."""


class DeType(IntEnum):
    """What a data event counts or shows; 0xF0 to 0xFF belong to the vendor."""

    UNSPECIFIED = 0
    ACCUMULATING_IDLE_RESIDENCY = 1
    ACCUMULATING_IDLE_COUNT = 2
    ACCUMULATING_OTHER = 3
    INSTANTANEOUS_IDLE_STATE = 4
    INSTANTANEOUS_OTHER = 5
    AVERAGE = 6
    STATUS = 7


class ComponentType(IntEnum):
    """What a data event belongs to; 0xE0 to 0xFF belong to the vendor."""

    UNSPECIFIED = 0x00
    CPU = 0x01
    CLUSTER = 0x02
    GPU = 0x03
    NPU = 0x04
    INTERCONNECT = 0x05
    MEMORY_CONTROLLER = 0x06
    L1_CACHE = 0x07
    L2_CACHE = 0x08
    L3_CACHE = 0x09
    LAST_LEVEL_CACHE = 0x0A
    SYSTEM_CACHE = 0x0B
    DISPLAY_CONTROLLER = 0x0C
    IPU_CAMERA = 0x0D
    CHIPLET = 0x0E
    PACKAGE = 0x0F
    SOC = 0x10
    SYSTEM = 0x11
    SMCU = 0x12
    ACCELERATOR = 0x13
    BATTERY = 0x14
    BATTERY_CHARGER = 0x15
    PMIC = 0x16
    BOARD = 0x17
    MEMORY = 0x18
    PERIPHERAL_DEVICE = 0x19
    PERIPHERAL_SUBCOMPONENT = 0x1A
    LID = 0x1B
    DISPLAY = 0x1C


class Timestamp(IntEnum):
    """Where the timestamp of a data event is."""

    NONE = 0
    LINE = 1
    BLOCK = 2


class IntervalFormat(IntEnum):
    """How TELEMETRY_LIST_UPDATE_INTERVALS describes the intervals."""

    LIST = 0
    TRIPLET = 1


class Selector(IntEnum):
    """Which data events are meant."""

    UNGROUPED = 0
    GROUP = 1
    ALL = 2


class Thing(IntEnum):
    """What an identifier is, or which of the two a list is of."""

    DE = 0
    GROUP = 1


class DeMode(IntEnum):
    """Whether a data event is collected."""

    DISABLED = 0
    ENABLED = 1
    ENABLED_WITH_TIMESTAMP = 2


class Mode(IntEnum):
    """How data get to the agent."""

    ON_DEMAND = 0
    NOTIFICATIONS = 1
    SINGLE_READ = 2


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the telemetry protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's telemetry protocol has."""

    single_read = flag(31, "TELEMETRY_READING_COMPLETE supported")
    continuous_update = flag(30, "TELEMETRY_UPDATE supported")
    per_group_config = flag(18, "groups can be configured one by one")
    reset = flag(17, "TELEMETRY_RESET supported")
    fastchannel = flag(16)
    num_shmti = bits(15, 0, "shared memory areas for telemetry")


class ProtocolAttributesResponse(Response):
    """How many data events, groups and shared memory areas there are."""

    de_num: int = u32("data events")
    groups_num: int = u32("groups of data events")
    de_implementation_rev_dword: list[int] = array(
        "u32", "UUID of this set of data events, most significant word first", count=4
    )
    attributes_1: ProtocolAttributesWord = word(ProtocolAttributesWord)
    default_blk_ts_rate: int = u32("of block timestamps", unit="kHz")


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 7.4, 0x1",
):
    """Ask how many data events there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the telemetry protocol."""


class NumShmti(Bits):
    """How many descriptors are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(15, 0)


class ShmtiDescription(Struct):
    """One shared memory area."""

    shmti_id: int = u32()
    addr: int = u64("physical address, a multiple of 8")
    length: int = u32(unit="B")
    flags: int = u32("reserved", default=0)


class ListShmtiResponse(Response):
    """Descriptors of shared memory areas."""

    num_shmti: NumShmti = word(NumShmti)
    desc: list[ShmtiDescription] = array(ShmtiDescription, count="num_shmti.returned")


class ListShmti(
    Request[ListShmtiResponse],
    protocol=ID,
    id=0x3,
    spec="TELEMETRY_LIST_SHMTI",
    section="B 7.4, 0x3",
    paging=Paging("index", "num_shmti.returned", "num_shmti.remaining", "desc"),
):
    """List the shared memory areas that data are written to."""

    index: int = u32("position of the first descriptor wanted")


class NumDesc(Bits):
    """How many descriptors are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(15, 0)


class DeAttributes1(Bits):
    """What a data event measures, and which parts its descriptor has."""

    name = flag(31, "the descriptor ends with a name")
    fastchannel = flag(30, "the descriptor says where the FastChannel is")
    type = bits(29, 22, enum=DeType)
    persistent = flag(21)
    unit_exponent = bits(20, 13, "power of 10 applied to the unit", signed=True)
    unit = bits(12, 5, enum=SensorType)
    timestamp = bits(1, 0, enum=Timestamp)


class DeAttributes2(Bits):
    """What a data event belongs to."""

    instance_id = bits(31, 24, "of the data event")
    component_instance_id = bits(23, 8)
    component_type = bits(7, 0, enum=ComponentType)


_NAMED = ("de_attributes_1.name",)
_FAST = ("de_attributes_1.fastchannel",)
_LINE = (f"de_attributes_1.timestamp == {Timestamp.LINE}",)


class DataEvent(Struct):
    """One data event."""

    de_id: int = u32()
    group_id: int = u32("0xFFFFFFFF = none")
    data_sz: int = u32("size of a value", unit="B")
    de_attributes_1: DeAttributes1 = word(DeAttributes1)
    de_attributes_2: DeAttributes2 = word(DeAttributes2)
    de_attributes_3: int = u32("reserved", default=0)
    line_ts_rate: int | None = u32("of its own timestamps", unit="kHz", when=_LINE, default=None)
    fc_addr: int | None = u64("physical address", when=_FAST, default=None)
    fc_size: int | None = u32(unit="B", when=_FAST, default=None)
    name: str | None = text(16, when=_NAMED, default=None)


class DeDescriptionResponse(Response):
    """Descriptors of data events."""

    num_desc: NumDesc = word(NumDesc)
    desc: list[DataEvent] = array(DataEvent, count="num_desc.returned")


class DeDescription(
    Request[DeDescriptionResponse],
    protocol=ID,
    id=0x4,
    spec="TELEMETRY_DE_DESCRIPTION",
    section="B 7.4, 0x4",
    paging=Paging("desc_index", "num_desc.returned", "num_desc.remaining", "desc"),
):
    """Describe data events."""

    desc_index: int = u32("position of the first descriptor wanted")


class ListFlags(Bits):
    """Which list is meant."""

    selector = bits(3, 0, enum=Selector)


class NumIntervalsFlags(Bits):
    """How many intervals are here and how many are left."""

    remaining = bits(31, 16, "0 for a triplet")
    format = bits(12, 12, "list, or triplet lowest, highest, step", enum=IntervalFormat)
    returned = bits(11, 0, "3 for a triplet")


class Interval(Bits):
    """An interval of sec * 10^exponent seconds."""

    sec = bits(20, 5)
    exponent = bits(4, 0, signed=True)


class ListUpdateIntervalsResponse(Response):
    """Update intervals, or lowest, highest, step."""

    flags: NumIntervalsFlags = word(NumIntervalsFlags)
    intervals: list[Interval] = array(Interval, count="flags.returned")


class ListUpdateIntervals(
    Request[ListUpdateIntervalsResponse],
    protocol=ID,
    id=0x5,
    spec="TELEMETRY_LIST_UPDATE_INTERVALS",
    section="B 7.4, 0x5",
    paging=Paging("index", "flags.returned", "flags.remaining", "intervals"),
):
    """List the update intervals that data events can have."""

    index: int = u32("first interval wanted")
    group_identifier: int = u32("0xFFFFFFFF unless the selector is group", default=NO_GROUP)
    flags: ListFlags = word(ListFlags)


class DeConfigureFlags(Bits):
    """What to do with a data event or a group."""

    selector = bits(3, 3, "what the identifier is", enum=Thing)
    disable_all = flag(2, "disable everything; identifier and selector are ignored")
    mode = bits(1, 0, enum=DeMode)


class DeConfigureResponse(Response):
    """Where in the shared memory the data event is now."""

    shmti_id: int = u32("0xFFFFFFFF = in none")
    shmti_de_offset: int = u32("of its line", unit="B")
    blk_ts_offset: int = u32("of its block timestamp line; 0 = none", unit="B")


class DeConfigure(
    Request[DeConfigureResponse],
    protocol=ID,
    id=0x6,
    spec="TELEMETRY_DE_CONFIGURE",
    section="B 7.4, 0x6",
    effect=Effect.WRITE,
):
    """Enable or disable a data event or a group of them."""

    identifier: int = u32("data event or group")
    flags: DeConfigureFlags = word(DeConfigureFlags)


class EnabledListFlags(Bits):
    """Which list is meant."""

    selector = bits(0, 0, "data events or groups", enum=Thing)


class EnabledFlags(Bits):
    """How many entries are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(15, 0)


class DeStatusMode(Bits):
    """How a data event or group is enabled."""

    mode = bits(1, 0, enum=DeMode)


class DeStatus(Struct):
    """One data event or group that is enabled."""

    id: int = u32()
    mode: DeStatusMode = word(DeStatusMode)


class DeEnabledListResponse(Response):
    """What is enabled."""

    flags: EnabledFlags = word(EnabledFlags)
    array_: list[DeStatus] = array(DeStatus, count="flags.returned")


class DeEnabledList(
    Request[DeEnabledListResponse],
    protocol=ID,
    id=0x7,
    spec="TELEMETRY_DE_ENABLED_LIST",
    section="B 7.4, 0x7",
    paging=Paging("index", "flags.returned", "flags.remaining", "array_"),
):
    """List the data events, or the groups, that are enabled."""

    index: int = u32("first entry wanted")
    flags: EnabledListFlags = word(EnabledListFlags, default=0)


class Control(Bits):
    """Whether and how data are collected."""

    selector = bits(8, 5, enum=Selector)
    mode = bits(4, 1, enum=Mode)
    enable = flag(0)


class ConfigSetResponse(Response):
    """The setting is stored."""


class ReadingComplete(
    Delayed,
    protocol=ID,
    id=0x8,
    spec="TELEMETRY_READING_COMPLETE",
    section="B 7.4, delayed 0x8",
):
    """A single reading is there; data collection is off again."""

    num_dwords: int = u32("0 if everything is in shared memory or FastChannels")
    array_: list[int] = array("u32", "data lines", count="num_dwords")


class ConfigSet(
    AsyncRequest[ConfigSetResponse, ReadingComplete],
    protocol=ID,
    id=0x8,
    spec="TELEMETRY_CONFIG_SET",
    section="B 7.4, 0x8",
    effect=Effect.WRITE,
    async_when=("control.enable", f"control.mode == {Mode.SINGLE_READ}"),
):
    """Start or stop collecting data, or read once."""

    group_identifier: int = u32("ignored unless the selector is group", default=NO_GROUP)
    control: Control = word(Control)
    sampling_rate: Interval = word(Interval, default=0)


class ConfigGetFlags(Bits):
    """Whose configuration is meant."""

    selector = bits(3, 0, enum=Selector)


class ConfigGetResponse(Response):
    """Whether and how data are collected."""

    control: Control = word(Control)
    sampling_rate: Interval = word(Interval)


class ConfigGet(
    Request[ConfigGetResponse],
    protocol=ID,
    id=0x9,
    spec="TELEMETRY_CONFIG_GET",
    section="B 7.4, 0x9",
):
    """Ask whether and how data are collected."""

    group_identifier: int = u32("ignored unless the selector is group", default=NO_GROUP)
    flags: ConfigGetFlags = word(ConfigGetFlags)


class ResetResponse(Response):
    """Everything is as it was at the start."""


class Reset(
    Request[ResetResponse],
    protocol=ID,
    id=0xA,
    spec="TELEMETRY_RESET",
    section="B 7.4, 0xA",
    effect=Effect.WRITE,
):
    """Put back the telemetry configuration."""

    flags: int = u32("reserved", default=0)


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the telemetry protocol to this agent."""


class Update(
    Notification,
    protocol=ID,
    id=0x0,
    spec="TELEMETRY_UPDATE",
    section="B 7.4, notification 0x0",
):
    """New data; TELEMETRY_CONFIG_SET with the mode for notifications asks for them."""

    agent_id: int = u32("0 = platform")
    status: int = i32(enum=Status)
    num_dwords: int = u32()
    array_: list[int] = array("u32", "data lines", count="num_dwords")


PROTOCOL = Protocol(
    "telemetry",
    ID,
    title="System telemetry",
    versions=(0x10000,),
    experimental=(0x10000,),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        ListShmti,
        DeDescription,
        ListUpdateIntervals,
        DeConfigure,
        DeEnabledList,
        ConfigSet,
        ConfigGet,
        Reset,
        NegotiateProtocolVersion,
    ),
    notifications=(Update,),
    resources=Resources(
        "data event",
        count="de_num",
        describe=DeDescription,
        id="de_id",
        name="name",
    ),
)
