"""`board`: boards are listed, shown and checked without any target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.errors import BoardError
from scmictl.platform import built_in

BOARD = """
[versions]
clock = "2.0"

[[agent]]
name = "main"

[[device]]
name = "serial"
owns = ["clock:uart"]

[[clock]]
name = "uart"
rates = ["24MHz"]
rate = "24MHz"
"""


@pytest.fixture
def one(console: Callable[..., Any]) -> Any:
    """A console whose target must not be touched: there is nothing."""
    return console("vhost-user:/nonexistent")


def test_ls_lists_what_a_target_can_name(one: Any) -> None:
    rows = one.json("board ls")
    assert [row["name"] for row in rows] == built_in()
    demo = next(row for row in rows if row["name"] == "demo")
    assert demo["counts"]["clock"] >= 12
    assert demo["counts"]["sensor"] > 1


def test_show_prints_a_board_that_can_be_used(one: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(one.text("board show demo"))
    checked = one.json(f"board check {mine}")
    assert (checked["ok"], checked["name"]) == (True, str(mine))
    assert checked["counts"] == one.json("board show demo")["counts"]


def test_show_as_a_record_says_what_is_in_it(one: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(BOARD)
    row = one.json(f"board show {file}")
    assert row["agents"] == ["main"]
    assert row["counts"] == {"clock": 1}
    assert row["versions"]["clock"] == "2.0"
    assert row["devices"] == ["serial"]
    assert row["path"] == str(file)


def test_a_file_without_a_suffix_can_be_checked(
    one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").write_text(BOARD)
    monkeypatch.chdir(tmp_path)
    assert one.json("board check demo")["counts"] == {"clock": 1}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[[clock", ["found no TOML"]),
        ("[[clocks]]", ["clocks", "found an unknown key", "clock"]),
        ('[[clock]]\nname = "a"\nrate = "fast"\nrates = ["1Hz"]', ["clock[0].rate", "'fast'"]),
    ],
)
def test_a_board_that_is_wrong_is_one_line_with_file_key_found_and_expected(
    one: Any, tmp_path: Path, text: str, parts: list[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    for verb in ("check", "show"):
        error, _ = one.fails(f"board {verb} {file}")
        assert isinstance(error, BoardError)
        assert error.exit_code == 2
        assert error.message.startswith(str(file))
        assert "\n" not in error.message
        assert all(part in error.message for part in [*parts, "expected"])


def test_a_board_that_is_not_there_names_those_that_are(one: Any) -> None:
    error, _ = one.fails("board show dmeo")
    assert isinstance(error, BoardError)
    assert "demo" in error.message
    error, _ = one.fails("board check /nonexistent/board.toml")
    assert "No such file" in error.message
