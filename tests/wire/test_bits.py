"""Words with named bits: nothing is lost or invented, a version sees only its own parts."""

from __future__ import annotations

from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import LocalProtocolError
from scmictl.wire import Bits, bits, flag
from scmictl.wire.record import word_record


class Level(IntEnum):
    LOW = 0
    HIGH = 1


class Sample(Bits):
    urgent = flag(31)
    steps = bits(15, 11, signed=True)
    level = bits(10, 10, enum=Level)
    async_ = flag(1)
    enabled = flag(0)


class Moved(Bits):
    """One bit that becomes two, and one that comes later."""

    mode = bits(1, 0, since=0x30000)
    enable = flag(0, until=0x2FFFF)
    renamed = flag(8, since=0x20000)


def test_parts_are_read_from_their_place_in_the_word() -> None:
    word = Sample(0x8000_2C02)
    assert (word.urgent, word.steps, word.level, word.async_, word.enabled) == (
        True, 5, Level.HIGH, True, False,
    )  # fmt: skip


def test_a_word_is_built_from_its_parts() -> None:
    assert Sample(urgent=True, steps=5, level=Level.HIGH, async_=True) == 0x8000_2C02


def test_parts_change_only_their_own_bits_of_a_given_word() -> None:
    assert Sample(0xFFFF_FFFF, steps=0, enabled=False) == 0xFFFF_07FE


def test_a_part_whose_name_is_a_python_keyword_can_be_given_by_either_name() -> None:
    assert Sample(async_=True) == Sample(**{"async": True}) == 2


def test_a_flag_reads_as_a_bool_and_a_single_enumerated_bit_as_a_number() -> None:
    assert Sample(1).enabled is True
    assert Sample(0x400).level == Level.HIGH
    assert not isinstance(Sample(0x400).level, bool)


@pytest.mark.parametrize(
    ("value", "word"), [(-16, 0x8000), (-1, 0xF800), (0, 0), (1, 0x0800), (15, 0x7800)]
)
def test_signed_parts_are_twos_complement(value: int, word: int) -> None:
    assert Sample(steps=value) == word
    assert Sample(word).steps == value


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"steps": 16}, "steps is 16, expected -16 to 15"),
        ({"steps": -17}, "steps is -17, expected -16 to 15"),
        ({"enabled": 2}, "enabled is 2, expected 0 to 1"),
        ({"async_": -1}, "async is -1, expected 0 to 1"),
        ({"colour": 1}, "Sample has no bits 'colour', expected: urgent, steps, level, async, ena"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(parts: dict[str, int], text: str) -> None:
    with pytest.raises(LocalProtocolError, match=text):
        Sample(**parts)


def test_reserved_bits_are_kept_and_told_apart() -> None:
    word = Sample(0x4000_0001)
    assert int(word) == 0x4000_0001
    assert word.reserved == 0x4000_0000
    assert Sample(0x8000_FC03).reserved == 0


@settings(derandomize=True, deadline=None, database=None)
@given(st.integers(0, 0xFFFF_FFFF))
def test_every_word_is_its_parts_and_its_reserved_bits(word: int) -> None:
    found = Sample(word)
    parts = {part.name: getattr(found, part.name) for part in Sample.PARTS}
    assert Sample(found.reserved, **parts) == word


def test_a_version_sees_only_its_own_parts() -> None:
    old, middle, new = Moved.at(0x10000), Moved.at(0x20000), Moved.at(0x30000)
    assert [part.name for part in old.PARTS] == ["enable"]
    assert [part.name for part in middle.PARTS] == ["renamed", "enable"]
    assert [part.name for part in new.PARTS] == ["renamed", "mode"]
    assert (old(0x103).enable, old(0x103).renamed, old(0x103).mode) == (True, False, 0)
    assert (new(0x103).enable, new(0x103).renamed, new(0x103).mode) == (False, True, 3)


def test_bits_of_other_versions_are_reserved() -> None:
    assert Moved.at(0x10000)(0x103).reserved == 0x102
    assert Moved.at(0x20000)(0x103).reserved == 0x002
    assert Moved.at(0x30000)(0x103).reserved == 0


def test_a_class_is_its_own_variant_where_all_its_parts_exist() -> None:
    assert Sample.at(0x10000) is Sample
    assert Moved.at(0x20000) is Moved.at(0x2FFFF)
    assert issubclass(Moved.at(0x30000), Moved)
    assert Moved.at(0x30000).__name__ == "Moved"


def test_a_word_is_recorded_with_the_parts_of_its_version_lowest_first() -> None:
    assert list(word_record(Sample(0x8000_2C02), 0x10000).items()) == [
        ("enabled", False), ("async", True), ("level", "high"), ("steps", 5), ("urgent", True),
    ]  # fmt: skip
    assert word_record(Moved(0x103), 0x10000) == {"enable": True, "reserved": "0x102"}
    assert word_record(Moved(0x103), 0x30000) == {"mode": 3, "renamed": True}
