"""`board generate`: what it prints can be checked and used; what no board can have is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from scmictl.commands import board
from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform, generator

ALL = (
    "board generate --clocks 20 --sensors 40 --power 10 --perf 10 --reset 10 --voltage 10 "
    "--powercap 10 --pins 16 --agents 3 --devices 4 --system"
)


@pytest.fixture
def one(console: Any) -> Any:
    """A console whose target must not be touched: there is nothing."""
    return console("vhost-user:/nonexistent")


def test_what_is_printed_is_a_board_of_that_size(one: Any, tmp_path: Path) -> None:
    file = tmp_path / "large.toml"
    file.write_text(one.text(ALL))
    checked = one.json(f"board check {file}")
    assert checked["counts"] == {
        "power": 10, "perf": 10, "clock": 20, "sensor": 40, "reset": 10, "voltage": 10,
        "powercap": 10, "pinctrl": 16, "pinctrl.group": 4, "pinctrl.function": 4,
    }  # fmt: skip
    assert "system" in checked["versions"]
    assert (len(checked["agents"]), len(checked["devices"])) == (3, 4)


def test_a_board_can_be_checked_as_it_comes(
    one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "piped").write_text(one.text("board generate --clocks 7"))
    with (tmp_path / "piped").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        checked = one.json("board check -")
    assert (checked["ok"], checked["name"], checked["path"]) == (True, "-", None)
    assert checked["counts"] == {"clock": 7}


def test_what_is_wrong_with_a_board_as_it_comes_is_one_line(
    one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, told in ((b"[[clock]]", "stdin: clock[0].name"), (b"a\xff", "stdin: byte 1")):
        (tmp_path / "piped").write_bytes(content)
        with (tmp_path / "piped").open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            error, _ = one.fails("board check -")
        assert isinstance(error, BoardError)
        assert error.message.startswith(told)


def test_without_a_standard_input_there_is_no_board(
    one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    error, _ = one.fails("board check -")
    assert isinstance(error, BoardError)
    assert "expected a board" in error.message


def test_the_seed_is_part_of_the_board(one: Any) -> None:
    first, second = (one.text(f"board generate --sensors 9 --seed {n}") for n in (5, 6))
    assert first != second
    assert "seed = 5" in first


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", "found no count"),
        ("--clocks -1", "--clocks is -1, expected 0 to 65535"),
        ("--sensors 65537", "--sensors is 65537, expected 0 to 65536"),
        ("--power 65536", "--power is 65536, expected 0 to 65535"),
        ("--agents 256", "--agents is 256, expected 0 to 255"),
        ("--clocks many", "--clocks: found 'many'"),
        ("--clocks 1 --seed 9223372036854775808", "--seed is 9223372036854775808"),
        ("--groups 1", "--groups is 1, expected --pins"),
        ("--pins 0 --functions 2", "--functions is 2, expected --pins"),
    ],
)
def test_what_no_board_can_have_is_refused(one: Any, options: str, told: str) -> None:
    error, printed = one.fails(f"board generate {options}")
    assert isinstance(error, UsageError)
    assert error.message.startswith(told)
    assert (error.exit_code, printed) == (2, [])


def test_every_count_there_can_be_has_its_option() -> None:
    assert {kind for kind, _ in board.SIZES.values()} == set(generator.MOST)


@pytest.mark.parametrize("kind", ["clock", "power"])
def test_one_more_than_an_option_takes_is_more_than_a_board_may_have(kind: str) -> None:
    tables = f"{kind} = [{'{},' * (generator.MOST[kind] + 1)}]"
    with pytest.raises(BoardError, match=f"expected at most {generator.MOST[kind]} "):
        Platform.from_text(tables)
