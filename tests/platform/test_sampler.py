"""Updates and trip points: who is told of moving values, and when."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.protocols import base, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = """
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[device]]
name = "rail"
owns = ["sensor:volts"]
[[sensor]]                      # 0
name = "temp"
type = "degrees_celsius"
scale = -3
value = 40000
range = [-40000, 125000]
trip_points = 3
[[sensor]]                      # 1
name = "volts"
type = "volts"
value = 5
intervals = ["100us", "100ms", "1s"]
interval = "100ms"
continuous = true
timestamp_exponent = -3
[[sensor]]                      # 2
name = "broken"
type = "volts"
intervals = ["100ms"]
continuous = true
faulty = true
[[sensor]]                      # 3
name = "axes"
intervals = ["20ms"]
continuous = true
enabled = false
[[sensor.axis]]
name = "X"
type = "volts"
value = 1
[[sensor.axis]]
name = "Y"
type = "volts"
value = -2
"""
TEMP, VOLTS, BROKEN, AXES = range(4)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


def protocol(agent: Any) -> Any:
    return agent.platform.behaviours[sensor.ID]


def set_value(agent: Any, id: int, value: int) -> None:
    protocol(agent).sensors[id].channels[0].wave.base = value


def updates(id: int, enable: int = 1) -> sensor.ContinuousUpdateNotify:
    return sensor.ContinuousUpdateNotify(sensor_id=id, notify_enable=NotifyEnable(enable))


def trips(id: int, enable: int = 1) -> sensor.TripPointNotify:
    return sensor.TripPointNotify(
        sensor_id=id, sensor_event_control=sensor.SensorEventControl(enable)
    )


def trip(id: int, point: int, value: int, event: int) -> sensor.TripPointConfig:
    return sensor.TripPointConfig(
        sensor_id=id,
        trip_point_ev_ctrl=sensor.TripPointEvCtrl(trip_point_id=point, event=event),
        trip_point_val=value,
    )


def configure(id: int, word: int) -> sensor.ConfigSet:
    return sensor.ConfigSet(sensor_id=id, sensor_config=sensor.ConfigSetWord(word))


# --- continuous updates ---------------------------------------------------------------------------


def test_updates_come_at_the_interval_and_have_no_status(boss: Any) -> None:
    start = boss.now
    boss.ask(configure(VOLTS, 3))
    boss.ask(updates(VOLTS))
    assert boss.poll() == []
    assert boss.port.next_deadline() == pytest.approx(start + 0.1, rel=0, abs=1e-6)
    # header 0x00005701: type 3, protocol 0x15, message 1; agent 0, sensor 1, value, time in ms
    assert [frame.hex(" ", 4) for frame in boss.poll(start + 0.1)] == [
        "01570000 00000000 01000000 05000000 00000000 64000000 00000000"
    ]
    assert boss.poll(start + 0.19) == []
    assert len(boss.poll(start + 0.201)) == 1


def test_a_late_poll_gets_one_update_and_no_burst(boss: Any) -> None:
    boss.ask(updates(VOLTS))
    start = boss.now
    assert len(boss.poll(start + 7.77)) == 1
    assert boss.poll(start + 7.77) == []
    assert boss.poll(start + 7.86) == []  # and none sooner than an interval later
    assert len(boss.poll(start + 7.88)) == 1


def test_a_little_lateness_does_not_add_up(boss: Any) -> None:
    boss.ask(updates(VOLTS))
    start = boss.now
    for n in range(1, 51):
        assert len(boss.poll(start + n * 0.1 + 0.01)) == 1


def test_no_sensor_is_sampled_faster_than_the_floor(boss: Any) -> None:
    boss.ask(configure(VOLTS, 100 << 16 | 0x1A << 11 | 1))  # 100 * 10^-6 s
    boss.ask(updates(VOLTS))
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.001, rel=0, abs=1e-6)


def test_a_new_interval_counts_at_once(boss: Any) -> None:
    boss.ask(updates(VOLTS))
    boss.ask(configure(VOLTS, 1 << 16 | 1))
    assert boss.poll(boss.now + 0.9) == []
    assert len(boss.poll(boss.now + 0.2)) == 1


def test_both_agents_get_the_update_and_one_sampling_serves_them(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    for agent in (boss, guest):
        agent.ask(updates(VOLTS))
    assert len(protocol(boss).sampler) == 1
    assert len(boss.poll(boss.now + 0.1)) == 1
    # What one port's poll has raised waits in the other; its deadline says so.
    assert guest.port.next_deadline() <= boss.now
    assert len(guest.poll(boss.now)) == 1


def test_what_nobody_listens_to_is_not_sampled(boss: Any) -> None:
    assert boss.port.next_deadline() is None
    boss.ask(updates(VOLTS))
    boss.ask(updates(VOLTS))
    assert len(boss.platform.timers) == 1
    boss.ask(updates(VOLTS, 0))
    assert len(protocol(boss).sampler) == 0
    assert boss.port.next_deadline() is None
    boss.ask(updates(VOLTS))
    boss.port.close()
    assert len(boss.platform.timers) == 0


def test_a_disabled_sensor_sends_nothing_until_it_is_enabled(boss: Any) -> None:
    boss.ask(updates(AXES))
    assert boss.port.next_deadline() is None
    boss.ask(configure(AXES, 1))
    (event,) = boss.events(boss.now + 0.02)
    assert [one.sensor_value for one in event.readings] == [1, -2]
    boss.ask(configure(AXES, 0))
    assert boss.events(boss.now + 1) == []


def test_a_broken_sensor_sends_nothing(boss: Any) -> None:
    boss.ask(updates(BROKEN))
    assert boss.events(boss.now + 1) == []
    protocol(boss).sensors[BROKEN].faulty = False
    assert len(boss.events(boss.now + 2)) == 1


def test_a_sensor_taken_away_sends_that_agent_nothing(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    guest.ask(updates(VOLTS))
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.poll(guest.now + 1) == []


def test_subscribing_is_refused_as_the_reference_says(boss: Any) -> None:
    assert boss.status(updates(TEMP)) is Status.NOT_SUPPORTED
    assert boss.status(updates(VOLTS, 2)) is Status.INVALID_PARAMETERS
    assert boss.status(updates(9)) is Status.NOT_FOUND
    assert boss.status(trips(VOLTS)) is Status.NOT_SUPPORTED
    assert boss.status(trips(TEMP, 0xF)) is Status.INVALID_PARAMETERS
    assert len(boss.platform.timers) == 0


def test_values_move_and_their_updates_agree_with_reading_them(connect: Any) -> None:
    agent = connect(BOARD.replace("value = 5\n", "value = 5\nswing = 900\nperiod = '3s'\n"))
    agent.ask(updates(VOLTS))
    seen = []
    for _ in range(30):
        (event,) = agent.events(agent.port.next_deadline())
        assert event.readings == agent.ask(sensor.ReadingGet(sensor_id=VOLTS)).readings
        seen.append(event.readings[0].sensor_value)
    assert len(set(seen)) > 20
    assert min(seen) < -800
    assert max(seen) > 800


# --- trip points ----------------------------------------------------------------------------------


def test_a_trip_point_fires_as_in_the_reference(boss: Any) -> None:
    # Trip point 1, rising, 95 degrees.
    assert boss.words(0x5405, TEMP, 0x11, 0x17318, 0) == [0x5405, 0]
    boss.ask(trips(TEMP))
    set_value(boss, TEMP, 95000)
    # header 0x00005700; agent 0, sensor 0, direction in bit 16, id
    assert [frame.hex(" ", 4) for frame in boss.poll(boss.now + 0.1)] == [
        "00570000 00000000 00000000 01000100"
    ]
    assert boss.poll(boss.now + 1) == []  # once, while it stays there


@pytest.mark.parametrize(
    ("event", "crossings"),
    [
        (0, []),
        (1, [0x10000, 0x10000]),
        (2, [0, 0]),
        (3, [0x10000, 0, 0x10000, 0]),
    ],
)
def test_only_the_crossings_asked_for_are_told(boss: Any, event: int, crossings: list[int]) -> None:
    boss.ask(trips(TEMP))
    boss.ask(trip(TEMP, 0, 50000, event))
    seen: list[int] = []
    for value in (49999, 50000, 50001, 49000, 60000, 60001, 0):
        set_value(boss, TEMP, value)
        seen += [int(one.trip_point_desc) for one in boss.events(boss.now + 0.1)]
    assert seen == crossings


def test_each_trip_point_crossed_between_two_samples_is_told(boss: Any) -> None:
    boss.ask(trips(TEMP))
    for point, value in enumerate((41000, 42000, 99000)):
        boss.ask(trip(TEMP, point, value, 3))
    set_value(boss, TEMP, 50000)
    told = [int(one.trip_point_desc) for one in boss.events(boss.now + 0.1)]
    assert told == [0x10000, 0x10001]


def test_sampling_for_trip_points_begins_when_one_is_set_and_heard(boss: Any) -> None:
    boss.ask(trip(TEMP, 0, 50000, 1))
    assert boss.port.next_deadline() is None
    boss.ask(trips(TEMP))
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.1, rel=0, abs=1e-6)
    boss.ask(trip(TEMP, 0, 50000, 0))
    assert boss.port.next_deadline() is None


def test_a_trip_point_another_agent_has_set_fires_too(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    boss.ask(trip(TEMP, 0, 50000, 1))
    guest.ask(trips(TEMP))
    set_value(boss, TEMP, 60000)
    assert len(guest.events(guest.now + 0.1)) == 1
    assert boss.events(guest.now) == []


@pytest.mark.parametrize(
    ("word", "value", "status"),
    [
        (0x31, 0, Status.INVALID_PARAMETERS),  # trip point 3 of 3: ids count from 0
        (0x5, 0, Status.INVALID_PARAMETERS),
        (0x1001, 0, Status.INVALID_PARAMETERS),
        (0x1, 125001, Status.INVALID_PARAMETERS),
        (0x1, -40001, Status.INVALID_PARAMETERS),
    ],
)
def test_a_trip_point_that_makes_no_sense_is_invalid(
    boss: Any, word: int, value: int, status: Status
) -> None:
    request = sensor.TripPointConfig(
        sensor_id=TEMP, trip_point_ev_ctrl=sensor.TripPointEvCtrl(word), trip_point_val=value
    )
    assert boss.status(request) is status
    assert all(point.event == 0 for point in protocol(boss).sensors[TEMP].trips)


def test_a_sensor_without_trip_points_does_not_support_them(boss: Any) -> None:
    assert boss.status(trip(VOLTS, 0, 0, 1)) is Status.NOT_SUPPORTED


def test_a_reset_of_the_agent_clears_its_trip_points(boss: Any) -> None:
    boss.ask(trips(TEMP))
    boss.ask(trip(TEMP, 0, 50000, 1))
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert len(boss.platform.timers) == 0
    set_value(boss, TEMP, 60000)
    assert boss.events(boss.now + 1) == []


def test_who_may_not_configure_a_sensor_sets_no_trip_point(connect: Any) -> None:
    text = BOARD.replace("trip_points = 3", 'trip_points = 3\nrestrict = ["guest"]')
    guest = connect(text, "guest")
    assert guest.status(trip(TEMP, 0, 50000, 1)) is Status.DENIED
    guest.ask(trips(TEMP))
    assert all(point.event == 0 for point in protocol(guest).sensors[TEMP].trips)
