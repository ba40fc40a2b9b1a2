"""Sensors changed by hand: values that are held, trip points and updates that follow at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, sensor
from scmictl.protocols.common import NotifyEnable

BOARD = """
[[sensor]]
name = "temp"
type = "degrees_celsius"
scale = -3
value = 45000
swing = 5000
noise = 100
range = [-40000, 125000]
trip_points = 2
timestamp_exponent = -6
intervals = ["100ms", "1s"]
continuous = true
[[sensor]]
name = "acc"
intervals = { lowest = "1ms", highest = "1s", step = "1ms" }
continuous = true
[[sensor.axis]]
name = "X"
type = "meters_per_second_squared"
scale = -3
value = 500
[[sensor.axis]]
name = "Y"
type = "meters_per_second_squared"
scale = -3
[[sensor]]
name = "fan"
type = "rpm"
scale = 2
value = 24
"""
TEMP, ACC, FAN = range(3)
ON = NotifyEnable(1)


@pytest.fixture
def agent(connect: Callable[..., Any]) -> Any:
    return connect(BOARD)


def adjust(agent: Any, id: int, key: str, text: str) -> None:
    platform: Platform = agent.platform
    platform.behaviours[sensor.ID].adjust(id, key, text, platform.advance(agent.now))


def state(agent: Any, id: int) -> dict[str, Any]:
    return dict(agent.platform.behaviours[sensor.ID].state(id))


def read(agent: Any, id: int) -> list[int]:
    return [one.sensor_value for one in agent.ask(sensor.ReadingGet(sensor_id=id)).readings]


def test_a_value_is_typed_in_the_units_of_the_sensor_and_held(agent: Any) -> None:
    adjust(agent, TEMP, "value", "80.5C")
    for _ in range(3):
        assert read(agent, TEMP) == [80500]
        agent.now += 7.5
    found = state(agent, TEMP)
    assert (found["value"], found["unit"], found["raw"], found["held"]) == (80.5, "°C", 80500, True)
    adjust(agent, TEMP, "value", "-40")
    assert read(agent, TEMP) == [-40000]
    adjust(agent, FAN, "value", "2500")
    assert read(agent, FAN) == [25]


def test_auto_lets_a_value_move_again_as_if_nothing_had_been(agent: Any, connect: Any) -> None:
    other = connect(BOARD)
    assert read(other, TEMP) == read(agent, TEMP)
    adjust(agent, TEMP, "value", "80C")
    adjust(agent, TEMP, "value", "auto")
    agent.now = other.now = agent.now + 12.3
    assert read(other, TEMP) == read(agent, TEMP) != [80000]
    assert not state(agent, TEMP)["held"]


def test_a_reset_of_an_agent_leaves_a_held_value(agent: Any) -> None:
    adjust(agent, TEMP, "value", "80C")
    agent.ask(base.ResetAgentConfiguration(agent_id=1))
    assert read(agent, TEMP) == [80000]


def test_axes_have_a_key_each_and_one_auto_for_all(agent: Any) -> None:
    adjust(agent, ACC, "value.X", "9.81m/s2")
    adjust(agent, ACC, "value.Y", "-1")
    assert read(agent, ACC) == [9810, -1000]
    assert [axis["value"] for axis in state(agent, ACC)["axes"]] == [9.81, -1]
    assert state(agent, ACC)["value"] is None
    adjust(agent, ACC, "value", "auto")
    assert read(agent, ACC) == [500, 0]


def test_a_new_value_is_told_at_once_and_fires_the_trip_points_that_it_crosses(agent: Any) -> None:
    adjust(agent, TEMP, "value", "70C")
    adjust(agent, TEMP, "trip.0", "75C:rising")
    adjust(agent, TEMP, "trip.1", "60C")
    agent.ask(
        sensor.TripPointNotify(sensor_id=TEMP, sensor_event_control=sensor.SensorEventControl(1))
    )
    agent.ask(sensor.ContinuousUpdateNotify(sensor_id=TEMP, notify_enable=ON))
    adjust(agent, TEMP, "value", "80C")
    rising = sensor.TripPointDesc(direction=1, trip_point_id=0)
    falling = sensor.TripPointDesc(direction=0, trip_point_id=1)
    assert agent.events() == [
        sensor.TripPointEvent(agent_id=0, sensor_id=TEMP, trip_point_desc=rising),
        sensor.Update(
            agent_id=0,
            sensor_id=TEMP,
            readings=[sensor.Reading(sensor_value=80000, timestamp=0)],
        ),
    ]
    adjust(agent, TEMP, "value", "50C")
    first, update = agent.events()
    assert first == sensor.TripPointEvent(agent_id=0, sensor_id=TEMP, trip_point_desc=falling)
    assert update.readings[0].sensor_value == 50000
    # The next regular sample crosses nothing any more.
    assert [type(one) for one in agent.events(agent.now + 0.15)] == [sensor.Update]


def test_a_value_of_a_sensor_nobody_listens_to_is_told_nobody(agent: Any) -> None:
    adjust(agent, TEMP, "value", "80C")
    assert agent.events() == []
    assert agent.port.next_deadline() is None


def test_a_disabled_sensor_tells_nothing_until_it_is_enabled_by_hand(agent: Any) -> None:
    agent.ask(sensor.ContinuousUpdateNotify(sensor_id=TEMP, notify_enable=ON))
    adjust(agent, TEMP, "enabled", "off")
    adjust(agent, TEMP, "value", "80C")
    assert agent.events(agent.now + 5) == []
    adjust(agent, TEMP, "enabled", "on")
    assert [one.readings[0].sensor_value for one in agent.events(agent.now + 0.1)] == [80000]


def test_a_faulty_sensor_cannot_be_read(agent: Any) -> None:
    adjust(agent, TEMP, "faulty", "on")
    assert agent.status(sensor.ReadingGet(sensor_id=TEMP)).name == "HARDWARE_ERROR"
    adjust(agent, TEMP, "faulty", "off")
    assert len(read(agent, TEMP)) == 1


def test_interval_and_timestamps_are_what_agents_then_find(agent: Any) -> None:
    adjust(agent, TEMP, "interval", "1s")
    adjust(agent, TEMP, "timestamps", "on")
    adjust(agent, ACC, "interval", "250ms")
    word = agent.ask(sensor.ConfigGet(sensor_id=TEMP)).sensor_config
    # The sensor's intervals are said in units of its smallest, the 100 ms.
    assert word.sec * 10.0**word.exponent == pytest.approx(1.0)
    assert word.timestamp
    assert state(agent, TEMP)["interval_s"] == 1
    assert state(agent, ACC)["interval_s"] == 0.25


def test_a_trip_point_is_shown_and_switched_off(agent: Any) -> None:
    adjust(agent, TEMP, "trip.0", "75C:falling")
    assert state(agent, TEMP)["trips"] == [
        {"id": 0, "event": "falling", "value": 75},
        {"id": 1, "event": "disable", "value": None},
    ]
    adjust(agent, TEMP, "trip.0", "off")
    assert state(agent, TEMP)["trips"][0]["event"] == "disable"


@pytest.mark.parametrize(
    ("id", "key", "text", "found"),
    [
        (TEMP, "value", "126C", "value is 126C, expected -40 to 125 °C"),
        (TEMP, "value", "1.0005C", "expected a multiple of the sensor's step, 10^-3 °C"),
        (TEMP, "value", "80V", "found the unit 'V'"),
        (TEMP, "value", "hot", "found 'hot', expected a number"),
        (FAN, "value", "1" * 30 + "00", "fits 64 bits"),
        (ACC, "value", "1", "unknown key 'value', expected one of: value.X, value.Y, enabled"),
        (ACC, "value.Z", "1", "unknown key 'value.Z'"),
        (TEMP, "interval", "2s", "expected one of: 0.1 s, 1 s"),
        (TEMP, "interval", "0", "found the interval '0'"),
        (TEMP, "interval", "-1s", "found the interval '-1s'"),
        (ACC, "interval", "1.5ms", "expected 0.001 s to 1 s in steps of 0.001 s"),
        (FAN, "interval", "1s", "unknown key 'interval', expected one of: value, enabled, faulty"),
        (FAN, "timestamps", "on", "unknown key 'timestamps'"),
        (TEMP, "trip.2", "1C", "unknown key 'trip.2'"),
        (TEMP, "trip.0", "75C:sideways", "unknown direction 'sideways'"),
        (TEMP, "trip.0", "200C", "expected -40 to 125 °C"),
        (TEMP, "enabled", "", "expected on or off"),
    ],
)
def test_what_a_sensor_cannot_be_changes_nothing(
    agent: Any, id: int, key: str, text: str, found: str
) -> None:
    before = [state(agent, other) for other in range(3)]
    with pytest.raises(UsageError) as raised:
        adjust(agent, id, key, text)
    assert found in raised.value.message
    assert [state(agent, other) for other in range(3)] == before
