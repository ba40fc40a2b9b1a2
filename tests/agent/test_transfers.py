"""Commands and their answers, whatever the platform makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.agent import Agent, Event, Interrupt, Raw, Stray
from scmictl.agent.transfers import Transfer
from scmictl.errors import (
    DeviceGone,
    Interrupted,
    NotOffered,
    RemoteProtocolError,
    ScmictlError,
    StatusError,
    TransferTimeout,
)
from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import Choices

SUCCESS = bytes(4)
VERSIONS = {0x10: 0x20001, 0x14: 0x30000, 0x15: 0x30001}
ASYNC = clock.RateSet(flags=clock.RateSetFlags(async_=True), clock_id=2, rate=800_000_000)
# Reference part A, section 11: the delayed response to the request above.
COMPLETE = bytes.fromhex("00000000 02000000 0008af2f 00000000")


def success(payload: bytes) -> Callable[[bytes], bytes]:
    return lambda frame: frame[:4] + SUCCESS + payload


def version_only(frame: bytes) -> bytes | None:
    """Answer BASE PROTOCOL_VERSION and nothing else: a device that is slow, not dead."""
    if frame[:4][0] == 0 and int.from_bytes(frame[:4], "little") >> 10 & 0xFF == 0x10:
        return frame[:4] + SUCCESS + bytes.fromhex("01000200")
    return None


def delayed_header(frame: bytes) -> bytes:
    word = int.from_bytes(frame[:4], "little") | 2 << 8
    return word.to_bytes(4, "little")


def test_a_response_is_returned_as_the_type_its_request_declares(agent: Any, peer: Any) -> None:
    peer.answer = success(bytes.fromhex("00366e01 00000000"))
    response = agent.call(clock.RateGet(clock_id=3))
    assert type(response) is clock.RateGetResponse
    assert response.rate == 24_000_000
    assert peer.frames[0][4:] == bytes.fromhex("03000000")


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [(-3, "DENIED", 23), (-4, "NOT_FOUND", 24), (-12, "PARTIAL_ERROR", 32),
     (-130, "VENDOR(-130)", 39), (-20, "RESERVED(-20)", 39), (7, "RESERVED(7)", 39)],
)  # fmt: skip
def test_a_status_other_than_success_is_an_error_with_its_exit_code(
    agent: Any, peer: Any, status: int, name: str, code: int
) -> None:
    peer.answer = lambda frame: frame[:4] + status.to_bytes(4, "little", signed=True)
    with pytest.raises(StatusError) as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert (caught.value.status, caught.value.name, caught.value.exit_code) == (status, name, code)
    assert caught.value.request == "CLOCK_RATE_GET"


def test_what_follows_an_error_status_is_not_read(agent: Any, peer: Any) -> None:
    peer.answer = lambda frame: frame[:4] + bytes.fromhex("fdffffff 00366e01 00000000")
    with pytest.raises(StatusError):
        agent.call(clock.RateGet(clock_id=3))


def test_surplus_bytes_of_a_response_are_kept(agent: Any, peer: Any) -> None:
    peer.answer = success(bytes.fromhex("01000000"))
    response = agent.call(sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=NotifyEnable(1)))
    assert response.surplus == bytes.fromhex("01000000")


@pytest.mark.parametrize("length", range(16))
def test_a_response_shorter_than_its_fixed_part_is_a_remote_fault(
    agent: Any, peer: Any, length: int
) -> None:
    peer.answer = lambda frame: (frame[:4] + bytes(12))[:length]
    with pytest.raises(RemoteProtocolError) as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert caught.value.exit_code == 5
    assert "expected" in caught.value.message


@pytest.mark.parametrize(
    ("flip", "what"),
    [(1 << 18, "token"), (3 << 8, "message type"), (1 << 10, "protocol"), (1, "message id")],
)
def test_a_response_that_is_not_the_requests_own_is_a_remote_fault(
    agent: Any, peer: Any, flip: int, what: str
) -> None:
    peer.answer = lambda frame: (
        (int.from_bytes(frame[:4], "little") ^ flip).to_bytes(4, "little") + bytes(12)
    )
    with pytest.raises(RemoteProtocolError, match=f"has {what} 0x") as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert caught.value.exit_code == 5


def test_the_reserved_bits_of_a_response_header_are_ignored(agent: Any, peer: Any) -> None:
    peer.answer = lambda frame: frame[:3] + bytes([frame[3] | 0xF0]) + bytes(12)
    assert agent.call(clock.RateGet(clock_id=3)).rate == 0


def test_tokens_count_up_and_wrap_after_1024(agent: Any, peer: Any) -> None:
    peer.answer = version_only
    for _ in range(1026):
        agent.call(base.ProtocolVersion())
    assert peer.tokens == [*range(1024), 0, 1]


def test_responses_may_come_in_any_order(agent: Any, peer: Any, time: Any) -> None:
    transfers = [agent.submit(clock.RateGet(clock_id=n)) for n in range(3)]
    agent.dispatch(time.now())
    for place in (2, 0, 0):
        number = peer.kept[place][1][4]
        peer.respond(SUCCESS + bytes([number, 0, 0, 0]) + bytes(4), to=place)
    agent.collect(transfers)
    assert [t.result().rate for t in transfers] == [0, 1, 2]


def test_independent_requests_reach_the_platform_together(agent: Any, peer: Any, time: Any) -> None:
    for number in range(100):
        agent.submit(clock.RateGet(clock_id=number))
    assert peer.frames == []
    agent.dispatch(time.now())
    assert len(peer.frames) == 100


def test_a_full_ring_makes_submit_wait_for_a_slot(make: Any, peer: Any) -> None:
    agent = make(choices=Choices(queue_size=4), offered=0)
    assert agent.link.depth == 2
    peer.answer = success(bytes(8))
    transfers = [agent.submit(clock.RateGet(clock_id=n)) for n in range(9)]
    agent.collect(transfers)
    assert all(t.result().rate == 0 for t in transfers)


def test_a_slow_command_times_out_when_the_device_answers_others(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.answer = version_only
    with pytest.raises(TransferTimeout, match="no response within 1 s") as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert caught.value.exit_code == 4
    assert len(peer.frames) == 2, "one PROTOCOL_VERSION finds out"


def test_a_queue_that_answers_nothing_at_all_is_dead(agent: Any, peer: Any, time: Any) -> None:
    with pytest.raises(DeviceGone, match="its command queue is dead") as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert caught.value.exit_code == 12
    assert time.now() == pytest.approx(1002.0), "the same time limit once more for the question"


def test_an_answer_that_comes_while_the_device_is_asked_is_still_good(
    agent: Any, peer: Any, time: Any
) -> None:
    def pass_the_deadline() -> None:
        time.time += 1.0

    time.on_wait = [pass_the_deadline, lambda: peer.respond(SUCCESS + bytes(8))]
    assert agent.call(clock.RateGet(clock_id=3)).rate == 0


def test_a_late_response_is_a_stray_and_its_token_waits_for_it(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.answer = version_only
    with pytest.raises(TransferTimeout):
        agent.call(clock.RateGet(clock_id=3))
    for _ in range(1023):
        agent.call(base.ProtocolVersion())
    assert peer.tokens.count(0) == 1, "token 0 is in quarantine"
    peer.respond(SUCCESS + bytes(8))
    (stray,) = agent.dispatch(time.now())
    assert isinstance(stray, Stray)
    assert "CLOCK_RATE_GET after its time limit" in stray.reason
    for _ in range(1024):
        agent.call(base.ProtocolVersion())
    assert peer.tokens.count(0) == 2, "and free again"


def test_a_delayed_response_completes_an_asynchronous_command(
    make: Any, peer: Any, time: Any
) -> None:
    agent = make(versions=VERSIONS)
    peer.answer = lambda frame: frame[:4] + SUCCESS
    transfer = agent.submit(ASYNC)
    agent.dispatch(time.now())
    assert (transfer.answered, transfer.done) == (True, False)
    peer.event(delayed_header(peer.frames[0]) + COMPLETE)
    agent.collect([transfer])
    assert transfer.delayed == clock.RateSetComplete(clock_id=2, rate=800_000_000)


def test_complete_returns_the_delayed_response(make: Any, peer: Any, time: Any) -> None:
    agent = make(versions=VERSIONS)
    peer.answer = lambda frame: frame[:4] + SUCCESS
    time.on_wait = [lambda: peer.event(delayed_header(peer.frames[0]) + COMPLETE)]
    assert agent.complete(ASYNC).rate == 800_000_000


def test_a_delayed_response_may_overtake_its_response(make: Any, peer: Any, time: Any) -> None:
    agent = make(versions=VERSIONS)
    transfer = agent.submit(ASYNC)
    agent.dispatch(time.now())
    peer.event(delayed_header(peer.frames[0]) + COMPLETE)
    agent.dispatch(time.now())
    assert not transfer.done
    peer.respond(SUCCESS)
    agent.collect([transfer])
    assert transfer.delayed is not None
    assert transfer.delayed.rate == 800_000_000


def test_a_delayed_response_with_an_error_status_is_that_error(
    make: Any, peer: Any, time: Any
) -> None:
    agent = make(versions=VERSIONS)
    peer.answer = lambda frame: frame[:4] + SUCCESS
    time.on_wait = [lambda: peer.event(delayed_header(peer.frames[0]) + bytes.fromhex("fdffffff"))]
    with pytest.raises(StatusError, match="CLOCK_RATE_SET_COMPLETE: DENIED"):
        agent.complete(ASYNC)


def test_no_delayed_response_follows_a_refused_command(make: Any, peer: Any) -> None:
    agent = make(versions=VERSIONS)
    peer.answer = lambda frame: frame[:4] + bytes.fromhex("faffffff")
    with pytest.raises(StatusError, match="BUSY"):
        agent.complete(ASYNC)
    assert agent.in_flight == 0


def test_a_delayed_response_has_its_own_time_limit(make: Any, peer: Any, time: Any) -> None:
    agent = make(versions=VERSIONS, delayed_timeout=7.0)
    peer.answer = lambda frame: version_only(frame) or frame[:4] + SUCCESS
    with pytest.raises(TransferTimeout, match="no delayed response within 7 s"):
        agent.complete(ASYNC)


def test_a_second_delayed_response_is_a_stray(make: Any, peer: Any, time: Any) -> None:
    agent = make(versions=VERSIONS)
    peer.answer = lambda frame: frame[:4] + SUCCESS
    transfer = agent.submit(ASYNC)
    agent.dispatch(time.now())
    for _ in range(2):
        peer.event(delayed_header(peer.frames[0]) + COMPLETE)
    done, stray = agent.dispatch(time.now())
    assert done is transfer
    assert isinstance(stray, Stray)


def test_without_an_event_queue_asking_for_events_is_refused_before_anything_is_sent(
    make: Any, peer: Any
) -> None:
    agent = make(offered=0, versions=VERSIONS)
    for request in (
        ASYNC,
        sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=NotifyEnable(1)),
        sensor.ReadingGet(sensor_id=0, flags=sensor.ReadingGetFlags(async_=True)),
    ):
        with pytest.raises(NotOffered) as caught:
            agent.call(request)
        assert caught.value.exit_code == 7
    assert peer.frames == []


def test_switching_a_notification_off_needs_no_event_queue(make: Any, peer: Any) -> None:
    agent = make(offered=0)
    peer.answer = success(b"")
    agent.call(sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=NotifyEnable(0)))


def test_an_interrupt_leaves_the_connection_usable(agent: Any, peer: Any, time: Any) -> None:
    time.interrupt = Interrupt()
    time.on_wait = [time.interrupt.set]
    with pytest.raises(Interrupted):
        agent.call(clock.RateGet(clock_id=3))
    time.interrupt.clear()
    assert agent.in_flight == 1, "the command is still out, its token reserved"
    peer.answer = version_only
    assert agent.call(base.ProtocolVersion()).version == 0x20001
    assert peer.tokens == [0, 1]


def test_raw_bytes_go_out_and_come_back_as_they_are(agent: Any, peer: Any) -> None:
    peer.answer = lambda frame: frame[:4] + bytes.fromhex("fcffffff 99")
    transfer: Transfer[Any] = agent.submit(Raw(0x14, 0x5, b"\1\2\3"))
    agent.collect([transfer])
    assert peer.frames[0][4:] == b"\1\2\3"
    assert (transfer.status, transfer.payload) == (-4, bytes.fromhex("fcffffff 99"))


def test_closing_fails_what_is_pending_and_closes_the_far_end(agent: Any, peer: Any) -> None:
    transfer = agent.submit(clock.RateGet(clock_id=1))
    agent.close()
    agent.close()
    assert peer.closed
    with pytest.raises(DeviceGone):
        transfer.result()


def test_unasked_frames_are_reported_and_harm_nothing(agent: Any, peer: Any, time: Any) -> None:
    peer.event(b"")
    peer.event(b"\1\2")
    peer.event(bytes.fromhex("00500400 00000000"))  # a response, on the event queue
    peer.event(bytes.fromhex("00510400"))  # a reserved type
    peer.event(bytes.fromhex("05520400"))  # a delayed response nobody waits for
    happened = agent.dispatch(time.now())
    assert [type(item) for item in happened] == [Stray] * 5


def test_a_notification_of_a_protocol_we_do_not_know_keeps_its_bytes(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.event(bytes.fromhex("07ff0300 aabb"))
    (event,) = agent.dispatch(time.now())
    assert isinstance(event, Event)
    assert (event.message, event.payload) == (None, bytes.fromhex("aabb"))
    assert event.header.protocol_id == 0xFF


def test_a_notification_too_short_to_decode_keeps_its_bytes_and_says_why(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.event(bytes.fromhex("00570000 01000000"))
    (event,) = agent.dispatch(time.now())
    assert isinstance(event, Event)
    assert event.message is None
    assert event.error is not None
    assert "expected" in event.error.message


class Noise:
    """A far end that answers every request with the next of some arbitrary frames."""

    def __init__(self, answers: list[bytes], events: list[bytes]) -> None:
        self.answers = answers
        self.events = events

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        if not self.answers:
            return frame[:4] + bytes(32)
        # Mostly under the right header, or nothing behind it would ever be looked at.
        answer = self.answers.pop()
        return answer[1:] if answer[:1] == b"\0" else frame[:4] + answer

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due, self.events = self.events, []
        return [(None, event) for event in due]

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


FRAMES = st.lists(st.binary(max_size=80), max_size=12)
NOTIFICATIONS = st.lists(
    st.builds(
        lambda protocol, message, payload: (message | 3 << 8 | protocol << 10).to_bytes(4, "little")
        + payload,
        st.sampled_from([0x10, 0x14, 0x15, 0x80]),
        st.integers(0, 3),
        st.binary(max_size=80),
    )
    | st.binary(max_size=80),
    max_size=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(answers=FRAMES, events=NOTIFICATIONS)
def test_arbitrary_bytes_from_the_platform_never_crash_the_agent(
    answers: list[bytes], events: list[bytes]
) -> None:
    agent = Agent(InProcess(Noise(answers, events)), timeout=0.0, delayed_timeout=0.0)
    steps: list[Callable[[], object]] = [
        lambda: agent.discover(clock.PROTOCOL),
        lambda: agent.listing(clock.DescribeRates(clock_id=0, rate_index=0)).items,
        lambda: agent.listing(base.DiscoverListProtocols(skip=0)).items,
        lambda: agent.discover(sensor.PROTOCOL),
        lambda: agent.call(sensor.ReadingGet(sensor_id=0)),
        lambda: agent.complete(ASYNC),
    ]
    for step in steps:
        try:
            step()
        except ScmictlError:
            pass
    agent.close()
