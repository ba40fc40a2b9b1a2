"""A served board changed by hand, with the installed command at every end."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Scmictl = Callable[..., Any]


class Served:
    """`scmictl serve` on a socket for the first agent, one read-only, and a control socket."""

    def __init__(self, place: Path, start: Callable[..., Any]) -> None:
        self.agent = str(place / "agent.sock")
        self.guest = str(place / "guest.sock")
        self.control = str(place / "control.sock")
        self.log = place / "serve.log"
        self.background = start(
            "serve", "demo", "--socket", self.agent, "--socket", f"{self.guest},readonly",
            "--control", self.control, "--log", str(self.log),
        )  # fmt: skip
        said = [self.background.process.stderr.readline() for _ in range(3)]
        assert self.control in said[2], said

    def stop(self) -> str:
        """End it as Ctrl-C does, and return what it has said."""
        self.background.process.send_signal(signal.SIGINT)
        code, _, err = self.background.finish()
        assert code == 130, err
        assert not any(os.path.exists(path) for path in (self.agent, self.guest, self.control))
        return str(err)


@pytest.fixture
def served(tmp_path: Path, background: Callable[..., Any]) -> Iterator[Served]:
    made = Served(tmp_path, background)
    yield made
    if made.background.process.poll() is None:
        made.stop()


@pytest.fixture
def hand(served: Served, scmictl: Scmictl) -> Scmictl:
    """Return a function that runs `sim` on the control socket, and returns its JSON."""

    def run(*words: str) -> Any:
        done = scmictl("-t", f"control:{served.control}", "sim", *words, "--json", "-q")
        assert done.code == 0, done.err
        assert not done.err
        return json.loads(done.out)

    return run


def test_a_value_set_by_hand_reaches_who_watches(
    served: Served, hand: Scmictl, background: Callable[..., Any]
) -> None:
    watch = background(
        "-t", served.agent, "watch", "SENSOR_TRIP_POINT_EVENT", "soc-temp", "-n", "1", "-o", "jsonl"
    )
    # It has subscribed when the platform says so.
    while (
        not hand("state", "base:0")["connections"]
        or not hand("state", "base:0")["connections"][0]["subscriptions"]
    ):
        assert watch.process.poll() is None
    hand("set", "sensor:soc-temp", "value=70C", "trip.0=75C:rising")
    assert hand("set", "sensor:soc-temp", "value=80C")["value"] == 80
    code, out, err = watch.finish()
    assert code == 0, err
    event = json.loads(out)
    assert event["event"] == "SENSOR_TRIP_POINT_EVENT"
    assert event["fields"]["trip_point_desc"] == {
        "direction": "positive", "trip_point_id": 0,
    }  # fmt: skip


def test_what_a_hand_does_lasts_and_is_logged(
    served: Served, hand: Scmictl, scmictl: Scmictl
) -> None:
    hand("set", "clock:uart0", "rate=25MHz")
    done = scmictl("-t", served.agent, "clock", "get", "uart0", "--json")
    assert json.loads(done.out)["rate_hz"] == 25_000_000
    hand("fault", "busy:1@CLOCK_RATE_GET")
    assert scmictl("-t", served.agent, "clock", "get", "uart0").code == 26
    assert hand("fault")[0]["left"] == 0
    hand("perms", "deny", "ospm", "serial:clock")
    done = scmictl("-t", served.agent, "call", "CLOCK_RATE_GET", "clock_id=1")
    assert done.code == 24, done.err
    hand("perms", "reset", "ospm")
    assert hand("notify", "CLOCK_RATE_CHANGED", "clock_id=1", "rate=1")["sent"] == 0
    said = served.stop()
    log = served.log.read_text()
    for change in (
        "set clock:uart0 rate=25MHz",
        "fault add busy:1@CLOCK_RATE_GET",
        "perms deny ospm serial clock",
        "perms reset ospm",
    ):
        assert f"{served.control}: {change}\n" in said
        assert f"Z {served.control}: {change}\n" in log
    assert "state" not in said
    assert f"Z serving demo on {served.guest} as agent guest, read-only\n" in log


def test_a_read_only_socket_answers_reads_and_denies_writes(
    served: Served, scmictl: Scmictl
) -> None:
    assert scmictl("-t", served.guest, "clock", "get", "uart0").code == 0
    done = scmictl("-t", served.guest, "clock", "set", "uart0", "25MHz")
    assert done.code == 23
    assert "DENIED" in done.err
    assert scmictl("-t", served.guest, "sensor", "watch", "soc-temp", "-n", "1").code == 0
    assert scmictl("-t", served.agent, "clock", "set", "uart0", "25MHz").code == 0


def test_every_socket_is_read_only_with_r(
    tmp_path: Path, background: Callable[..., Any], scmictl: Scmictl
) -> None:
    path = str(tmp_path / "agent.sock")
    server = background("-r", "serve", "demo", "--socket", path)
    assert "read-only" in server.process.stderr.readline()
    assert scmictl("-t", path, "clock", "set", "uart0", "25MHz").code == 23


@pytest.mark.parametrize(
    "words",
    [("clock", "list"), ("info",), ("watch",), ("call", "CLOCK_RATE_GET", "clock_id=0"),
     ("sensor", "read", "0"), ("-c", "subscribe CLOCK_RATE_CHANGED")],
)  # fmt: skip
def test_other_verbs_say_in_one_line_where_they_work(
    served: Served, scmictl: Scmictl, words: tuple[str, ...]
) -> None:
    done = scmictl("-t", f"control:{served.control}", *words)
    assert done.code == 7
    (line,) = [one for one in done.err.splitlines() if not one.startswith(">")]
    assert "is a control socket: no agent is there, only the sim commands work" in line
    assert "vhost-user socket" in line


def test_what_needs_no_agent_works_on_a_control_socket_too(
    served: Served, scmictl: Scmictl
) -> None:
    assert scmictl("-t", f"control:{served.control}", "explain", "DENIED").code == 0
    assert scmictl("-t", f"control:{served.control}", "board", "ls").code == 0


def test_a_session_of_many_changes_shares_one_connection(served: Served, scmictl: Scmictl) -> None:
    done = scmictl(
        "-t", f"control:{served.control}",
        "-c", "sim set clock:uart0 rate=25MHz; sim state clock:uart0; assert rate_hz == 25MHz; "
        "set r := sim state clock:uart1 .rate_hz; echo uart1 $r; "
        "sim set clock:uart0 rate=1",
    )  # fmt: skip
    assert done.code == 2, done.err
    assert "uart1 24000000" in done.err
    assert "1000000 to 100000000 Hz in steps of 1000 Hz" in done.err


def test_a_shell_on_a_control_socket_says_nothing_of_an_agent(
    served: Served, scmictl: Scmictl
) -> None:
    done = scmictl(
        "-t", f"control:{served.control}", "shell",
        stdin="sim set sensor:soc-temp value=80C\nclock list\nsim state sensor:soc-temp\nuse sim:\n"
        f"clock get uart0\nuse control:{served.control}\nsim fault\n",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.count("held\ttrue") == 2
    assert "rate_hz\t24000000" in done.out
    assert done.err.count("is a control socket") == 1
    assert "not connected" not in done.out + done.err


def test_a_shell_says_when_there_is_no_control_socket(scmictl: Scmictl, tmp_path: Path) -> None:
    done = scmictl("-t", f"control:{tmp_path}/none", "shell", stdin="sim state\n")
    assert done.err.count("no socket there") == 2


def test_visitors_with_bad_manners_do_not_disturb_the_others(served: Served, hand: Scmictl) -> None:
    rude = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(4)]
    for one in rude:
        one.connect(served.control)
    rude[1].sendall(b'{"ask":')
    rude[2].sendall(os.urandom(1000))
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        rude[3].sendall(b"{" + b" " * 10_000_000)
    assert hand("set", "clock:uart0", "rate=25MHz")["rate_hz"] == 25_000_000
    said = served.stop()
    assert "Traceback" not in said
    for one in rude:
        one.close()


def test_a_wrong_control_socket_is_one_clear_line(
    tmp_path: Path, served: Served, scmictl: Scmictl
) -> None:
    agent = str(tmp_path / "other.sock")
    done = scmictl("serve", "demo", "--socket", agent, "--control", served.control)
    assert done.code == 3
    assert f"cannot listen on {served.control}: another process listens there" in done.err
    assert not os.path.exists(agent)
    done = scmictl("-t", f"control:{served.agent}", "sim", "state")
    assert done.code == 12
    assert "hung up before it had answered" in done.err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--socket", "x,writable"), "--socket setting 'writable', expected agent=NAME or readonl"),
        (("--socket", "x,readonly=1"), "--socket setting 'readonly=1'"),
        (("--socket", "x", "--log", "/nonexistent/log"), "--log /nonexistent/log: cannot be writt"),
    ],
)
def test_bad_options_of_serve_are_one_clear_line(
    scmictl: Scmictl, tmp_path: Path, words: tuple[str, ...], found: str
) -> None:
    done = scmictl("serve", "demo", *words)
    assert done.code == 2
    assert found in done.err


def test_a_full_disk_under_the_log_does_not_end_the_server(
    tmp_path: Path, background: Callable[..., Any], scmictl: Scmictl
) -> None:
    path = str(tmp_path / "agent.sock")
    server = background("serve", "demo", "--socket", path, "--log", "/dev/full")
    said = [server.process.stderr.readline() for _ in range(2)]
    assert said[1] == "--log /dev/full: No space left on device; nothing more is logged\n"
    assert scmictl("-t", path, "clock", "get", "uart0").code == 0
