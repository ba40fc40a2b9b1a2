"""The sensor protocol (0x15): readings, axes, intervals, trip points (reference B, section 3)."""

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
    Struct,
    array,
    bits,
    flag,
    i64,
    text,
    u32,
    u64,
    word,
)

ID = 0x15

UNKNOWN_MINIMUM = -(1 << 63)
"""The minimum range that means unknown."""
UNKNOWN_MAXIMUM = (1 << 63) - 1


class TripEvent(IntEnum):
    """Which crossings of a trip point count."""

    DISABLE = 0
    RISING = 1
    FALLING = 2
    BOTH = 3


class Direction(IntEnum):
    """How a trip point was crossed."""

    NEGATIVE = 0
    POSITIVE = 1


class IntervalFormat(IntEnum):
    """How SENSOR_LIST_UPDATE_INTERVALS describes the intervals."""

    LIST = 0
    TRIPLET = 1


class Rounding(IntEnum):
    """What SENSOR_CONFIG_SET does with an interval the sensor does not have."""

    DOWN = 0
    UP = 1
    AUTO = 2


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the sensor protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's sensor protocol has."""

    max_async = bits(23, 16, "asynchronous commands outstanding at the same time")
    num_sensors = bits(15, 0, "sensors visible to the calling agent")


class ProtocolAttributesResponse(Response):
    """How many sensors there are, and where their shared memory is."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)
    sensor_reg_address: int = u64("physical address; meaningless if sensor_reg_len is 0", default=0)
    sensor_reg_len: int = u32("0 = no such region", unit="B", default=0)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 3.4, 0x1",
):
    """Ask how many sensors there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the sensor protocol."""


class AttributesLow(Bits):
    """What a sensor can do."""

    async_read = flag(31, "asynchronous SENSOR_READING_GET supported")
    continuous_update_notify = flag(30, "SENSOR_UPDATE supported", since=0x20000)
    extended_name = flag(29, "SENSOR_NAME_GET has the whole name", since=0x30000)
    timestamp_exponent = bits(
        14, 10, "timestamp unit = 10^exponent seconds", signed=True, since=0x20000
    )
    timestamp_support = flag(9, since=0x20000)
    extended_attributes = flag(8, "the descriptor goes on after the name", since=0x20000)
    num_trip_points = bits(7, 0)


class AttributesHigh(Bits):
    """What a sensor measures."""

    update_interval = bits(31, 27, "interval = value * 10^exponent seconds", until=0x1FFFF)
    update_interval_exp = bits(26, 22, signed=True, until=0x1FFFF)
    num_axes = bits(21, 16, "0 for a scalar sensor", since=0x20000)
    unit_exponent = bits(15, 11, "power of 10 applied to the unit", signed=True)
    axis_support = flag(8, "one value per axis", since=0x20000)
    sensor_type = bits(7, 0, enum=SensorType)


class Resolution(Bits):
    """The smallest step, in the sensor's unit: resolution * 10^exponent."""

    exponent = bits(31, 27, signed=True)
    resolution = bits(26, 0, "0 = unknown")


_EXTENDED = ("sensor_attributes_low.extended_attributes",)
_SCALAR = (*_EXTENDED, "not sensor_attributes_high.axis_support")


class Description(Struct):
    """One sensor."""

    sensor_id: int = u32()
    sensor_attributes_low: AttributesLow = word(AttributesLow)
    sensor_attributes_high: AttributesHigh = word(AttributesHigh)
    sensor_name: str = text(16)
    sensor_power: int | None = u32(
        "0 = unknown", unit="uW", since=0x20000, when=_EXTENDED, default=None
    )
    sensor_resolution: Resolution | None = word(
        Resolution, since=0x20000, when=_SCALAR, default=None
    )
    sensor_min_range: int | None = i64(since=0x20000, when=_SCALAR, default=None)
    sensor_max_range: int | None = i64(since=0x20000, when=_SCALAR, default=None)


class NumSensorFlags(Bits):
    """How many descriptors are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(11, 0)


class DescriptionGetResponse(Response):
    """Descriptors of sensors."""

    num_sensor_flags: NumSensorFlags = word(NumSensorFlags)
    desc: list[Description] = array(Description, count="num_sensor_flags.returned")


class DescriptionGet(
    Request[DescriptionGetResponse],
    protocol=ID,
    id=0x3,
    spec="SENSOR_DESCRIPTION_GET",
    section="B 3.4, 0x3",
    paging=Paging("desc_index", "num_sensor_flags.returned", "num_sensor_flags.remaining", "desc"),
):
    """Describe sensors."""

    desc_index: int = u32("position of the first descriptor wanted")


class TripPointDesc(Bits):
    """Which trip point was crossed, and how."""

    direction = bits(16, 16, enum=Direction)
    trip_point_id = bits(7, 0)


class TripPointEvent(
    Notification,
    protocol=ID,
    id=0x0,
    spec="SENSOR_TRIP_POINT_EVENT",
    section="B 3.4, notification 0x0",
):
    """A trip point was crossed."""

    agent_id: int = u32("0 = platform")
    sensor_id: int = u32()
    trip_point_desc: TripPointDesc = word(TripPointDesc)


class SensorEventControl(Bits):
    """The switch of the trip point notification."""

    enable = bits(0, 0, "1 = send SENSOR_TRIP_POINT_EVENT for this sensor, 0 = stop")


class TripPointNotifyResponse(Response):
    """The setting is stored."""


class TripPointNotify(
    Request[TripPointNotifyResponse],
    protocol=ID,
    id=0x4,
    spec="SENSOR_TRIP_POINT_NOTIFY",
    section="B 3.4, 0x4",
    subscribes=TripPointEvent,
    offered=("sensor_attributes_low.num_trip_points",),
    switch="sensor_event_control",
):
    """Switch the notification of a sensor's trip points on or off."""

    sensor_id: int = u32()
    sensor_event_control: SensorEventControl = word(SensorEventControl)


class TripPointEvCtrl(Bits):
    """Which trip point, and which crossings of it count."""

    trip_point_id = bits(11, 4)
    event = bits(1, 0, enum=TripEvent)


class TripPointConfigResponse(Response):
    """The trip point is set."""


class TripPointConfig(
    Request[TripPointConfigResponse],
    protocol=ID,
    id=0x5,
    spec="SENSOR_TRIP_POINT_CONFIG",
    section="B 3.4, 0x5",
    effect=Effect.WRITE,
):
    """Set or clear a trip point of a sensor."""

    sensor_id: int = u32()
    trip_point_ev_ctrl: TripPointEvCtrl = word(TripPointEvCtrl)
    trip_point_val: int = i64("in the sensor's unit and exponent")


class Reading(Struct):
    """One value, of a scalar sensor or an axis."""

    sensor_value: int = i64("value in the unit = reading * 10^exponent")
    timestamp: int = u64("0 when no timestamp is collected")


class ReadingGetFlags(Bits):
    """How to read."""

    async_ = flag(0, "answer later with a delayed response")


class ReadingGetResponse(Response):
    """The value, or one per axis, in axis order."""

    sensor_value: int | None = i64(until=0x1FFFF, default=None)
    readings: list[Reading] | None = array(Reading, minimum=1, since=0x20000, default=None)


class ReadingComplete(
    Delayed, protocol=ID, id=0x6, spec="SENSOR_READING_COMPLETE", section="B 3.4, delayed 0x6"
):
    """An asynchronous reading is there."""

    sensor_id: int = u32()
    sensor_value: int | None = i64(until=0x1FFFF, default=None)
    readings: list[Reading] | None = array(Reading, minimum=1, since=0x20000, default=None)


class ReadingGet(
    AsyncRequest[ReadingGetResponse, ReadingComplete],
    protocol=ID,
    id=0x6,
    spec="SENSOR_READING_GET",
    section="B 3.4, 0x6",
    async_when=("flags.async_",),
):
    """Read a sensor."""

    sensor_id: int = u32()
    flags: ReadingGetFlags = word(ReadingGetFlags, default=0)


class AxisAttributesLow(Bits):
    """What an axis can do."""

    extended_axis_name = flag(9, "SENSOR_AXIS_NAME_GET has the whole name", since=0x30000)
    extended_attributes = flag(8, "the descriptor goes on after the name")


class AxisAttributesHigh(Bits):
    """What an axis measures."""

    unit_exponent = bits(15, 11, "power of 10 applied to the unit", signed=True)
    sensor_type = bits(7, 0, enum=SensorType)


_AXIS_EXTENDED = ("axis_attributes_low.extended_attributes",)


class AxisDescription(Struct):
    """One axis of a sensor."""

    axis_id: int = u32()
    axis_attributes_low: AxisAttributesLow = word(AxisAttributesLow)
    axis_attributes_high: AxisAttributesHigh = word(AxisAttributesHigh)
    axis_name: str = text(16)
    axis_resolution: Resolution | None = word(Resolution, when=_AXIS_EXTENDED, default=None)
    axis_min_range: int | None = i64(when=_AXIS_EXTENDED, default=None)
    axis_max_range: int | None = i64(when=_AXIS_EXTENDED, default=None)


class NumAxisFlags(Bits):
    """How many axes are here and how many are left."""

    remaining = bits(31, 26)
    returned = bits(5, 0)


class AxisDescriptionGetResponse(Response):
    """Descriptors of axes."""

    num_axis_flags: NumAxisFlags = word(NumAxisFlags)
    desc: list[AxisDescription] = array(AxisDescription, count="num_axis_flags.returned")


class AxisDescriptionGet(
    Request[AxisDescriptionGetResponse],
    protocol=ID,
    id=0x7,
    spec="SENSOR_AXIS_DESCRIPTION_GET",
    since=0x20000,
    section="B 3.4, 0x7",
    paging=Paging("axis_desc_index", "num_axis_flags.returned", "num_axis_flags.remaining", "desc"),
):
    """Describe the axes of a sensor."""

    sensor_id: int = u32()
    axis_desc_index: int = u32("first axis wanted")


class NumIntervalsFlags(Bits):
    """How many intervals are here and how many are left."""

    remaining = bits(31, 16, "0 for a triplet")
    format = bits(12, 12, "list, or triplet lowest, highest, step", enum=IntervalFormat)
    returned = bits(11, 0, "3 for a triplet")


class Interval(Bits):
    """An update interval of sec * 10^exponent seconds."""

    sec = bits(20, 5)
    exponent = bits(4, 0, signed=True)


class ListUpdateIntervalsResponse(Response):
    """Update intervals, or lowest, highest, step."""

    num_intervals_flags: NumIntervalsFlags = word(NumIntervalsFlags)
    intervals: list[Interval] = array(Interval, count="num_intervals_flags.returned")


class ListUpdateIntervals(
    Request[ListUpdateIntervalsResponse],
    protocol=ID,
    id=0x8,
    spec="SENSOR_LIST_UPDATE_INTERVALS",
    since=0x20000,
    section="B 3.4, 0x8",
    paging=Paging(
        "index", "num_intervals_flags.returned", "num_intervals_flags.remaining", "intervals"
    ),
):
    """List the update intervals a sensor can have."""

    sensor_id: int = u32()
    index: int = u32("first interval wanted")


class Config(Bits):
    """How a sensor is configured; the interval is sec * 10^exponent seconds."""

    sec = bits(31, 16, "update interval")
    exponent = bits(15, 11, signed=True)
    timestamp = flag(1, "readings carry timestamps")
    enabled = flag(0)


class ConfigGetResponse(Response):
    """The sensor's configuration."""

    sensor_config: Config = word(Config)


class ConfigGet(
    Request[ConfigGetResponse],
    protocol=ID,
    id=0x9,
    spec="SENSOR_CONFIG_GET",
    since=0x20000,
    section="B 3.4, 0x9",
):
    """Read the configuration of a sensor."""

    sensor_id: int = u32()


class ConfigSetWord(Bits):
    """How to configure a sensor; sec and exponent 0 leave the interval alone."""

    sec = bits(31, 16, "update interval = sec * 10^exponent seconds; 0 = leave it alone")
    exponent = bits(15, 11, signed=True)
    rounding = bits(10, 9, enum=Rounding)
    timestamp_enable = flag(1)
    sensor_enable = flag(0)


class ConfigSetResponse(Response):
    """The sensor is configured."""


class ConfigSet(
    Request[ConfigSetResponse],
    protocol=ID,
    id=0xA,
    spec="SENSOR_CONFIG_SET",
    since=0x20000,
    section="B 3.4, 0xA",
    effect=Effect.WRITE,
):
    """Enable or configure a sensor."""

    sensor_id: int = u32()
    sensor_config: ConfigSetWord = word(ConfigSetWord)


class Update(
    Notification,
    protocol=ID,
    id=0x1,
    spec="SENSOR_UPDATE",
    since=0x20000,
    section="B 3.4, notification 0x1",
):
    """A sensor has a new value."""

    agent_id: int = u32("0 = platform")
    sensor_id: int = u32()
    readings: list[Reading] = array(Reading, minimum=1)


class ContinuousUpdateNotifyResponse(Response):
    """The setting is stored."""


class ContinuousUpdateNotify(
    Request[ContinuousUpdateNotifyResponse],
    protocol=ID,
    id=0xB,
    spec="SENSOR_CONTINUOUS_UPDATE_NOTIFY",
    since=0x20000,
    section="B 3.4, 0xB",
    subscribes=Update,
    offered=("sensor_attributes_low.continuous_update_notify",),
):
    """Switch the notification of a sensor's new values on or off."""

    sensor_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class NameGetResponse(Response):
    """A sensor's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class NameGet(
    Request[NameGetResponse],
    protocol=ID,
    id=0xC,
    spec="SENSOR_NAME_GET",
    since=0x30000,
    section="B 3.4, 0xC",
):
    """Read the whole name of a sensor whose name has more than 15 characters."""

    sensor_id: int = u32()


class AxisName(Struct):
    """The whole name of one axis."""

    axis_id: int = u32()
    axis_name: str = text(64)


class AxisNameGetResponse(Response):
    """Whole names of axes; only those with a long name need appear."""

    flags: NumAxisFlags = word(NumAxisFlags)
    desc: list[AxisName] = array(AxisName, count="flags.returned")


class AxisNameGet(
    Request[AxisNameGetResponse],
    protocol=ID,
    id=0xD,
    spec="SENSOR_AXIS_NAME_GET",
    since=0x30000,
    section="B 3.4, 0xD",
    paging=Paging("axis_id", "flags.returned", "flags.remaining", "desc"),
):
    """Read the whole names of a sensor's axes."""

    sensor_id: int = u32()
    axis_id: int = u32("first axis whose name is wanted")


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x30001):
    """Ask the platform to speak another version of the sensor protocol to this agent."""


PROTOCOL = Protocol(
    "sensor",
    ID,
    title="Sensor management",
    versions=(0x10000, 0x20000, 0x30000, 0x30001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DescriptionGet,
        TripPointNotify,
        TripPointConfig,
        ReadingGet,
        AxisDescriptionGet,
        ListUpdateIntervals,
        ConfigGet,
        ConfigSet,
        ContinuousUpdateNotify,
        NameGet,
        AxisNameGet,
        NegotiateProtocolVersion,
    ),
    notifications=(TripPointEvent, Update),
    resources=Resources(
        "sensor",
        count="attributes.num_sensors",
        describe=DescriptionGet,
        id="sensor_id",
        name="sensor_name",
        extended="sensor_attributes_low.extended_name",
        name_get=NameGet,
    ),
)
