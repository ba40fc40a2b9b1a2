"""Base protocol: discovery, permissions, resets and error reports."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = """
[platform]
vendor = "acme"
sub_vendor = "anvil"
implementation_version = 0x1234
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
denied = ["gpu:clock"]
[[device]]
name = "gpu"
owns = ["clock:gpu", "sensor:hot"]
[[device]]
id = 77
name = "rest"
owns = ["sensor:cold"]
[[clock]]
name = "osc"
rate = "24MHz"
[[clock]]
name = "gpu"
rates = ["100MHz", "200MHz", "400MHz"]
duty_cycle = 50
[[sensor]]
name = "hot"
type = "degrees_celsius"
trip_points = 1
intervals = ["10ms", "20ms"]
[[sensor]]
name = "cold"
type = "degrees_celsius"
"""
BOSS, GUEST = 1, 2
GPU, REST = 0, 77


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def device(agent: int, number: int, flags: int) -> base.SetDevicePermissions:
    return base.SetDevicePermissions(
        agent_id=agent, device_id=number, flags=base.AccessFlags(flags)
    )


def protocol(agent: int, number: int, command: int, flags: int) -> base.SetProtocolPermissions:
    return base.SetProtocolPermissions(
        agent_id=agent,
        device_id=number,
        command_id=base.CommandId(command),
        flags=base.AccessFlags(flags),
    )


def reset(agent: int, flags: int = 0) -> base.ResetAgentConfiguration:
    return base.ResetAgentConfiguration(agent_id=agent, flags=base.ResetFlags(flags))


# --- discovery ------------------------------------------------------------------------------------


def test_the_identity_is_the_boards(boss: Any) -> None:
    assert boss.ask(base.DiscoverVendor()).vendor_identifier == "acme"
    assert boss.ask(base.DiscoverSubVendor()).vendor_identifier == "anvil"
    found = boss.ask(base.DiscoverImplementationVersion())
    assert found.implementation_version == 0x1234
    attributes = boss.ask(base.ProtocolAttributes()).attributes
    assert (attributes.num_agents, attributes.num_protocols) == (2, 2)


def test_agents_are_found_by_id_and_by_asking_for_oneself(boss: Any, guest: Any) -> None:
    assert boss.ask(base.DiscoverAgent(agent_id=0)).name == "platform"
    assert boss.ask(base.DiscoverAgent(agent_id=2)).name == "guest"
    own = guest.ask(base.DiscoverAgent(agent_id=0xFFFFFFFF))
    assert (own.agent_id, own.name) == (2, "guest")
    assert boss.status(base.DiscoverAgent(agent_id=3)) is Status.NOT_FOUND
    assert boss.status(base.DiscoverAgent(agent_id=0xFFFFFFFE)) is Status.NOT_FOUND


def test_version_1_has_neither_the_agents_id_nor_oneself(connect: Any) -> None:
    agent = connect('[versions]\nbase = "1.0"\n' + BOARD)
    assert len(agent.send(base.DiscoverAgent(agent_id=1))) == 8 + 16
    assert agent.status(base.DiscoverAgent(agent_id=0xFFFFFFFF)) is Status.NOT_FOUND


def test_the_list_of_protocols_ends_empty_and_past_the_end_is_refused(boss: Any) -> None:
    assert boss.ask(base.DiscoverListProtocols(skip=0)).protocols == [0x14, 0x15]
    assert boss.ask(base.DiscoverListProtocols(skip=1)).protocols == [0x15]
    assert boss.raw("06 40 00 00 02 00 00 00") == "06400000 00000000 00000000"
    assert boss.status(base.DiscoverListProtocols(skip=3)) is Status.INVALID_PARAMETERS


# --- permissions ----------------------------------------------------------------------------------


def test_what_the_board_denies_does_not_exist_for_the_agent(boss: Any, guest: Any) -> None:
    assert guest.status(clock.Attributes(clock_id=1)) is Status.NOT_FOUND
    assert guest.status(clock.RateGet(clock_id=1)) is Status.NOT_FOUND
    assert guest.ask(clock.RateGet(clock_id=0)).rate == 24_000_000
    assert guest.ask(sensor.ReadingGet(sensor_id=0)).readings  # only its clock was denied
    assert boss.ask(clock.RateGet(clock_id=1)).rate == 100_000_000


def test_a_trusted_agent_takes_a_device_away_and_gives_it_back(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 0))
    assert guest.status(sensor.ReadingGet(sensor_id=0)) is Status.NOT_FOUND
    boss.ask(device(GUEST, GPU, 1))
    assert guest.ask(sensor.ReadingGet(sensor_id=0)).readings
    assert guest.ask(clock.RateGet(clock_id=1)).rate == 100_000_000


def test_a_protocol_of_which_everything_is_denied_is_revoked(boss: Any, guest: Any) -> None:
    boss.ask(protocol(GUEST, GPU, 0x15, 0))
    assert guest.status(sensor.ReadingGet(sensor_id=0)) is Status.NOT_FOUND
    assert guest.ask(base.DiscoverListProtocols(skip=0)).protocols == [0x14, 0x15]
    boss.ask(protocol(GUEST, REST, 0x15, 0))
    assert guest.ask(base.DiscoverListProtocols(skip=0)).protocols == [0x14]
    assert guest.ask(base.ProtocolAttributes()).attributes.num_protocols == 1
    for refused in (sensor.ProtocolVersion(), sensor.ReadingGet(sensor_id=0)):
        assert guest.status(refused) is Status.DENIED
    # Not even a message that does not exist tells more than that.
    assert guest.words(0x15 << 10 | 0x7F) == [0x15 << 10 | 0x7F, 0xFFFFFFFD]
    assert boss.ask(base.DiscoverListProtocols(skip=0)).protocols == [0x14, 0x15]
    boss.ask(protocol(GUEST, REST, 0x15, 1))
    assert guest.ask(sensor.ReadingGet(sensor_id=1)).readings


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (device(3, GPU, 0), Status.NOT_FOUND),
        (device(0, GPU, 0), Status.NOT_FOUND),
        (device(GUEST, 1, 0), Status.NOT_FOUND),
        (device(GUEST, GPU, 2), Status.INVALID_PARAMETERS),
        (protocol(GUEST, GPU, 0x13, 0), Status.NOT_FOUND),
        (protocol(GUEST, GPU, 0x10, 0), Status.NOT_FOUND),
        (protocol(GUEST, REST, 0x14, 0), Status.NOT_FOUND),
        (protocol(9, GPU, 0x14, 0), Status.NOT_FOUND),
        (protocol(GUEST, 9, 0x14, 0), Status.NOT_FOUND),
        (protocol(GUEST, GPU, 0x114, 0), Status.INVALID_PARAMETERS),
        (protocol(GUEST, GPU, 0x14, 0x80000000), Status.INVALID_PARAMETERS),
        (reset(3), Status.NOT_FOUND),
        (reset(GUEST, 2), Status.INVALID_PARAMETERS),
    ],
)
def test_a_permission_that_makes_no_sense_is_refused(
    boss: Any, guest: Any, refused: Any, status: Status
) -> None:
    assert boss.status(refused) is status
    assert guest.ask(sensor.ReadingGet(sensor_id=0)).readings


def test_a_device_the_agent_cannot_use_cannot_be_taken_away_again(boss: Any) -> None:
    boss.ask(device(GUEST, GPU, 0))
    assert boss.status(device(GUEST, GPU, 0)) is Status.NOT_FOUND


@pytest.mark.parametrize(
    "refused",
    [
        device(BOSS, GPU, 0),
        device(GUEST, GPU, 1),
        protocol(GUEST, GPU, 0x14, 1),
        reset(BOSS),
        reset(0),
        reset(GUEST, 1),
    ],
)
def test_an_agent_that_is_not_trusted_changes_no_permission(
    boss: Any, guest: Any, refused: Any
) -> None:
    assert guest.status(refused) is Status.DENIED
    assert guest.status(clock.RateGet(clock_id=1)) is Status.NOT_FOUND
    assert boss.ask(clock.RateGet(clock_id=1)).rate == 100_000_000


def test_permissions_exist_from_version_2(connect: Any) -> None:
    agent = connect('[versions]\nbase = "1.0"\n' + BOARD)
    for refused in (device(GUEST, GPU, 0), protocol(GUEST, GPU, 0x14, 0), reset(GUEST)):
        assert agent.status(refused) is Status.NOT_FOUND
        there = base.MessageAttributes(message_id=refused.MESSAGE_ID)
        assert agent.status(there) is Status.NOT_FOUND


# --- reset ----------------------------------------------------------------------------------------


def test_a_reset_puts_back_everything_the_agent_has_set(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 1))
    guest.ask(clock.RateSet(clock_id=1, rate=400_000_000))
    guest.ask(
        clock.ConfigSet(
            clock_id=1,
            attributes=clock.ConfigSetAttributes(state=1, extended_config_type=1),
            extended_config_val=25,
        )
    )
    guest.ask(
        sensor.ConfigSet(sensor_id=0, sensor_config=sensor.ConfigSetWord(sec=20, exponent=-3))
    )
    trip = sensor.TripPointEvCtrl(event=3)
    guest.ask(sensor.TripPointConfig(sensor_id=0, trip_point_ev_ctrl=trip, trip_point_val=9))
    guest.ask(clock.RateNotify(clock_id=1, notify_enable=NotifyEnable(1)))
    gpu = boss.platform.behaviours[0x14].clocks[1]
    hot = boss.platform.behaviours[0x15].sensors[0]
    assert (gpu.rate, gpu.enabled, gpu.duty_cycle) == (400_000_000, True, 25)
    assert (hot.enabled, hot.interval, hot.trips[0].event) == (False, (20, -3), 3)

    boss.ask(reset(GUEST))
    assert (gpu.rate, gpu.enabled, gpu.duty_cycle) == (100_000_000, False, 50)
    assert (hot.enabled, hot.interval, hot.trips[0].event) == (True, (10, -3), 0)
    assert guest.port.subscriptions == {}
    assert guest.ask(clock.RateGet(clock_id=1)).rate == 100_000_000  # the permission stays


def test_a_reset_leaves_alone_what_others_have_set_since(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 1))
    guest.ask(clock.RateSet(clock_id=1, rate=400_000_000))
    boss.ask(clock.RateSet(clock_id=1, rate=200_000_000))
    enable = clock.ConfigSet(clock_id=1, attributes=clock.ConfigSetAttributes(state=1))
    guest.ask(enable)
    boss.ask(enable)
    guest.ask(reset(GUEST))
    gpu = boss.platform.behaviours[0x14].clocks[1]
    assert (gpu.rate, gpu.enabled) == (200_000_000, True)


def test_a_reset_restores_the_boards_permissions_only_if_asked(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 1))
    boss.ask(device(GUEST, REST, 0))
    boss.ask(reset(GUEST))
    assert guest.ask(clock.RateGet(clock_id=1)).rate == 100_000_000
    boss.ask(reset(GUEST, 1))
    assert guest.status(clock.RateGet(clock_id=1)) is Status.NOT_FOUND
    assert guest.ask(sensor.ReadingGet(sensor_id=1)).readings


def test_a_reset_tells_others_of_the_rates_it_changes(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 1))
    guest.ask(clock.RateSet(clock_id=1, rate=400_000_000))
    boss.ask(clock.RateNotify(clock_id=1, notify_enable=NotifyEnable(1)))
    boss.ask(reset(GUEST))
    assert boss.events() == [clock.RateChanged(agent_id=0, clock_id=1, rate=100_000_000)]


def test_a_reset_drops_what_the_agent_has_outstanding(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, GPU, 1))
    guest.ask(clock.RateSet(flags=clock.RateSetFlags(1), clock_id=1, rate=400_000_000))
    boss.ask(reset(GUEST))
    assert guest.events(guest.now + 10) == []
    assert boss.ask(clock.RateGet(clock_id=1)).rate == 100_000_000


def test_a_reset_drops_what_a_connection_that_has_ended_left_outstanding(
    boss: Any, guest: Any
) -> None:
    boss.ask(device(GUEST, GPU, 1))
    guest.ask(clock.RateSet(flags=clock.RateSetFlags(1), clock_id=1, rate=400_000_000))
    guest.port.close()
    boss.ask(reset(GUEST))
    boss.port.poll(boss.now + 10)
    assert boss.ask(clock.RateGet(clock_id=1)).rate == 100_000_000


def test_resetting_the_platform_itself_does_nothing(boss: Any) -> None:
    boss.ask(clock.RateSet(clock_id=1, rate=400_000_000))
    boss.ask(reset(0, 1))
    assert boss.ask(clock.RateGet(clock_id=1)).rate == 400_000_000


# --- errors ---------------------------------------------------------------------------------------


def test_a_malformed_command_of_any_agent_is_reported_to_subscribers(boss: Any, guest: Any) -> None:
    guest.raw("06 40 08 00")  # nobody listens yet
    boss.ask(base.NotifyErrors(notify_enable=NotifyEnable(1)))
    assert guest.raw("06 40 08 00") == "06400800 f6ffffff"
    # header 0x00004300: type 3, protocol 0x10, message 0
    assert [frame.hex(" ", 4) for frame in boss.poll()] == [
        "00430000 02000000 01000000 06400800 f6ffffff"
    ]
    assert guest.poll() == []
    boss.raw("00 41 00 00")
    boss.raw("03 40 00 00", room=8)
    assert [event.msg_reports[0].message_header for event in boss.events()] == [0x4100, 0x4003]
    boss.ask(base.NotifyErrors(notify_enable=NotifyEnable(0)))
    guest.raw("06 40 08 00")
    assert boss.poll() == []


def test_a_command_that_is_only_refused_is_no_error_to_report(boss: Any) -> None:
    boss.ask(base.NotifyErrors(notify_enable=NotifyEnable(1)))
    boss.status(clock.RateGet(clock_id=99))
    boss.ask(sensor.ConfigSet(sensor_id=0, sensor_config=sensor.ConfigSetWord(0)))
    assert boss.status(sensor.ReadingGet(sensor_id=0)) is Status.PROTOCOL_ERROR
    assert boss.poll() == []


def test_reserved_bits_of_the_switch_are_refused(boss: Any) -> None:
    assert (
        boss.status(base.NotifyErrors(notify_enable=NotifyEnable(2))) is Status.INVALID_PARAMETERS
    )
    assert (
        boss.status(base.NotifyErrors(notify_enable=NotifyEnable(0x80000001)))
        is Status.INVALID_PARAMETERS
    )
