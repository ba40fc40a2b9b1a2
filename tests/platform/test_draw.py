"""Measured power: what domains need and draw, averages, thresholds, and who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scmictl.platform import Platform
from scmictl.platform.draw import spread
from scmictl.protocols import base, powercap
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = Path(__file__).with_name("powercaps.toml").read_text()
SOC, CPU, GPU, MEMORY, NPU, FAN = range(6)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def power(agent: Any, id: int) -> int:
    found: int = agent.ask(powercap.MeasurementsGet(domain_id=id)).power
    return found


def set_cap(agent: Any, id: int, cap: int) -> None:
    agent.ask(powercap.CapSet(domain_id=id, power_cap=cap))


def need(agent: Any, id: int, text: str) -> None:
    agent.platform.behaviours[powercap.ID].adjust(id, "power", text, agent.now)


def watch(id: int, low: int, high: int, enable: int = 1) -> powercap.MeasurementsNotify:
    return powercap.MeasurementsNotify(
        domain_id=id,
        notify_enable=NotifyEnable(enable),
        power_thresh_low=low,
        power_thresh_high=high,
    )


# --- what is drawn --------------------------------------------------------------------------------


def test_a_domain_draws_what_it_and_its_children_need(boss: Any) -> None:
    set_cap(boss, SOC, 0)
    set_cap(boss, CPU, 0)
    # soc 2 W and memory 1 W; cpu 6 W and gpu 4 W, which counts in microwatts.
    assert [power(boss, id) for id in (SOC, CPU, GPU, MEMORY)] == [13_000, 10_000, 4_000_000, 1000]


def test_a_measurement_is_the_power_and_its_interval(boss: Any) -> None:
    assert boss.words(0x6009, MEMORY) == [0x6009, 0, 1000, 100_000]


def test_a_cap_bounds_a_domain_and_in_proportion_all_below_it(boss: Any) -> None:
    set_cap(boss, CPU, 5000)
    assert [power(boss, id) for id in (SOC, CPU, GPU)] == [8000, 5000, 2_000_000]
    set_cap(boss, SOC, 4000)
    assert [power(boss, id) for id in (SOC, CPU, GPU, MEMORY)] == [4000, 2500, 1_000_000, 500]


def test_a_fixed_cap_bounds_as_well(boss: Any) -> None:
    set_cap(boss, SOC, 0)
    need(boss, MEMORY, "20W")
    assert power(boss, MEMORY) == 3000


def test_a_cap_that_the_agent_cannot_see_still_counts(boss: Any, guest: Any) -> None:
    set_cap(boss, CPU, 5000)
    assert power(guest, GPU) == 2_000_000


def test_a_domain_that_is_not_monitored_has_no_measurement(boss: Any) -> None:
    assert boss.status(powercap.MeasurementsGet(domain_id=NPU)) is Status.NOT_SUPPORTED


def test_who_may_not_measure_is_denied(boss: Any, connect: Any) -> None:
    spy = connect(boss.platform, "spy")
    assert spy.status(powercap.MeasurementsGet(domain_id=SOC)) is Status.DENIED
    assert spy.status(watch(SOC, 0, 1)) is Status.DENIED
    assert spy.status(watch(SOC, 2, 1)) is Status.INVALID_PARAMETERS
    assert power(spy, CPU) == 10_000


def test_power_moves_with_time_within_its_swing_and_the_same_on_every_platform(
    connect: Any,
) -> None:
    def readings() -> list[int]:
        agent = connect(BOARD, "boss")
        found = []
        for _ in range(40):
            found.append(power(agent, FAN))
            agent.now += 0.5
        return found

    found = readings()
    assert found == readings()
    assert all(450 <= value <= 950 for value in found)
    assert max(found) - min(found) > 250


def test_a_longer_averaging_interval_smooths(connect: Any) -> None:
    board = (
        '[[powercap]]\nname = "d"\npower = 1000\nnoise = 500\npai = "1ms"\n'
        '[[powercap]]\nname = "e"\npower = 1000\nnoise = 500\npai = "1s"\n'
    )
    agent = connect(board)
    found: list[list[int]] = [[], []]
    for _ in range(60):
        for id in (0, 1):
            found[id].append(power(agent, id))
        agent.now += 1
    spreads = [max(values) - min(values) for values in found]
    assert spreads[1] < spreads[0]


ROW = (
    '[[powercap]]\nname = "d{}"\nunit = "{}"\npower = {}\nswing = {}\nnoise = {}\n'
    "caps = {{ lowest = 1, highest = 1000000, step = 1 }}\ncap = {}\n"
)
SMALL = st.integers(0, 5000)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(("mW", "uW")), SMALL, SMALL, SMALL, SMALL, st.integers(0, 9)),
        min_size=1,
        max_size=10,
    ),
    uptime=st.integers(-(10**7), 10**9),
)
def test_at_any_moment_caps_hold_and_children_draw_no_more_than_their_parent(
    rows: list[tuple[Any, ...]], uptime: int
) -> None:
    text = ""
    for position, (*row, parent) in enumerate(rows):
        text += ROW.format(position, *row)
        if position:
            text += f'parent = "d{parent % position}"\n'
    domains: Any = Platform.from_text(text).behaviours[powercap.ID].domains  # type: ignore[attr-defined]
    drawn = spread(domains[0].family, uptime)
    assert drawn.keys() == set(range(len(rows)))
    for one in domains:
        assert drawn[one.id] >= 0
        if one.ceiling is not None:
            assert drawn[one.id] <= one.ceiling * one.scale
        assert sum(drawn[child.id] for child in one.children) <= drawn[one.id]


# --- thresholds -----------------------------------------------------------------------------------


def test_power_beyond_a_threshold_is_told_once_in_twelve_bytes(boss: Any) -> None:
    boss.ask(watch(CPU, 4000, 12_000))
    assert boss.poll(boss.now + 1) == []
    need(boss, CPU, "9W")
    set_cap(boss, CPU, 0)
    set_cap(boss, SOC, 0)
    assert [frame.hex(" ", 4) for frame in boss.poll(boss.now + 1)] == [
        "01630000 00000000 01000000 c8320000"
    ]
    assert boss.poll(boss.now + 1) == []


def test_it_is_told_again_after_it_has_been_back(boss: Any) -> None:
    boss.ask(watch(CPU, 4000, 12_000))
    set_cap(boss, SOC, 0)
    seen = []
    for watts in ("1W", "6W", "0W", "10W", "6W", "6W"):
        set_cap(boss, CPU, 0)
        need(boss, GPU, "2W")
        need(boss, CPU, watts)
        if watts == "10W":
            need(boss, GPU, "4W")
        seen.append([event.power for event in boss.events(boss.now + 1)])
    assert seen == [[3000], [], [2000], [14_000], [], []]


def test_a_power_that_was_beyond_before_is_told_at_the_first_look(boss: Any) -> None:
    boss.ask(watch(CPU, 0, 5000))
    assert boss.events() == []
    [event] = boss.events(boss.port.next_deadline())
    assert (event.agent_id, event.domain_id, event.power) == (0, CPU, 10_000)


def test_a_cap_set_by_another_agent_shows_in_the_measurement(boss: Any, connect: Any) -> None:
    boss.ask(watch(CPU, 8000, 20_000))
    boss.events(boss.now + 1)
    other = connect(boss.platform, "spy")
    other.now = boss.now
    set_cap(other, CPU, 500)
    assert [event.power for event in boss.events(boss.now + 1)] == [500]


def test_every_agent_has_thresholds_of_its_own(boss: Any, connect: Any) -> None:
    other = connect(boss.platform, "spy")
    boss.ask(watch(CPU, 0, 5000))
    other.ask(watch(CPU, 0, 50_000))
    assert len(boss.events(boss.now + 1)) == 1
    assert other.events(boss.now) == []
    other.ask(watch(CPU, 0, 5000))  # setting them again replaces them
    assert len(other.events(boss.now + 1)) == 1
    assert boss.events(boss.now) == []


def test_nothing_is_looked_at_once_nobody_listens(boss: Any, connect: Any) -> None:
    meter = boss.platform.behaviours[powercap.ID].meter
    other = connect(boss.platform, "spy")
    boss.ask(watch(CPU, 0, 5000))
    boss.ask(watch(GPU, 0, 5000))
    other.ask(watch(CPU, 0, 5000))
    boss.ask(watch(CPU, 9, 5, enable=0))  # thresholds do not matter then
    assert (len(meter), len(boss.platform.timers)) == (2, 2)
    other.port.close()
    assert len(meter) == 1
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert (len(meter), len(boss.platform.timers)) == (0, 0)
    assert boss.events(boss.now + 5) == []


def test_an_agent_that_lost_the_domain_is_told_nothing(connect: Any) -> None:
    board = BOARD.replace('denied = ["rack"]', "")
    boss = connect(board, "boss")
    guest = connect(boss.platform, "guest")
    guest.ask(watch(CPU, 0, 5000))
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.events(guest.now + 1) == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (watch(CPU, 2, 1), Status.INVALID_PARAMETERS),
        (watch(NPU, 1, 2), Status.NOT_SUPPORTED),
        (watch(MEMORY, 1, 2), Status.NOT_SUPPORTED),
    ],
)
def test_thresholds_that_cannot_be_are_refused(boss: Any, request_: Any, status: Status) -> None:
    assert boss.status(request_) is status
    assert len(boss.platform.timers) == 0


def test_the_look_is_as_often_as_the_interval_allows(boss: Any) -> None:
    boss.ask(powercap.PaiSet(domain_id=SOC, pai=500_000))
    boss.ask(watch(SOC, 0, 0xFFFFFFFF))
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.5)
