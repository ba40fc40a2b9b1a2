"""Ctrl-C and SIGTERM wherever they come: the right code, one line, nothing left switched on."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def ended(found: Any, code: int) -> None:
    assert (found.code, found.out) == (code, "")
    assert found.err == "scmictl: interrupted\n"


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize(
    "words",
    [["raw", "0x14", "0x6"], ["call", "clock.CLOCK_RATE_GET", "clock_id=0"], ["info"],
     ["sensor", "list"], ["clock", "list"]],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_call_that_is_never_answered_is_ended(
    hand_device: Any,
    background: Callable[..., Any],
    words: list[str],
    number: signal.Signals,
    code: int,
) -> None:
    asked = threading.Event()
    hand_device.on_command = lambda _: asked.set()
    running = background("-t", hand_device.path, "-T", "60s", *words)
    assert asked.wait(20)
    running.process.send_signal(number)
    ended(running.finish(), code)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_waiting_for_a_device_that_is_not_there_is_ended(
    tmp_path: Path, background: Callable[..., Any], number: signal.Signals, code: int
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        running = background("-t", f"vhost-user:{tmp_path}/silent?wait=60s", "info")
        client, _ = listener.accept()
        with client:
            assert len(client.recv(12)) == 12
            running.process.send_signal(number)
            ended(running.finish(), code)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_watch_is_ended_and_unsubscribes(
    sensor_device: Any, background: Callable[..., Any], number: signal.Signals, code: int
) -> None:
    watch = background("-t", sensor_device.path, "watch", "SENSOR_UPDATE", "0")
    sensor_device.wait(1)
    watch.process.send_signal(number)
    sensor_device.wait(1, 0)
    ended(watch.finish(), code)


def test_an_event_storm_does_not_keep_a_watch_from_being_ended(
    sensor_device: Any, background: Callable[..., Any]
) -> None:
    device = sensor_device.device
    watch = background("-t", device.path, "-o", "jsonl", "watch", "SENSOR_UPDATE", "0")
    sensor_device.wait(1)
    ended_ = threading.Event()

    def storm() -> None:
        while not ended_.is_set():
            device.do(fill)

    def fill() -> None:
        ring = device.rings[1]
        while ring.size and (buffer := ring.take()) is not None:
            buffer.give(sensor_device.UPDATE, signal=False)
        ring.signal()

    thread = threading.Thread(target=storm)
    thread.start()
    for _ in range(500):
        assert json.loads(watch.line())["event"] == "SENSOR_UPDATE"
    watch.process.send_signal(signal.SIGINT)
    sensor_device.wait(1, 0)
    ended_.set()
    thread.join(20)
    found = watch.finish()
    assert found.code == 130
    (line,) = found.err.splitlines()
    assert json.loads(line)["error"]["name"] == "INTERRUPTED"


def test_a_subscription_whose_answer_never_came_is_taken_back(
    sensor_device: Any, background: Callable[..., Any]
) -> None:
    sensor_device.silent = {(0x15, 0xB)}
    watch = background("-t", sensor_device.path, "-T", "60s", "watch", "SENSOR_UPDATE", "0")
    assert sensor_device.on_silence.wait(20)
    watch.process.send_signal(signal.SIGINT)
    sensor_device.wait(1, 0)
    # The second answer does not come either, and whoever asks twice means at once.
    watch.process.send_signal(signal.SIGINT)
    found = watch.finish()
    assert found.code == 130
    assert found.err == "scmictl: interrupted\n"


def test_a_device_that_does_not_let_go_is_left_all_the_same(
    hand_device: Any, background: Callable[..., Any]
) -> None:
    asked = threading.Event()
    hand_device.on_command = lambda _: asked.set()
    running = background("-t", hand_device.path, "-T", "60s", "raw", "0x10", "0x0")
    assert asked.wait(20)
    hand_device.do(lambda: hand_device.replies.update({18: None, 11: None}))
    running.process.send_signal(signal.SIGINT)
    ended(running.finish(), 130)


def test_a_question_on_a_terminal_is_ended_and_means_no(command: str) -> None:
    near, far = pty.openpty()
    running = subprocess.Popen(
        [command, "-q", "-t", "sim:demo", "base", "reset-agent", "1"],
        stdin=far, stdout=subprocess.PIPE, stderr=far, text=True, start_new_session=True,
    )  # fmt: skip
    os.close(far)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(near, 100)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    os.close(near)
    assert (running.returncode, out) == (130, "")


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("line_by_line", [True, False])
def test_a_batch_that_waits_for_its_input_is_ended(
    command: str, number: signal.Signals, code: int, line_by_line: bool
) -> None:
    words = ["--line-by-line"] if line_by_line else []
    running = subprocess.Popen(
        [command, "-t", "sim:demo", "batch", "-", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdin is not None and running.stdout is not None
    # More than a pipe holds: when it is written, somebody has begun to read.
    lines = "clock get 0\n" if line_by_line else "# nothing\n" * 100_000
    running.stdin.write(lines)
    running.stdin.flush()
    if line_by_line:
        assert running.stdout.readline()
    running.send_signal(number)
    try:
        running.wait(20)
    finally:
        running.kill()
        _, err = running.communicate()
    assert running.returncode == code
    assert "Traceback" not in err
