"""What the tests of commands share: a console on a simulated platform, or on a scripted one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Agent, Frame
from scmictl.commands import Output
from scmictl.commands.context import Context
from scmictl.console.environment import Environment
from scmictl.console.parser import Invocation, parse
from scmictl.console.session import Session
from scmictl.errors import ScmictlError
from scmictl.transport.inprocess import InProcess

Answers = dict[tuple[int, int, bytes | None], "bytes | int"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Console:
    """A session of many commands; each method runs one line and returns what became of it.

    ``answers`` is what is typed when it asks; None means that nobody can be asked. ``frames`` are
    all frames of the session.
    """

    def __init__(self, target: str, *, answers: str | None = None) -> None:
        kind = io.StringIO if answers is None else Terminal
        self.stdout = io.StringIO()
        self.stderr = kind()
        environment = Environment(kind(answers or ""), self.stdout, self.stderr, {})
        self.session = Session(environment, {"target": target}, lasting=True)
        self.frames: list[Frame] = []
        self.session.on_frame = self.frames.append

    def text(self, line: str) -> str:
        """Run a line and return what it prints; raises what it ends with."""
        start = self.stdout.tell()
        self.session.words(line.split())
        return self.stdout.getvalue()[start:]

    def json(self, line: str) -> Any:
        """Run a line and return its JSON."""
        return json.loads(self.text(f"{line} --json"))

    def lines(self, line: str) -> list[Any]:
        """Run a line that prints one record after another, and return them."""
        return [json.loads(text) for text in self.text(f"{line} -o jsonl").splitlines()]

    def fails(self, line: str) -> tuple[ScmictlError, Any]:
        """Run a line that ends with an error; return it, and the records printed before."""
        start = self.stdout.tell()
        with pytest.raises(ScmictlError) as raised:
            self.session.words([*line.split(), "-o", "jsonl"])
        printed = self.stdout.getvalue()[start:].splitlines()
        return raised.value, [json.loads(text) for text in printed]

    @property
    def said(self) -> str:
        """Everything on stderr."""
        return self.stderr.getvalue()

    def requests(self) -> list[str]:
        """All request frames as hexadecimal text, their tokens set to 0."""
        return [
            (int.from_bytes(frame.data[:4], "little") & ~(0x3FF << 18))
            .to_bytes(4, "little")
            .hex(" ")
            + "".join(f" {byte:02x}" for byte in frame.data[4:])
            for frame in self.frames
            if frame.outgoing
        ]


class Script:
    """A platform that says what a table tells it to, behind the real queues.

    ``answers`` maps protocol id, message id and request payload (None: any) to what follows the
    status word SUCCESS, or to a status. What is not in it is answered with NOT_SUPPORTED.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[int, int, bytes]] = []
        """Protocol id, message id and payload of every request."""

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes:
        word = int.from_bytes(frame[:4], "little")
        asked = word >> 10 & 0xFF, word & 0xFF, frame[4:]
        self.asked.append(asked)
        answer = self.answers.get(asked, self.answers.get((*asked[:2], None), -1))
        if isinstance(answer, int):
            return frame[:4] + answer.to_bytes(4, "little", signed=True)
        return frame[:4] + bytes(4) + answer

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        return []

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass

    def run(self, line: str) -> Output:
        """Run a command against a new connection, and return what it gives."""
        invocation = parse(line.split())
        assert isinstance(invocation, Invocation)
        command = invocation.command
        assert command is not None and command.run is not None
        agent = Agent(InProcess(self))
        return command.run(Context(lambda: agent), invocation.arguments)


@pytest.fixture
def console() -> Iterator[Callable[..., Console]]:
    """Return a function that makes consoles; they are closed at the end of the test."""
    made: list[Console] = []

    def make(target: str = "sim:", *, answers: str | None = None) -> Console:
        made.append(Console(target, answers=answers))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def board(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a board file and returns the target for it."""

    def write(text: str) -> str:
        file = tmp_path / "board.toml"
        file.write_text(text)
        return f"sim:{file}"

    return write


@pytest.fixture
def clocks(console: Callable[..., Console], board: Callable[[str], str]) -> Callable[..., Console]:
    """Return a function that makes consoles on the board in clocks.toml.

    ``version`` is that of the clock protocol, ``head`` more of the board, ``query`` target options.
    """
    text = (Path(__file__).parent / "clocks.toml").read_text()

    def make(version: str = "3.0", *, head: str = "", query: str = "", **more: Any) -> Console:
        versions = f'[versions]\nclock = "{version}"\n'
        return console(board(versions + head + text) + query, **more)

    return make


@pytest.fixture
def script() -> type[Script]:
    """Return the class of scripted platforms."""
    return Script
