"""Every fault of a platform against the agent, in this process and over a served socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Agent, Event, Interrupt, Lost, Reconnected, Stray, Waiter, connect, inbox
from scmictl.errors import (
    DeviceGone,
    Interrupted,
    NotOffered,
    RemoteProtocolError,
    ScmictlError,
    StatusError,
    TransferTimeout,
)
from scmictl.platform import Platform
from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.transport.inprocess import InProcess
from scmictl.wire import Status

BOARD = str(Path(__file__).parent / "faults.toml")
RATE = clock.RateGet(clock_id=0)
SLOW_S = 0.1
"""The time limit of the tests in which something takes too long."""

Reach = Callable[..., Agent]


@pytest.fixture(params=["sim", "vhost-user"])
def reach(request: Any, time: Any, serve: Callable[..., str]) -> Iterator[Reach]:
    """Return a function that connects to a platform with faults.

    ``sim`` has no descriptors to wait for, so time can be passed; a socket needs a real clock.
    """
    opened: list[Agent] = []

    def connect_to(faults: str, options: str = "", **more: Any) -> Agent:
        if request.param == "sim":
            uri = f"sim:{BOARD}?fault={faults}{options}"
            opened.append(connect(uri, waiter=time, **more))
        else:
            uri = f"vhost-user:{serve(BOARD, faults=faults)}?wait=5s{options}"
            opened.append(connect(uri, waiter=Waiter(), **more))
        return opened[-1]

    yield connect_to
    for agent in opened:
        agent.close()


def incident(agent: Agent) -> Any:
    """Return the next that comes unasked."""
    return next(agent.notifications(agent.waiter.now() + 20))


def setting(rate: int) -> clock.RateSet:
    return clock.RateSet(flags=clock.RateSetFlags(async_=True), clock_id=0, rate=rate)


def updates(agent: Agent) -> None:
    agent.subscribe(sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=NotifyEnable(1)))


# --- time -----------------------------------------------------------------------------------------


def test_a_late_response_is_a_response(reach: Reach) -> None:
    agent = reach("late:20ms")
    transfer = agent.submit(RATE)
    agent.collect([transfer])
    assert transfer.result().rate == 24000000
    assert transfer.latency is not None
    assert transfer.latency > 0.0199


def test_late_responses_of_many_commands_each_find_their_own(reach: Reach) -> None:
    agent = reach("late:50%:3ms,late:30%:10ms")
    transfers = [agent.submit(RATE) for _ in range(300)]
    agent.collect(transfers)
    assert {t.result().rate for t in transfers} == {24000000}


def test_a_response_after_its_time_limit_is_a_timeout_and_then_a_stray(reach: Reach) -> None:
    agent = reach("overdue:300ms:1@clock.RATE_GET", timeout=SLOW_S)
    with pytest.raises(TransferTimeout, match=r"no response within 0\.1 s") as caught:
        agent.call(RATE)
    assert caught.value.exit_code == 4
    assert agent.call(RATE).rate == 24000000
    stray = incident(agent)
    assert isinstance(stray, Stray)
    assert stray.reason.startswith("a response of CLOCK_RATE_GET after its time limit")


def test_with_every_command_overdue_the_device_still_counts_as_alive(reach: Reach) -> None:
    agent = reach("overdue", timeout=SLOW_S)
    for _ in range(2):
        with pytest.raises(TransferTimeout):
            agent.call(RATE)


def test_no_time_at_all_is_a_timeout_and_not_the_end_of_the_device(reach: Reach) -> None:
    agent = reach("late:30ms@clock", timeout=0.0)
    with pytest.raises(TransferTimeout, match="no response within 0 s"):
        agent.call(RATE)


# --- delayed responses ----------------------------------------------------------------------------


def test_a_delayed_response_before_its_response_completes_the_command(reach: Reach) -> None:
    agent = reach("early:20ms")
    transfer = agent.submit(setting(12000000))
    agent.collect([transfer])
    assert transfer.result() is not None
    assert isinstance(transfer.delayed, clock.RateSetComplete)
    assert transfer.delayed.rate == 12000000
    assert agent.call(RATE).rate == 12000000


def test_a_delayed_response_that_comes_twice_is_a_stray_the_second_time(reach: Reach) -> None:
    agent = reach("duplicate-delayed")
    assert agent.complete(setting(12000000)).rate == 12000000
    stray = incident(agent)
    assert isinstance(stray, Stray)
    assert "delayed_response that nobody waits for" in stray.reason


# --- what the response says -----------------------------------------------------------------------


def test_a_response_that_comes_twice_is_a_stray_the_second_time(reach: Reach) -> None:
    agent = reach("duplicate:1")
    assert agent.call(RATE).rate == 24000000
    stray = incident(agent)
    assert isinstance(stray, Stray)
    assert "on the event queue" in stray.reason
    assert agent.call(RATE).rate == 24000000


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("wrong-token", "has token 0x3ff, expected 0x0"),
        ("wrong-type", "has message type 0x2, expected 0x0"),
        ("short", "4 bytes left for rate, expected 8"),
        ("short:9B", "the answer has 3 payload bytes, expected at least the 4 of the status"),
        ("short:12B", "0 payload bytes"),
        ("short:14B", "a frame of 2 bytes, expected at least the 4 of the header"),
        ("short:99B", "a frame of 0 bytes"),
    ],
)
def test_a_broken_response_ends_its_command_alone(reach: Reach, fault: str, seen: str) -> None:
    agent = reach(f"{fault}:1@clock.RATE_GET", versions={0x14: 0x30000})
    with pytest.raises(RemoteProtocolError, match=seen) as caught:
        agent.call(RATE)
    assert caught.value.exit_code == 5
    assert caught.value.message.startswith("CLOCK_RATE_GET: ")
    assert agent.call(RATE).rate == 24000000


def test_of_many_commands_only_the_broken_ones_fail(reach: Reach) -> None:
    agent = reach("wrong-token:20%,short:20%@clock.RATE_GET")
    transfers = [agent.submit(RATE) for _ in range(500)]
    agent.collect(transfers)
    good = [t for t in transfers if t.error is None]
    assert 0 < len(good) < 500
    assert {t.result().rate for t in good} == {24000000}
    assert {type(t.error) for t in transfers if t.error} == {RemoteProtocolError}


def test_bytes_behind_a_response_are_kept_and_told(reach: Reach) -> None:
    agent = reach("long:3B")
    seen: list[Any] = []
    agent.on_surplus = seen.append
    response = agent.call(RATE)
    assert (response.rate, response.surplus) == (24000000, b"\xa5" * 3)
    assert [transfer.request for transfer in seen] == [RATE]


def test_an_error_with_all_its_fields_is_an_error(reach: Reach) -> None:
    agent = reach("error:HARDWARE_ERROR:1@clock.RATE_GET")
    transfer = agent.submit(RATE)
    agent.collect([transfer])
    assert isinstance(transfer.error, StatusError)
    assert (transfer.error.status, transfer.error.exit_code) == (Status.HARDWARE_ERROR, 29)
    assert transfer.response is None
    assert transfer.payload == bytes.fromhex("f7ffffff 00366e01 00000000")
    assert agent.call(RATE).rate == 24000000


# --- busy -----------------------------------------------------------------------------------------


def test_a_busy_platform_says_so_as_often_as_it_is(reach: Reach) -> None:
    agent = reach("busy:2@clock.RATE_GET")
    for _ in range(2):
        with pytest.raises(StatusError) as caught:
            agent.call(RATE)
        assert caught.value.exit_code == 26
    assert agent.call(RATE).rate == 24000000


def test_a_busy_platform_is_asked_again_whatever_the_command_was(reach: Reach) -> None:
    agent = reach("busy:30%")
    agent.retry_busy = 10
    assert agent.version(clock.PROTOCOL) == 0x30000
    assert agent.discover(sensor.PROTOCOL).names == ["temp"]
    assert agent.complete(setting(12000000)).rate == 12000000
    transfers = [agent.submit(RATE) for _ in range(300)]
    agent.collect(transfers)
    assert {t.result().rate for t in transfers} == {12000000}
    assert agent.in_flight == 0


def test_when_the_tries_are_used_up_busy_is_the_answer(reach: Reach) -> None:
    agent = reach("busy@clock.RATE_GET")
    agent.retry_busy = 3
    with pytest.raises(StatusError) as caught:
        agent.call(RATE)
    assert caught.value.status == Status.BUSY
    assert agent.in_flight == 0


def test_pauses_before_another_try_double_up_to_a_second(time: Any) -> None:
    with connect(f"sim:{BOARD}?fault=busy@clock.RATE_GET", waiter=time) as agent:
        agent.retry_busy = 9
        start = time.now()
        with pytest.raises(StatusError):
            agent.call(RATE)
        pauses = [0.01 * 2**n for n in range(7)] + [1.0, 1.0]
        assert time.now() - start == pytest.approx(sum(pauses))


def test_what_waits_for_another_try_ends_with_the_connection(time: Any) -> None:
    agent = connect(f"sim:{BOARD}?fault=busy@clock.RATE_GET", waiter=time)
    agent.retry_busy = 9
    transfer = agent.submit(RATE)
    agent.dispatch(time.now())
    assert (transfer.done, agent.in_flight) == (False, 1)
    assert agent.next_deadline() == pytest.approx(time.now() + 0.01)
    agent.close()
    assert isinstance(transfer.error, DeviceGone)
    assert agent.in_flight == 0


def test_whoever_stops_a_command_stops_its_other_tries(time: Any) -> None:
    time.interrupt = interrupt = Interrupt()
    with connect(f"sim:{BOARD}?fault=busy:1@clock.RATE_SET", waiter=time) as agent:
        agent.retry_busy = 9
        transfer = agent.submit(setting(12000000))
        time.on_wait = [interrupt.set]
        with pytest.raises(Interrupted):
            agent.wait_for_response(transfer)
        interrupt.clear()
        agent.pause(1.0)
        assert agent.call(RATE).rate == 24000000
        assert isinstance(transfer.error, Interrupted)
    interrupt.close()


# --- notifications --------------------------------------------------------------------------------


def test_a_lost_notification_does_not_stop_those_behind_it(reach: Reach) -> None:
    agent = reach("lost:3")
    updates(agent)
    event = incident(agent)
    assert isinstance(event, Event)
    assert event.spec == "SENSOR_UPDATE"


def test_a_notification_that_comes_twice_is_two(reach: Reach) -> None:
    agent = reach("duplicate-notification:1")
    updates(agent)
    first, second, third = (incident(agent) for _ in range(3))
    assert first.payload == second.payload
    assert isinstance(third, Event)


def test_a_storm_is_survived_and_what_is_lost_of_it_is_counted(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LIMIT", 100)
    agent = reach("storm:1:3000x@clock.RATE_GET")
    assert [agent.call(RATE).rate for _ in range(200)] == [24000000] * 200
    found = agent.dispatch(agent.waiter.now())
    assert {type(one) for one in found[:100]} == {Event}
    [lost] = found[100:]
    assert isinstance(lost, Lost)
    # The device drops what finds no event buffer for too long.
    assert 0 < lost.number <= 2900


def test_a_storm_over_a_single_event_buffer_lets_commands_through(reach: Reach) -> None:
    agent = reach("storm:2000x", "&event-buffers=1")
    transfers = [agent.submit(RATE) for _ in range(100)]
    agent.collect(transfers)
    assert {t.result().rate for t in transfers} == {24000000}


# --- the end --------------------------------------------------------------------------------------


def test_a_dead_queue_is_the_end_of_the_device(reach: Reach) -> None:
    agent = reach("dead@clock.RATE_GET", timeout=SLOW_S)
    assert agent.call(base.ProtocolVersion()).version == 0x20001
    with pytest.raises(DeviceGone, match="its command queue is dead") as caught:
        agent.call(RATE)
    assert caught.value.exit_code == 12
    with pytest.raises(DeviceGone):
        agent.call(base.ProtocolVersion())


def test_a_dead_queue_takes_the_notifications_along(reach: Reach) -> None:
    agent = reach("dead@clock.RATE_GET", timeout=SLOW_S)
    updates(agent)
    assert isinstance(incident(agent), Event)
    transfer = agent.submit(RATE)
    agent.dispatch(agent.waiter.now())
    with pytest.raises(DeviceGone):
        for _ in agent.notifications(agent.waiter.now() + 20):
            pass
    assert isinstance(transfer.error, DeviceGone)


def test_what_was_answered_before_the_device_hung_up_still_counts(reach: Reach) -> None:
    agent = reach("disconnect:1:+2@clock.RATE_GET", versions={0x14: 0x30000})
    transfers = [agent.submit(RATE) for _ in range(4)]
    with pytest.raises(DeviceGone, match="hung up") as caught:
        agent.collect(transfers)
    assert caught.value.exit_code == 12
    assert [t.result().rate for t in transfers[:2]] == [24000000] * 2
    assert {type(t.error) for t in transfers[2:]} == {DeviceGone}
    with pytest.raises(DeviceGone):
        agent.call(RATE)


@pytest.mark.parametrize("fault", ["disconnect:1@clock.RATE_GET", "dead:1@clock.RATE_GET"])
def test_a_device_that_comes_back_is_found_again(serve: Callable[..., str], fault: str) -> None:
    path = serve(BOARD, faults=fault)
    with connect(f"vhost-user:{path}?reconnect=10s", timeout=SLOW_S) as agent:
        updates(agent)
        with pytest.raises(DeviceGone):
            agent.call(RATE)
        assert agent.call(RATE).rate == 24000000
        seen = [type(incident(agent)) for _ in range(20)]
        assert Reconnected in seen
        assert seen[-1] is Event


def test_a_subscription_that_is_refused_after_a_loss_is_told(time: Any) -> None:
    platforms = [Platform.from_board(BOARD, faults=f) for f in ("disconnect@clock", "busy@sensor")]
    left = iter(platforms)

    def reopen() -> InProcess:
        return InProcess(next(left).attach())

    agent = Agent(reopen(), waiter=time, reopen=reopen, reconnect=5.0)
    updates(agent)
    with pytest.raises(DeviceGone):
        agent.call(RATE)
    assert agent.call(RATE).rate == 24000000
    found = [one for one in agent.dispatch(time.now()) if isinstance(one, Reconnected)]
    [reconnected] = found
    [reason] = reconnected.refused
    assert reason.startswith("SENSOR_CONTINUOUS_UPDATE_NOTIFY: BUSY")
    assert agent.held == []
    agent.close()


def test_the_same_seed_gives_the_same_faults_through_the_queues(reach: Reach) -> None:
    def errors(agent: Agent) -> list[str]:
        transfers = [agent.submit(RATE) for _ in range(100)]
        agent.collect(transfers)
        return [t.error.name if t.error else "ok" for t in transfers]

    spec = "wrong-token:10%,error:DENIED:10%,late:10%:1ms"
    known = {"versions": {0x14: 0x30000}}
    first, again = (errors(reach(spec, **known)) for _ in range(2))
    assert first == again
    assert set(first) == {"ok", "REMOTE_PROTOCOL", "DENIED"}


def test_without_an_event_queue_every_fault_of_a_response_is_the_same(reach: Reach) -> None:
    agent = reach("duplicate,storm,late:5ms", "&features=-p2a")
    assert agent.call(RATE).rate == 24000000
    assert agent.dispatch(agent.waiter.now()) == []
    with pytest.raises(NotOffered):
        updates(agent)


def test_under_everything_at_once_every_command_comes_to_an_end(reach: Reach) -> None:
    agent = reach(
        "late:3%,busy:3%,short:3%,wrong-token:3%,error:3%,long:3%,duplicate:3%,storm:1%:50x"
    )
    try:
        updates(agent)
    except ScmictlError:
        pass  # that is one of the faults
    transfers = [agent.submit(clock.RateGet(clock_id=n % 3)) for n in range(2000)]
    agent.collect(transfers)
    assert all(t.done for t in transfers)
    assert agent.in_flight == 0
