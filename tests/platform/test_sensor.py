"""Sensor protocol: descriptions, readings and configuration, in every version."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.platform import Platform
from scmictl.protocols import base, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

# The first sensor is the one of the reference's worked examples (part B, section 3.6).
BOARD = """
[async]
sensor = 2
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[device]]
name = "motion"
owns = ["sensor:acc"]
[[sensor]]                      # 0
name = "soc-temp"
type = "degrees_celsius"
scale = -3
value = 45500
range = [-40000, 125000]
resolution = 1
power_uw = 150
trip_points = 2
timestamp_exponent = -6
intervals = ["100ms"]
[[sensor]]                      # 1
name = "acc"
power_uw = 540
enabled = false
continuous = true
timestamp_exponent = -9
intervals = { lowest = "5ms", highest = "1s", step = "5ms" }
interval = "50ms"
restrict = ["guest"]
[[sensor.axis]]
name = "acc_X"
type = "meters_per_second_squared"
scale = -2
value = -981
[[sensor.axis]]
name = "acc_Y"
type = "meters_per_second_squared"
scale = -2
value = 5
range = [-2000, 2000]
resolution = 2
[[sensor.axis]]
name = "acceleration-axis-Z"
type = "radians_per_second"
scale = 3
value = 7
[[sensor]]                      # 2
name = "a-sensor-with-a-long-name"
type = "volts"
value = -1
async = true
latency = "10ms"
continuous = true
intervals = ["10ms", "20ms", "50ms", "1s"]
[[sensor]]                      # 3
name = "broken"
type = "lux"
faulty = true
async = true
trip_points = 1
"""
TEMP, ACC, LONG, BROKEN = range(4)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


def sensors(agent: Any) -> Any:
    return agent.platform.behaviours[sensor.ID].sensors


def at_version(connect: Any, version: str, **more: Any) -> Any:
    return connect(f'[versions]\nsensor = "{version}"\n' + BOARD, "boss", **more)


def configure(id: int, word: int) -> sensor.ConfigSet:
    return sensor.ConfigSet(sensor_id=id, sensor_config=sensor.ConfigSetWord(word))


# --- descriptions ---------------------------------------------------------------------------------


def test_the_counts_are_those_of_the_board(boss: Any) -> None:
    assert boss.words(0x5401) == [0x5401, 0, 2 << 16 | 4, 0, 0, 0]


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1"])
def test_a_scalar_sensor_is_described_as_in_the_reference(connect: Any, version: str) -> None:
    agent = at_version(connect, version)
    answer = agent.port.handle(0, bytes.fromhex("03540000 00000000"), 64, agent.now)
    words = [int.from_bytes(answer[at : at + 4], "little") for at in range(0, 64, 4)]
    # Only the number of those that remain differs from the example.
    assert " ".join(f"{word:08X}" for word in words) == (
        "00005403 00000000 00030001 00000000 00006B02 0000E802 2D636F73 706D6574 00000000 00000000 "
        "00000096 E8000001 FFFF63C0 FFFFFFFF 0001E848 00000000"
    )


def test_version_1_describes_the_interval_and_no_extended_attributes(connect: Any) -> None:
    agent = at_version(connect, "1.0")
    answer = agent.words(0x5403, 0)
    assert len(answer) == 3 + 4 * 7
    temp, acc = answer[3:10], answer[10:17]
    # 100 ms = 1 * 10^-1 s in bits 31:27 and 26:22; exponent -3 in 15:11; type 2
    assert temp[:3] == [0, 2, 1 << 27 | 0x1F << 22 | 0x1D << 11 | 2]
    # A sensor with axes is its first axis: 50 ms = 5 * 10^-2 s, exponent -2, type 0x59
    assert acc[:3] == [1, 0, 5 << 27 | 0x1E << 22 | 0x1E << 11 | 0x59]


def test_a_sensor_with_axes_has_only_the_power_behind_its_name(boss: Any) -> None:
    found = boss.ask(sensor.DescriptionGet(desc_index=ACC), 44)
    assert int(found.num_sensor_flags) == 2 << 16 | 1
    acc = found.desc[0]
    # bit 30 updates, timestamps of 10^-9 s, bit 9, bit 8
    assert int(acc.sensor_attributes_low) == 1 << 30 | 0x17 << 10 | 1 << 9 | 1 << 8
    assert int(acc.sensor_attributes_high) == 3 << 16 | 1 << 8
    assert (acc.sensor_power, acc.sensor_resolution) == (540, None)


def test_unknown_ranges_are_the_values_of_the_reference(boss: Any) -> None:
    text = BOARD.replace("value = -1\n", "value = -1\npower_uw = 0\n")
    agent = Platform.from_text(text).attach()
    answer = agent.handle(0, bytes.fromhex("03540000 02000000"), 64, 0.0)
    assert answer is not None
    assert answer[-20:].hex(" ", 4) == "00000000 00000000 00000080 ffffffff ffffff7f"


def test_the_long_name_is_cut_in_the_descriptor_and_whole_in_its_own_message(boss: Any) -> None:
    found = boss.ask(sensor.DescriptionGet(desc_index=LONG)).desc[0]
    assert found.sensor_name == "a-sensor-with-a"
    assert int(found.sensor_attributes_low) == 7 << 29
    assert boss.ask(sensor.NameGet(sensor_id=LONG)).name == "a-sensor-with-a-long-name"
    assert boss.status(sensor.NameGet(sensor_id=TEMP)) is Status.NOT_FOUND
    assert boss.status(sensor.NameGet(sensor_id=4)) is Status.NOT_FOUND


def test_version_2_has_no_long_names(connect: Any) -> None:
    agent = at_version(connect, "2.0")
    found = agent.ask(sensor.DescriptionGet(desc_index=LONG)).desc[0]
    assert int(found.sensor_attributes_low) == 3 << 30
    for id in (0xC, 0xD, 0x10):
        assert agent.words(0x5402, id) == [0x5402, 0xFFFFFFFC]
    axes = agent.ask(sensor.AxisDescriptionGet(sensor_id=ACC, axis_desc_index=2)).desc
    assert int(axes[0].axis_attributes_low) == 0


def test_a_position_past_the_last_sensor_is_invalid(boss: Any) -> None:
    for index in (4, 0xFFFFFFFF):
        request = sensor.DescriptionGet(desc_index=index)
        assert boss.status(request) is Status.INVALID_PARAMETERS


def test_axes_are_described_with_counts_of_six_bits(boss: Any) -> None:
    answer = boss.words(0x5407, ACC, 0)
    assert answer[:3] == [0x5407, 0, 3]
    # X: 28 bytes; Y: 48, with bit 8, resolution 2 * 10^-2 and range
    assert answer[3:7] == [0, 0, 0x1E << 11 | 0x59, 0x5F636361]
    assert answer[10:13] == [1, 1 << 8, 0x1E << 11 | 0x59]
    assert answer[17:22] == [0x1E << 27 | 2, 0xFFFFF830, 0xFFFFFFFF, 2000, 0]
    assert answer[22:25] == [2, 1 << 9, 3 << 11 | 0x57]
    first = boss.ask(sensor.AxisDescriptionGet(sensor_id=ACC, axis_desc_index=0), 59)
    assert int(first.num_axis_flags) == 2 << 26 | 1
    past = sensor.AxisDescriptionGet(sensor_id=ACC, axis_desc_index=3)
    assert boss.status(past) is Status.INVALID_PARAMETERS
    for id, status in ((TEMP, Status.NOT_SUPPORTED), (4, Status.NOT_FOUND)):
        request = sensor.AxisDescriptionGet(sensor_id=id, axis_desc_index=0)
        assert boss.status(request) is status


def test_axis_names_come_one_at_a_time_where_no_more_fits(boss: Any) -> None:
    names = boss.every(sensor.AxisNameGet(sensor_id=ACC, axis_id=0), 136)
    assert [(name.axis_id, name.axis_name) for name in names] == [
        (0, "acc_X"),
        (1, "acc_Y"),
        (2, "acceleration-axis-Z"),
    ]
    first = boss.ask(sensor.AxisNameGet(sensor_id=ACC, axis_id=0), 136)
    assert int(first.flags) == 2 << 26 | 1
    assert boss.status(sensor.AxisNameGet(sensor_id=ACC, axis_id=3)) is Status.NOT_FOUND
    assert boss.status(sensor.AxisNameGet(sensor_id=4, axis_id=0)) is Status.NOT_FOUND
    assert boss.status(sensor.AxisNameGet(sensor_id=TEMP, axis_id=0)) is Status.NOT_SUPPORTED


def test_a_denied_sensor_keeps_its_place_but_nothing_else(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    found = guest.ask(sensor.DescriptionGet(desc_index=0)).desc
    assert [one.sensor_id for one in found] == [0, 1, 2, 3]
    assert found[1] == sensor.Description(
        sensor_id=1,
        sensor_attributes_low=sensor.AttributesLow(),
        sensor_attributes_high=sensor.AttributesHigh(),
        sensor_name="",
    )
    assert guest.ask(sensor.ProtocolAttributes()).attributes.num_sensors == 4
    for request in (
        sensor.ReadingGet(sensor_id=ACC),
        sensor.ConfigGet(sensor_id=ACC),
        configure(ACC, 1),
        sensor.AxisDescriptionGet(sensor_id=ACC, axis_desc_index=0),
        sensor.ListUpdateIntervals(sensor_id=ACC, index=0),
        sensor.ContinuousUpdateNotify(sensor_id=ACC, notify_enable=NotifyEnable(1)),
    ):
        assert guest.status(request) is Status.NOT_FOUND


# --- readings -------------------------------------------------------------------------------------


def test_a_reading_is_the_references_with_the_time_since_the_start(connect: Any) -> None:
    agent = connect(BOARD)
    agent.ask(configure(TEMP, 3))
    agent.now += 1
    assert agent.words(0x5406, TEMP, 0) == [0x5406, 0, 0xB1BC, 0, 0x000F4240, 0]


def test_a_reading_has_no_time_unless_that_is_on(boss: Any) -> None:
    boss.ask(sensor.ProtocolVersion())
    boss.now += 1
    assert boss.words(0x5406, TEMP, 0) == [0x5406, 0, 0xB1BC, 0, 0, 0]


def test_a_reading_of_version_1_is_the_value_alone(connect: Any) -> None:
    agent = at_version(connect, "1.0")
    assert agent.words(0x5406, TEMP, 0) == [0x5406, 0, 0xB1BC, 0]
    # Disabled at start, but version 1.0 cannot enable it; of the axes it knows the first.
    assert agent.words(0x5406, ACC, 0) == [0x5406, 0, 0xFFFFFC2B, 0xFFFFFFFF]


def test_axes_are_read_together_in_their_order(boss: Any) -> None:
    assert boss.status(sensor.ReadingGet(sensor_id=ACC)) is Status.PROTOCOL_ERROR
    boss.ask(configure(ACC, 3))
    boss.now += 0.5
    readings = boss.ask(sensor.ReadingGet(sensor_id=ACC), 56).readings
    assert [one.sensor_value for one in readings] == [-981, 5, 7]
    assert {one.timestamp for one in readings} == {500_000_000}


def test_reading_can_be_refused_in_every_way_the_reference_says(boss: Any) -> None:
    assert boss.status(sensor.ReadingGet(sensor_id=4)) is Status.NOT_FOUND
    assert (
        boss.status(sensor.ReadingGet(sensor_id=TEMP, flags=sensor.ReadingGetFlags(2)))
        is Status.INVALID_PARAMETERS
    )
    assert (
        boss.status(sensor.ReadingGet(sensor_id=TEMP, flags=sensor.ReadingGetFlags(1)))
        is Status.NOT_SUPPORTED
    )
    assert boss.status(sensor.ReadingGet(sensor_id=BROKEN)) is Status.HARDWARE_ERROR


def test_an_asynchronous_reading_comes_later(boss: Any) -> None:
    boss.now += 2
    assert boss.words(7 << 18 | 0x5406, LONG, 1) == [7 << 18 | 0x5406, 0]
    assert boss.poll() == []
    due = boss.port.next_deadline()
    assert due == boss.now + 0.01
    frames = boss.poll(due)
    assert [frame.hex(" ", 4) for frame in frames] == [
        "06561c00 00000000 02000000 ffffffff ffffffff 00000000 00000000"
    ]


def test_an_asynchronous_reading_of_version_1_has_two_words(connect: Any) -> None:
    agent = at_version(connect, "1.0")
    assert agent.words(0x5406, LONG, 1) == [0x5406, 0]
    assert [frame.hex(" ", 4) for frame in agent.poll(agent.now + 1)] == [
        "06560000 00000000 02000000 ffffffff ffffffff"
    ]


def test_a_broken_sensor_fails_in_the_delayed_response(boss: Any) -> None:
    boss.ask(sensor.ReadingGet(sensor_id=BROKEN, flags=sensor.ReadingGetFlags(1)))
    assert boss.events(boss.now + 1) == [Status.HARDWARE_ERROR]


def test_a_sensor_that_is_taken_away_meanwhile_is_not_found(connect: Any) -> None:
    owned = BOARD.replace('owns = ["sensor:acc"]', 'owns = ["sensor:a-sensor-with-a-long-name"]')
    boss = connect(owned)
    boss.ask(sensor.ReadingGet(sensor_id=LONG, flags=sensor.ReadingGetFlags(1)))
    boss.ask(
        base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(access_type=0))
    )
    assert boss.events(boss.now + 1) == [Status.NOT_FOUND]


def test_more_readings_than_may_be_outstanding_are_busy(boss: Any) -> None:
    request = sensor.ReadingGet(sensor_id=LONG, flags=sensor.ReadingGetFlags(1))
    boss.ask(request)
    boss.ask(request)
    assert boss.status(request) is Status.BUSY
    boss.ask(sensor.ReadingGet(sensor_id=LONG))
    assert len(boss.events(boss.now + 0.01)) == 2
    boss.ask(request)


# --- intervals and configuration ------------------------------------------------------------------


def test_an_interval_is_packed_as_in_the_reference(boss: Any) -> None:
    assert boss.words(0x5408, TEMP, 0) == [0x5408, 0, 1, 0x00000C9D]
    # CONFIG_SET with enable, and the same with a rounding chosen by the platform
    for word in (0x0064E801, 0x0064EC01):
        sensors(boss)[TEMP].enabled = False
        assert boss.words(0x540A, TEMP, word) == [0x540A, 0]
        assert boss.words(0x5409, TEMP) == [0x5409, 0, 0x0064E801]


def test_intervals_are_listed_from_any_position(boss: Any) -> None:
    def interval(milliseconds: int) -> int:
        return milliseconds << 5 | 0x1D

    words = [interval(value) for value in (10, 20, 50, 1000)]
    assert boss.words(0x5408, LONG, 0) == [0x5408, 0, 4, *words]
    assert boss.words(0x5408, LONG, 3) == [0x5408, 0, 1, words[3]]
    first = boss.ask(sensor.ListUpdateIntervals(sensor_id=LONG, index=0), 20)
    assert int(first.num_intervals_flags) == 2 << 16 | 2
    past = sensor.ListUpdateIntervals(sensor_id=LONG, index=4)
    assert boss.status(past) is Status.OUT_OF_RANGE


def test_a_triplet_of_intervals_is_whole_whatever_the_position(boss: Any) -> None:
    words = [5 << 5 | 0x1D, 1000 << 5 | 0x1D, 5 << 5 | 0x1D]
    for index in (0, 2, 100):
        assert boss.words(0x5408, ACC, index) == [0x5408, 0, 1 << 12 | 3, *words]


def test_a_sensor_without_intervals_has_none_to_list_or_set(boss: Any) -> None:
    assert boss.words(0x5408, BROKEN, 0) == [0x5408, 0xFFFFFFFF]
    assert boss.words(0x5408, 4, 0) == [0x5408, 0xFFFFFFFC]
    assert boss.words(0x5409, BROKEN) == [0x5409, 0, 1]
    assert boss.status(configure(BROKEN, 0x0064E801)) is Status.NOT_SUPPORTED
    boss.ask(configure(BROKEN, 0))
    assert not sensors(boss)[BROKEN].enabled


@pytest.mark.parametrize(
    ("id", "milliseconds", "rounding", "got"),
    [
        (LONG, 20, 0, 20),
        (LONG, 21, 0, 20),
        (LONG, 21, 1, 50),
        (LONG, 36, 2, 50),
        (LONG, 34, 3, 20),
        (LONG, 35, 2, 20),
        (LONG, 5000, 0, 1000),
        (LONG, 5000, 2, 1000),
        (LONG, 1, 1, 10),
        (ACC, 13, 0, 10),
        (ACC, 13, 1, 15),
        (ACC, 13, 2, 15),
        (LONG, 1, 0, None),
        (LONG, 5000, 1, None),
    ],
)
def test_an_interval_is_rounded_as_asked(
    boss: Any, id: int, milliseconds: int, rounding: int, got: int | None
) -> None:
    before = sensors(boss)[id].interval
    request = configure(id, milliseconds << 16 | 0x1D << 11 | rounding << 9 | 1)
    if got is None:
        assert boss.status(request) is Status.INVALID_PARAMETERS
        assert sensors(boss)[id].interval == before
        return
    boss.ask(request)
    assert boss.ask(sensor.ConfigGet(sensor_id=id)).sensor_config.sec == got
    assert sensors(boss)[id].interval == (got, -3)


def test_the_interval_may_be_said_in_other_powers_of_ten(boss: Any) -> None:
    boss.ask(configure(LONG, 5 << 16 | 0x1E << 11 | 1))  # 5 * 10^-2
    assert sensors(boss)[LONG].interval == (50, -3)
    boss.ask(configure(LONG, 1 << 16 | 0x00 << 11 | 1))  # 1 s
    assert sensors(boss)[LONG].interval == (1000, -3)
    boss.ask(configure(LONG, 65535 << 16 | 0x0F << 11 | 1))  # 65535 * 10^15 s, rounded down
    assert sensors(boss)[LONG].interval == (1000, -3)
    assert boss.status(configure(LONG, 0x1E << 11 | 1)) is Status.INVALID_PARAMETERS  # 0 s
    boss.ask(configure(LONG, 1))
    assert sensors(boss)[LONG].interval == (1000, -3)  # 31:11 = 0 leaves it alone


@pytest.mark.parametrize("bit", range(2, 9))
def test_reserved_bits_of_a_configuration_are_invalid(boss: Any, bit: int) -> None:
    assert boss.status(configure(ACC, 1 | 1 << bit)) is Status.INVALID_PARAMETERS
    assert not sensors(boss)[ACC].enabled


def test_timestamps_need_a_sensor_that_has_them(boss: Any) -> None:
    assert boss.status(configure(LONG, 3)) is Status.NOT_SUPPORTED
    boss.ask(configure(TEMP, 3))
    assert boss.words(0x5409, TEMP) == [0x5409, 0, 0x0064E803]
    boss.ask(configure(TEMP, 1))
    assert not sensors(boss)[TEMP].timestamps


def test_only_who_may_configure_a_sensor_does(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    assert guest.status(configure(ACC, 1)) is Status.DENIED
    assert not sensors(boss)[ACC].enabled
    guest.ask(configure(LONG, 0))
    assert boss.status(sensor.ReadingGet(sensor_id=LONG)) is Status.PROTOCOL_ERROR
    guest.ask(base.ResetAgentConfiguration(agent_id=2))
    assert boss.ask(sensor.ReadingGet(sensor_id=LONG)).readings


@pytest.mark.parametrize("id", [4, 0xFFFFFFFF])
def test_a_sensor_that_is_not_there_is_not_found(boss: Any, id: int) -> None:
    for request in (
        sensor.TripPointNotify(sensor_id=id, sensor_event_control=sensor.SensorEventControl(1)),
        sensor.TripPointConfig(
            sensor_id=id, trip_point_ev_ctrl=sensor.TripPointEvCtrl(0), trip_point_val=0
        ),
        sensor.ConfigGet(sensor_id=id),
        configure(id, 1),
        sensor.ContinuousUpdateNotify(sensor_id=id, notify_enable=NotifyEnable(1)),
    ):
        assert boss.status(request) is Status.NOT_FOUND


# --- versions, and no channel ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "reported", "messages"),
    [
        ("1.0", 0x10000, [0, 1, 2, 3, 4, 5, 6]),
        ("2.0", 0x20000, list(range(0xC))),
        ("3.0", 0x30000, list(range(0xE))),
        ("3.1", 0x30001, [*range(0xE), 0x10]),
    ],
)
def test_each_version_has_its_messages(
    connect: Any, version: str, reported: int, messages: list[int]
) -> None:
    agent = at_version(connect, version)
    assert agent.words(0x5400) == [0x5400, 0, reported]
    there = [id for id in range(0x20) if agent.words(0x5402, id) == [0x5402, 0, 0]]
    assert there == messages


def test_an_agent_can_choose_an_older_version(boss: Any) -> None:
    assert boss.words(0x5410, 0x10000) == [0x5410, 0]
    assert boss.words(0x5406, TEMP, 0) == [0x5406, 0, 0xB1BC, 0]
    assert boss.words(0x5409, TEMP) == [0x5409, 0xFFFFFFFC]
    assert boss.words(0x5410, 0x30002) == [0x5410, 0xFFFFFFFF]
    assert boss.words(0x5410, 0x30001) == [0x5410, 0]
    assert boss.words(0x5409, TEMP) == [0x5409, 0, 0x0064E801]


def test_a_delayed_response_follows_the_version_in_force_when_it_comes(boss: Any) -> None:
    boss.ask(sensor.ReadingGet(sensor_id=LONG, flags=sensor.ReadingGetFlags(1)))
    boss.words(0x5410, 0x10000)
    assert len(boss.poll(boss.now + 1)[0]) == 4 + 4 + 4 + 8


def test_without_a_channel_nothing_is_offered_that_needs_one(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    assert agent.ask(sensor.ProtocolAttributes()).attributes.max_async == 0
    for found in agent.ask(sensor.DescriptionGet(desc_index=0)).desc:
        low = found.sensor_attributes_low
        assert not (low.async_read or low.continuous_update_notify or low.num_trip_points)
    for id in (0x4, 0x5, 0xB):
        assert agent.words(0x5402, id) == [0x5402, 0xFFFFFFFC]
    for request in (
        sensor.ReadingGet(sensor_id=LONG, flags=sensor.ReadingGetFlags(1)),
        sensor.TripPointNotify(sensor_id=TEMP, sensor_event_control=sensor.SensorEventControl(1)),
        sensor.TripPointConfig(
            sensor_id=TEMP, trip_point_ev_ctrl=sensor.TripPointEvCtrl(1), trip_point_val=0
        ),
        sensor.ContinuousUpdateNotify(sensor_id=ACC, notify_enable=NotifyEnable(1)),
    ):
        assert agent.status(request) is Status.NOT_SUPPORTED
    assert agent.ask(sensor.ReadingGet(sensor_id=TEMP)).readings[0].sensor_value == 45500


def test_a_board_of_plain_sensors_has_no_conditional_messages(connect: Any) -> None:
    agent = connect('[[sensor]]\nname = "t"\ntype = "kelvin"\n')
    there = [id for id in range(0x20) if agent.words(0x5402, id) == [0x5402, 0, 0]]
    assert there == [0, 1, 2, 3, 6, 9, 0xA, 0x10]
    assert agent.ask(sensor.ProtocolAttributes()).attributes.max_async == 0
    assert agent.words(0x5408, 0, 0) == [0x5408, 0xFFFFFFFC]
