"""Whatever is wrong with target, device or input ends the installed command in one clear line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sysconfig.get_path("scripts")) / "scmictl")
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("SCMICTL_")}
ENVIRON["XDG_CONFIG_HOME"] = "/nonexistent"
VERSION = bytes.fromhex("00000000 00000200")


def ends(words: list[str], code: int, said: str) -> None:
    """Run the command and see it end with ``code`` and one line that has ``said`` in it."""
    done = subprocess.run(
        [COMMAND, *words], capture_output=True, text=True, timeout=60, env=ENVIRON, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("words", [["info"], ["sensor", "list"], ["clock", "get", "0"]])
def test_a_target_that_is_no_device_is_unreachable(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_text("")
    ends(["-t", f"{tmp_path}/nothing", *words], 3, "no socket there")
    ends(["-t", f"{tmp_path}/file", *words], 3, "a regular file found")
    ends(["-t", f"{tmp_path}", *words], 3, "a directory found")


def test_a_socket_that_hangs_up_in_the_handshake_is_unreachable(hand_device: Any) -> None:
    hand_device.replies[15] = b""
    ends(["-t", hand_device.path, "info"], 3, "hung up")


def test_a_socket_that_says_nothing_is_unreachable(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        ends(["-t", f"{tmp_path}/silent", "info"], 3, "GET_FEATURES was not answered")


def test_a_device_without_version_1_is_refused(hand_device: Any) -> None:
    hand_device.offered &= ~(1 << 32)
    ends(["-t", hand_device.path, "info"], 3, "expected VERSION_1")


def answering(data: Callable[[bytes], bytes]) -> Callable[[Any], None]:
    """Answer everything but versions and message attributes with ``data(frame)``."""

    def command(asked: Any) -> None:
        if asked.key[1] == 0:
            asked.answer(VERSION)
        else:
            asked.give(data(asked.frame))

    return command


def header(frame: bytes, flip: int) -> bytes:
    return (int.from_bytes(frame[:4], "little") ^ flip).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda frame: frame[:4] + bytes(8), "expected"),
        (lambda frame: frame[:4], "expected at least the 4 of the status"),
        (lambda frame: b"", "expected at least the 4 of the header"),
        (lambda frame: header(frame, 1 << 18) + bytes(12), "token"),
        (lambda frame: header(frame, 1 << 8) + bytes(12), "message type"),
        (lambda frame: header(frame, 2 << 8) + bytes(12), "message type"),
    ],
)
def test_a_response_that_breaks_the_protocol_is_exit_5(
    hand_device: Any, answer: Callable[[bytes], bytes], said: str
) -> None:
    hand_device.on_command = answering(answer)
    ends(["-t", hand_device.path, "call", "clock.CLOCK_RATE_GET", "clock_id=0"], 5, said)


def test_surplus_bytes_are_shown_and_no_failure(hand_device: Any) -> None:
    hand_device.on_command = answering(lambda frame: frame[:4] + bytes(12) + b"\xaa\xbb")
    done = subprocess.run(
        [COMMAND, "-t", hand_device.path, "call", "clock.CLOCK_RATE_GET", "clock_id=0", "--json"],
        capture_output=True, text=True, timeout=60, env=ENVIRON, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["surplus"] == "aabb"
    assert done.stderr == ""
    done = subprocess.run(
        [COMMAND, "-t", hand_device.path, "call", "clock.CLOCK_RATE_GET", "clock_id=0", "-v"],
        capture_output=True, text=True, timeout=60, env=ENVIRON, check=True,
    )  # fmt: skip
    assert done.stderr == "CLOCK_RATE_GET: 2 bytes more than expected: aa bb\n"


def test_frames_that_nobody_waits_for_are_reported(hand_device: Any) -> None:
    def command(asked: Any) -> None:
        # A delayed response to nothing, in an event buffer, just before the answer.
        event = hand_device.rings[1].take()
        event.give(bytes.fromhex("05520000 00000000"))
        asked.answer(VERSION)

    hand_device.on_command = command
    done = subprocess.run(
        [COMMAND, "-t", hand_device.path, "raw", "0x10", "0x0"],
        capture_output=True, text=True, timeout=60, env=ENVIRON, check=True,
    )  # fmt: skip
    assert "stray frame: a delayed_response that nobody waits for" in done.stderr


def test_a_slow_command_is_4_and_a_dead_queue_is_12(hand_device: Any) -> None:
    def only_versions(asked: Any) -> None:
        if asked.key == (0x10, 0):
            asked.answer(VERSION)

    words = ["-t", hand_device.path, "-T", "200ms", "raw", "0x14", "0x6"]
    hand_device.on_command = only_versions
    ends(words, 4, "though the device answers others")
    hand_device.on_command = lambda asked: None
    ends(words, 12, "its command queue is dead")


def test_the_deadline_of_the_run_is_exit_4(hand_device: Any) -> None:
    hand_device.on_command = lambda asked: None
    ends(["-t", hand_device.path, "-T", "60s", "--deadline", "200ms", "info"], 4, "deadline")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_a_call_ends_it_in_one_line(
    hand_device: Any, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [COMMAND, "-t", hand_device.path, "-T", "60s", "raw", "0x14", "0x6"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRON,
    )  # fmt: skip
    hand_device.on_command = lambda asked: process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.count("\n") == 1
    assert "interrupted" in err


def test_a_board_file_with_a_wrong_key_names_file_key_found_and_expected(tmp_path: Path) -> None:
    board = tmp_path / "soc.toml"
    board.write_text('[[clock]]\nname = "uart0"\nrat = "24MHz"\n')
    ends(["-t", f"sim:{board}", "clock", "list"], 2, f"{board}: ")
    ends(["-t", f"sim:{board}", "clock", "list"], 2, "rat")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clock", "get", "uart9"], "uart9"),
        (["clock", "set", "uart0", "24MHertz"], "24MHertz"),
        (["clock", "set", "uart0", "fast"], "fast"),
        (["-t", "carrier-pigeon:coop", "info"], "unknown scheme"),
        (["-t", "sim:demo?colour=blue", "info"], "has no option"),
        (["-t", "nowhere", "info"], "unknown target"),
        (["-t", "sim:demo?agent=nobody", "info"], "unknown agent"),
        (["clock", "list", "--where", "rate >"], "expression"),
        (["clock", "list", "--fields", "colour"], "colour"),
        (["-T", "soon", "info"], "soon"),
        (["--proto", "clock", "info"], "MAJOR.MINOR"),
        (["call", "clock.CLOCK_RATE_SET", "clock_id=1"], "rate"),
        (["call", "clock.CLOCK_RATE_GET", "clock_id=0x100000000"], "4294967296"),
        (["call", "clock.CLOCK_RATE_GET", "clock_id=1", "colour=2"], "colour"),
        (["call", "clock.NO_SUCH_MESSAGE"], "NO_SUCH_MESSAGE"),
        (["raw", "0x10", "0x0", "--payload", "xyz"], "xyz"),
        (["batch", "/nonexistent"], "cannot read"),
    ],
)
def test_what_was_typed_wrong_is_exit_2(words: list[str], said: str) -> None:
    if "-t" not in words:
        words = ["-t", "sim:demo", *words]
    ends(words, 2, said)
