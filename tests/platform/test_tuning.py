"""Clocks changed by hand: rates, gates, parents; who is told, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, clock
from scmictl.protocols.common import NotifyEnable

BOARD = (Path(__file__).parent / "clocks.toml").read_text()
OSC, PLL, BUS, SLOW, UART, PIXEL, QUIET = range(7)
ON = NotifyEnable(1)


@pytest.fixture
def agent(connect: Callable[..., Any]) -> Any:
    return connect(BOARD)


def adjust(agent: Any, id: int, key: str, text: str) -> None:
    platform: Platform = agent.platform
    platform.behaviours[clock.ID].adjust(id, key, text, platform.advance(agent.now))


def state(agent: Any, id: int) -> dict[str, Any]:
    return dict(agent.platform.behaviours[clock.ID].state(id))


def switch(id: int, state: clock.State) -> clock.ConfigSet:
    return clock.ConfigSet(clock_id=id, attributes=clock.ConfigSetAttributes(state=state))


def test_the_state_of_a_clock_says_who_keeps_it_on(agent: Any) -> None:
    agent.ask(switch(BUS, clock.State.ENABLE))
    assert state(agent, BUS) == {
        "rate_hz": 150_000_000,
        "enabled": True,
        "parent": "pll",
        "enabled_by": ["boss"],
    }
    assert state(agent, PLL)["enabled_by"] == ["platform", "clock:bus"]
    assert state(agent, PIXEL) == {
        "rate_hz": 10_000_000,
        "enabled": False,
        "parent": None,
        "enabled_by": [],
        "duty_cycle_percent": 50,
    }


def test_a_rate_set_by_hand_is_told_to_all_who_follow(agent: Any) -> None:
    for id in (PLL, BUS, SLOW):
        agent.ask(clock.RateNotify(clock_id=id, notify_enable=ON))
    adjust(agent, PLL, "rate", "800MHz")
    assert agent.ask(clock.RateGet(clock_id=SLOW)).rate == 100_000_000
    assert agent.events() == [
        clock.RateChanged(agent_id=0, clock_id=id, rate=rate)
        for id, rate in ((PLL, 800_000_000), (BUS, 200_000_000), (SLOW, 100_000_000))
    ]
    adjust(agent, PLL, "rate", "800MHz")
    assert agent.events() == []


def test_setting_the_rate_of_a_follower_sets_the_clock_it_follows(agent: Any) -> None:
    adjust(agent, SLOW, "rate", "150MHz")
    assert state(agent, PLL)["rate_hz"] == 1_200_000_000


def test_what_was_set_by_hand_no_agent_takes_back(agent: Any) -> None:
    agent.ask(clock.RateSet(clock_id=UART, rate=2_000_000))
    adjust(agent, UART, "rate", "3MHz")
    adjust(agent, UART, "enabled", "on")
    agent.ask(base.ResetAgentConfiguration(agent_id=1))
    assert state(agent, UART)["rate_hz"] == 3_000_000
    assert state(agent, UART)["enabled_by"] == ["platform"]


def test_off_takes_every_vote_away(agent: Any) -> None:
    agent.ask(switch(UART, clock.State.ENABLE))
    adjust(agent, UART, "enabled", "on")
    adjust(agent, UART, "enabled", "off")
    assert not agent.ask(clock.Attributes(clock_id=UART)).attributes.enabled
    assert state(agent, OSC)["enabled_by"] == ["platform", "clock:pll"]
    agent.ask(switch(PLL, clock.State.DISABLE))
    adjust(agent, PLL, "enabled", "off")
    agent.ask(base.ResetAgentConfiguration(agent_id=1))
    assert not state(agent, PLL)["enabled"]


def test_a_critical_clock_can_fail_too_once_nothing_needs_it(agent: Any) -> None:
    with pytest.raises(UsageError, match="osc cannot be off while its child pll is on"):
        adjust(agent, OSC, "enabled", "off")
    adjust(agent, PLL, "enabled", "off")
    adjust(agent, OSC, "enabled", "off")
    assert not state(agent, OSC)["enabled"]


def test_a_parent_is_chosen_by_name_or_number(agent: Any) -> None:
    adjust(agent, UART, "enabled", "on")
    adjust(agent, UART, "parent", "pll")
    assert agent.ask(clock.ParentGet(clock_id=UART)).parent_id == PLL
    assert "clock:uart" in state(agent, PLL)["enabled_by"]
    adjust(agent, UART, "parent", "0")
    assert state(agent, UART)["parent"] == "osc"


def test_a_duty_cycle_is_a_percentage(agent: Any) -> None:
    adjust(agent, PIXEL, "duty_cycle", "25%")
    assert state(agent, PIXEL)["duty_cycle_percent"] == 25
    adjust(agent, PIXEL, "duty_cycle", "75")
    assert state(agent, PIXEL)["duty_cycle_percent"] == 75


@pytest.mark.parametrize(
    ("id", "key", "text", "found"),
    [
        (PLL, "rate", "700MHz", "expected one of: 600000000 Hz, 800000000 Hz, 1200000000 Hz"),
        (UART, "rate", "100kHz", "expected 1000000 to 100000000 Hz in steps of 250000 Hz"),
        (UART, "rate", "25MHz", "expected at most the 24000000 Hz of its parent osc"),
        (OSC, "rate", "12MHz", "expected one of: 24000000 Hz"),
        (UART, "rate", "fast", "found 'fast', expected a number"),
        (UART, "rate", "3V", "found the unit 'V'"),
        (UART, "enabled", "maybe", "expected on or off"),
        (UART, "parent", "bus", "unknown parent 'bus', expected one of: osc, pll"),
        (BUS, "parent", "osc", "the parent of bus is fixed"),
        (PIXEL, "duty_cycle", "101", "expected 0% to 100%"),
        (PIXEL, "duty_cycle", "-1", "expected 0% to 100%"),
        (UART, "duty_cycle", "50", "unknown key 'duty_cycle', expected one of: rate, enabled, par"),
        (UART, "colour", "red", "unknown key 'colour'"),
    ],
)
def test_what_a_clock_cannot_be_changes_nothing(
    agent: Any, id: int, key: str, text: str, found: str
) -> None:
    before = [state(agent, other) for other in range(7)]
    with pytest.raises(UsageError) as raised:
        adjust(agent, id, key, text)
    assert found in raised.value.message
    assert [state(agent, other) for other in range(7)] == before


def test_a_parent_cannot_become_slower_than_its_children_need(agent: Any) -> None:
    adjust(agent, UART, "parent", "pll")
    adjust(agent, UART, "rate", "100MHz")
    adjust(agent, PLL, "rate", "600MHz")
    with pytest.raises(UsageError, match="expected one with at least the 100000000 Hz of uart"):
        adjust(agent, UART, "parent", "osc")
