"""Protocols whose versions may still change are marked wherever a version is told."""

from __future__ import annotations

from typing import Any

import pytest

BOARD = """
[telemetry]
[[telemetry.event]]
name = "soc-energy"
id = 0xA000
type = "accumulating_other"
[[powercap]]
name = "soc"
cap = 15000
"""


def marks(one: Any) -> dict[str, bool]:
    """The mark of every protocol that `info` lists."""
    return {row["name"]: row.get("experimental", False) for row in one.json("info")["protocols"]}


def test_info_marks_experimental_versions(console: Any, board: Any) -> None:
    assert marks(console(board(BOARD))) == {"powercap": False, "telemetry": True}
    newer = console(board('[versions]\npowercap = "3.0"\n' + BOARD))
    assert marks(newer) == {"powercap": True, "telemetry": True}
    assert newer.json("powercap info")["experimental"] is True
    listed = {row["name"]: row.get("experimental") for row in newer.json("base protocols")}
    assert listed["telemetry"] is True
    assert listed["powercap"] is True


def test_data_events_are_listed_and_counted(console: Any, board: Any) -> None:
    one = console(board(BOARD))
    (row,) = [row for row in one.json("info")["protocols"] if row["name"] == "telemetry"]
    assert (row["version"], row["count"]) == ("1.0", 1)
    found = one.json("call telemetry.DE_DESCRIPTION desc_index=0")["fields"]
    assert found["num_desc"] == {"returned": 1, "remaining": 0}
    (described,) = found["desc"]
    assert (described["de_id"], described["name"]) == (0xA000, "soc-energy")
    assert described["de_attributes_1"]["type"] == "accumulating_other"


def test_a_reading_comes_with_the_delayed_response(console: Any, board: Any) -> None:
    one = console(board(BOARD))
    one.text("call TELEMETRY_DE_CONFIGURE identifier=0xA000 flags.mode=enabled")
    accepted, read = one.lines(
        "call TELEMETRY_CONFIG_SET control.enable=1 control.mode=single_read control.selector=all"
    )
    assert accepted["status"] == "SUCCESS"
    assert (read["message"], read["type"]) == ("TELEMETRY_READING_COMPLETE", "delayed_response")
    assert read["fields"] == {"num_dwords": 4, "array": [0, 0xA000, 0, 0]}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("telemetry", "versions 1.0 (experimental)"),
        ("powercap", "versions 1.0, 2.0, 3.0 (experimental)"),
        ("TELEMETRY_RESET", "since version 1.0 (experimental)"),
        ("POWERCAP_CAI_GET", "since version 3.0 (experimental)"),
    ],
)
def test_explain_marks_experimental_versions(console: Any, words: str, shown: str) -> None:
    assert shown in console().text(f"explain {words}")


def test_what_is_not_experimental_has_no_mark(console: Any) -> None:
    one = console()
    assert "experimental" not in one.text("explain clock")
    assert one.json("explain clock")["experimental"] == []
    assert one.json("explain powercap")["experimental"] == ["3.0"]
