"""Hexdumps of one frame, as the programs of that name print it."""

from __future__ import annotations

import pytest

from scmictl.commands.dump import LONGEST, Dump, begins
from scmictl.errors import UsageError

NAME = bytes.fromhex(
    "03544000 00000000 010000d0 75617274 30000000 00000000 00000000 00000000 00000000"
)
"""A descriptor with a name, two lines and a bit long."""

# Printed by xxd, hexdump (bsdextrautils 2.38) and od (coreutils 9.1) of these 36 bytes.
XXD = """\
00000000: 0354 4000 0000 0000 0100 00d0 7561 7274  .T@.........uart
00000010: 3000 0000 0000 0000 0000 0000 0000 0000  0...............
00000020: 0000 0000                                ....
"""
XXD_G4 = """\
00000000: 03544000 00000000 010000d0 75617274  .T@.........uart
00000010: 30000000 00000000 00000000 00000000  0...............
00000020: 00000000                             ....
"""
XXD_E = """\
00000000: 00405403 00000000 d0000001 74726175  .T@.........uart
00000010: 00000030 00000000 00000000 00000000  0...............
00000020: 00000000                             ....
"""
HEXDUMP_C = """\
00000000  03 54 40 00 00 00 00 00  01 00 00 d0 75 61 72 74  |.T@.........uart|
00000010  30 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |0...............|
00000020  00 00 00 00                                       |....|
00000024
"""
HEXDUMP = """\
0000000 5403 0040 0000 0000 0001 d000 6175 7472
0000010 0030 0000 0000 0000 0000 0000 0000 0000
0000020 0000 0000
0000024
"""
OD_X4 = """\
0000000 00405403 00000000 d0000001 74726175
0000020 00000030 00000000 00000000 00000000
0000040 00000000
0000044
"""
OD_X1 = """\
0000000 03 54 40 00 00 00 00 00 01 00 00 d0 75 61 72 74
0000020 30 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0000040 00 00 00 00
0000044
"""
OD_X1Z = """\
000000 03 54 40 00 00 00 00 00 01 00 00 d0 75 61 72 74  >.T@.........uart<
000010 30 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  >0...............<
000020 00 00 00 00                                      >....<
000024
"""


def read(text: str) -> bytes:
    """The frame of a dump; every line has to belong to it."""
    first, *lines = text.splitlines()
    row = begins(first)
    assert row is not None
    dump = Dump(row)
    for line in lines:
        assert dump.take(line), line
    return dump.end()


@pytest.mark.parametrize(
    "text",
    [XXD, XXD_G4, XXD_E, HEXDUMP_C, HEXDUMP, OD_X4, OD_X1, OD_X1Z],
    ids=["xxd", "xxd-g4", "xxd-e", "hexdump-C", "hexdump", "od-x4", "od-x1", "od-x1z"],
)
def test_the_frame_is_the_same_whatever_printed_it(text: str) -> None:
    assert read(text) == NAME


def test_the_dump_in_the_documentation_of_raw_mode_is_understood() -> None:
    # Linux, "Introduce a unified API for SCMI Server testing": od --endian=little -t x4.
    text = "0000000 00005406 00000000 00000335 00000000\n0000020\n"
    assert read(text) == bytes.fromhex("06540000 00000000 35030000 00000000")


def test_a_star_stands_for_lines_like_the_one_before() -> None:
    text = "0000000 03 54 40 00 00 00 00 00 00 00 00 00 00 00 00 00\n" + (
        "0000020 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n*\n0000120 01\n0000121\n"
    )
    assert read(text) == bytes.fromhex("03544000") + bytes(76) + b"\1"


def test_what_a_group_was_filled_up_with_is_no_data() -> None:
    assert read("0000000 00405403 000000ff\n0000005\n") == bytes.fromhex("03544000 ff")


@pytest.mark.parametrize(
    "line",
    [
        "00005403 00000001",  # words: no dump begins anywhere but at 0
        "000000005403",
        "00000000",
        "0000000 hello",
        "00000010: 3000 0000",
        "0000000 00 000",
    ],
)
def test_no_dump_begins_with(line: str) -> None:
    assert begins(line) is None


def test_a_dump_ends_at_its_last_offset_at_the_next_one_and_at_other_text() -> None:
    row = begins("0000000 00405403")
    assert row is not None
    dump = Dump(row)
    for line in ("0000000 00405403", "hello", "", "# more"):
        assert not dump.take(line)
    assert dump.take("0000004")
    assert dump.closed
    assert not dump.take("0000004")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0000000 00405403\n0000020 00000000\n", "offset 0000020, expected 0x4"),
        ("0000000 00405403\n0000014\n", "4 bytes, expected 12 or 14 or 20 as its last offset"),
        ("0000000 00405403 00000001\n0000004\n", "8 bytes, expected 4 as"),
        ("0000000 03 54\n", "2 bytes, expected at least the 4 of a header"),
        ("0000000 00405403\n*\n", "it ends behind a *"),
        ("0000000 00405403\n*\n0000003\n", "the * is followed by no offset"),
        (f"000000 00405403\n*\n{8 * LONGEST:06x}\n", "the * is followed by no offset"),
    ],
)
def test_a_dump_that_does_not_hold_together_says_why(text: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(text)
    assert raised.value.message.startswith("the hexdump is damaged: ")
    assert found in raised.value.message
