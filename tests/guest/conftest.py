"""A real Linux guest under QEMU, whose own SCMI drivers meet the served platform.

``SCMICTL_GUEST_DIR`` names the directory with ``Image.gz``, an arm64 kernel, and
``initramfs.cpio.gz``, a file tree with busybox in it; the README says how to make both. Everything
else is here. One thread does it all: the server takes its turns between the lines that the guest
prints, so a test can look at the platform, or change it, at the very line it waits for.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scmictl import protocols
from scmictl.device.server import Server
from scmictl.platform import Platform, Port
from scmictl.wire import Request, codec, header

HERE = Path(__file__).parent
REQUIRED = os.environ.get("SCMICTL_REQUIRE_GUEST") == "1"
TIMEOUT_S = 120
LOUD = 4
"""The kernel prints what is more urgent than this level by itself: errors, and worse."""

_SECTION = re.compile(r"=== (\S+)")
_KERNEL_LINE = re.compile(r"\[ *[0-9]+\.[0-9]+\] ")


class Frame(NamedTuple):
    """One command as the kernel sent it; ``room`` is what it left for the response."""

    request: bytes
    response: bytes | None
    room: int


class Recorder:
    """A port that writes down what passes through it."""

    def __init__(self, port: Port, frames: list[Frame], events: list[bytes]) -> None:
        self._port = port
        self._frames = frames
        self._events = events

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        response = self._port.handle(cookie, frame, room, now)
        self._frames.append(Frame(frame, response, room))
        return response

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due = self._port.poll(now)
        self._events += [frame for cookie, frame in due if cookie is None]
        return due

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class Recorded(Platform):
    """A platform that keeps the frames of all its connections."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.frames: list[Frame] = []
        self.events: list[bytes] = []

    def attach(self, *args: Any, **named: Any) -> Any:
        return Recorder(super().attach(*args, **named), self.frames, self.events)

    def state(self, protocol: str, resource: int = 0) -> dict[str, Any]:
        """Return what a resource is like now."""
        return self.behaviours[protocols.by_name(protocol).id].state(resource)


class Boot:
    """What a guest printed, and what it said to the platform, from power-on to power-off."""

    def __init__(self, log: str, platform: Recorded) -> None:
        self.log = log
        self.platform = platform
        self.sections: dict[str, list[str]] = {}
        name = "boot"
        for line in log.splitlines():
            found = _SECTION.match(line)
            name = found[1] if found else name
            self.sections.setdefault(name, []).append(line)

    @property
    def completed(self) -> bool:
        """Whether the guest came to its end, and its script had status 0."""
        return "status 0" in self.sections.get("done", ())

    @property
    def errors(self) -> list[str]:
        """What the kernel printed by itself, which it does with errors and worse."""
        return [
            line
            for name, lines in self.sections.items()
            for line in lines
            if name not in ("dmesg", "done") and _KERNEL_LINE.match(line)
        ]

    def section(self, name: str) -> str:
        return "\n".join(self.sections.get(name, ()))

    def requests(self, kind: type[Request[Any]]) -> list[Any]:
        """Return every request of one kind, decoded, in the order in which the kernel sent them."""
        version = self.platform.behaviours[kind.PROTOCOL_ID].version
        found = []
        for frame in self.platform.frames:
            head = header.unpack(header.WORD.unpack_from(frame.request)[0])
            if (head.protocol_id, head.message_id) == (kind.PROTOCOL_ID, kind.MESSAGE_ID):
                found.append(codec.decode(kind, version, frame.request[header.SIZE :]))
        return found


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return a cpio archive of executable files, in the format of the kernel's initramfs."""
    out = b""
    for name, data in {**files, "TRAILER!!!": b""}.items():
        path = name.encode() + b"\0"
        mode = 0o100755 if name in files else 0
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        for part in (b"070701" + b"".join(b"%08x" % field for field in fields) + path, data):
            out += part + bytes(-len(part) % 4)
    return out


class Guests:
    """Boots guests; everything a boot needs is put into ``folder``."""

    def __init__(self, directory: Path, folder: Path) -> None:
        self.kernel = directory / "Image.gz"
        self.base = directory / "initramfs.cpio.gz"
        self.folder = folder
        self.count = 0

    def boot(
        self,
        board: str = "demo",
        *,
        script: str = "true",
        tree: str = "",
        at: Mapping[str, Callable[[Recorded], object]] | None = None,
        append: str = "",
    ) -> Boot:
        """Boot a guest against ``board``, run ``script`` in it, and return when it is off.

        ``tree`` is merged into its device tree, ``append`` goes to the kernel's command line.
        ``at`` maps lines that the guest prints to what is to be done with the platform then,
        before anything else is served.
        """
        platform = Recorded.from_board(board)
        with Server(platform) as server:
            process = self.start(server.listen(self.socket()).path, script, tree, append)
            try:
                log = _serve(server, process, platform, at or {})
            finally:
                process.kill()
                process.wait()
        return Boot(log, platform)

    def socket(self) -> str:
        """Return the path of a new socket."""
        self.count += 1
        return str(self.folder / f"guest{self.count}.sock")

    def start(
        self, socket: str, script: str = "true", tree: str = "", append: str = ""
    ) -> subprocess.Popen[bytes]:
        """Start a guest whose SCMI device is behind ``socket``; its console is stdout."""
        folder = self.folder / f"guest{self.count}"
        folder.mkdir()
        initramfs = folder / "initramfs"
        own = {"scmi-init": (HERE / "init").read_bytes(), "test": script.encode()}
        initramfs.write_bytes(self.base.read_bytes() + gzip.compress(archive(own)))
        machine = [
            "qemu-system-aarch64", "-M", "virt,memory-backend=mem,gic-version=2",
            "-cpu", "cortex-a57", "-smp", "2", "-m", "256M",
            "-object", "memory-backend-memfd,id=mem,size=256M,share=on",
            "-nodefaults", "-display", "none",
        ]  # fmt: skip
        blob = folder / "machine.dtb"
        _run([*machine, "-machine", f"dumpdtb={blob}"])
        source = folder / "guest.dts"
        text = _run(["dtc", "-q", "-I", "dtb", "-O", "dts", str(blob)])
        source.write_text(text + (HERE / "scmi.dtsi").read_text() + tree)
        _run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(blob), str(source)])
        words = (
            f"rdinit=/scmi-init console=ttyAMA0 loglevel={LOUD} panic=-1 deferred_probe_timeout=1 "
            f"trace_event=scmi:* trace_buf_size=4M {append}"
        )
        return subprocess.Popen(
            [
                "timeout", str(TIMEOUT_S), *machine, "-accel", "tcg,thread=multi", "-no-reboot",
                "-monitor", "none", "-serial", "stdio", "-kernel", str(self.kernel),
                "-initrd", str(initramfs), "-dtb", str(blob), "-append", words,
                "-chardev", f"socket,id=scmi,path={socket}",
                "-device", "vhost-user-scmi-pci,chardev=scmi",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _serve(
    server: Server,
    process: subprocess.Popen[bytes],
    platform: Recorded,
    at: Mapping[str, Callable[[Recorded], object]],
) -> str:
    assert process.stdout is not None
    output = process.stdout.fileno()
    seen: list[str] = []
    rest = b""
    while True:
        if not server.turn(output, timeout=None):
            continue
        piece = os.read(output, 1 << 16)
        if not piece:
            return "\n".join([*seen, rest.decode(errors="replace")])
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            seen.append(line.decode(errors="replace").rstrip("\r"))
            if seen[-1] in at:
                at[seen[-1]](platform)


@pytest.fixture(scope="session")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    directory = os.environ.get("SCMICTL_GUEST_DIR")
    if directory is None:
        if REQUIRED:
            pytest.fail("SCMICTL_GUEST_DIR is not set, and the guest is required")
        pytest.skip("SCMICTL_GUEST_DIR is not set; the README says how to build a guest")
    return Guests(Path(directory).resolve(), tmp_path_factory.mktemp("guest"))
