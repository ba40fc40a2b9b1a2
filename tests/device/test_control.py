"""The control socket of a server: several visitors, silent ones, and bytes of every kind."""

from __future__ import annotations

import json
import os
import random
import select
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Waiter, connect
from scmictl.device.control import LONGEST_LINE, MOST_VISITORS
from scmictl.device.remote import Remote
from scmictl.device.server import Server
from scmictl.errors import (
    ConnectError,
    DeviceGone,
    RemoteProtocolError,
    TransferTimeout,
    TransportError,
    UsageError,
)
from scmictl.platform import Platform
from scmictl.protocols import base, clock
from scmictl.protocols.common import NotifyEnable

PATIENCE_S = 30.0
"""How long a test waits for what is to come at once."""
SET = {"ask": "set", "resource": "clock:uart0", "settings": ["rate=25MHz"]}


class Served:
    """A served board with a control socket, in a thread of its own until ``stop``."""

    def __init__(self, place: Path, platform: Platform) -> None:
        self.path = str(place / "scmi.sock")
        self.control = str(place / "control.sock")
        self.told: list[str] = []
        self.server = Server(platform, log=self.told.append)
        self.server.listen(self.path)
        self.server.control(self.control)
        self._read, self._write = os.pipe()
        self._thread = threading.Thread(target=self.server.run, args=(self._read,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        os.write(self._write, b"!")
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the server did not stop"
        self.server.close()
        os.close(self._read)
        os.close(self._write)

    def alive(self) -> bool:
        """Whether agents and visitors are still served."""
        with connect(f"vhost-user:{self.path}?wait=5s", timeout=PATIENCE_S) as agent:
            vendor = agent.call(base.DiscoverVendor()).vendor_identifier
        remote = self.remote()
        facts = remote.ask({"ask": "facts"})
        remote.close()
        return vendor == "scmictl" and facts[0]["agents"] == ["ospm", "guest", "bmc"]

    def remote(self, timeout: float = PATIENCE_S) -> Remote:
        return Remote(self.control, waiting=Waiter(), timeout=timeout)

    def visit(self) -> socket.socket:
        """Connect as anybody can."""
        visitor = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        visitor.settimeout(PATIENCE_S)
        visitor.connect(self.control)
        return visitor


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, Platform.from_board("demo"))
    yield made
    made.stop()


def lines(visitor: socket.socket) -> list[Any]:
    """Read all that comes until the connection ends."""
    data = b""
    try:
        while piece := visitor.recv(1 << 16):
            data += piece
    except ConnectionResetError:
        pass  # it has left what we sent unread
    return [json.loads(line) for line in data.splitlines()]


# --- who is served --------------------------------------------------------------------------------


def test_a_change_by_hand_reaches_an_agent_that_listens(served: Served) -> None:
    with connect(f"vhost-user:{served.path}", timeout=PATIENCE_S) as agent:
        agent.call(clock.RateNotify(clock_id=1, notify_enable=NotifyEnable(1)))
        remote = served.remote()
        (found,) = remote.ask(SET)
        assert found["rate_hz"] == 25_000_000
        event = next(agent.notifications(agent.waiter.now() + PATIENCE_S))
        assert event.message == clock.RateChanged(agent_id=0, clock_id=1, rate=25_000_000)  # type: ignore[union-attr]
        assert agent.call(clock.RateGet(clock_id=1)).rate == 25_000_000
        (found,) = remote.ask({"ask": "state", "resources": ["base"]})
        assert [(one["agent"], one["subscriptions"]) for one in found["connections"]] == [
            ("ospm", 1)
        ]
        remote.close()
    assert served.told[-1] != served.told[0]
    assert f"{served.control}: set clock:uart0 rate=25MHz" in served.told


def test_what_the_platform_refuses_is_a_usage_error_at_the_other_end(served: Served) -> None:
    remote = served.remote()
    with pytest.raises(UsageError) as raised:
        remote.ask({"ask": "state", "resources": ["clock:uart9"]})
    assert raised.value.message.startswith("unknown clock 'uart9', expected one of: osc24m")
    assert raised.value.hint == "did you mean uart1 or uart0?"
    # And the connection is as good as before.
    assert len(remote.ask({"ask": "state", "resources": ["clock"]})) == 15
    remote.close()


def test_several_visitors_are_served_at_a_time(served: Served) -> None:
    remotes = [served.remote() for _ in range(5)]
    for remote in remotes:
        assert len(remote.ask({"ask": "state"})) > 20
    for remote in reversed(remotes):
        remote.ask(SET)
        remote.close()


def test_the_socket_is_for_our_own_user_and_goes_with_the_server(tmp_path: Path) -> None:
    served = Served(tmp_path, Platform.from_board("demo"))
    assert stat.S_IMODE(os.stat(served.control).st_mode) == 0o600
    with pytest.raises(TransportError, match="another process listens there"):
        served.server.control(served.control)
    served.stop()
    assert not os.path.exists(served.control)


def test_an_old_socket_file_is_replaced_and_anything_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as old:
        old.bind(str(path))
    served = Served(tmp_path, Platform.from_board("demo"))
    assert served.alive()
    other = tmp_path / "file"
    other.write_text("precious")
    with pytest.raises(TransportError, match="a regular file found"):
        served.server.control(str(other))
    served.stop()
    assert other.read_text() == "precious"


def test_the_server_stops_while_visitors_are_connected(tmp_path: Path) -> None:
    served = Served(tmp_path, Platform.from_board("demo"))
    remote, silent, half = served.remote(), served.visit(), served.visit()
    remote.ask({"ask": "facts"})
    half.sendall(b'{"ask": "sta')
    served.stop()
    assert lines(silent) == lines(half) == []
    with pytest.raises(ConnectError, match="no socket there"):
        remote.ask({"ask": "facts"})
    for one in (silent, half):
        one.close()


# --- who says nothing, or not all -----------------------------------------------------------------


def test_who_says_nothing_or_half_a_line_keeps_nobody_waiting(served: Served) -> None:
    silent, half = served.visit(), served.visit()
    half.sendall(b'{"ask": "fac')
    assert served.alive()
    half.sendall(b'ts"}\n')
    with half.makefile("rb") as answer:
        assert json.loads(answer.readline())["record"]["board"] == "demo"
        assert json.loads(answer.readline()) == {"done": 1}
    silent.close()
    half.close()
    assert served.alive()


def test_the_last_requests_of_a_visitor_that_says_no_more_are_answered(served: Served) -> None:
    visitor = served.visit()
    visitor.sendall(b'{"ask":"facts"}\n{"ask":"fault","do":"list"}\n{"ask":"fa')
    visitor.shutdown(socket.SHUT_WR)
    found = lines(visitor)
    assert [next(iter(line)) for line in found] == ["record", "done", "done"]
    visitor.close()


def test_when_too_many_are_silent_the_longest_makes_room(served: Served) -> None:
    silent = [served.visit() for _ in range(MOST_VISITORS)]
    answers = [one.makefile("rb") for one in silent]
    # They have come in that order, but the first is not the one silent for the longest.
    for one, answer in zip([*silent, silent[0]], [*answers, answers[0]], strict=True):
        one.sendall(b'{"ask":"facts"}\n')
        assert b"record" in answer.readline()
        assert b"done" in answer.readline()
    assert served.alive()
    assert answers[1].readline() == b""
    silent[0].sendall(b'{"ask":"facts"}\n')
    assert b"record" in answers[0].readline()
    for answer in answers:
        answer.close()
    for one in silent:
        one.close()


def test_who_does_not_take_the_answer_keeps_nobody_waiting_and_no_memory(
    tmp_path: Path,
) -> None:
    text = "".join(f'[[clock]]\nname = "clock{n}"\nrate = "1MHz"\n' for n in range(20_000))
    served = Served(tmp_path, Platform.from_text('[[agent]]\nname = "ospm"\n' + text))
    greedy = served.visit()
    greedy.sendall(b'{"ask":"state"}\n' * 20)
    remote = served.remote()
    assert remote.ask({"ask": "facts"})[0]["agents"] == ["ospm"]
    (control,) = served.server.controls
    assert max(len(visitor._out) for visitor in control.visitors) < 1 << 17
    assert len(remote.ask({"ask": "state", "resources": ["clock"]})) == 20_000
    greedy.close()
    assert remote.ask({"ask": "facts"})
    remote.close()
    served.stop()


def test_a_change_is_made_once_although_the_answer_is_not_taken(served: Served) -> None:
    visitor = served.visit()
    visitor.sendall(json.dumps(SET).encode() + b"\n")
    visitor.close()
    remote = served.remote()
    rates = (
        remote.ask({"ask": "state", "resources": ["clock:uart0"]})[0]["rate_hz"]
        for _ in range(10_000)
    )
    assert 25_000_000 in rates
    remote.close()


# --- bytes of every kind --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"hello\n", "found no JSON"),
        (b"\n", "found no JSON"),
        (b"\xff\xfe\n", "found no JSON"),
        (b"[1]\n", "expected an object"),
        (b"17\n", "found 17, expected an object"),
        (b"null\n", "found nothing, expected an object"),
        (b'{"ask":' + b"[" * 100_000 + b"\n", "found no JSON"),
        (b'{"ask":' + b"9" * 5000 + b"}\n", "found no JSON"),
        (b'{"ask":"\\ud800"}\n', "found the request '\\ud800'"),
        (b"{}\n", "found the request nothing"),
        (b'{"ask":"set","resource":"clock:uart0","settings":[1]}\n', "settings: found 1"),
        (b'{"ask":"facts","\\u001b[31m":1}\n', "found the key '\\x1b[31m'"),
    ],
)
def test_a_line_that_is_no_request_is_told_and_the_next_one_answered(
    served: Served, sent: bytes, found: str
) -> None:
    with served.visit() as visitor, visitor.makefile("rb") as answer:
        visitor.sendall(sent + b'{"ask":"facts"}\n')
        assert found in json.loads(answer.readline())["error"]["message"]
        assert "record" in json.loads(answer.readline())
    assert served.alive()


def test_a_line_of_ten_megabytes_ends_the_connection(served: Served) -> None:
    visitor = served.visit()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        visitor.sendall(b"{" + b"x" * 10_000_000)
    (found,) = lines(visitor)
    assert found["error"]["message"] == f"found no end of the line in {LONGEST_LINE} bytes"
    visitor.close()
    assert served.alive()


def test_a_frontend_that_takes_it_for_its_device_is_told_at_once(served: Served) -> None:
    with pytest.raises((RemoteProtocolError, ConnectError)):
        connect(f"vhost-user:{served.control}")
    assert served.alive()


@pytest.mark.parametrize("seed", range(20))
def test_arbitrary_bytes_do_not_stop_the_server(served: Served, seed: int) -> None:
    chance = random.Random(seed)
    visitor = served.visit()
    pieces = [b'{"ask":', b'"set"', b'"state"', b"}", b"\n", b"{", b"[", b",", b'"', b"\0"]
    data = b"".join(
        chance.choice([chance.choice(pieces), chance.randbytes(chance.randrange(40))])
        for _ in range(200)
    )
    try:
        visitor.sendall(data)
        visitor.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has ended the connection already
    assert all("error" in line for line in lines(visitor))
    visitor.close()
    assert served.alive()


# --- the other end --------------------------------------------------------------------------------


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Callable[[bytes], str]]:
    """Return a function that makes a server which gives one answer, whatever it is asked."""
    threads: list[threading.Thread] = []
    listeners: list[socket.socket] = []

    def serve(answer: bytes) -> str:
        path = str(tmp_path / "false.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen()
        listeners.append(listener)

        def run() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(1 << 16)
                try:
                    sock.sendall(answer)
                except OSError:
                    pass  # who asked has heard enough

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return path

    yield serve
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", DeviceGone),
        (b'{"record":{}}\n', DeviceGone),
        (b'{"done":1}', DeviceGone),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", RemoteProtocolError),
        (b"\0" * 64 + b"\n", RemoteProtocolError),
        (b'{"record":[]}\n', RemoteProtocolError),
        (b'{"error":"no"}\n', RemoteProtocolError),
        (b'{"record":{},"done":1}\n', RemoteProtocolError),
        (b'{"never":1}\n', RemoteProtocolError),
        (b"[" * 50_000 + b"\n", RemoteProtocolError),
        (b"x" * (1 << 24) + b"yz" * 200_000, RemoteProtocolError),
        (b'{"error":{"message":7,"hint":[]}}\n', UsageError),
    ],
)
def test_an_answer_that_makes_no_sense_is_the_servers_fault(
    answering: Callable[[bytes], str], answer: bytes, error: type[Exception]
) -> None:
    remote = Remote(answering(answer), waiting=Waiter(), timeout=PATIENCE_S)
    with pytest.raises(error):
        remote.ask({"ask": "facts"})
    remote.close()


def test_a_server_that_never_answers_is_a_timeout(tmp_path: Path) -> None:
    path = str(tmp_path / "deaf.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        remote = Remote(path, waiting=Waiter(), timeout=0.05)
        with pytest.raises(TransferTimeout, match=r"no answer within 0\.05 s"):
            remote.ask({"ask": "facts"})
        # Nor may one that does not even read block us.
        with pytest.raises(TransferTimeout):
            remote.ask({"ask": "state", "resources": ["x" * (1 << 20)]})
        remote.close()


def test_a_connection_that_the_server_has_ended_is_made_anew(served: Served) -> None:
    remote = served.remote()
    remote.ask({"ask": "facts"})
    others = [served.visit() for _ in range(MOST_VISITORS)]
    # Whoever was silent for the longest has gone; the socket says so.
    readable, _, _ = select.select([remote._socket], [], [], PATIENCE_S)
    assert readable
    assert remote.ask({"ask": "facts"})[0]["board"] == "demo"
    for one in others:
        one.close()
    remote.close()


@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_where_nobody_listens_is_one_clear_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("")
    with pytest.raises(ConnectError) as raised:
        Remote(str(path), waiting=Waiter())
    assert str(path) in raised.value.message
    assert raised.value.hint == "start it: scmictl serve BOARD --socket PATH --control PATH"
