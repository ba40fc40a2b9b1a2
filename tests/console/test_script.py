"""Scripts are checked before anything is sent: what is wrong is found with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scmictl.console.script import Assert, Expect, For, Include, Reader, Repeat, Run, Set, walk
from scmictl.errors import UsageError


def read(text: str, **variables: str) -> list[object]:
    return list(Reader(variables, {"HOME": "/root"}).text(text, "soc.scmi"))


def test_every_kind_of_statement_is_understood() -> None:
    steps = read(
        "# a comment\n"
        "clock list; clock get 1\n"
        "expect DENIED|NOT_FOUND within 2s: clock get 99\n"
        "assert rate_hz == 24MHz\n"
        "set NAME = uart0\n"
        "set rate := clock get $NAME .rate_hz\n"
        "repeat 3 every 10ms: clock get $NAME\n"
        "for id in 1 2 uart0: clock get $id\n"
        "sleep 10ms\n"
        "echo the rate is $rate\n"
        "section the end\n"
    )
    kinds = [type(step).__name__ for step in steps]
    assert kinds == [
        "Run", "Run", "Expect", "Assert", "Set", "Set", "Repeat", "For", "Sleep", "Say", "Say",
    ]  # fmt: skip
    assert isinstance(steps[2], Expect)
    assert steps[2].outcomes == ("DENIED", "NOT_FOUND")
    assert steps[2].within == 2.0
    assert isinstance(steps[2].step, Run)
    assert isinstance(steps[3], Assert)
    assert isinstance(steps[4], Set)
    assert isinstance(steps[6], Repeat)
    assert isinstance(steps[7], For)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("clck list", "no such command 'clck'"),
        ("clock lst", "no such command 'lst'"),
        ("nxp-misc list", "no such command 'nxp-misc'"),
        ("clock list --wat", "no such option: --wat"),
        ("clock set 1", "missing argument"),
        ("clock set 1 24Mhz", "24Mhz"),
        ("clock set 1 24MHz --round sideways", "sideways"),
        ("clock get $NAME", "$NAME is not set before it is used"),
        ("clock get ${env:NOBODY_SETS_THIS}", "NOBODY_SETS_THIS"),
        ("expect SUCCES: clock get 1", "unknown outcome 'SUCCES'"),
        ("expect ok clock get 1", "without a colon"),
        ("expect ok within: clock get 1", "expected one duration"),
        ("expect ok: ", "nothing behind the colon"),
        ("assert rate_hz = 24MHz", "expected"),
        ("assert $rate == 1", "$rate is not set"),
        ("set x", "expected NAME = VALUE"),
        ("set 9x = 1", "expected a name"),
        ("set x := clock get 1", "expected a command and then .FIELD"),
        ("wait SENSOR_UPDATE within 1s", "nothing before it subscribes"),
        ("quiet SENSOR_UPDATE for 1s", "nothing before it subscribes"),
        ("wait SENSOR_UPDATE", "expected EVENT"),
        ("repeat many: clock get 1", "many"),
        ("repeat -1: clock get 1", "expected 0 or more"),
        ("for x: clock get 1", "expected NAME in WORD"),
        ("sleep", "sleep, expected a duration"),
        ("sleep soon", "soon"),
        ("include", "expected a file"),
        ("include /nonexistent/file", "cannot read"),
        ("batch other.scmi", "no place in a script"),
        ("clock list --help", "no place in a script"),
        ("'unclosed", "not closed"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_sent(line: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(f"clock list\n\n{line}\n")
    assert caught.value.message.startswith("soc.scmi:3: "), caught.value.message
    assert complaint.lower() in caught.value.message.lower()


def test_names_on_the_platform_are_not_checked() -> None:
    assert len(read("clock get no-such-clock-anywhere")) == 1


def test_a_word_with_a_variable_is_checked_when_its_value_is_known() -> None:
    assert len(read("set RATE = 24MHz\nclock set 1 $RATE\n")) == 2
    assert len(read("clock set 1 $RATE", RATE="1MHz")) == 1


def test_a_file_is_read_relative_to_the_one_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.scmi").write_text("include sub/first.scmi\n")
    (tmp_path / "sub" / "first.scmi").write_text("include second.scmi\n")
    (tmp_path / "sub" / "second.scmi").write_text("clock list\n")
    (step,) = Reader({}, {}).file(str(tmp_path / "main.scmi"))
    assert isinstance(step, Include)
    assert [type(s).__name__ for s in walk([step])] == ["Include", "Include", "Run"]


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "main.scmi").write_text("clock list\ninclude bad.scmi\n")
    (tmp_path / "bad.scmi").write_text("\nclock lst\n")
    with pytest.raises(UsageError) as caught:
        Reader({}, {}).file(str(tmp_path / "main.scmi"))
    assert caught.value.message.startswith(f"{tmp_path / 'bad.scmi'}:2: ")


def test_files_that_include_each_other_are_an_error_and_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "a.scmi").write_text("include b.scmi\n")
    (tmp_path / "b.scmi").write_text("include a.scmi\n")
    with pytest.raises(UsageError, match="includes itself"):
        Reader({}, {}).file(str(tmp_path / "a.scmi"))


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "noise.scmi").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        Reader({}, {}).file(str(tmp_path / "noise.scmi"))
