"""The installed command, run to its end or beside the test."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

LONGEST_S = 60
"""No command of these tests takes a second; one that takes this long hangs, and is killed."""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """A user's: nothing of the test's own settings, and Python's streams as they are by default."""
    plain = {
        k: v for k, v in os.environ.items() if not k.startswith(("SCMICTL_", "PYTHONUNBUFFERED"))
    }
    return {**plain, "XDG_CONFIG_HOME": "/nonexistent", **more}


@pytest.fixture(scope="session")
def command() -> str:
    path = Path(sysconfig.get_path("scripts")) / "scmictl"
    assert path.exists(), "scmictl is not installed in this environment"
    return str(path)


@pytest.fixture
def scmictl(command: str) -> Callable[..., Outcome]:
    """Return a function that runs the installed command.

    ``stdout``, ``stderr``: where they go instead; ``closed``: descriptors that are not even there.
    """

    def run(
        *words: str,
        stdin: str = "",
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
        closed: tuple[int, ...] = (),
        **variables: str,
    ) -> Outcome:
        line = [command, *words]
        if closed:
            ends = " ".join(f"{fd}>&-" for fd in closed)
            line = ["/bin/sh", "-c", f'exec "$@" {ends}', "sh", *line]
        done = subprocess.run(
            line, input=stdin, stdout=stdout, stderr=stderr, text=True, timeout=LONGEST_S,
            env=environment(**variables), check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout or "", done.stderr or "")

    return run


class Background:
    """The installed command running beside the test."""

    def __init__(self, words: list[str], **variables: str) -> None:
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment(**variables),
        )  # fmt: skip
        self._watchdog = threading.Timer(LONGEST_S, self.process.kill)
        self._watchdog.start()

    def line(self) -> str:
        """Return the next line of stdout, '' at the end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def finish(self) -> Outcome:
        out, err = self.process.communicate()
        self._watchdog.cancel()
        return Outcome(self.process.returncode, out, err)


@pytest.fixture
def background(command: str) -> Iterator[Callable[..., Background]]:
    """Return a function that starts the installed command and lets it run."""
    started: list[Background] = []

    def start(*words: str, **variables: str) -> Background:
        started.append(Background([command, *words], **variables))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.finish()


def word(value: int) -> bytes:
    return value.to_bytes(4, "little")


SUCCESS = word(0)
NOT_SUPPORTED = bytes.fromhex("ffffffff")
NOTIFY = (0x15, 0xB)
ANSWERS = {
    (0x10, 0x0): SUCCESS + word(0x20000),
    (0x10, 0x2): SUCCESS + word(0),
    (0x15, 0x0): SUCCESS + word(0x30000),
    (0x15, 0x1): SUCCESS + word(1) + bytes(12),
    (0x15, 0x2): SUCCESS + word(0),
    # Continuous updates, degrees Celsius (reference, and frames of vhost-device-scmi).
    (0x15, 0x3): SUCCESS + word(1) + word(0) + word(1 << 30) + word(2) + b"soc".ljust(16, b"\0"),
    (0x15, 0x9): SUCCESS + word(1),
    NOTIFY: SUCCESS,
}


class SensorDevice:
    """A device with one sensor that sends updates when the test says so.

    ``silent`` are the messages it does not answer, ``switched`` what was asked of its notification.
    """

    UPDATE = bytes.fromhex("01570000 00000000 00000000 0100000000000000 0000000000000000")

    def __init__(self, device: Any) -> None:
        self.device = device
        self.path = device.path
        self.silent: set[tuple[int, int]] = set()
        self.switched: list[int] = []
        self._changed = threading.Condition()
        self.on_silence = threading.Event()
        device.on_command = self._answer

    def _answer(self, asked: Any) -> None:
        if asked.key == NOTIFY:
            with self._changed:
                self.switched.append(asked.frame[8])
                self._changed.notify_all()
        if asked.key in self.silent:
            self.on_silence.set()
        else:
            asked.answer(ANSWERS.get(asked.key, NOT_SUPPORTED))

    def wait(self, *switched: int) -> None:
        """Wait until the notification has been switched just so."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.switched == list(switched), 20)

    def update(self) -> None:
        self.device.event(self.UPDATE)


@pytest.fixture
def sensor_device(hand_device: Any) -> SensorDevice:
    return SensorDevice(hand_device)
