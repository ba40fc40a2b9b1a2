"""The simulated platform behind real sockets: several frontends, bad ones among them."""

from __future__ import annotations

import os
import select
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from scmictl.agent import Agent, Event, connect
from scmictl.device.server import Server
from scmictl.errors import ConnectError, DeviceGone, TransportError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, clock
from scmictl.protocols.common import NotifyEnable
from scmictl.transport.vhost_user import VhostUser

GET_FEATURES = bytes.fromhex("01000000 01000000 00000000")


def vendor(path: str, options: str = "") -> str:
    with connect(f"vhost-user:{path}{options}") as agent:
        return agent.call(base.DiscoverVendor()).vendor_identifier


def test_frontends_are_served_one_after_another(serve: Callable[..., str]) -> None:
    path = serve()
    assert [vendor(path) for _ in range(3)] == ["scmictl"] * 3


def test_a_frontend_that_comes_second_waits_until_the_first_has_left(
    serve: Callable[..., str],
) -> None:
    path = serve()
    first = connect(f"vhost-user:{path}")
    with pytest.raises(ConnectError, match="GET_FEATURES was not answered"):
        connect(f"vhost-user:{path}")
    first.close()
    assert vendor(path) == "scmictl"


@pytest.mark.parametrize(
    "bytes_sent",
    [b"", b"\0", GET_FEATURES[:7], bytes(64), b"\xff" * 64, GET_FEATURES * 100,
     bytes.fromhex("05000000 01000000 ffffffff")],
)  # fmt: skip
def test_a_frontend_that_talks_nonsense_and_leaves_does_not_stop_the_server(
    serve: Callable[..., str], bytes_sent: bytes
) -> None:
    path = serve()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as rude:
        rude.connect(path)
        try:
            rude.sendall(bytes_sent)
        except BrokenPipeError:
            pass
    assert vendor(path, "?wait=5s") == "scmictl"


def test_a_frontend_that_breaks_its_ring_loses_the_ring_and_nobody_else_does(
    serve: Callable[..., str],
) -> None:
    path = serve()
    agent = connect(f"vhost-user:{path}", timeout=0.2)
    assert isinstance(agent.transport, VhostUser)
    agent.call(base.ProtocolVersion())
    queues = agent.transport._queues
    view = agent.transport._view
    assert view is not None
    # Every descriptor now points outside all memory.
    table = queues.plan.cmdq.desc
    view[table : table + 16 * 256] = b"\xff" * (16 * 256)
    with pytest.raises(DeviceGone, match="its command queue is dead"):
        agent.call(base.ProtocolVersion())
    agent.close()
    assert vendor(path) == "scmictl"


class Insatiable:
    """A platform whose agent has asked something new whenever the device has just answered."""

    agents = ("someone",)

    def __init__(self) -> None:
        self.ask: Callable[[], None] = lambda: None
        self.answered = 0
        self.enough = threading.Event()

    def attach(
        self, agent: str | None, *, events: bool = True, readonly: bool = False
    ) -> Insatiable:
        return self

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        self.answered += 1
        if self.answered == 50:
            self.enough.set()
        return frame[:4] + bytes(8)

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        self.ask()
        return []

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def test_a_driver_that_asks_on_without_a_kick_is_not_forgotten(tmp_path: Path) -> None:
    # A kick is due only for what comes after the device has armed, so what comes just before has
    # to be found by the device itself, however often that happens in a row.
    platform = Insatiable()
    path = str(tmp_path / "scmi.sock")
    read, write = os.pipe()
    with Server(cast("Platform", platform)) as server:
        server.listen(path)
        thread = threading.Thread(target=server.run, args=(read,))
        thread.start()
        agent = connect(f"vhost-user:{path}?features=-p2a")
        queues = cast("VhostUser", agent.transport)._queues
        tokens = iter(range(1, 200))

        def ask() -> None:
            if 0 < platform.answered < 100:
                queues.send(bytes(4), next(tokens))
                queues.publish()

        platform.ask = ask
        agent.call(base.ProtocolVersion())
        found = platform.enough.wait(10)
        platform.ask = lambda: None
        os.write(write, b"!")
        thread.join(10)
        agent.close()
    os.close(read)
    os.close(write)
    assert found, f"the device stopped after {platform.answered} commands"


def test_two_agents_share_one_platform_and_hear_of_each_other(
    serve: Callable[..., str],
) -> None:
    ospm, guest = serve(agents=("ospm", "guest")).split(",")
    with connect(f"vhost-user:{ospm}") as one, connect(f"vhost-user:{guest}") as other:
        names = other.discover(clock.PROTOCOL).names
        name = "uart0"
        there = names.index(name)
        here = one.discover(clock.PROTOCOL).names.index(name)
        other.subscribe(clock.RateNotify(clock_id=there, notify_enable=NotifyEnable(1)))
        old = one.call(clock.RateGet(clock_id=here)).rate
        described = one.listing(clock.DescribeRates(clock_id=here, rate_index=0)).all()
        new = next(rate for rate in described if rate != old)
        one.call(clock.RateSet(clock_id=here, rate=new))
        event = next(other.notifications(other.waiter.now() + 10))
        assert isinstance(event, Event)
        assert isinstance(event.message, clock.RateChanged)
        assert (event.message.agent_id, event.message.clock_id) == (1, there)
        assert event.message.rate == one.call(clock.RateGet(clock_id=here)).rate


def test_what_one_frontend_set_the_next_one_finds(serve: Callable[..., str]) -> None:
    path = serve()

    def state(agent: Agent) -> int:
        return agent.call(clock.RateGet(clock_id=agent.discover(clock.PROTOCOL).names.index("uart0"))).rate  # fmt: skip  # noqa: E501

    with connect(f"vhost-user:{path}") as agent:
        number = agent.discover(clock.PROTOCOL).names.index("uart0")
        rates = agent.listing(clock.DescribeRates(clock_id=number, rate_index=0)).all()
        wanted = next(rate for rate in rates if rate != state(agent))
        agent.call(clock.RateSet(clock_id=number, rate=wanted))
        new = state(agent)
    with connect(f"vhost-user:{path}") as agent:
        assert state(agent) == new


def test_the_socket_has_the_mode_asked_for_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "scmi.sock"
    with Server(Platform.from_board("demo")) as server:
        server.listen(str(path), mode=0o660)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert not path.exists()


def test_a_socket_that_is_served_already_is_not_taken_over(
    serve: Callable[..., str],
) -> None:
    path = serve()
    with Server(Platform.from_board("demo")) as server, pytest.raises(TransportError):
        server.listen(path)
    assert vendor(path) == "scmictl"


def test_an_unknown_agent_is_a_usage_error_that_names_the_known_ones(tmp_path: Path) -> None:
    with (
        Server(Platform.from_board("demo")) as server,
        pytest.raises(UsageError, match="ospm"),
    ):
        server.listen(str(tmp_path / "scmi.sock"), agent="nobody")


def test_many_sessions_leave_no_descriptor_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "scmi.sock")
    with Server(Platform.from_board("demo")) as server:
        server.listen(path)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as frontend:
                frontend.connect(path)
                frontend.sendall(GET_FEATURES)
                while not select.select([frontend], [], [], 0)[0]:
                    server.turn(timeout=1.0)
            while server.endpoints[0].session is not None:
                server.turn(timeout=1.0)
        assert len(os.listdir("/proc/self/fd")) == before
