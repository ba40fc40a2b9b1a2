"""Standard input: whole or by lines, ended by a signal or the deadline, and never half a letter."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from scmictl.agent import Interrupt, Waiter
from scmictl.console.input import Input
from scmictl.errors import Interrupted, TransferTimeout, UsageError


class Pipe:
    """A pipe to read from as text, and its other end."""

    def __init__(self) -> None:
        read, self.write_end = os.pipe()
        self.stream: TextIO = os.fdopen(read, encoding="utf-8")

    def say(self, data: bytes) -> None:
        os.write(self.write_end, data)

    def end(self) -> None:
        os.close(self.write_end)
        self.write_end = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.stream.close()
    if made.write_end >= 0:
        made.end()


def test_everything_is_read_to_the_end_and_letters_are_not_cut(pipe: Pipe) -> None:
    text = "x" + "°" * 30_000
    pipe.say(text.encode() + b"\r\ny\r\n")
    pipe.end()
    assert Input(pipe.stream, Waiter()).read() == text + "\ny\n"


def test_lines_come_as_they_are_there(pipe: Pipe) -> None:
    lines = Input(pipe.stream, Waiter())
    pipe.say(b"one\ntwo\r\nthr")
    assert [lines.readline(), lines.readline()] == ["one\n", "two\n"]
    pipe.say(b"ee")
    pipe.end()
    assert [lines.readline(), lines.readline(), lines.readline()] == ["three", "", ""]


def test_what_is_left_after_a_line_can_be_read_whole(pipe: Pipe) -> None:
    lines = Input(pipe.stream, Waiter())
    pipe.say(b"one\ntwo\nthree")
    pipe.end()
    assert lines.readline() == "one\n"
    assert lines.read() == "two\nthree"
    assert lines.read() == ""


@pytest.mark.parametrize("how", ["read", "readline"])
def test_what_is_no_text_is_a_usage_error(pipe: Pipe, how: str) -> None:
    pipe.say(b"clock get \xff\xfe\n")
    pipe.end()
    with pytest.raises(UsageError, match="cannot read standard input: not UTF-8"):
        getattr(Input(pipe.stream, Waiter()), how)()


@pytest.mark.parametrize("how", ["read", "readline"])
def test_a_signal_ends_a_read_that_waits(pipe: Pipe, how: str) -> None:
    interrupt = Interrupt()
    interrupt.set(143)
    pipe.say(b"half a line")
    with pytest.raises(Interrupted) as caught:
        getattr(Input(pipe.stream, Waiter(interrupt)), how)()
    assert caught.value.exit_code == 143
    interrupt.close()


def test_the_deadline_of_the_run_ends_it_too(pipe: Pipe) -> None:
    waiter = Waiter()
    waiter.deadline = waiter.now()
    with pytest.raises(TransferTimeout):
        Input(pipe.stream, waiter).read()


def test_a_stream_without_a_descriptor_is_read_as_it_is() -> None:
    stream = Input(io.StringIO("one\ntwo\n"), Waiter())
    assert (stream.readline(), stream.read(), stream.read()) == ("one\n", "two\n", "")


def test_a_directory_for_input_is_a_usage_error() -> None:
    fd = os.open("/", os.O_RDONLY)

    class Stream(io.StringIO):
        def fileno(self) -> int:
            return fd

    with pytest.raises(UsageError, match="cannot read standard input: Is a directory"):
        Input(Stream(), Waiter()).read()
    os.close(fd)
