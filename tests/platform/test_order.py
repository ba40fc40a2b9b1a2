"""In which order a command is judged, for every message of every protocol and version.

Size (see test_dispatch.py), identifier, values, support, permission, occupation: the order that
part A of the reference suggests in 1.5. Who is wrong in several ways at once hears of the first. A
refusal is the status word alone, and changes nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from scmictl import protocols
from scmictl.platform.platform import BEHAVIOURS
from scmictl.protocols import (
    Protocol,
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
    version_text,
    voltage,
)
from scmictl.wire import Bits, Request, Status, codec, header

PROTOCOLS = [protocols.by_name(name) for name in BEHAVIOURS]
VERSIONS = [(protocol, version) for protocol in PROTOCOLS for version in protocol.versions]
AGENTS = (("ospm", True), ("guest", True), ("bmc", False))
"""On the demo board: who may do everything, who is denied much, and one without a channel."""
IDENTIFIERS = ("domain_id", "clock_id", "sensor_id", "identifier")
NOBODY = 0xFFFF
"""The number of nothing on the demo board, also where only 16 bits of it count."""

every_version = pytest.mark.parametrize(
    ("protocol", "version"),
    [pytest.param(p, v, id=f"{p.name}-{version_text(v)}") for p, v in VERSIONS],
)


def how_many(behaviour: Any) -> int:
    """How many things a protocol has, of the kind that its messages number from 0."""
    return next(iter(behaviour.counts.values()), 0)


def requests(protocol: Protocol, version: int) -> list[type[Request[Any]]]:
    return [request for request in protocol.requests if version >= request.SINCE]


def plain(request: type[Request[Any]], version: int, **values: Any) -> Request[Any]:
    """A request whose fields are 0 but for those given; an ``id`` is put where its identifier is.

    What a permission is about is there: the first agent, the first device, its clocks.
    """
    id = values.pop("id", 0)
    filled: dict[str, Any] = {}
    for field in request.layout(version):
        if field.name in IDENTIFIERS:
            filled[field.name] = id
        else:
            filled[field.name] = [] if field.kind == "array" else 0
    if "agent_id" in filled:
        filled["agent_id"] = 1
    if "command_id" in filled:
        filled["command_id"] = clock.ID
    for name, value in values.items():
        filled[name] = filled[name] | value if isinstance(value, int) else value
    return request(**filled)


def visible(agent: Any, protocol: Protocol) -> list[int]:
    """The numbers of some resources that an agent has: the first two and the last."""
    behaviour = agent.platform.behaviours[protocol.id]
    ids = [id for id in range(how_many(behaviour)) if behaviour.visible(agent.port.agent, id)]
    return [*ids[:2], *ids[2:][-1:]]


def on_demo(connect: Any, demo: Any, protocol: Protocol, version: int) -> list[Any]:
    """The agents of a demo board whose newest version of a protocol is ``version``."""
    platform = demo(**{protocol.name: version_text(version)})
    agents = [connect(platform, name, events=events) for name, events in AGENTS]
    return [
        agent for agent in agents if not platform.permissions.revoked(agent.port.agent, protocol.id)
    ]


# --- every message alike --------------------------------------------------------------------------


@every_version
def test_a_message_that_the_version_does_not_have_is_not_found(
    connect: Any, demo: Any, protocol: Protocol, version: int
) -> None:
    known = {request.MESSAGE_ID for request in requests(protocol, version)}
    for agent in on_demo(connect, demo, protocol, version):
        for message_id in set(range(0x100)) - known:
            word = protocol.id << 10 | message_id
            for payload in ((), (0,), (0xFFFFFFFF,) * 5):
                assert agent.words(word, *payload) == [word, 0xFFFFFFFC]
            asking = protocol.by_id[0x2](message_id=message_id)
            assert agent.status(asking) is Status.NOT_FOUND


@every_version
def test_who_is_not_there_is_not_found_whatever_else_is_wrong(
    connect: Any, demo: Any, state_of: Any, protocol: Protocol, version: int
) -> None:
    agents = on_demo(connect, demo, protocol, version)
    before = state_of(agents[0].platform)
    for agent in agents:
        behaviour = agent.platform.behaviours[protocol.id]
        denied = [
            id for id in range(how_many(behaviour)) if not behaviour.visible(agent.port.agent, id)
        ]
        for request in requests(protocol, version):
            if not {field.name for field in request.FIELDS} & {*IDENTIFIERS}:
                continue
            for id in (NOBODY, *denied):
                for nonsense in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
                    message = plain(request, version, id=id)
                    for field in request.layout(version):
                        spoil(message, field, nonsense)
                    assert agent.status(message) is Status.NOT_FOUND, message
    assert state_of(agents[0].platform) == before


def spoil(message: Request[Any], field: Any, nonsense: int) -> None:
    """Put nonsense into a field, unless it says what is meant or how long the message is."""
    if field.name in (*IDENTIFIERS, "agent_id") or field.kind == "array":
        return
    value = nonsense & 0x7FFFFFFF if field.kind == "i32" else nonsense
    if field.bits is not None:
        parts = {part.name for part in field.bits.PARTS}
        meant = {name: 0 for name in ("selector", "num_configs") if name in parts}
        setattr(message, field.name, field.bits(field.bits(value), **meant))
    else:
        setattr(message, field.name, value)


@every_version
def test_a_reserved_bit_is_an_invalid_parameter_whoever_sets_it(
    connect: Any, demo: Any, state_of: Any, protocol: Protocol, version: int
) -> None:
    agents = on_demo(connect, demo, protocol, version)
    before = state_of(agents[0].platform)
    for agent in agents:
        for request in requests(protocol, version):
            for field in request.layout(version):
                reserved = 0xFFFFFFFF & ~field.bits.at(version).KNOWN if field.bits else 0
                if (request, field.name) in (
                    (powercap.PaiSet, "flags"),
                    (powercap.CaiSet, "flags"),
                ):
                    reserved = 0xFFFFFFFF  # a word without any bits
                for bit in (1 << n for n in range(32) if reserved >> n & 1):
                    for id in visible(agent, protocol) or [0]:
                        # Allowing, as what is not used cannot be denied.
                        allow = request in (base.SetDevicePermissions, base.SetProtocolPermissions)
                        word = bit | 1 if allow and field.name == "flags" else bit
                        message = plain(request, version, id=id, **{field.name: word})
                        assert agent.status(message) is Status.INVALID_PARAMETERS, message
    assert state_of(agents[0].platform) == before


# --- without a channel to the agent ---------------------------------------------------------------

ASYNC: dict[Any, Any] = {
    power.StateSet: power.StateSet(
        flags=power.StateSetFlags(async_=True), domain_id=0, power_state=power.PowerState(power.OFF)
    ),
    clock.RateSet: clock.RateSet(
        flags=clock.RateSetFlags(async_=True), clock_id=8, rate=600_000_000
    ),
    sensor.ReadingGet: sensor.ReadingGet(flags=sensor.ReadingGetFlags(async_=True), sensor_id=0),
    reset.Reset: reset.Reset(
        domain_id=0,
        flags=reset.Flags(autonomous=True, async_=True),
        reset_state=reset.ResetState(reset.COLD_RESET),
    ),
    voltage.LevelSet: voltage.LevelSet(
        domain_id=0, flags=voltage.LevelSetFlags(async_=True), voltage_level=900_000
    ),
    powercap.CapSet: powercap.CapSet(
        domain_id=0, flags=powercap.CapSetFlags(async_=True), power_cap=10_000, cpli=0
    ),
}
"""The messages that can be asynchronous, as the demo board accepts them."""
WITHOUT = {sensor.TripPointConfig}
"""What else is good for nothing without notifications."""
TOLD = ("notif", "async", "trip_point")
"""What the names of bits have in common that promise something over the channel."""
UNUSED = {"async_qos_config", "cai_change_notify"}
"""Of those, what the demo board has nothing for."""


def test_we_know_all_messages_that_can_be_asynchronous() -> None:
    for protocol in PROTOCOLS:
        for request in protocol.requests:
            words = [f for f in request.FIELDS if f.bits is not None and hasattr(f.bits, "async_")]
            assert bool(words) == (request in ASYNC), request
            assert request.DELAYED is None or request in ASYNC


@every_version
def test_without_a_channel_every_subscription_is_not_supported(
    connect: Any, demo: Any, state_of: Any, protocol: Protocol, version: int
) -> None:
    platform = demo(**{protocol.name: version_text(version)})
    deaf, hearing = connect(platform, events=False), connect(platform)
    before = state_of(platform)
    for request in requests(protocol, version):
        if request.SUBSCRIBES is None and request not in WITHOUT:
            continue
        asking = protocol.by_id[0x2](message_id=request.MESSAGE_ID)
        if request is not system.PowerStateNotify:  # see system.py: Arm's suite
            assert deaf.status(asking) is Status.NOT_FOUND
        assert hearing.status(asking) is Status.SUCCESS
        for id in range(how_many(platform.behaviours[protocol.id]) or 1):
            for switch in (0, 1):
                message = plain(request, version, id=id)
                if request.SUBSCRIBES is not None:
                    setattr(message, request.SWITCH, type(getattr(message, request.SWITCH))(switch))
                assert deaf.status(message) is Status.NOT_SUPPORTED
    assert state_of(platform) == before


@every_version
def test_without_a_channel_nothing_is_advertised_that_needs_one(
    connect: Any, demo: Any, protocol: Protocol, version: int
) -> None:
    platform = demo(**{protocol.name: version_text(version)})
    deaf, hearing = connect(platform, events=False), connect(platform)
    found = [promises(agent, protocol, version) for agent in (hearing, deaf)]
    for name, values in found[1].items():
        assert not any(values), name
    kept = {name for name, values in found[0].items() if any(values)}
    assert kept == found[0].keys() - UNUSED


def promises(agent: Any, protocol: Protocol, version: int) -> dict[str, list[int]]:
    """What an agent is told of notifications and asynchronous commands, by the name of the bit."""
    said = [agent.ask(protocol.by_id[0x1]())]
    for how in protocol.kinds[:1]:
        if how.describe.PAGING is not None:
            said += agent.every(how.describe(**{how.describe.PAGING.start: 0}), 8192)
        else:
            count = how_many(agent.platform.behaviours[protocol.id])
            said += [agent.ask(how.describing(id)) for id in range(count)]
    found: dict[str, list[int]] = {}
    for message in said:
        for value in vars(message).values():
            if isinstance(value, Bits):
                for part in type(value).at(version).PARTS:
                    if any(word in part.name for word in TOLD):
                        found.setdefault(part.name, []).append(int(getattr(value, part.name)))
    return found


@pytest.mark.parametrize("request_class", ASYNC, ids=lambda request: request.SPEC)
def test_without_a_channel_every_asynchronous_form_is_not_supported(
    connect: Any, demo: Any, state_of: Any, request_class: type[Request[Any]]
) -> None:
    protocol = protocols.by_id(request_class.PROTOCOL_ID)
    assert protocol is not None
    accepted = 0
    for version in protocol.versions:
        platform = demo(**{protocol.name: version_text(version)})
        deaf, hearing = connect(platform, events=False), connect(platform)
        before = state_of(platform)
        message = ASYNC[request_class]
        if type(message.flags).at(version)(message.flags).reserved:
            assert deaf.status(message) is Status.INVALID_PARAMETERS
            continue
        flags = message.flags
        for silent in (False, True):
            if silent and hasattr(flags, "ignore_delayed_response"):
                message.flags = type(flags)(flags, ignore_delayed_response=True)
            assert deaf.status(message) is Status.NOT_SUPPORTED
        assert state_of(platform) == before
        message.flags = flags
        assert hearing.status(message) is Status.SUCCESS
        assert state_of(platform) != before
        accepted += 1
    assert accepted


# --- a refusal is as if nothing had been said -----------------------------------------------------

UNPROVOKED = (base.ErrorEvent, clock.RateChangeRequested)
"""Notifications that tell of commands that were refused."""


class Step(NamedTuple):
    """What one of the agents says, and when."""

    who: int
    frame: bytes
    room: int
    now: float


class Stage:
    """The demo board with its agents, and all that comes of what they say."""

    def __init__(self, connect: Any, platform: Any) -> None:
        self.platform = platform
        self.agents = [connect(platform, name, events=events) for name, events in AGENTS]
        self.came: list[tuple[int, int | None, bytes]] = []

    def say(self, step: Step) -> bytes | None:
        port = self.agents[step.who].port
        return port.handle(0, step.frame, step.room, step.now)  # type: ignore[no-any-return]

    def wait(self, now: float) -> None:
        for who, agent in enumerate(self.agents):
            for cookie, frame in agent.port.poll(now):
                word = int.from_bytes(frame[:4], "little")
                events = [(event.PROTOCOL_ID, event.MESSAGE_ID) for event in UNPROVOKED]
                if (word >> 8 & 3, (word >> 10 & 0xFF, word & 0xFF)) not in [
                    (header.NOTIFICATION, event) for event in events
                ]:
                    self.came.append((who, cookie, frame))


def compare(connect: Any, demo: Any, chatter: Any, state_of: Any, seed: int) -> None:
    """Say the same commands, once with those that are refused and once without."""
    versions = {p.name: version_text(p.versions[-1 - seed % len(p.versions)]) for p in PROTOCOLS}
    first, second = (Stage(connect, demo(**versions)) for _ in range(2))
    talk, now = chatter(first.platform, seed), 0.0
    told: list[tuple[Step, bytes | None]] = []
    for token in range(400):
        who = talk.random.randrange(len(AGENTS))
        request, version = talk.request(first.agents[who].port.versions)
        step = Step(who, codec.frame(request, version, token), talk.room(), now)
        told.append((step, first.say(step)))
        first.wait(now)
        now += talk.random.choice((0.0,) * 8 + (0.0002, 0.002, 0.02, 0.5, 5.0))
    kept = 0
    for step, answer in told:
        if answer is None or answer[4:8] == bytes(4):
            kept += 1
            assert second.say(step) == answer, step
        else:
            assert len(answer) == 8
        second.wait(step.now)
        assert second.came == first.came[: len(second.came)]
    assert second.came == first.came
    assert state_of(second.platform) == state_of(first.platform)
    assert 50 < kept < 350


@pytest.mark.parametrize("seed", range(24))
def test_what_is_refused_might_as_well_not_have_been_said(
    connect: Any, demo: Any, chatter: Any, state_of: Any, seed: int
) -> None:
    compare(connect, demo, chatter, state_of, seed)


@pytest.mark.fuzz
def test_whatever_is_refused_might_as_well_not_have_been_said(
    connect: Any, demo: Any, chatter: Any, state_of: Any
) -> None:
    for seed in range(1000, 1400):
        compare(connect, demo, chatter, state_of, seed)


# --- several faults at once -----------------------------------------------------------------------

BOARD = """
[async]
clock = 1
reset = 1
voltage = 1
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[clock]]
name = "osc"
rate = "24MHz"
restrict = { guest = ["state", "parent", "rate"] }
[[clock]]
name = "pll"
rates = ["600MHz", "800MHz"]
latency = "1s"
restrict = { guest = ["state", "parent", "rate"] }
[[clock]]
name = "mux"
parents = ["osc", "pll"]
rates = ["12MHz", "24MHz", "48MHz"]
rate = "12MHz"
restrict = { guest = ["state", "parent", "rate"] }
[[clock]]
name = "fast"
parents = ["pll", "osc"]
rates = ["48MHz"]
restrict = { guest = ["state", "parent", "rate"] }
[[sensor]]
name = "plain"
type = "kelvin"
range = [0, 100]
restrict = ["guest"]
[[sensor]]
name = "rich"
type = "kelvin"
range = [0, 100]
trip_points = 1
intervals = ["100ms", "1s"]
restrict = ["guest"]
[[sensor]]
name = "asleep"
type = "kelvin"
enabled = false
[[power]]
name = "slow"
latency = "1s"
restrict = ["guest"]
[system]
suspend = false
restrict = ["guest"]
[[perf]]
name = "cpu"
levels = [100, 200, 300]
max = 200
restrict = { guest = ["level", "limits"] }
[[reset]]
name = "line"
latency = "1s"
restrict = ["guest"]
[[reset]]
name = "pulse"
explicit = false
async = false
exclusive = true
restrict = ["guest"]
[[voltage]]
name = "vdd"
levels = ["1V", "2V"]
latency = "1s"
restrict = { guest = ["state", "level"] }
[[voltage]]
name = "fixed"
level = "1V"
restrict = { guest = ["state", "level"] }
[[powercap]]
name = "soc"
caps = { lowest = 1000, highest = 2000, step = 100 }
pais = { lowest = "10ms", highest = "1s", step = "10ms" }
async = true
latency = "1s"
restrict = { guest = ["cap", "interval", "measurement"] }
[[powercap]]
name = "still"
cap = 1000
monitoring = true
restrict = { guest = ["cap", "interval", "measurement"] }
[[pinctrl.pin]]
name = "tx"
supports = ["bias-pull-up"]
restrict = ["guest"]
[[pinctrl.pin]]
name = "rx"
[[pinctrl.group]]
name = "uart"
pins = ["tx", "rx"]
[[pinctrl.function]]
name = "uart"
groups = ["uart"]
[[pinctrl.function]]
name = "gpio"
pins = ["rx"]
"""
OFF, HALF = power.PowerState(power.OFF), power.PowerState(0x123)
INVALID, RANGE = Status.INVALID_PARAMETERS, Status.OUT_OF_RANGE
UNSUPPORTED, DENIED, BUSY = Status.NOT_SUPPORTED, Status.DENIED, Status.BUSY
PIN, GROUP = (pinctrl.SelectorFlags(selector=selector) for selector in (0, 1))


def rate(id: int, hz: int, **flags: bool) -> clock.RateSet:
    return clock.RateSet(flags=clock.RateSetFlags(**flags), clock_id=id, rate=hz)


def gate(id: int, type: int, value: int = 50, state: int = 1) -> clock.ConfigSet:
    word = clock.ConfigSetAttributes(extended_config_type=type, state=state)
    return clock.ConfigSet(clock_id=id, attributes=word, extended_config_val=value)


def configure(id: int, **parts: int) -> sensor.ConfigSet:
    return sensor.ConfigSet(sensor_id=id, sensor_config=sensor.ConfigSetWord(**parts))


def trip(id: int, point: int, value: int) -> sensor.TripPointConfig:
    word = sensor.TripPointEvCtrl(trip_point_id=point, event=1)
    return sensor.TripPointConfig(sensor_id=id, trip_point_ev_ctrl=word, trip_point_val=value)


def turn(state: power.PowerState, **flags: bool) -> power.StateSet:
    return power.StateSet(flags=power.StateSetFlags(**flags), domain_id=0, power_state=state)


def shut(state: int, **flags: bool) -> system.PowerStateSet:
    return system.PowerStateSet(flags=system.Flags(**flags), system_state=state)


def put(id: int, state: int = 0, **flags: Any) -> reset.Reset:
    return reset.Reset(
        domain_id=id, flags=reset.Flags(**flags), reset_state=reset.ResetState(state)
    )


def volts(id: int, level: int, **flags: bool) -> voltage.LevelSet:
    return voltage.LevelSet(domain_id=id, flags=voltage.LevelSetFlags(**flags), voltage_level=level)


def cap(id: int, power: int, **flags: bool) -> powercap.CapSet:
    return powercap.CapSet(domain_id=id, flags=powercap.CapSetFlags(**flags), power_cap=power)


def settle(id: int, type: int, selector: int = 0, function: int | None = None) -> Request[Any]:
    word = pinctrl.SettingsConfigureAttributes(
        function_valid=function is not None, num_configs=1, selector=selector
    )
    return pinctrl.SettingsConfigure(
        identifier=id,
        function_id=pinctrl.NO_FUNCTION if function is None else function,
        attributes=word,
        configs=[pinctrl.PinConfig(type=type, value=1)],
    )


def measure(id: int, low: int, high: int) -> powercap.MeasurementsNotify:
    return powercap.MeasurementsNotify(
        domain_id=id,
        notify_enable=common.NotifyEnable(1),
        power_thresh_low=low,
        power_thresh_high=high,
    )


FAULTS: list[tuple[Status, Request[Any]]] = [
    # Values, before support and permission: what no platform could do.
    (INVALID, rate(1, 1, async_=True)),
    (INVALID, rate(1, 900_000_000)),
    (INVALID, rate(2, 48_000_000)),  # its parent is too slow
    (INVALID, gate(1, clock.ExtendedConfig.DUTY_CYCLE, 101)),
    (INVALID, gate(1, 0x7F)),
    (INVALID, gate(1, clock.ExtendedConfig.PHASE, state=clock.State.RESERVED)),
    (INVALID, clock.ParentSet(clock_id=2, parent_id=2)),
    (RANGE, clock.ParentSet(clock_id=3, parent_id=0)),
    (INVALID, trip(1, 1, 50)),
    (INVALID, trip(1, 0, 101)),
    (INVALID, configure(0, exponent=1, timestamp_enable=1)),
    (INVALID, configure(1, sec=9, exponent=0, rounding=1, timestamp_enable=1)),
    (INVALID, turn(HALF, async_=True)),
    (INVALID, shut(5)),
    (RANGE, perf.LevelSet(domain_id=0, performance_level=150)),
    (RANGE, perf.LevelSet(domain_id=0, performance_level=300)),
    (RANGE, perf.LimitsSet(domain_id=0, range_max=400, range_min=100)),
    (INVALID, perf.LimitsSet(domain_id=0, range_max=100, range_min=200)),
    (INVALID, put(0, 1, autonomous=True, async_=True)),
    (INVALID, put(1, 1)),
    (INVALID, put(1, async_=True)),
    (INVALID, voltage.ConfigSet(domain_id=0, config=voltage.ConfigSetWord(1))),
    (INVALID, volts(0, 1, async_=True)),
    (INVALID, volts(1, 1)),
    (RANGE, cap(0, 2001, async_=True)),
    (INVALID, cap(0, 1001, async_=True)),
    (INVALID, powercap.PaiSet(domain_id=1, flags=0, pai=0)),
    (RANGE, powercap.PaiSet(domain_id=0, flags=0, pai=1)),
    (INVALID, measure(0, 2, 1)),
    (INVALID, settle(0, 0x100)),
    # Support, before permission.
    (UNSUPPORTED, rate(1, 800_000_000, async_=True)),
    (UNSUPPORTED, gate(1, clock.ExtendedConfig.DUTY_CYCLE)),
    (UNSUPPORTED, clock.ParentSet(clock_id=1, parent_id=0)),
    (UNSUPPORTED, trip(0, 0, 50)),
    (UNSUPPORTED, trip(1, 0, 50)),
    (UNSUPPORTED, configure(0, sec=1)),
    (UNSUPPORTED, configure(1, timestamp_enable=1)),
    (UNSUPPORTED, sensor.ReadingGet(sensor_id=2, flags=sensor.ReadingGetFlags(async_=True))),
    (UNSUPPORTED, turn(OFF, async_=True)),
    (UNSUPPORTED, shut(system.SystemState.SUSPEND)),
    (UNSUPPORTED, shut(0x80000000)),
    (UNSUPPORTED, put(0, autonomous=True, async_=True)),
    (UNSUPPORTED, put(1, explicit=1)),
    (UNSUPPORTED, volts(0, 2_000_000, async_=True)),
    (UNSUPPORTED, volts(1, 1_000_000)),
    (UNSUPPORTED, cap(0, 2000, async_=True)),
    (UNSUPPORTED, cap(1, 1000)),
    (UNSUPPORTED, powercap.PaiSet(domain_id=1, flags=0, pai=100_000)),
    (UNSUPPORTED, measure(0, 1, 2)),
    (UNSUPPORTED, settle(0, pinctrl.ConfigType.BIAS_PULL_DOWN)),
    (UNSUPPORTED, settle(0, pinctrl.ConfigType.BIAS_PULL_UP, function=1)),
    (UNSUPPORTED, settle(0, pinctrl.ConfigType.BIAS_PULL_DOWN, 1)),
    # Permission.
    (DENIED, rate(1, 800_000_000)),
    (DENIED, gate(1, 0)),
    (DENIED, clock.ParentSet(clock_id=2, parent_id=1)),
    (DENIED, configure(1, sec=1)),
    (DENIED, turn(OFF)),
    (DENIED, shut(system.SystemState.SHUTDOWN)),
    (DENIED, perf.LevelSet(domain_id=0, performance_level=200)),
    (DENIED, perf.LimitsSet(domain_id=0, range_max=200, range_min=100)),
    (DENIED, put(0, explicit=1)),
    (DENIED, voltage.ConfigSet(domain_id=0, config=voltage.ConfigSetWord(voltage.Mode.ON))),
    (DENIED, volts(0, 2_000_000)),
    (DENIED, cap(0, 2000)),
    (DENIED, powercap.PaiSet(domain_id=0, flags=0, pai=100_000)),
    (DENIED, powercap.MeasurementsGet(domain_id=0)),
    (DENIED, settle(0, pinctrl.ConfigType.BIAS_PULL_UP)),
    (DENIED, pinctrl.Request(identifier=0, flags=PIN)),
    (DENIED, pinctrl.Release(identifier=0, flags=GROUP)),
    (DENIED, base.ResetAgentConfiguration(agent_id=1)),
    (DENIED, base.ResetAgentConfiguration(agent_id=2, flags=base.ResetFlags(1))),
]


UNDERWAY: list[tuple[Status, Request[Any]]] = [
    (BUSY, rate(1, 800_000_000, async_=True)),
    (BUSY, put(0, autonomous=True, async_=True)),
    (BUSY, volts(0, 2_000_000, async_=True)),
    (BUSY, cap(0, 1500, async_=True)),
    (BUSY, cap(0, 1600)),
    (BUSY, turn(power.PowerState(power.ON))),
    (BUSY, shut(system.SystemState.SHUTDOWN, graceful=True)),
]


@pytest.fixture
def busy(connect: Any) -> Any:
    """An agent that has begun whatever takes its time, and holds the pins."""
    boss = connect(BOARD)
    for request in (
        *(message for _, message in UNDERWAY[:4]),
        turn(OFF),
        shut(system.SystemState.SHUTDOWN, graceful=True),
        pinctrl.Request(identifier=0, flags=GROUP),
    ):
        boss.send(request)
    return boss


def names(faults: list[tuple[Status, Request[Any]]]) -> list[str]:
    return [f"{message.SPEC}-{number}" for number, (_, message) in enumerate(faults)]


@pytest.mark.parametrize(("expected", "message"), FAULTS, ids=names(FAULTS))
def test_the_first_of_several_faults_is_told(
    connect: Any, busy: Any, state_of: Any, expected: Status, message: Request[Any]
) -> None:
    """The guest may do nothing, there is no channel to it, and what it wants is underway."""
    guest = connect(busy.platform, "guest", events=False)
    before = state_of(busy.platform)
    assert guest.status(message) is expected
    assert state_of(busy.platform) == before


@pytest.mark.parametrize(("expected", "message"), UNDERWAY, ids=names(UNDERWAY))
def test_that_something_is_underway_is_told_last(
    connect: Any, busy: Any, state_of: Any, expected: Status, message: Request[Any]
) -> None:
    guest = connect(busy.platform, "guest")
    before = state_of(busy.platform)
    assert guest.status(message) is Status.DENIED
    assert busy.status(message) is expected
    assert state_of(busy.platform) == before


def test_what_another_agent_has_claimed_is_in_use_after_all_else(
    connect: Any, busy: Any, state_of: Any
) -> None:
    guest = connect(busy.platform, "guest")
    before = state_of(busy.platform)
    assert guest.status(pinctrl.Request(identifier=0, flags=PIN)) is Status.DENIED
    assert guest.status(pinctrl.Request(identifier=1, flags=PIN)) is Status.IN_USE
    assert guest.status(settle(1, 0x100)) is Status.INVALID_PARAMETERS
    assert guest.status(settle(1, 0xC0)) is Status.NOT_SUPPORTED
    assert guest.status(settle(1, pinctrl.ConfigType.BIAS_PULL_UP)) is Status.IN_USE
    assert state_of(busy.platform) == before
