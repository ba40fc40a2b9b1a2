"""A platform changed by hand: whole changes, patterns, permissions, faults, notifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import UsageError
from scmictl.platform import Platform
from scmictl.platform.hand import Hand
from scmictl.protocols import base, clock, perf, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status, codec

BOARD = """
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
denied = ["video:clock"]
[[device]]
id = 7
name = "video"
owns = ["clock:pixel", "sensor:lux"]
[[device]]
id = 9
name = "core"
owns = ["clock:pll", "perf:*"]
[[clock]]
name = "pll"
rates = ["100MHz", "200MHz"]
[[clock]]
name = "pixel"
parent = "pll"
divider = 2
duty_cycle = 50
[[sensor]]
name = "lux"
type = "lux"
value = 300
trip_points = 1
intervals = ["1s", "2s"]
continuous = true
[[perf]]
name = "cpu"
levels = [10, 20, 30]
"""
ON = NotifyEnable(1)
PLL, PIXEL = 0, 1


@pytest.fixture
def agent(connect: Callable[..., Any]) -> Any:
    return connect(BOARD)


def ask(agent: Any, name: str, /, **given: Any) -> list[dict[str, Any]]:
    return list(Hand(agent.platform).ask({"ask": name, **given}, agent.now))


def everything(agent: Any) -> list[dict[str, Any]]:
    return [r for r in ask(agent, "state") if r["protocol"] != "base"]


def refused(agent: Any, name: str, /, **given: Any) -> str:
    with pytest.raises(UsageError) as raised:
        ask(agent, name, **given)
    return raised.value.message


# --- state ----------------------------------------------------------------------------------------


def names(records: list[dict[str, Any]]) -> list[str]:
    return [f"{r['protocol']}:{r['name']}" for r in records]


def test_everything_is_in_the_order_of_the_protocols(agent: Any) -> None:
    found = ask(agent, "state")
    assert names(found) == [
        "base:None", "perf:cpu", "clock:pll", "clock:pixel", "sensor:lux",
    ]  # fmt: skip
    assert ask(agent, "state", resources=["all"]) == found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["clock"], ["clock:pll", "clock:pixel"]),
        (["clock:pixel"], ["clock:pixel"]),
        (["clock:1"], ["clock:pixel"]),
        (["CLOCK:0x0"], ["clock:pll"]),
        (["clock:pi*"], ["clock:pixel"]),
        (["clock:all", "clock:pll", "sensor"], ["clock:pll", "clock:pixel", "sensor:lux"]),
        (["base"], ["base:None"]),
        (["base:0"], ["base:None"]),
    ],
)
def test_resources_are_named_one_by_one_by_pattern_or_all(
    agent: Any, words: list[str], expected: list[str]
) -> None:
    assert names(ask(agent, "state", resources=words)) == expected


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("voltage:x", "unknown protocol 'voltage', expected one of: base, perf, clock, sensor"),
        ("clock:nope", "unknown clock 'nope', expected one of: pll, pixel"),
        ("clock:2", "found clock:2, expected a number from 0 to 1"),
        ("clock:", "unknown clock ''"),
        ("", "unknown protocol ''"),
        ("base:1", "found base:1, expected a number from 0 to 0"),
    ],
)
def test_what_is_not_there_is_one_clear_line(agent: Any, word: str, found: str) -> None:
    assert found in refused(agent, "state", resources=[word])


def test_the_platform_itself_tells_who_is_connected(agent: Any, connect: Any) -> None:
    other = connect(agent.platform, "guest", events=False)
    agent.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    (found,) = ask(agent, "state", resources=["base"])
    assert found["connections"] == [
        {"agent": "boss", "events": True, "readonly": False, "subscriptions": 1, "dropped": 0},
        {"agent": "guest", "events": False, "readonly": False, "subscriptions": 0, "dropped": 0},
    ]
    other.port.close()
    assert len(ask(agent, "state", resources=["base"])[0]["connections"]) == 1


# --- values ---------------------------------------------------------------------------------------


def test_a_change_answers_with_the_state_after_it(agent: Any) -> None:
    (found,) = ask(agent, "set", resource="clock:pixel", settings=["rate=100MHz", "enabled=on"])
    assert (found["rate_hz"], found["enabled"]) == (100_000_000, True)
    assert agent.ask(clock.RateGet(clock_id=PLL)).rate == 200_000_000


def test_all_of_a_change_is_made_or_nothing(agent: Any) -> None:
    agent.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    agent.ask(sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=ON))
    agent.ask(
        sensor.TripPointNotify(sensor_id=0, sensor_event_control=sensor.SensorEventControl(1))
    )
    before, due = everything(agent), agent.port.next_deadline()
    for resource, changes, found in (
        ("clock:pll", ["rate=200MHz", "enabled=on", "colour=red"], "clock:pll: unknown key"),
        ("clock:p*", ["enabled=on", "duty_cycle=10"], "clock:pll: unknown key 'duty_cycle'"),
        ("sensor:lux", ["trip.0=310", "value=320", "interval=2s", "faulty=?"], "expected on or"),
        ("perf:cpu", ["max=20", "level=20", "min=15", "level.0=1"], "perf:cpu: unknown key"),
    ):
        assert found in refused(agent, "set", resource=resource, settings=changes)
        assert everything(agent) == before
    assert agent.events() == []
    assert agent.port.next_deadline() == due
    # What was there before goes on: the next sample comes when it was due.
    assert [type(one) for one in agent.events(agent.now + 1.0)] == [sensor.Update]


def test_a_later_key_may_depend_on_an_earlier_one(agent: Any) -> None:
    ask(agent, "set", resource="perf:cpu", settings=["max=10"])
    (found,) = ask(agent, "set", resource="perf:cpu", settings=["max=30", "level=30"])
    assert found["level"] == 30
    assert agent.ask(perf.LevelGet(domain_id=0)).performance_level == 30


def test_several_resources_change_together(agent: Any) -> None:
    found = ask(agent, "set", resource="clock:*", settings=["enabled=on"])
    assert [record["enabled"] for record in found] == [True, True]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([], "found no setting, expected KEY=VALUE"),
        (["rate"], "found 'rate', expected KEY=VALUE"),
        (["=3"], "found '=3', expected KEY=VALUE"),
        (["rate=100MHz", "rate=200MHz"], "rate is given twice"),
    ],
)
def test_a_setting_is_a_key_and_a_value(agent: Any, changes: list[str], found: str) -> None:
    assert refused(agent, "set", resource="clock:pll", settings=changes) == found


def test_a_change_by_hand_comes_after_what_was_due_before_it(agent: Any) -> None:
    flags = clock.RateSetFlags(async_=True)
    agent.ask(clock.RateSet(clock_id=PLL, rate=200_000_000, flags=flags))
    agent.now += 1.0
    ask(agent, "set", resource="clock:pll", settings=["rate=100MHz"])
    assert agent.ask(clock.RateGet(clock_id=PLL)).rate == 100_000_000


# --- faults ---------------------------------------------------------------------------------------


def test_faults_are_added_listed_and_ended(agent: Any) -> None:
    ask(agent, "fault", do="add", spec="busy:1@clock")
    found = ask(agent, "fault", do="add", spec="late:5%")
    assert [one["fault"] for one in found] == ["busy:1@clock", "late:5%"]
    assert agent.status(clock.RateGet(clock_id=PLL)) is Status.BUSY
    assert agent.status(clock.RateGet(clock_id=PLL)) is Status.SUCCESS
    assert ask(agent, "fault", do="list")[0]["left"] == 0
    assert ask(agent, "fault", do="clear") == []
    ask(agent, "fault", do="add", spec="busy")
    assert ask(agent, "fault", do="add", spec="none") == []


def test_a_fault_that_is_none_changes_nothing(agent: Any) -> None:
    ask(agent, "fault", do="add", spec="busy:1")
    assert "unknown kind" in refused(agent, "fault", do="add", spec="late,frog")
    assert [one["fault"] for one in ask(agent, "fault", do="list")] == ["busy:1"]
    assert "unknown way" in refused(agent, "fault", do="mend")
    assert "unknown way" in refused(agent, "fault", do="add")


# --- permissions ----------------------------------------------------------------------------------


def test_permissions_are_shown_of_every_agent_device_and_protocol(agent: Any) -> None:
    found = ask(agent, "perms", do="list")
    assert [(r["agent"], r["device"], r["protocol"], r["access"]) for r in found] == [
        ("boss", "video", "clock", "allow"),
        ("boss", "video", "sensor", "allow"),
        ("boss", "core", "perf", "allow"),
        ("boss", "core", "clock", "allow"),
        ("guest", "video", "clock", "deny"),
        ("guest", "video", "sensor", "allow"),
        ("guest", "core", "perf", "allow"),
        ("guest", "core", "clock", "allow"),
    ]
    assert [r["device_id"] for r in ask(agent, "perms", do="list", agent="guest", device="7")] == [
        7, 7,
    ]  # fmt: skip


def test_what_is_denied_by_hand_does_not_exist_for_the_agent(agent: Any, connect: Any) -> None:
    guest = connect(agent.platform, "guest")
    ask(agent, "perms", do="deny", agent="guest", device="core", protocol="clock")
    assert guest.status(clock.RateGet(clock_id=PLL)) is Status.DENIED  # all clocks are revoked
    assert guest.status(perf.LevelGet(domain_id=0)) is Status.SUCCESS
    assert agent.status(clock.RateGet(clock_id=PLL)) is Status.SUCCESS
    ask(agent, "perms", do="allow", agent="2", device="all")
    assert guest.status(clock.RateGet(clock_id=PIXEL)) is Status.SUCCESS
    ask(agent, "perms", do="reset", agent="guest")
    assert guest.status(clock.RateGet(clock_id=PLL)) is Status.SUCCESS
    assert guest.status(clock.RateGet(clock_id=PIXEL)) is Status.NOT_FOUND


def test_the_subscription_of_a_denied_resource_is_silent_until_it_is_allowed(
    agent: Any, connect: Any
) -> None:
    guest = connect(agent.platform, "guest")
    guest.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    ask(agent, "perms", do="deny", agent="guest", device="core")
    ask(agent, "set", resource="clock:pll", settings=["rate=200MHz"])
    assert guest.events() == []
    ask(agent, "perms", do="allow", agent="guest", device="core")
    ask(agent, "set", resource="clock:pll", settings=["rate=100MHz"])
    assert [one.rate for one in guest.events()] == [100_000_000]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"do": "grant"}, "unknown way to change permissions 'grant'"),
        ({"do": "deny", "agent": "nobody"}, "unknown agent 'nobody', expected one of: boss, guest"),
        ({"do": "deny", "agent": "0"}, "found agent 0, expected 1 to 2"),
        ({"do": "deny", "device": "disk"}, "unknown device 'disk', expected one of: video, core"),
        ({"do": "deny", "device": "0"}, "unknown device '0'"),
        ({"do": "deny", "device": "video", "protocol": "perf"}, "unknown protocol 'perf'"),
    ],
)
def test_permissions_that_cannot_be_change_nothing(
    agent: Any, given: dict[str, str], found: str
) -> None:
    before = ask(agent, "perms", do="list")
    assert found in refused(agent, "perms", **given)
    assert ask(agent, "perms", do="list") == before


# --- notifications --------------------------------------------------------------------------------


def raise_rate(agent: Any, rate: int = 5, **more: Any) -> dict[str, Any]:
    event = clock.RateChanged(agent_id=0, clock_id=PLL, rate=rate)
    payload = codec.encode(event, clock.PROTOCOL.newest).hex()
    (found,) = ask(
        agent, "notify", protocol="clock", message="CLOCK_RATE_CHANGED", payload=payload, **more
    )
    return found


def test_a_notification_goes_to_all_who_have_subscribed(agent: Any, connect: Any) -> None:
    guest = connect(agent.platform, "guest")
    deaf = connect(agent.platform, "guest")
    assert raise_rate(agent)["sent"] == 0
    for one in (agent, guest):
        one.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    assert raise_rate(agent, 7) == {
        "message": "CLOCK_RATE_CHANGED",
        "fields": {"agent_id": 0, "clock_id": 0, "rate": 7},
        "sent": 2,
        "agents": ["boss", "guest"],
    }
    assert raise_rate(agent, 8, to="guest")["agents"] == ["guest"]
    assert [one.rate for one in agent.events()] == [7]
    assert [one.rate for one in guest.events()] == [7, 8]
    assert deaf.events() == []
    # It only says so.
    assert agent.ask(clock.RateGet(clock_id=PLL)).rate == 100_000_000


SIZES = {
    "BASE_ERROR_EVENT": 8,
    "PERFORMANCE_LIMITS_CHANGED": 16,
    "PERFORMANCE_LEVEL_CHANGED": 12,
    "CLOCK_RATE_CHANGED": 16,
    "CLOCK_RATE_CHANGE_REQUESTED": 16,
    "SENSOR_TRIP_POINT_EVENT": 12,
    "SENSOR_UPDATE": 24,
}
"""Bytes of the payload of every notification, in the newest version (reference)."""


def test_every_notification_reaches_who_has_switched_it_on(agent: Any) -> None:
    left = set(SIZES)
    for made in agent.platform.behaviours.values():
        for event in made.PROTOCOL.notifications:
            agent.platform.subscribe(agent.port, event, 0, True)
            payload = "00" * SIZES[event.SPEC]
            names = {"protocol": made.PROTOCOL.name, "message": event.SPEC}
            (found,) = ask(agent, "notify", **names, payload=payload)
            assert found["sent"] == 1, event.SPEC
            assert [frame[4:].hex() for frame in agent.poll()] == [payload]
            left.remove(event.SPEC)
    assert not left


@pytest.mark.parametrize("version", clock.PROTOCOL.versions)
def test_every_connection_is_told_in_its_own_version(agent: Any, version: int) -> None:
    agent.platform.subscribe(agent.port, clock.RateChanged, PLL, True)
    agent.port.versions[clock.ID] = version
    assert raise_rate(agent)["sent"] == (1 if version >= clock.RateChanged.SINCE else 0)
    assert len(agent.events()) == (1 if version >= clock.RateChanged.SINCE else 0)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"protocol": "voltage"}, "unknown protocol 'voltage'"),
        ({"message": "CLOCK_RATE_SET"}, "unknown notification 'CLOCK_RATE_SET'"),
        ({"payload": "zz"}, "CLOCK_RATE_CHANGED: "),
        ({"payload": "00"}, "CLOCK_RATE_CHANGED: "),
        ({"payload": "00" * 17}, "1 bytes too many"),
        ({"to": "nobody"}, "unknown agent 'nobody'"),
    ],
)
def test_a_notification_that_is_none_goes_to_nobody(
    agent: Any, given: dict[str, str], found: str
) -> None:
    agent.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    right = {"protocol": "clock", "message": "CLOCK_RATE_CHANGED", "payload": "00" * 16}
    assert found in refused(agent, "notify", **{**right, **given})
    assert agent.events() == []


# --- requests from anywhere -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, "found the request nothing, expected one of: facts, state"),
        ({"ask": "format"}, "found the request 'format'"),
        ({"ask": ["state"]}, "found the request something nested"),
        ({"ask": "state", "resources": "clock"}, "resources: found 'clock', expected a list"),
        ({"ask": "state", "resources": [1]}, "resources: found 1, expected a text"),
        ({"ask": "state", "resources": [None]}, "resources: found nothing, expected a text"),
        ({"ask": "state", "resources": ["clock"] * 65}, "expected a list of up to 64 texts"),
        ({"ask": "state", "resources": ["x" * 1025]}, "expected a text of up to 1024 characters"),
        ({"ask": "state", "quick": True}, "state: found the key 'quick', expected one of: resourc"),
        ({"ask": "set", "settings": ["a=b"]}, "resource: found nothing, expected a text"),
        ({"ask": "perms", "do": "list", "agent": {}}, "agent: found something nested"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    agent: Any, request_: dict[str, Any], found: str
) -> None:
    with pytest.raises(UsageError) as raised:
        Hand(agent.platform).ask(request_, agent.now)
    assert found in raised.value.message
    assert "\n" not in raised.value.message


WORDS = st.one_of(
    st.sampled_from(
        ["on", "off", "auto", "none", "0", "-1", "1", "80C", "1e9", "100MHz", "200MHz", "10", "20",
         "30", "pll", "50%", "1s", "310:rising", "boss", "∞", "0x10", "9" * 40, "all", "clock"]
    ),
    st.text(max_size=8),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(
        ["rate", "enabled", "parent", "duty_cycle", "value", "interval", "timestamps", "faulty",
         "trip.0", "level", "min", "max", "state", "value.X"]
    ),
    st.text(max_size=4),
)  # fmt: skip
REQUESTS = st.one_of(
    st.fixed_dictionaries(
        {
            "ask": st.just("set"),
            "resource": st.sampled_from(["clock", "clock:pixel", "sensor", "perf:0", "base", "?"]),
            "settings": st.lists(st.builds("{}={}".format, KEYS, WORDS), max_size=3),
        }
    ),
    st.dictionaries(
        st.sampled_from(["ask", "do", "spec", "agent", "device", "protocol", "resources", "to"]),
        st.one_of(
            st.sampled_from(["facts", "state", "fault", "perms", "notify", "list", "add", "deny"]),
            WORDS, st.none(), st.integers(), st.lists(WORDS, max_size=3),
        ),
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(requests=st.lists(REQUESTS, max_size=6))
def test_whatever_is_asked_the_platform_answers_or_refuses_and_goes_on(
    requests: list[dict[str, Any]],
) -> None:
    platform = Platform.from_text(BOARD)
    port = platform.attach()
    for event in (clock.RateChanged, sensor.Update, sensor.TripPointEvent, perf.LevelChanged):
        platform.subscribe(port, event, 0, True)
    hand = Hand(platform)
    now = 3.0
    for request in requests:
        before = list(hand.ask({"ask": "state", "resources": ["clock", "sensor", "perf"]}, now))
        try:
            list(hand.ask(request, now))
        except UsageError as error:
            assert "\n" not in error.message
            after = hand.ask({"ask": "state", "resources": ["clock", "sensor", "perf"]}, now)
            assert list(after) == before
        now += 0.7
        port.poll(now)


# --- read-only connections ------------------------------------------------------------------------


def test_a_read_only_connection_reads_and_subscribes_and_changes_nothing(agent: Any) -> None:
    agent.port.readonly = True
    before = everything(agent)
    assert agent.ask(clock.RateGet(clock_id=PLL)).rate == 100_000_000
    agent.ask(clock.RateNotify(clock_id=PLL, notify_enable=ON))
    for request in (
        clock.RateSet(clock_id=PLL, rate=200_000_000),
        clock.RateSet(clock_id=99, rate=200_000_000),
        clock.ConfigSet(
            clock_id=PLL, attributes=clock.ConfigSetAttributes(state=clock.State.ENABLE)
        ),
        sensor.ConfigSet(sensor_id=0, sensor_config=sensor.ConfigSetWord(sensor_enable=False)),
        perf.LevelSet(domain_id=0, performance_level=30),
        base.ResetAgentConfiguration(agent_id=1),
    ):
        assert agent.status(request) is Status.DENIED
    assert everything(agent) == before


def test_read_only_is_the_connection_not_the_agent() -> None:
    platform = Platform.from_text(BOARD)
    ports = [platform.attach("boss", readonly=readonly) for readonly in (True, False)]
    frame = codec.frame(clock.RateSet(clock_id=PLL, rate=200_000_000), clock.PROTOCOL.newest)
    assert [port.handle(0, frame, 64, 1.0)[4:] for port in ports] == [  # type: ignore[index]
        bytes.fromhex("fdffffff"), bytes(4),
    ]  # fmt: skip
