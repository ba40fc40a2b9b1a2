"""vhost-device-scmi, the real third-party device, with a fake sensor; and the installed command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REQUIRED = os.environ.get("SCMICTL_REQUIRE_INTEROP") == "1"


def device_binary() -> str | None:
    return os.environ.get("VHOST_DEVICE_SCMI") or shutil.which("vhost-device-scmi")


class Device:
    """One running vhost-device-scmi.

    Its stdout is an eventfd that the test holds: the fake sensor has news while it is readable.
    """

    def __init__(self, path: Path) -> None:
        binary = device_binary()
        assert binary is not None
        self.path = path
        self.trigger = os.eventfd(0)
        self.process = subprocess.Popen(
            [binary, "--socket-path", str(path), "--device", "fake,name=foo"],
            stdout=self.trigger,
            stderr=subprocess.DEVNULL,
        )

    @property
    def target(self) -> str:
        """A target that waits for the device to come up."""
        return f"vhost-user:{self.path}?wait=10s"

    def fire(self) -> None:
        """Give the fake sensor news; it goes on until :meth:`quiet`."""
        os.eventfd_write(self.trigger, 1)

    def quiet(self) -> None:
        os.eventfd_read(self.trigger)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        os.close(self.trigger)


@pytest.fixture
def start_device(tmp_path: Path) -> Iterator[Callable[[], Device]]:
    """Return a function that starts the device (again, at the same path)."""
    if device_binary() is None:
        if REQUIRED:
            pytest.fail("vhost-device-scmi is required, and is not installed")
        pytest.skip("vhost-device-scmi is not installed (cargo install vhost-device-scmi)")
    devices: list[Device] = []

    def start() -> Device:
        devices.append(Device(tmp_path / "device.sock"))
        return devices[-1]

    yield start
    for device in devices:
        device.close()


@pytest.fixture
def device(start_device: Callable[[], Device]) -> Device:
    return start_device()


class Outcome:
    """What the installed command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture(scope="session")
def command() -> str:
    """The installed ``scmictl`` of this environment."""
    path = Path(sysconfig.get_path("scripts")) / "scmictl"
    assert path.exists(), "scmictl is not installed in this environment"
    return str(path)


@pytest.fixture
def scmictl(command: str) -> Callable[..., Outcome]:
    """Return a function that runs the installed command."""

    def run(*words: str, stdin: str = "", timeout: float = 60) -> Outcome:
        done = subprocess.run(
            [command, *words], input=stdin, capture_output=True, text=True, timeout=timeout,
            env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent"}, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


class Background:
    """The installed command running beside the test; its lines are read as they come."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip
        self._watchdog = threading.Timer(60, self.process.kill)
        self._watchdog.start()

    def line(self, stream: str = "stdout") -> str:
        """Return the next line, '' at the end."""
        source = getattr(self.process, stream)
        return str(source.readline()).rstrip("\n")

    def finish(self) -> Outcome:
        out, err = self.process.communicate()
        self._watchdog.cancel()
        return Outcome(self.process.returncode, out, err)


@pytest.fixture
def background(command: str) -> Iterator[Callable[..., Background]]:
    """Return a function that starts the installed command and lets it run."""
    started: list[Background] = []

    def start(*words: str) -> Background:
        started.append(Background([command, *words]))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.finish()
