"""Streams that are full, closed, or that nobody reads any more: the right code, and one line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

SMALL = ["-q", "-t", "sim:demo", "clock", "get", "0"]
LARGE = ["-q", "-t", "sim:demo", "-o", "json", "-c", "; ".join(["clock list"] * 40)]
"""More than any buffer holds."""
LONG = ["board", "generate", "--clocks", "5000"]
"""One text, longer than any buffer."""
WAYS = [SMALL, LONG, ["-q", "-t", "sim:demo", "board", "show", "demo"], ["--help"], ["--version"]]


@pytest.fixture
def full() -> Iterator[IO[str]]:
    with open("/dev/full", "w") as device:
        yield device


@pytest.mark.parametrize("words", WAYS, ids=lambda words: words[-1])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_is_exit_11_and_said_once(
    scmictl: Callable[..., Any], full: IO[str], words: list[str], buffered: bool
) -> None:
    found = scmictl(*words, stdout=full, **({} if buffered else {"PYTHONUNBUFFERED": "1"}))
    assert (found.code, found.err) == (
        11,
        "scmictl: cannot write the output: No space left on device\n",
    )


@pytest.mark.parametrize("buffered", [True, False])
def test_with_json_a_full_disk_is_said_as_one_object(
    scmictl: Callable[..., Any], full: IO[str], buffered: bool
) -> None:
    found = scmictl(
        *SMALL, "--json", stdout=full, **({} if buffered else {"PYTHONUNBUFFERED": "1"})
    )
    assert found.code == 11
    (line,) = found.err.splitlines()
    error = json.loads(line)["error"]
    assert (error["code"], error["name"]) == (11, "OUTPUT")


def test_a_full_disk_in_the_middle_of_many_commands_ends_them(
    scmictl: Callable[..., Any], full: IO[str]
) -> None:
    found = scmictl(*LARGE, stdout=full)
    assert found.code == 11
    assert found.err.count("cannot write the output") == 1


@pytest.mark.parametrize("words", WAYS, ids=lambda words: words[-1])
def test_a_stdout_that_is_not_there_is_a_stdout_that_cannot_be_written(
    scmictl: Callable[..., Any], words: list[str]
) -> None:
    found = scmictl(*words, closed=(1,))
    assert (found.code, found.out) == (11, "")
    assert found.err == "scmictl: cannot write the output: Bad file descriptor\n"


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2)])
def test_other_streams_that_are_not_there_are_not_missed(
    scmictl: Callable[..., Any], hand_device: Any, closed: tuple[int, ...]
) -> None:
    # Nor do the connection's own descriptors take their places.
    found = scmictl("-t", hand_device.path, "raw", "0x10", "0x0", "-o", "hex", closed=closed)
    assert (found.code, found.out) == (0, "004000000000000000000200\n")
    found = scmictl("-t", hand_device.path, "raw", "0x10", closed=closed)
    assert (found.code, found.out) == (2, "")


def test_without_any_stream_the_exit_code_still_tells(scmictl: Callable[..., Any]) -> None:
    assert scmictl(*SMALL, closed=(0, 1, 2)).code == 11
    assert scmictl("-t", "sim:demo", "clock", "get", "nosuch", closed=(0, 1, 2)).code == 2


def test_a_full_stderr_changes_nothing(scmictl: Callable[..., Any], full: IO[str]) -> None:
    assert scmictl(*SMALL, "--trace", stderr=full).code == 0
    assert scmictl("-t", "sim:demo", "clock", "get", "nosuch", stderr=full).code == 2


@pytest.mark.parametrize(
    "words",
    [SMALL, LARGE, LONG, ["--help"], ["--version"]],
    ids=["small", "large", "long", "help", "version"],
)
def test_a_pipe_that_nobody_reads_any_more_is_left_without_a_word(
    scmictl: Callable[..., Any], words: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    found = scmictl(*words, stdout=write)
    os.close(write)
    assert (found.code, found.err) == (141, "")


@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_that_leaves_in_the_middle_of_a_text_is_noticed(
    background: Callable[..., Any], buffered: bool
) -> None:
    writing = background(*LONG, **({} if buffered else {"PYTHONUNBUFFERED": "1"}))
    assert writing.line() == "[platform]\n"
    writing.process.stdout.close()
    found = writing.finish()
    assert (found.code, found.err) == (141, "")


def test_head_gets_its_line_and_nothing_is_said(command: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{{ {command} -q -t sim:demo clock list; echo $? >&2; }} | head -n 1"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.count("\n") == 1
    assert done.stderr in ("0\n", "141\n")


def test_a_watch_ends_when_its_reader_leaves_and_unsubscribes(
    sensor_device: Any, background: Callable[..., Any]
) -> None:
    watch = background("-t", sensor_device.path, "-o", "jsonl", "watch", "SENSOR_UPDATE", "0")
    sensor_device.wait(1)
    sensor_device.update()
    assert json.loads(watch.line())["event"] == "SENSOR_UPDATE"
    watch.process.stdout.close()
    sensor_device.update()
    sensor_device.wait(1, 0)
    found = watch.finish()
    assert (found.code, found.err) == (141, "")
