"""Pins and groups claimed and released, and who may use them: what agents do to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scmictl.protocols import base, pinctrl
from scmictl.protocols.pinctrl import ConfigType, Selector
from scmictl.wire import Status

BOARD = Path(__file__).with_name("pins.toml").read_text()
TX, RX, CLK, LONG, LOCKED, HIDDEN = range(6)
UART, WIDE, HIDDEN_GROUP = range(3)
SERIAL, GPIO, HIDDEN_FUNCTION = range(3)
PIN, GROUP, FUNCTION = Selector
BOSS, GUEST, OTHER = 1, 2, 3


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


@pytest.fixture
def other(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "other")


def claim(selector: int, id: int) -> pinctrl.Request:
    return pinctrl.Request(identifier=id, flags=pinctrl.SelectorFlags(selector=selector))


def release(selector: int, id: int) -> pinctrl.Release:
    return pinctrl.Release(identifier=id, flags=pinctrl.SelectorFlags(selector=selector))


def select(selector: int, id: int, function: int) -> pinctrl.SettingsConfigure:
    word = pinctrl.SettingsConfigureAttributes(function_valid=True, selector=selector)
    return pinctrl.SettingsConfigure(
        identifier=id, function_id=function, attributes=word, configs=[]
    )


def configure(selector: int, id: int) -> pinctrl.SettingsConfigure:
    word = pinctrl.SettingsConfigureAttributes(num_configs=1, selector=selector)
    config = pinctrl.PinConfig(type=ConfigType.SLEW_RATE, value=3)
    return pinctrl.SettingsConfigure(identifier=id, attributes=word, configs=[config])


def permission(agent: int, selector: int, id: int, allow: bool) -> pinctrl.SetPermissions:
    word = pinctrl.PermissionFlags(permission=allow, selector=selector)
    return pinctrl.SetPermissions(agent_id=agent, identifier=id, flags=word)


def device(agent: int, allow: int) -> base.SetDevicePermissions:
    word = base.AccessFlags(access_type=allow)
    return base.SetDevicePermissions(agent_id=agent, device_id=0, flags=word)


def owners(agent: Any) -> list[int | None]:
    return [pin.owner for pin in agent.platform.behaviours[pinctrl.ID].pads.pins]


def pin(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[pinctrl.ID].pads.pins[id]


# --- claiming -------------------------------------------------------------------------------------


def test_what_one_agent_has_claimed_is_in_use_for_all_others(boss: Any, other: Any) -> None:
    assert boss.words(0x6407, TX, 0) == [0x6407, 0]
    assert other.words(0x6407, TX, 0) == [0x6407, 0xFFFFFFF5]  # -11
    for request in (
        release(PIN, TX),
        select(PIN, TX, GPIO),
        configure(PIN, TX),
        claim(GROUP, UART),
        configure(GROUP, UART),
    ):
        assert other.status(request) is Status.IN_USE
    assert owners(boss)[TX] == BOSS
    assert pin(boss, TX).value(ConfigType.SLEW_RATE) == 0
    assert other.ask(pinctrl.settings_of(PIN, TX)).function_selected == SERIAL


def test_a_group_claims_all_its_pins_or_none(boss: Any, other: Any) -> None:
    boss.ask(claim(GROUP, UART))
    assert owners(boss) == [BOSS, BOSS, None, None, None, None]
    assert other.status(claim(PIN, RX)) is Status.IN_USE
    assert other.status(claim(GROUP, WIDE)) is Status.IN_USE
    assert owners(boss) == [BOSS, BOSS, None, None, None, None]
    other.ask(claim(PIN, CLK))
    assert boss.status(claim(GROUP, WIDE)) is Status.IN_USE


def test_claiming_twice_is_claiming_once(boss: Any, other: Any) -> None:
    boss.ask(claim(PIN, TX))
    boss.ask(claim(PIN, TX))
    boss.ask(release(PIN, TX))
    other.ask(claim(PIN, TX))
    assert owners(boss)[TX] == OTHER


def test_a_pin_is_free_only_when_nothing_holds_it_any_more(boss: Any, other: Any) -> None:
    boss.ask(claim(GROUP, UART))
    boss.ask(claim(GROUP, WIDE))
    boss.ask(claim(PIN, TX))
    for held in (release(PIN, TX), release(GROUP, UART)):
        boss.ask(held)
        assert other.status(claim(PIN, TX)) is Status.IN_USE
    assert owners(boss) == [BOSS, None, BOSS, None, BOSS, None]
    boss.ask(release(GROUP, WIDE))
    other.ask(claim(PIN, TX))


def test_a_pin_held_by_its_group_is_not_released_by_itself(boss: Any) -> None:
    boss.ask(claim(GROUP, UART))
    boss.ask(release(PIN, TX))
    assert owners(boss)[TX] == BOSS


def test_releasing_what_nobody_holds_succeeds(boss: Any) -> None:
    boss.ask(release(PIN, TX))
    boss.ask(release(GROUP, UART))
    assert owners(boss) == [None] * 6


def test_what_is_set_stays_after_the_release(boss: Any, other: Any) -> None:
    boss.ask(claim(PIN, CLK))
    boss.ask(select(PIN, CLK, GPIO))
    boss.ask(configure(PIN, CLK))
    boss.ask(release(PIN, CLK))
    assert pin(boss, CLK).function.name == "gpio"
    other.ask(claim(PIN, CLK))
    assert other.ask(pinctrl.settings_of(PIN, CLK)).configs[0].value == 3


def test_what_nobody_has_claimed_anybody_may_configure(boss: Any, other: Any) -> None:
    other.ask(configure(PIN, TX))
    boss.ask(select(PIN, TX, GPIO))
    assert pin(boss, TX).value(ConfigType.SLEW_RATE) == 3


def test_an_exclusive_function_is_in_use_where_it_is_claimed_and_selected(
    boss: Any, other: Any
) -> None:
    # Selected at start, on what nobody has claimed.
    other.ask(select(GROUP, WIDE, SERIAL))
    boss.ask(claim(GROUP, UART))
    assert other.status(select(GROUP, WIDE, SERIAL)) is Status.IN_USE  # by its pin too
    boss.ask(release(GROUP, UART))
    boss.ask(claim(PIN, RX))
    assert other.status(select(GROUP, WIDE, SERIAL)) is Status.IN_USE
    boss.ask(select(PIN, RX, GPIO))
    other.ask(select(GROUP, WIDE, SERIAL))
    other.ask(claim(PIN, CLK))
    other.ask(select(PIN, CLK, GPIO))  # which is not exclusive
    assert pin(boss, RX).function is pin(boss, CLK).function


def test_a_connection_that_ends_leaves_its_claims(boss: Any, other: Any) -> None:
    boss.ask(claim(PIN, TX))
    boss.port.close()
    assert other.status(claim(PIN, TX)) is Status.IN_USE


# --- resetting ------------------------------------------------------------------------------------


def test_resetting_an_agent_releases_and_puts_back_what_it_has_set(boss: Any, other: Any) -> None:
    other.ask(claim(GROUP, UART))
    other.ask(configure(GROUP, UART))
    other.ask(select(PIN, LONG, pinctrl.NO_FUNCTION))
    boss.ask(configure(PIN, CLK))
    boss.ask(base.ResetAgentConfiguration(agent_id=OTHER))
    assert owners(boss) == [None] * 6
    assert pin(boss, TX).value(ConfigType.SLEW_RATE) == 0
    assert pin(boss, LONG).function.name == "gpio"
    assert pin(boss, CLK).value(ConfigType.SLEW_RATE) == 3


def test_what_another_agent_has_set_since_is_not_put_back(boss: Any, other: Any) -> None:
    other.ask(select(PIN, TX, pinctrl.NO_FUNCTION))
    boss.ask(select(PIN, TX, GPIO))
    other.ask(base.ResetAgentConfiguration(agent_id=OTHER))
    assert pin(boss, TX).function.name == "gpio"


def test_a_bias_that_was_replaced_is_put_back(boss: Any, other: Any) -> None:
    word = pinctrl.SettingsConfigureAttributes(num_configs=1, selector=PIN)
    off = pinctrl.PinConfig(type=ConfigType.BIAS_DISABLE, value=1)
    other.ask(pinctrl.SettingsConfigure(identifier=TX, attributes=word, configs=[off]))
    assert pin(boss, TX).settings[0] == (ConfigType.BIAS_DISABLE, 1)
    other.ask(base.ResetAgentConfiguration(agent_id=OTHER))
    assert pin(boss, TX).settings == [(4, 10000), (10, 4)]


# --- permissions ----------------------------------------------------------------------------------


def test_what_is_denied_with_its_device_is_not_found_and_keeps_its_number(guest: Any) -> None:
    for selector, id in ((PIN, HIDDEN), (GROUP, HIDDEN_GROUP), (FUNCTION, HIDDEN_FUNCTION)):
        flags = pinctrl.SelectorFlags(selector=selector)
        ask = pinctrl.Attributes(identifier=id, flags=flags)
        assert guest.status(ask) is Status.NOT_FOUND
    assert guest.words(0x6401) == [0x6401, 0, 3 << 16 | 6, 3]
    assert guest.status(claim(PIN, HIDDEN)) is Status.NOT_FOUND
    assert guest.status(select(GROUP, UART, HIDDEN_FUNCTION)) is Status.NOT_FOUND


def test_a_restricted_pin_can_be_looked_at_but_not_used(boss: Any, guest: Any) -> None:
    guest.ask(pinctrl.settings_of(PIN, LOCKED))
    for request in (claim(PIN, LOCKED), release(PIN, LOCKED), configure(PIN, LOCKED)):
        assert guest.status(request) is Status.DENIED
    assert guest.status(claim(GROUP, WIDE)) is Status.DENIED
    assert owners(boss) == [None] * 6
    boss.ask(claim(PIN, LOCKED))
    assert guest.status(claim(PIN, LOCKED)) is Status.DENIED


def test_a_group_with_a_denied_pin_is_denied(boss: Any, guest: Any) -> None:
    boss.ask(device(GUEST, 1))
    guest.ask(claim(GROUP, HIDDEN_GROUP))
    boss.ask(permission(GUEST, PIN, HIDDEN, False))
    assert guest.status(configure(GROUP, HIDDEN_GROUP)) is Status.DENIED


def test_a_trusted_agent_changes_the_permissions_of_pins_and_groups(
    boss: Any, guest: Any, other: Any
) -> None:
    # Flags of the reference: bit 2 allows, 1:0 say what.
    assert boss.words(0x640A, GUEST, LOCKED, 4) == [0x640A, 0]
    guest.ask(claim(GROUP, WIDE))
    assert boss.words(0x640A, OTHER, UART, 1) == [0x640A, 0]
    assert other.status(claim(GROUP, UART)) is Status.DENIED
    other.ask(claim(PIN, RX))
    boss.ask(permission(OTHER, GROUP, UART, True))
    assert other.status(claim(GROUP, UART)) is Status.IN_USE


def test_changing_permissions_takes_trust_and_things_that_are_there(boss: Any, guest: Any) -> None:
    assert guest.status(permission(GUEST, PIN, LOCKED, True)) is Status.DENIED
    assert boss.status(permission(9, PIN, LOCKED, True)) is Status.NOT_FOUND
    assert boss.status(permission(0, PIN, LOCKED, True)) is Status.NOT_FOUND
    assert boss.status(permission(GUEST, PIN, 6, True)) is Status.NOT_FOUND
    request = permission(GUEST, PIN, LOCKED, True)
    request.flags = pinctrl.PermissionFlags(int(request.flags) | 8)
    assert boss.status(request) is Status.INVALID_PARAMETERS
    assert guest.status(claim(PIN, LOCKED)) is Status.DENIED


def test_resetting_permissions_puts_back_those_of_the_board(boss: Any, guest: Any) -> None:
    boss.ask(permission(GUEST, PIN, LOCKED, True))
    boss.ask(permission(GUEST, PIN, TX, False))
    boss.ask(base.ResetAgentConfiguration(agent_id=GUEST))
    guest.ask(claim(PIN, LOCKED))
    reset = base.ResetFlags(permissions_reset=True)
    boss.ask(base.ResetAgentConfiguration(agent_id=GUEST, flags=reset))
    assert guest.status(claim(PIN, LOCKED)) is Status.DENIED
    guest.ask(claim(PIN, TX))


def test_a_claim_does_not_count_while_its_agent_may_not_use_the_pin(
    boss: Any, guest: Any, other: Any
) -> None:
    guest.ask(claim(GROUP, UART))
    boss.ask(permission(GUEST, GROUP, UART, False))
    other.ask(release(PIN, TX))  # not the agent's own: nothing happens
    boss.ask(permission(GUEST, GROUP, UART, True))
    assert other.status(claim(PIN, TX)) is Status.IN_USE
    boss.ask(permission(GUEST, GROUP, UART, False))
    other.ask(claim(PIN, TX))
    boss.ask(permission(GUEST, GROUP, UART, True))
    # A group is claimed as a whole or not at all.
    assert owners(boss)[:2] == [OTHER, None]


def test_a_protocol_of_which_everything_is_denied_is_revoked(connect: Any) -> None:
    platform = connect(
        '[[agent]]\nname = "a"\n[[agent]]\nname = "b"\ndenied = ["d"]\n'
        '[[device]]\nname = "d"\nowns = ["pinctrl:*"]\n'
        '[[pinctrl.pin]]\nname = "p"\n[[pinctrl.group]]\nname = "p"\npins = ["p"]\n'
    ).platform
    assert connect(platform, "b").words(0x6401) == [0x6401, 0xFFFFFFFD]
    assert connect(platform, "a").words(0x6401) == [0x6401, 0, 1 << 16 | 1, 0]
