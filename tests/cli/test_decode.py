"""`decode` and `encode` as they are installed: pipes, signals, closed streams, hostile files."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRACE = Path(__file__).parents[1] / "vectors" / "scmi-msg-dump-6.12.txt"
Run = Callable[..., Any]


def test_what_encode_prints_decode_reads_from_a_pipe(scmictl: Run) -> None:
    words = ("CLOCK_RATE_SET", "clock_id=3", "rate=24MHz", "--token", "7")
    frame = scmictl("encode", *words)
    assert (frame.code, frame.err) == (0, "")
    for form in ((), ("-",)):
        done = scmictl("decode", *form, "--json", stdin=frame.out)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)["fields"]["rate"] == 24_000_000


def test_the_record_of_encode_is_read_back_too(scmictl: Run) -> None:
    record = scmictl("encode", "CLOCK_RATE_GET", "rate=1", "--as", "response", "--json").out
    assert json.loads(scmictl("decode", "--json", stdin=record).out)["type"] == "response"


def test_a_sheet_for_one_frame_and_a_line_for_each_of_many(scmictl: Run) -> None:
    one = scmictl("decode", "06 50 00 00 03 00 00 00")
    assert "message\tCLOCK_RATE_GET\n" in one.out
    many = scmictl("decode", stdin="06 50 00 00 03 00 00 00\n" * 2)
    assert many.out.splitlines()[1:] == ["clock\tCLOCK_RATE_GET\trequest\t0\t\t"
                                        '{"clock_id": 3}\t'] * 2  # fmt: skip


def test_hex_output_is_every_frame_once_whatever_form_it_had(scmictl: Run) -> None:
    assert scmictl("decode", "0x5006", "0x3", "-o", "hex").out == "0650000003000000\n"
    lines = r"\x06\x50\x00\x00\x03\x00\x00\x00" "\n06500000 fcffffff\n00 40 8c 04\n"
    done = scmictl("decode", "-o", "hex", stdin=lines)
    assert done.out == "0650000003000000\n06500000fcffffff\n00408c04\n"
    assert scmictl("decode", "-o", "hex", stdin=done.out).out == done.out


def test_closed_or_empty_input_is_one_clear_line(scmictl: Run) -> None:
    for closed in ((), (0,)):
        done = scmictl("decode", closed=closed)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            "scmictl: found no frame in standard input, expected hex, a hexdump, or lines of "
            "scmi_msg_dump\n"
        )


def test_a_reader_that_leaves_early_ends_it_without_a_word(command: str, tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_text("00 40 8c 04\n" * 100_000)
    with subprocess.Popen(
        [command, "decode", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_reading_and_records_come_before_the_input_ends(
    command: str, number: int, code: int
) -> None:
    with subprocess.Popen(
        [command, "decode", "-o", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"00 40 8c 04\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["protocol"] == "base"
        process.send_signal(number)
        assert process.wait(60) == code
        assert process.stderr.read().count(b"\n") == 1


def test_the_deadline_ends_the_reading(command: str) -> None:
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [command, "decode", "--deadline", "200ms"], stdin=read, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(read)
        os.close(write)
    assert (done.returncode, done.stdout) == (4, "")
    assert "deadline" in done.stderr


def test_a_long_stream_needs_no_more_memory_than_a_short_one(command: str, tmp_path: Path) -> None:
    """A file of 120 MB, most of it one line, in an address space that could not hold it twice."""
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(b"00 40 8c 04\n")
        for _ in range(110):
            file.write(b"7" * 1_000_000)
        file.write(b"\n")
        for _ in range(30):
            file.write(b"some other text that is no frame at all\n" * 10_000)
        file.write(b"00 40 8c 04\n")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20))

    done = subprocess.run(
        [command, "decode", str(path), "-o", "jsonl"], capture_output=True, text=True, timeout=60,
        check=False, preexec_fn=limit,
    )  # fmt: skip
    assert done.returncode == 8, done.stderr
    assert [json.loads(line)["line"] for line in done.stdout.splitlines()] == [1, 2, 300_003]
    assert "300000 other lines" in done.stderr


@pytest.mark.parametrize(
    ("path", "said"),
    [("/dev/zero", "binary, and longer than"), ("/dev/null", "found no frame in /dev/null"),
     ("/dev", "Is a directory"), ("/dev/nothing", "No such file"),
     ("/proc/self/mem", "cannot read /proc/self/mem: ")],
)  # fmt: skip
def test_what_is_no_file_of_frames_is_one_clear_line(scmictl: Run, path: str, said: str) -> None:
    done = scmictl("decode", path)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_errors_and_notes_are_json_where_the_output_is(scmictl: Run, tmp_path: Path) -> None:
    path = tmp_path / "frames"
    path.write_text("hello\n00 40 8c 0\n00 40 8c 04\n")
    done = scmictl("decode", str(path), "--json")
    assert done.code == 8
    said = [json.loads(line) for line in done.err.splitlines()]
    assert [list(one) for one in said] == [["notice"], ["notice"], ["error"]]
    assert said[-1]["error"]["code"] == 8
    assert len(done.out.splitlines()) == 2


def test_decode_is_a_line_of_a_batch_too(scmictl: Run, tmp_path: Path) -> None:
    script = tmp_path / "script.scmi"
    script.write_text(
        "decode 06500000 03000000\nassert fields.clock_id == 3 and not guess\n"
        "encode CLOCK_RATE_GET clock_id=3\nassert frame == '0650000003000000'\n"
        f"decode {TRACE}\nassert count == 33\n"
    )
    done = scmictl("batch", str(script), "-q")
    assert done.code == 0, done.err + done.out
