"""Frames as people write them down, in hex of any kind."""

from __future__ import annotations

import pytest

from scmictl.commands import notation
from scmictl.errors import UsageError

READING = bytes.fromhex("06540000 01000000 00000000")
"""SENSOR_READING_GET of sensor 1, as Linux's documentation of its raw mode writes it."""


@pytest.mark.parametrize(
    "text",
    [
        "06 54 00 00 01 00 00 00 00 00 00 00",
        "065400000100000000000000",
        "06:54:00:00:01:00:00:00:00:00:00:00",
        "06-54-00-00-01-00-00-00-00-00-00-00",
        "0654 0000 0100 0000 0000 0000",
        "00005406 00000001 00000000",
        "00005406,00000001,00000000",
        "0x00005406 0x00000001 0x00000000",
        "0x5406 1".replace(" 1", " 0x1 0x0"),
        "0x5406u, 0x1UL, 0x0,",
        "{ 0x06, 0x54, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };",
        r"\x06\x54\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
        r"\\x06\\x54\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
        r'"\x06\x54\x00\x00" "\x01\x00\x00\x00\x00\x00\x00\x00"',
        "0000_5406 0000_0001 0000_0000",
    ],
)
def test_every_way_to_write_a_frame_means_the_same_bytes(text: str) -> None:
    assert notation.frame(text) == READING


def test_eight_digits_are_what_gives_a_header() -> None:
    # 0x5403 is one; as bytes in their order it would have reserved bits and no protocol.
    assert notation.frame("00005403") == bytes.fromhex("03540000")
    assert notation.frame("03540000") == bytes.fromhex("03540000")
    assert notation.frame("00408c04") == bytes.fromhex("00408c04")
    assert notation.frame("06540000 01000000 00000000") == READING


def test_eight_digits_that_give_no_header_either_way_are_words() -> None:
    assert notation.frame("ffffffff 00000001") == bytes.fromhex("ffffffff 01000000")


@pytest.mark.parametrize("text", ["", "   ", "CLOCK_RATE_SET", "hello world", "0x", "06 5g 00 00"])
def test_what_is_no_hex_is_none(text: str) -> None:
    assert notation.frame(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("065400000", "found 9 hex digits"),
        ("06 54 0 00 00", "found 1 hex digits in '0', expected pairs"),
        ("0654", "2 bytes, expected at least the 4 of a header"),
        ("0x0654 06", "found '06', expected words of 8 hex digits"),
        ("0x123456789", "found '0x123456789', expected words"),
    ],
)
def test_hex_that_is_no_frame_says_why(text: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        notation.frame(text)
    assert found in raised.value.message
