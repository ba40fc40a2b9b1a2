"""Message classes: what a declaration makes of its fields, and what an instance knows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import LocalProtocolError
from scmictl.protocols import (
    base,
    clock,
    common,
    perf,
    pinctrl,
    power,
    powercap,
    reset,
    sensor,
    system,
    telemetry,
    voltage,
)
from scmictl.protocols.nxp import cpu, fusa, lmm, misc
from scmictl.wire import Effect, Message, Request, Struct, codec, follow, holds, text, u32, word
from scmictl.wire.record import record


def test_a_missing_field_is_named() -> None:
    with pytest.raises(LocalProtocolError, match="RateSet: field rate is missing"):
        clock.RateSet(clock_id=1)  # type: ignore[call-arg]  # what a type checker would refuse


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    with pytest.raises(LocalProtocolError, match="RateGet has no field 'id', expected: clock_id"):
        clock.RateGet(clock_id=1, id=2)  # type: ignore[call-arg]  # as above


def test_a_message_without_fields_takes_none() -> None:
    arguments: dict[str, Any] = {"x": 1}
    with pytest.raises(LocalProtocolError, match="has no field 'x', expected: none"):
        clock.ProtocolVersion(**arguments)


def test_defaults_fill_in_and_plain_words_get_their_names() -> None:
    message = clock.RateSet(clock_id=1, rate=2)
    assert message.flags == 0
    assert isinstance(message.flags, clock.RateSetFlags)
    plain = clock.RateSet(clock_id=1, rate=2, flags=9)  # type: ignore[arg-type]  # ints do as well
    assert (plain.flags.round_auto, plain.flags.async_) == (True, True)


def test_messages_are_equal_when_class_fields_and_surplus_are() -> None:
    assert clock.RateGet(clock_id=1) == clock.RateGet(clock_id=1)
    assert clock.RateGet(clock_id=1) != clock.RateGet(clock_id=2)
    assert clock.RateGet(clock_id=1) != clock.NameGet(clock_id=1)
    longer = codec.decode(clock.RateGet, 0x30000, bytes(5))
    assert longer != clock.RateGet(clock_id=0)


def test_a_message_shows_its_fields() -> None:
    assert repr(clock.RateGet(clock_id=3)) == "RateGet(clock_id=3)"


def test_a_request_knows_which_message_it_is_and_what_answers_it() -> None:
    assert (clock.RateSet.PROTOCOL_ID, clock.RateSet.MESSAGE_ID) == (0x14, 0x5)
    assert clock.RateSet.SPEC == "CLOCK_RATE_SET"
    assert clock.RateSet.RESPONSE is clock.RateSetResponse
    assert clock.RateSet.DELAYED is clock.RateSetComplete
    assert clock.RateGet.RESPONSE is clock.RateGetResponse
    assert clock.RateGet.DELAYED is None


def test_messages_every_protocol_has_are_its_own() -> None:
    assert clock.ProtocolVersion.PROTOCOL_ID == 0x14
    assert sensor.ProtocolVersion.PROTOCOL_ID == 0x15
    assert sensor.ProtocolVersion.MESSAGE_ID == 0
    assert sensor.ProtocolVersion.RESPONSE is common.ProtocolVersionResponse
    assert clock.NegotiateProtocolVersion.SINCE != sensor.NegotiateProtocolVersion.SINCE


def test_the_help_of_a_message_is_the_first_paragraph_of_its_docstring() -> None:
    class Documented(Message):
        """Do a thing that needs
        two lines.

        And this is not shown.
        """

    assert Documented.meaning() == "Do a thing that needs two lines."
    assert type("Bare", (Documented,), {}).meaning() == Documented.meaning()  # type: ignore[attr-defined]  # made by type()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (clock.RateSetFlags(), False),
        (clock.RateSetFlags(async_=True), True),
        (clock.RateSetFlags(async_=True, ignore_delayed_response=True), False),
        (clock.RateSetFlags(ignore_delayed_response=True), False),
    ],
)
def test_a_rate_change_expects_a_delayed_response_as_its_flags_say(
    flags: clock.RateSetFlags, expected: bool
) -> None:
    assert clock.RateSet(clock_id=1, rate=2, flags=flags).expects_delayed is expected


def test_a_reading_expects_a_delayed_response_when_it_is_asynchronous() -> None:
    assert not sensor.ReadingGet(sensor_id=0).expects_delayed
    flags = sensor.ReadingGetFlags(async_=True)
    assert sensor.ReadingGet(sensor_id=0, flags=flags).expects_delayed
    assert not clock.RateGet(clock_id=0).expects_delayed


def test_a_reset_expects_a_delayed_response_when_it_is_asynchronous() -> None:
    flags = reset.Flags(autonomous=True, async_=True)
    assert reset.Reset(domain_id=0, flags=flags).expects_delayed
    assert not reset.Reset(domain_id=0, flags=reset.Flags(autonomous=True)).expects_delayed


def test_an_asynchronous_change_of_a_power_state_expects_no_delayed_response() -> None:
    flags = power.StateSetFlags(async_=True)
    off = power.PowerState(power.OFF)
    assert not power.StateSet(domain_id=0, flags=flags, power_state=off).expects_delayed


def test_a_level_or_a_cap_expects_a_delayed_response_when_it_is_asynchronous() -> None:
    level = voltage.LevelSetFlags(async_=True)
    assert voltage.LevelSet(domain_id=0, flags=level, voltage_level=-1).expects_delayed
    assert not voltage.LevelSet(domain_id=0, voltage_level=-1).expects_delayed
    for ignore in (False, True):
        flags = powercap.CapSetFlags(async_=True, ignore_delayed_response=ignore)
        asked = powercap.CapSet(domain_id=0, flags=flags, power_cap=1)
        assert asked.expects_delayed is not ignore


@pytest.mark.parametrize(
    ("mode", "enable", "expected"),
    [
        (telemetry.Mode.SINGLE_READ, True, True),
        (telemetry.Mode.SINGLE_READ, False, False),
        (telemetry.Mode.NOTIFICATIONS, True, False),
        (telemetry.Mode.ON_DEMAND, True, False),
    ],
)
def test_a_single_reading_of_telemetry_comes_as_a_delayed_response(
    mode: telemetry.Mode, enable: bool, expected: bool
) -> None:
    control = telemetry.Control(mode=mode, enable=enable)
    assert telemetry.ConfigSet(control=control).expects_delayed is expected


def test_the_immediate_answer_to_an_asynchronous_request_is_the_status_alone() -> None:
    assert codec.answer(clock.RateSetResponse(), 0x30000) == bytes(4)
    assert codec.read_status(bytes(4), "SENSOR_READING_GET") == 0


@pytest.mark.parametrize(
    ("message", "effect"),
    [
        (clock.RateGet(clock_id=0), Effect.READ),
        (clock.RateSet(clock_id=0, rate=1), Effect.WRITE),
        (
            clock.RateNotify(clock_id=0, notify_enable=common.NotifyEnable(enable=1)),
            Effect.SUBSCRIBE,
        ),
        (
            base.SetDevicePermissions(
                agent_id=1, device_id=2, flags=base.AccessFlags(access_type=base.Access.ALLOW)
            ),
            Effect.WRITE,
        ),
        (
            base.SetDevicePermissions(
                agent_id=1, device_id=2, flags=base.AccessFlags(access_type=base.Access.DENY)
            ),
            Effect.HURTS,
        ),
        (base.ResetAgentConfiguration(agent_id=1), Effect.HURTS),
        (power.StateSet(domain_id=1, power_state=power.PowerState(power.ON)), Effect.WRITE),
        (power.StateSet(domain_id=1, power_state=power.PowerState(power.OFF)), Effect.HURTS),
        (system.PowerStateGet(), Effect.READ),
        (system.PowerStateSet(system_state=system.SystemState.SUSPEND), Effect.HURTS),
        (perf.LevelSet(domain_id=1, performance_level=2), Effect.WRITE),
        (perf.LimitsSet(domain_id=1, range_max=2, range_min=1), Effect.WRITE),
        (
            perf.NotifyLevel(domain_id=1, notify_enable=common.NotifyEnable(enable=1)),
            Effect.SUBSCRIBE,
        ),
        (reset.Reset(domain_id=1, flags=reset.Flags()), Effect.WRITE),
        (reset.Reset(domain_id=1, flags=reset.Flags(explicit=reset.Signal.ASSERT)), Effect.HURTS),
        (reset.Reset(domain_id=1, flags=reset.Flags(autonomous=True)), Effect.HURTS),
        (reset.Reset(domain_id=1, flags=reset.Flags(autonomous=True, async_=True)), Effect.HURTS),
        (
            voltage.ConfigSet(domain_id=1, config=voltage.ConfigSetWord(mode_id=voltage.Mode.OFF)),
            Effect.WRITE,
        ),
        (powercap.CapSet(domain_id=1, power_cap=0), Effect.WRITE),
        (
            powercap.MeasurementsNotify(domain_id=1, notify_enable=common.NotifyEnable(enable=1)),
            Effect.SUBSCRIBE,
        ),
        (pinctrl.Request(identifier=1, flags=pinctrl.SelectorFlags()), Effect.WRITE),
        (
            pinctrl.SetPermissions(
                agent_id=1, identifier=2, flags=pinctrl.PermissionFlags(permission=True)
            ),
            Effect.WRITE,
        ),
        (
            pinctrl.SetPermissions(agent_id=1, identifier=2, flags=pinctrl.PermissionFlags()),
            Effect.HURTS,
        ),
        (telemetry.Reset(), Effect.WRITE),
        (lmm.Boot(lm_id=1), Effect.WRITE),
        (lmm.Shutdown(lm_id=1), Effect.HURTS),
        (lmm.Notify(lm_id=1, flags=lmm.EventFlags(boot=True)), Effect.SUBSCRIBE),
        (cpu.Stop(cpu_id=1), Effect.HURTS),
        (fusa.ScheckTestExec(target_test_id=1), Effect.HURTS),
        (misc.ControlSet(ctrl_id=0, num_val=0, val=[]), Effect.WRITE),
    ],
)
def test_a_request_knows_what_it_does(message: Request[Any], effect: Effect) -> None:
    assert message.effect is effect


def test_paths_and_conditions_lead_into_words() -> None:
    message = clock.RateSet(clock_id=7, rate=1, flags=clock.RateSetFlags(async_=True))
    assert follow(message, "clock_id") == 7
    assert follow(message, "flags.async_") is True
    assert holds(message, ("flags.async_", "not flags.round_up"))
    assert not holds(message, ("flags.async_", "flags.round_up"))
    assert holds(message, ("clock_id == 7", "flags.async_ == 1"))
    assert not holds(message, ("clock_id == 8",))
    assert holds(message, ())


def test_a_request_for_a_list_can_begin_elsewhere() -> None:
    rates = clock.DescribeRates(clock_id=7, rate_index=0)
    assert rates.starting_at(9) == clock.DescribeRates(clock_id=7, rate_index=9)
    assert rates.rate_index == 0


def test_the_position_in_a_list_can_be_a_part_of_a_word() -> None:
    attributes = pinctrl.SettingsGetAttributes(selector=1, config_flag=pinctrl.Wanted.ALL)
    settings = pinctrl.SettingsGet(identifier=3, attributes=attributes)
    assert codec.encode(settings.starting_at(5), 0x10000) == bytes.fromhex("03000000 00050500")
    with pytest.raises(LocalProtocolError, match="skip_configs is 256, expected 0 to 255"):
        settings.starting_at(256)


def test_a_layout_has_the_fields_of_its_version_in_wire_order() -> None:
    def names(cls: type[Struct], version: int) -> list[str]:
        return [field.name for field in cls.layout(version)]

    assert names(base.DiscoverAgentResponse, 0x10000) == ["name"]
    assert names(base.DiscoverAgentResponse, 0x20000) == ["agent_id", "name"]
    assert names(clock.ConfigSet, 0x20000) == ["clock_id", "attributes"]
    assert names(clock.ConfigSet, 0x20001) == ["clock_id", "attributes", "extended_config_val"]
    assert names(sensor.ReadingGetResponse, 0x1FFFF) == ["sensor_value"]
    assert names(sensor.ReadingGetResponse, 0x20000) == ["readings"]


def test_the_versions_in_which_a_layout_changes_are_found_in_everything_it_holds() -> None:
    assert clock.RateGet.changes() == frozenset()
    assert clock.ConfigSet.changes() == {0x20001}
    assert clock.AttributesResponse.changes() == {0x20000, 0x30000}
    assert sensor.DescriptionGetResponse.changes() == {0x20000, 0x30000}
    assert perf.DescribeLevelsResponse.changes() == {0x40000}
    assert sensor.DescriptionGetResponse.epoch(0x10000) == 0
    assert sensor.DescriptionGetResponse.epoch(0x2FFFF) == 0x20000
    assert sensor.DescriptionGetResponse.epoch(0x30001) == 0x30000


def test_fields_are_inherited_in_front_of_own_ones() -> None:
    class First(Struct):
        one: int = u32()

    class Second(First):
        two: int = u32()

    assert codec.encode(Second(one=1, two=2), 0x10000) == bytes.fromhex("01000000 02000000")
    assert codec.encode(First(one=1), 0x10000) == bytes.fromhex("01000000")


def test_a_record_names_words_enumerations_lists_and_nested_structures() -> None:
    message = sensor.DescriptionGetResponse(
        num_sensor_flags=sensor.NumSensorFlags(returned=1, remaining=2),
        desc=[
            sensor.Description(
                sensor_id=4,
                sensor_attributes_low=sensor.AttributesLow(num_trip_points=2),
                sensor_attributes_high=sensor.AttributesHigh(unit_exponent=-3, sensor_type=2),
                sensor_name="soc",
            )
        ],
    )
    found = record(message, 0x10000)
    assert found["num_sensor_flags"] == {"returned": 1, "remaining": 2}
    assert found["desc"] == [
        {
            "sensor_id": 4,
            "sensor_attributes_low": {"num_trip_points": 2, "async_read": False},
            "sensor_attributes_high": {
                "sensor_type": "degrees_celsius", "unit_exponent": -3, "update_interval_exp": 0,
                "update_interval": 0,
            },
            "sensor_name": "soc",
        }
    ]  # fmt: skip


def test_a_record_keeps_numbers_that_have_no_name_and_drops_pythons_underscore() -> None:
    class Plain(Struct):
        type_: int = u32(enum=clock.RateFormat)
        from_: str = text(8)
        flags: clock.ConfigSetAttributes = word(clock.ConfigSetAttributes)

    message = Plain(type_=1, from_="x", flags=clock.ConfigSetAttributes(0x0005_0102))
    assert record(message, 0x30000) == {
        "type": "triplet",
        "from": "x",
        "flags": {"state": "reserved", "extended_config_type": 5, "reserved": "0x100"},
    }
    assert record(Plain(type_=9, from_="", flags=message.flags), 0x30000)["type"] == 9
