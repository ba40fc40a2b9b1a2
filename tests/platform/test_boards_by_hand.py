"""Every protocol of the built-in boards in a hand: whole changes, and what is told of them."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import UsageError
from scmictl.platform import Platform
from scmictl.platform.hand import Hand
from scmictl.protocols.nxp import bbm
from scmictl.wire import Notification

BOARDS = ("demo", "imx95")
TELEMETRY = """
[telemetry]
uuid = "00112233-4455-6677-8899-aabbccddeeff"
intervals = ["100ms", "1s"]
[[telemetry.event]]
name = "energy"
id = 7
"""
VALUES = st.one_of(
    st.sampled_from(
        ["on", "off", "auto", "none", "asserted", "deasserted", "shutdown", "warm-reset", "0x1",
         "0", "-1", "7", "600000", "850mV", "5W", "15000mW", "10ms", "1s", "50%", "80C:rising",
         "ospm", "uart0", "gpio", "4mA", "10kohm", "0x40000000", "99999999999999999999", "1e3",
         "inf", "sleep", "suspended"]
    ),
    st.text(max_size=6),
)  # fmt: skip


class Told(Platform):
    """A platform that keeps what it has told anybody, and under which resource."""

    told: list[tuple[Notification, int]]

    def notify(self, event: Notification, resource: int, **more: Any) -> Any:
        self.told.append((event, resource))
        return super().notify(event, resource, **more)


def build(board: str) -> Told:
    platform = Told.from_board(board) if board in BOARDS else Told.from_text(board)
    platform.told = []
    return platform


def listen(platform: Platform) -> Any:
    """Attach an agent that listens to everything."""
    port = platform.attach()
    for made in platform.behaviours.values():
        for event in made.PROTOCOL.notifications:
            # The button of a BBM is a resource that is no clock.
            resources = 1 if event is bbm.RtcEvent else len(made.names) or 1
            for resource in range(resources):
                platform.subscribe(port, event, resource, True)
    return port


@functools.cache
def keys(board: str) -> dict[str, list[str]]:
    """Return what can be set, by resource: what the answer to a wrong key lists."""
    hand = Hand(build(board))
    found: dict[str, list[str]] = {}
    for record in hand.ask({"ask": "state"}, 1.0):
        resource = f"{record['protocol']}:{record['id']}"
        with pytest.raises(UsageError) as raised:
            hand.ask({"ask": "set", "resource": resource, "settings": ["?=1"]}, 1.0)
        listed = raised.value.message.partition("expected one of: ")[2]
        if listed:
            found[resource] = listed.split(", ")
    return found


def test_every_protocol_can_be_changed_by_hand() -> None:
    for board in BOARDS:
        changed = {resource.partition(":")[0] for resource in keys(board)}
        protocols = {made.PROTOCOL.name for made in build(board).behaviours.values()}
        assert protocols - changed == {"base"}


@pytest.mark.parametrize("board", [*BOARDS, TELEMETRY], ids=[*BOARDS, "telemetry"])
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_all_of_a_change_is_made_or_nothing(board: str, data: st.DataObject) -> None:
    platform = build(board)
    port = listen(platform)
    hand = Hand(platform)
    now = 3.0
    for _ in range(4):
        resource = data.draw(st.sampled_from(sorted(keys(board))))
        chosen = data.draw(st.lists(st.sampled_from(keys(board)[resource]), min_size=1, max_size=3))
        pairs = [f"{key}={data.draw(VALUES)}" for key in dict.fromkeys(chosen)]
        if data.draw(st.booleans()):
            resource = f"{resource.partition(':')[0]}:all"
        before = list(hand.ask({"ask": "state"}, now))
        port.poll(now)
        try:
            list(hand.ask({"ask": "set", "resource": resource, "settings": pairs}, now))
        except UsageError as error:
            assert "\n" not in error.message
            assert list(hand.ask({"ask": "state"}, now)) == before
            assert port.poll(now) == []
        now += 0.3
        port.poll(now)


CAUSES = {
    "demo": {
        "power:0": ["state=off"], "system:0": ["graceful=shutdown"], "perf:0": ["max=600000"],
        "clock:pll-sys": ["rate=800MHz"], "sensor:0": ["trip.0=70C", "value=60C", "value=80C"],
        "reset:0": ["pulse=0"], "powercap:soc": ["cap=9W"],
    },
    "imx95": {
        "nxp-lmm:M7": ["state=off"], "nxp-bbm:0": ["battery_low=on"],
        "nxp-bbm:button": ["state=on"],
        "nxp-fusa:0": ["set=on"], "nxp-misc:button": ["event=1"],
    },
}  # fmt: skip


def test_what_the_platform_tells_a_hand_can_tell_about_the_same_resource() -> None:
    seen = set()
    for board, causes in CAUSES.items():
        platform = build(board)
        port = listen(platform)
        hand = Hand(platform)
        now = 3.0
        for resource, changes in causes.items():
            for change in changes:
                hand.ask({"ask": "set", "resource": resource, "settings": [change]}, now)
                now += 0.5
                port.poll(now)
        for event, number in platform.told:
            made = platform.behaviours[event.PROTOCOL_ID]
            assert made.subject(event) == number, event.SPEC
            seen.add(event.SPEC)
    assert seen == {
        "BBM_BUTTON_EVENT", "CLOCK_RATE_CHANGED", "FUSA_FAULT_EVENT", "FUSA_SEENV_STATE_REQ_EVENT",
        "LMM_EVENT", "MISC_CONTROL_EVENT", "PERFORMANCE_LEVEL_CHANGED",
        "PERFORMANCE_LIMITS_CHANGED", "POWERCAP_CAP_CHANGED", "POWER_STATE_CHANGED",
        "RESET_ISSUED", "SENSOR_TRIP_POINT_EVENT", "SENSOR_UPDATE", "SYSTEM_POWER_STATE_NOTIFIER",
    }  # fmt: skip
