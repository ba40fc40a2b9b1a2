"""What every command goes through: header, size, permission, room; and hostile bytes."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import protocols
from scmictl.platform import Platform, Port, board
from scmictl.platform.platform import BEHAVIOURS
from scmictl.protocols import base, clock, perf, power, sensor, version_text
from scmictl.wire import Status, codec, header

CLOCKS = """
[[clock]]
name = "osc"
rate = 24_000_000
[[clock]]
name = "pll"
rates = ["600MHz", "800MHz"]
[[clock]]
name = "gpu"
rates = { lowest = "1MHz", highest = "1.2GHz", step = "1kHz" }
latency = "10ms"
"""


# --- bytes of the reference, part A section 11 ----------------------------------------------------


def test_the_version_of_base_is_answered_as_in_the_reference(connect: Any) -> None:
    assert connect(CLOCKS).raw("00 40 04 00") == "00400400 00000000 01000200"


def test_a_triplet_is_answered_as_in_the_reference(connect: Any) -> None:
    assert connect(CLOCKS).raw("04 50 1c 00 02 00 00 00 00 00 00 00") == (
        "04501c00 00000000 03100000 40420f00 00000000 008c8647 00000000 e8030000 00000000"
    )


def test_an_asynchronous_rate_change_is_answered_as_in_the_reference(connect: Any) -> None:
    agent = connect(CLOCKS)
    asked = agent.raw("05 50 24 00 01 00 00 00 02 00 00 00 00 08 af 2f 00 00 00 00")
    assert asked == "05502400 00000000"
    agent.now = agent.port.next_deadline()
    assert [frame.hex(" ", 4) for frame in agent.poll()] == [
        "05522400 00000000 02000000 0008af2f 00000000"
    ]


def test_enabling_a_clock_has_three_words_from_version_3_and_two_before(connect: Any) -> None:
    agent = connect(CLOCKS)
    gpu = agent.platform.behaviours[clock.ID].clocks[2]
    assert agent.raw("07 50 28 00 02 00 00 00 01 00 00 00") == "07502800 f6ffffff"
    assert not gpu.enabled
    assert agent.raw("07 50 28 00 02 00 00 00 01 00 00 00 00 00 00 00") == "07502800 00000000"
    assert gpu.enabled
    older = connect('[versions]\nclock = "2.0"\n' + CLOCKS)
    assert older.raw("07 50 28 00 02 00 00 00 01 00 00 00 00 00 00 00") == "07502800 f6ffffff"
    assert older.raw("07 50 28 00 02 00 00 00 01 00 00 00") == "07502800 00000000"
    assert older.platform.behaviours[clock.ID].clocks[2].enabled


def test_protocols_are_listed_four_to_a_word(connect: Any) -> None:
    # The layout of the reference's example, with the two protocols we have.
    agent = connect(CLOCKS + '[[sensor]]\nname = "t"\ntype = "kelvin"\n')
    assert agent.raw("06 40 08 00 00 00 00 00") == "06400800 00000000 02000000 14150000"


# --- header and size ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "00", "00 40 04"])
def test_a_frame_without_a_header_has_no_answer(connect: Any, text: str) -> None:
    assert connect(CLOCKS).raw(text) is None


@pytest.mark.parametrize("room", [0, 4, 7])
def test_where_no_status_fits_nothing_is_answered_and_nothing_done(connect: Any, room: int) -> None:
    agent = connect(CLOCKS)
    assert agent.raw("07 50 28 00 02 00 00 00 01 00 00 00 00 00 00 00", room) is None
    assert not agent.platform.behaviours[clock.ID].clocks[2].enabled


def test_the_header_comes_back_as_it_was_also_its_reserved_bits(connect: Any) -> None:
    agent = connect(CLOCKS)
    assert agent.words(0xFFFC4000) == [0xFFFC4000, 0, 0x20001]
    assert agent.words(0x50005003) == [0x50005003, 0xFFFFFFF6]


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_only_the_message_type_of_a_command_is_understood(connect: Any, kind: int) -> None:
    agent = connect(CLOCKS)
    assert agent.words(0x4000 | kind << 8) == [0x4000 | kind << 8, 0xFFFFFFF6]


@pytest.mark.parametrize("protocol", [0x00, 0x11, 0x15, 0x1F, 0x80, 0xFF])
def test_a_protocol_that_is_not_there_is_not_supported(connect: Any, protocol: int) -> None:
    assert connect(CLOCKS).words(protocol << 10) == [protocol << 10, 0xFFFFFFFF]


@pytest.mark.parametrize("message_id", [0x8, 0x11, 0x7F, 0xFF])
def test_a_message_that_is_not_there_is_not_found(connect: Any, message_id: int) -> None:
    word = 0x14 << 10 | message_id
    agent = connect(CLOCKS)  # no clock has a long name, so even CLOCK_NAME_GET is missing
    assert agent.words(word, 0) == [word, 0xFFFFFFFC]
    assert agent.status(clock.MessageAttributes(message_id=message_id)) is Status.NOT_FOUND


@pytest.mark.parametrize("message_id", [0x100, 0x10003, 0xFFFFFFFF])
def test_a_message_id_of_more_than_a_byte_is_not_found(connect: Any, message_id: int) -> None:
    assert (
        connect(CLOCKS).status(clock.MessageAttributes(message_id=message_id)) is Status.NOT_FOUND
    )


def every_request() -> list[tuple[Any, int]]:
    return [
        (request, version)
        for behaviour in Platform.from_board("demo").behaviours.values()
        for request in behaviour.PROTOCOL.requests
        for version in behaviour.PROTOCOL.versions
        if version >= request.SINCE
    ]


@pytest.mark.parametrize(("request_class", "version"), every_request())
def test_every_command_has_exactly_its_size(request_class: Any, version: int) -> None:
    platform = Platform.from_board("demo")
    port = platform.attach()
    protocol = request_class.PROTOCOL_ID
    port.versions[protocol] = version
    word = (protocol << 10 | request_class.MESSAGE_ID).to_bytes(4, "little")
    size = sum(field.size for field in request_class.layout(version))
    # 0xFF…: whatever else could be wrong with the message, its size is looked at first.
    for wrong in {0, 4, 8, 12, 16, 20, size - 1, size + 1, size + 4} - {size, -1}:
        answer = port.handle(0, word + b"\xff" * wrong, 8192, 0.0)
        assert answer == word + b"\xf6\xff\xff\xff"
    answer = port.handle(0, word + bytes(size), 8192, 0.0)
    assert answer is not None
    assert answer[4:8] != b"\xf6\xff\xff\xff"


@pytest.mark.parametrize(
    ("request_class", "version"),
    # Virtio excludes fast channels.
    [each for each in every_request() if each[0] is not perf.DescribeFastchannel],
)
def test_every_message_says_of_itself_that_it_exists(
    connect: Any, request_class: Any, version: int
) -> None:
    agent = connect(Platform.from_board("demo"))
    agent.port.versions[request_class.PROTOCOL_ID] = version
    asking = protocols.by_id(request_class.PROTOCOL_ID).by_id[0x2]  # type: ignore[union-attr]
    says = agent.ask(asking(message_id=request_class.MESSAGE_ID)).attributes
    # The one message of which the reference has something to say: warm reset and suspend.
    assert says == (0b11 << 30 if request_class.SPEC == "SYSTEM_POWER_STATE_SET" else 0)


# --- room -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_message", "room"),
    [
        (base.ProtocolVersion(), 12),
        (base.DiscoverVendor(), 24),
        (base.DiscoverAgent(agent_id=1), 28),
        (clock.Attributes(clock_id=0), 32),
        (clock.RateGet(clock_id=0), 16),
        (clock.DescribeRates(clock_id=10, rate_index=0), 36),
        (sensor.ReadingGet(sensor_id=0), 24),
        (sensor.ProtocolAttributes(), 24),
        (sensor.ListUpdateIntervals(sensor_id=9, index=0), 24),
    ],
)
def test_an_answer_that_does_not_fit_is_a_protocol_error(
    connect: Any, request_message: Any, room: int
) -> None:
    agent = connect(Platform.from_board("demo"))
    assert len(agent.send(request_message, room)) == room
    for less in range(8, room):
        assert agent.status(request_message, less) is Status.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("request_message", "first"),
    [
        (base.DiscoverListProtocols(skip=0), 16),
        (clock.DescribeRates(clock_id=3, rate_index=0), 20),
        (clock.PossibleParentsGet(clock_id=1, skip_parents=0), 16),
        (sensor.DescriptionGet(desc_index=0), 64),
        (sensor.AxisDescriptionGet(sensor_id=9, axis_desc_index=0), 60),
        (sensor.AxisNameGet(sensor_id=10, axis_id=0), 80),
        (sensor.ListUpdateIntervals(sensor_id=0, index=0), 16),
    ],
)
def test_a_list_has_as_many_entries_as_fit_and_at_least_one(
    connect: Any, request_message: Any, first: int
) -> None:
    agent = connect(Platform.from_board("demo"))
    assert agent.status(request_message, first - 1) is Status.PROTOCOL_ERROR
    whole = agent.every(request_message, 8192)
    for room in (first, first + 1, first + 7, 136, 256):
        assert agent.every(request_message, room) == whole
    setattr(request_message, request_message.PAGING.start, 0)
    page = agent.ask(request_message, first)
    # Protocols are listed four to a word.
    fits = 4 if request_message.PROTOCOL_ID == base.ID else 1
    assert len(getattr(page, request_message.PAGING.items)) == fits


def test_136_bytes_hold_what_linux_expects(connect: Any) -> None:
    rates = ", ".join(str(1_000_000 * n) for n in range(1, 41))
    parents = "".join(f'[[clock]]\nname = "p{n}"\nrate = "1GHz"\n' for n in range(40))
    names = ", ".join(f'"p{n}"' for n in range(40))
    agent = connect(f'{parents}[[clock]]\nname = "c"\nrates = [{rates}]\nparents = [{names}]\n')
    page = agent.ask(clock.DescribeRates(clock_id=40, rate_index=0), 136)
    assert (len(page.rates), page.num_rates_flags.num_remaining) == (15, 25)
    parents_page = agent.ask(clock.PossibleParentsGet(clock_id=40, skip_parents=0), 136)
    assert len(parents_page.possible_parents) == 31
    assert parents_page.num_parent_flags.num_remaining == 9


# --- hostile bytes --------------------------------------------------------------------------------

AGENTS = (("ospm", True), ("guest", True), ("bmc", False), ("ospm", True))
"""Who speaks on the demo board, and whether there is a channel back."""
PROTOCOLS = [protocols.by_name(name) for name in BEHAVIOURS]
WHOLE = 8192


@pytest.fixture(scope="module")
def ports() -> list[Port]:
    oldest = {protocol.name: version_text(protocol.versions[0]) for protocol in PROTOCOLS}
    table = board.load("demo")
    table.values["versions"] = oldest
    platforms = Platform.from_board("demo"), Platform(table)
    return [
        platform.attach(name, events=events) for platform in platforms for name, events in AGENTS
    ]


def known_words() -> st.SearchStrategy[bytes]:
    """Headers of messages that exist, followed by small numbers: they get far."""
    first = st.builds(
        lambda protocol, message, token: protocol << 10 | message | token << 18,
        st.sampled_from([protocol.id for protocol in PROTOCOLS]),
        st.integers(0, 0x11),
        st.integers(0, 1023),
    )
    word = st.one_of(st.integers(0, 16), st.integers(0, 0xFFFFFFFF))
    return st.builds(
        lambda first, rest: b"".join(value.to_bytes(4, "little") for value in [first, *rest]),
        first,
        st.lists(word, max_size=5),
    )


def answered_legally(port: Port, frame: bytes, room: int, now: float) -> None:
    """Give a frame to the platform, and check all that it says then."""
    versions = dict(port.versions)
    answer = port.handle(1, frame, room, now)
    word = int.from_bytes(frame[:4], "little")
    protocol, message_id = protocols.by_id(word >> 10 & 0xFF), word & 0x3FF
    if answer is not None:
        assert 8 <= len(answer) <= room
        assert answer[:4] == frame[:4]
        if answer[4:8] != bytes(4):
            assert len(answer) == 8
            assert -11 <= int.from_bytes(answer[4:8], "little", signed=True) < 0
        else:
            assert protocol is not None
            request = protocol.by_id[message_id]
            version = versions[protocol.id]
            if not codec.decode(request, version, frame[4:]).expects_delayed:
                assert not codec.decode(request.RESPONSE, version, answer[8:]).surplus
    elif len(frame) >= 4 and room >= 8:
        # Held back until a power domain has reached its state.
        assert (word >> 10 & 0xFF, message_id) == (power.ID, power.StateSet.MESSAGE_ID)
    heard_legally(port, now)


def heard_legally(port: Port, now: float) -> None:
    """Take what comes by itself, and check it."""
    for cookie, frame in port.poll(now):
        word = int.from_bytes(frame[:4], "little")
        protocol, kind = protocols.by_id(word >> 10 & 0xFF), word >> 8 & 3
        assert protocol is not None
        if cookie is not None:
            assert (cookie, kind, len(frame)) == (1, header.COMMAND, 8)
            continue
        assert port.events
        version = port.versions[protocol.id]
        if kind == header.NOTIFICATION:
            event = protocol.events_by_id[word & 0xFF]
            assert not codec.decode(event, version, frame[4:]).surplus
            continue
        assert kind == header.DELAYED
        delayed = protocol.by_id[word & 0xFF].DELAYED
        assert delayed is not None
        if frame[4:8] != bytes(4):
            assert len(frame) == 8
        else:
            assert not codec.decode(delayed, version, frame[8:]).surplus
    deadline = port.next_deadline()
    assert deadline is None or deadline > now


@settings(max_examples=400, deadline=None)
@given(
    frame=st.one_of(known_words(), st.binary(max_size=64)),
    room=st.one_of(st.sampled_from([0, 7, 8, 12, 24, 136, WHOLE]), st.integers(0, 300)),
    late=st.floats(0, 2),
    which=st.integers(0, 2 * len(AGENTS) - 1),
)
def test_whatever_comes_is_answered_legally_or_not_at_all(
    ports: list[Port], frame: bytes, room: int, late: float, which: int
) -> None:
    port = ports[which]
    answered_legally(port, frame, room, port.platform.now + late)


def converse(demo: Any, chatter: Any, state_of: Any, seed: int, length: int) -> None:
    """Have several agents say what makes sense, damaged now and then, while time goes by.

    Their platform has one of the versions of each protocol; they come and go.
    """
    pick = random.Random(seed)
    platform = demo(**{p.name: version_text(pick.choice(p.versions)) for p in PROTOCOLS})
    talk = chatter(platform, seed)
    ports = [platform.attach(name, events=events) for name, events in AGENTS]
    now = 0.0
    for token in range(length):
        which = pick.randrange(len(ports))
        request, version = talk.request(ports[which].versions)
        frame = bytearray(codec.frame(request, version, token % header.TOKENS))
        deed = pick.random()
        if deed < 0.05:
            frame[pick.randrange(len(frame))] ^= 1 << pick.randrange(8)
        elif deed < 0.07:
            del frame[pick.randrange(len(frame)) :]
        elif deed < 0.09:
            frame += pick.randbytes(pick.randrange(1, 9))
        elif deed < 0.1:
            ports[which].close()
            ports[which] = platform.attach(AGENTS[which][0], events=AGENTS[which][1])
        answered_legally(ports[which], bytes(frame), talk.room(), now)
        if pick.random() < 0.2:
            now += pick.choice((0.0002, 0.002, 0.02, 0.5, 30.0))
            for port in ports:
                heard_legally(port, now)
    state_of(platform)


@pytest.mark.parametrize("seed", range(20))
def test_agents_that_say_anything_are_answered_legally(
    demo: Any, chatter: Any, state_of: Any, seed: int
) -> None:
    converse(demo, chatter, state_of, seed, 400)


@pytest.mark.fuzz
def test_agents_that_say_anything_for_a_long_time_are_answered_legally(
    demo: Any, chatter: Any, state_of: Any
) -> None:
    for seed in range(1000, 1600):
        converse(demo, chatter, state_of, seed, 1000)
