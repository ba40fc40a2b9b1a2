"""The built-in board: its clocks, its sensors, its agents, as a Linux guest meets them."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.platform import Platform
from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

PAGE = 136
"""The room Linux gives to lists."""


@pytest.fixture
def ospm(connect: Any) -> Any:
    return connect(Platform.from_board("demo"))


def test_the_probe_of_a_linux_driver_succeeds_in_its_order(ospm: Any) -> None:
    """The messages of reference/linux-guest.md, with the room Linux gives to each."""
    ospm.ask(base.ProtocolVersion(), 12)
    agents = ospm.ask(base.ProtocolAttributes(), 12).attributes.num_agents
    ospm.ask(base.DiscoverVendor(), 24)
    ospm.ask(base.DiscoverSubVendor(), 24)
    ospm.ask(base.DiscoverImplementationVersion(), 12)
    assert ospm.every(base.DiscoverListProtocols(skip=0), PAGE) == [*range(0x11, 0x1A)]
    for id in range(agents):
        ospm.ask(base.DiscoverAgent(agent_id=id), 28)

    assert int(ospm.ask(clock.ProtocolVersion(), 12).version) == 0x30000
    count = ospm.ask(clock.ProtocolAttributes(), 12).attributes.num_clocks
    for id in (0x9, 0xA):
        ospm.ask(clock.MessageAttributes(message_id=id), PAGE)
    for id in range(count):
        word = ospm.ask(clock.Attributes(clock_id=id), 32).attributes
        if word.extended_name:
            ospm.ask(clock.NameGet(clock_id=id), 76)
        if word.parent_ids_available:
            ospm.every(clock.PossibleParentsGet(clock_id=id, skip_parents=0), PAGE)
            ospm.ask(clock.ParentGet(clock_id=id), 12)
        if word.restricted:
            ospm.ask(clock.GetPermissions(clock_id=id), 12)
        rates = ospm.every(clock.DescribeRates(clock_id=id, rate_index=0), PAGE)
        assert len(rates) <= 16  # Linux 6.12 takes no more
        assert ospm.ask(clock.RateGet(clock_id=id), 16).rate > 0

    assert int(ospm.ask(sensor.ProtocolVersion(), 12).version) == 0x30001
    ospm.ask(sensor.ProtocolAttributes(), 24)
    for id in (0x4, 0xB):
        ospm.ask(sensor.MessageAttributes(message_id=id), PAGE)
    for one in ospm.every(sensor.DescriptionGet(desc_index=0), PAGE):
        low, high = one.sensor_attributes_low, one.sensor_attributes_high
        if low.extended_name:
            ospm.ask(sensor.NameGet(sensor_id=one.sensor_id), 76)
        if high.axis_support:
            axes = ospm.every(
                sensor.AxisDescriptionGet(sensor_id=one.sensor_id, axis_desc_index=0), PAGE
            )
            assert len(axes) == high.num_axes == 3
            names = ospm.every(sensor.AxisNameGet(sensor_id=one.sensor_id, axis_id=0), PAGE)
            # The letter after the last underscore is what Linux IIO makes of it.
            assert [name.axis_name.rpartition("_")[2] for name in names] == ["X", "Y", "Z"]
            # An interval of 0 would be a division by zero there.
            config = ospm.ask(sensor.ConfigGet(sensor_id=one.sensor_id), 12).sensor_config
            assert config.sec > 0


def test_linux_can_use_clock_1_as_its_consumer_does(ospm: Any) -> None:
    ospm.ask(clock.RateSet(clock_id=1, rate=50_000_000), 8)
    assert ospm.ask(clock.RateGet(clock_id=1)).rate == 50_000_000


def test_turning_off_what_nobody_uses_leaves_what_is_critical(ospm: Any) -> None:
    """What Linux does late in its init."""
    clocks = ospm.platform.behaviours[clock.ID].clocks
    for id in range(len(clocks)):
        if ospm.ask(clock.ConfigGet(clock_id=id)).config.enabled:
            off = clock.ConfigSet(clock_id=id, attributes=clock.ConfigSetAttributes(state=0))
            ospm.ask(off)
    still = [one.name for one in clocks if one.enabled]
    assert still == ["osc24m", "pll-ddr", "ddr"]


def test_scalar_sensors_can_be_read_at_once_and_the_broken_one_never(ospm: Any) -> None:
    found = {}
    for one in ospm.every(sensor.DescriptionGet(desc_index=0), PAGE):
        found[one.sensor_name] = ospm.status(sensor.ReadingGet(sensor_id=one.sensor_id))
    bad = {name: status for name, status in found.items() if status is not Status.SUCCESS}
    assert bad == {
        "ddr-temp": Status.HARDWARE_ERROR,
        "acc0": Status.PROTOCOL_ERROR,
        "gyro0": Status.PROTOCOL_ERROR,
    }
    assert len(found) == 12


def test_the_accelerometer_streams_when_it_is_enabled(ospm: Any) -> None:
    ospm.ask(sensor.ContinuousUpdateNotify(sensor_id=9, notify_enable=NotifyEnable(1)))
    ospm.ask(sensor.ConfigSet(sensor_id=9, sensor_config=sensor.ConfigSetWord(sensor_enable=True)))
    seen = []
    for _ in range(40):
        (event,) = ospm.events(ospm.port.next_deadline())
        seen.append([reading.sensor_value for reading in event.readings])
    assert ospm.now == pytest.approx(5000.25 + 40 * 0.05, rel=0, abs=1e-3)
    assert all(9600 < z < 10000 for _, _, z in seen)
    assert len({x for x, _, _ in seen}) > 20


def test_the_restricted_agents_see_less(ospm: Any, connect: Any) -> None:
    guest, bmc = connect(ospm.platform, "guest"), connect(ospm.platform, "bmc")
    assert guest.status(clock.RateGet(clock_id=10)) is Status.NOT_FOUND
    refused = clock.RateSet(clock_id=6, rate=800_000_000)
    assert guest.status(refused) is Status.DENIED
    assert guest.ask(clock.Attributes(clock_id=6)).attributes.restricted
    assert not ospm.ask(clock.Attributes(clock_id=6)).attributes.restricted
    assert bmc.ask(sensor.ReadingGet(sensor_id=1)).readings
    assert bmc.status(clock.RateGet(clock_id=8)) is Status.NOT_FOUND
    deny = base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(0))
    assert bmc.status(deny) is Status.DENIED


def test_resources_of_the_demo_board_all_belong_to_a_device(ospm: Any) -> None:
    owned = [
        (protocol, id)
        for device in ospm.platform.permissions.devices
        for protocol, ids in device.owns.items()
        for id in ids
    ]
    there = [
        (behaviour.PROTOCOL.id, id)
        for behaviour in ospm.platform.behaviours.values()
        for id in range(len(behaviour.names))
    ]
    assert sorted(owned) == sorted(there)
