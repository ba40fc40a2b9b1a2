"""The header word and the status word, as in the tables of the reference (part A, 1.1 and 1.5)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import RemoteProtocolError
from scmictl.wire import Status, codec, header, status_name
from scmictl.wire.status import MEANINGS


def test_every_field_has_its_place() -> None:
    assert header.pack(0xFF, 0, 0, 0) == 0x0000_00FF
    assert header.pack(0, 3, 0, 0) == 0x0000_0300
    assert header.pack(0, 0, 0xFF, 0) == 0x0003_FC00
    assert header.pack(0, 0, 0, 1023) == 0x0FFC_0000


def test_a_header_word_is_taken_apart() -> None:
    assert header.unpack(0x0024_5205) == header.Header(0x5, header.DELAYED, 0x14, 9)
    assert header.unpack(0x0000_5701) == header.Header(0x1, header.NOTIFICATION, 0x15, 0)
    assert header.unpack(0xF004_4100) == header.Header(0, header.RESERVED, 0x10, 1, reserved=0xF)


@settings(derandomize=True, deadline=None, database=None)
@given(st.integers(0, 0x0FFF_FFFF))
def test_taking_apart_and_packing_undo_each_other(word: int) -> None:
    parts = header.unpack(word)
    assert parts.reserved == 0
    assert header.pack(*parts[:4]) == word


def test_a_frame_is_the_header_in_little_endian_and_the_payload() -> None:
    assert header.frame(0x4, 0, 0x14, 7, b"rest") == bytes.fromhex("04501c00") + b"rest"


def test_every_message_type_has_a_name() -> None:
    assert header.TYPE_NAMES[header.COMMAND] == "command"
    assert header.TYPE_NAMES[header.DELAYED] == "delayed_response"
    assert header.TYPE_NAMES[header.NOTIFICATION] == "notification"
    assert len(header.TYPE_NAMES) == 4


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0, "SUCCESS"),
        (-1, "NOT_SUPPORTED"),
        (-12, "PARTIAL_ERROR"),
        (-13, "RESERVED(-13)"),
        (-127, "RESERVED(-127)"),
        (-128, "VENDOR(-128)"),
        (-(1 << 31), "VENDOR(-2147483648)"),
        (1, "RESERVED(1)"),
    ],
)
def test_every_status_has_a_name(value: int, name: str) -> None:
    assert status_name(value) == name


def test_every_status_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Status)


def test_the_status_is_signed_and_little_endian() -> None:
    assert codec.read_status(bytes.fromhex("fcffffff"), "CLOCK_RATE_GET") == Status.NOT_FOUND
    assert codec.read_status(bytes.fromhex("7effffff0000"), "CLOCK_RATE_GET") == -130


@pytest.mark.parametrize("length", [0, 3])
def test_an_answer_without_a_whole_status_is_the_peers_fault(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"CLOCK_RATE_GET: the answer has {length} "):
        codec.read_status(bytes(length), "CLOCK_RATE_GET")
