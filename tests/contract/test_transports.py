"""What every way to reach a platform has to do alike: one suite over all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl.agent import Agent, Event, connect
from scmictl.errors import DeviceGone, LocalProtocolError, NotOffered, ScmictlError, UsageError
from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable

TARGETS = ("sim", "vhost-user")
SHAPES = (
    "",
    "features=-indirect",
    "features=-event-idx",
    "features=-indirect,-event-idx",
    "queue-size=2",
    "queue-size=4&features=-indirect&event-buffers=1",
    "queue-size=1024&event-buffers=1024",
    "message-size=136",
)


@pytest.fixture(params=TARGETS)
def reach(request: Any, serve: Callable[..., str]) -> Iterator[Callable[[str], Agent]]:
    """Return a function that connects, with options, to a platform of the demo board."""
    opened: list[Agent] = []

    def connect_to(options: str = "") -> Agent:
        uri = "sim:demo" if request.param == "sim" else f"vhost-user:{serve()}"
        agent = connect(f"{uri}?{options}" if options else uri)
        opened.append(agent)
        return agent

    yield connect_to
    for agent in opened:
        agent.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_commands_are_answered_in_every_shape_of_ring(
    reach: Callable[[str], Agent], shape: str
) -> None:
    agent = reach(shape)
    assert agent.call(base.DiscoverVendor()).vendor_identifier == "scmictl"
    transfers = [agent.submit(base.DiscoverVendor()) for _ in range(300)]
    agent.collect(transfers)
    assert {t.result().vendor_identifier for t in transfers} == {"scmictl"}


@pytest.mark.parametrize("shape", ["", "features=-indirect,-event-idx"])
def test_indices_wrap_at_sixteen_bits(reach: Callable[[str], Agent], shape: str) -> None:
    agent = reach(shape)
    done = 0
    while done < (1 << 16) + 100:
        transfers = [agent.submit(base.ProtocolVersion()) for _ in range(agent.link.depth)]
        agent.collect(transfers)
        assert all(t.error is None for t in transfers)
        done += len(transfers)


def test_lists_come_in_as_many_messages_as_the_room_demands(
    reach: Callable[[str], Agent],
) -> None:
    names = reach("").discover(sensor.PROTOCOL).names
    assert reach("message-size=136").discover(sensor.PROTOCOL).names == names
    assert len(names) > 5


def moving_sensor(agent: Agent) -> int:
    """Return the id of a sensor that can send updates."""
    found = agent.discover(sensor.PROTOCOL)
    return next(
        r.id
        for r in found.resources
        if r.description.sensor_attributes_low.continuous_update_notify
    )


@pytest.mark.parametrize("shape", ["", "features=-event-idx", "event-buffers=1"])
def test_notifications_arrive_while_somebody_waits(
    reach: Callable[[str], Agent], shape: str
) -> None:
    agent = reach(shape)
    number = moving_sensor(agent)
    agent.hold(
        sensor.ConfigSet(sensor_id=number, sensor_config=sensor.ConfigSetWord(1)),
        sensor.ConfigSet(sensor_id=number, sensor_config=sensor.ConfigSetWord(0)),
    )
    agent.subscribe(sensor.ContinuousUpdateNotify(sensor_id=number, notify_enable=NotifyEnable(1)))
    seen = []
    for incident in agent.notifications(agent.waiter.now() + 20):
        assert isinstance(incident, Event)
        assert isinstance(incident.message, sensor.Update)
        seen.append(incident.message.sensor_id)
        if len(seen) == 3:
            break
    assert seen == [number] * 3


def test_a_delayed_response_completes_an_asynchronous_command(
    reach: Callable[[str], Agent],
) -> None:
    agent = reach("")
    number = agent.discover(clock.PROTOCOL).names.index("uart0")
    rate = agent.call(clock.RateGet(clock_id=number)).rate
    request = clock.RateSet(
        flags=clock.RateSetFlags(async_=True, round_auto=True), clock_id=number, rate=rate
    )
    done = agent.complete(request)
    assert (done.clock_id, done.rate) == (number, rate)


def test_without_the_p2a_feature_there_is_nothing_to_subscribe_to(
    reach: Callable[[str], Agent],
) -> None:
    agent = reach("features=-p2a")
    assert not agent.link.p2a
    found = agent.discover(sensor.PROTOCOL)
    assert not any(
        r.description.sensor_attributes_low.continuous_update_notify for r in found.resources
    ), "the platform does not offer what it cannot send"
    with pytest.raises(NotOffered):
        agent.subscribe(sensor.ContinuousUpdateNotify(sensor_id=0, notify_enable=NotifyEnable(1)))


def test_a_request_larger_than_the_buffers_is_refused_here(
    reach: Callable[[str], Agent],
) -> None:
    agent = reach("message-size=136")
    with pytest.raises(LocalProtocolError, match="expected at most 136"):
        agent.transport.send(bytes(137), 0)
    assert agent.call(base.DiscoverVendor()).vendor_identifier == "scmictl"


def test_closing_gives_back_every_descriptor_and_ends_the_transport(
    reach: Callable[[str], Agent],
) -> None:
    reach("").call(base.ProtocolVersion())
    before = len(os.listdir("/proc/self/fd"))
    agent = reach("")
    served = len(os.listdir("/proc/self/fd"))
    agent.call(base.ProtocolVersion())
    agent.close()
    with pytest.raises(DeviceGone):
        agent.transport.send(bytes(4), 0)
    with pytest.raises(ScmictlError):
        agent.call(base.ProtocolVersion())
    assert before <= served
    assert agent.fileno() is None


@pytest.mark.parametrize(
    "options",
    ["queue-size=3", "queue-size=1", "queue-size=65536", "event-buffers=0", "event-buffers=1000",
     "message-size=8", "features=-warp", "wat=1", "queue-size", "queue-size=x"],
)  # fmt: skip
def test_options_that_make_no_connection_are_usage_errors(
    reach: Callable[[str], Agent], options: str
) -> None:
    with pytest.raises(UsageError, match="expected"):
        reach(options)
