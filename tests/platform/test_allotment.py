"""Power capping domains on a board: what can be written, and what is wrong with what cannot."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError
from scmictl.platform import Platform
from scmictl.protocols import powercap


def read(text: str) -> Any:
    found: Any = Platform.from_text(text, "b.toml").behaviours[powercap.ID]
    return found.domains


def test_a_domain_needs_a_name_and_nothing_else() -> None:
    [one] = read('[[powercap]]\nname = "d"\n')
    assert (one.name, one.limits, one.unit) == ("d", (), powercap.PowerUnit.MILLIWATTS)
    assert (one.pai.us, one.monitoring, one.notify, one.asynchronous) == (
        100_000,
        True,
        True,
        False,
    )
    assert (one.caps.lowest, one.caps.highest) == (1, 1)


def test_a_cap_begins_at_the_highest() -> None:
    [one] = read('[[powercap]]\nname = "d"\ncaps = { lowest = 1, highest = "9W", step = 1 }\n')
    assert one.limits[0].cap == 9000


def test_powers_are_counted_in_the_unit_of_the_domain() -> None:
    [one] = read('[[powercap]]\nname = "d"\nunit = "uW"\ncap = "2.5mW"\npower = 7\n')
    assert (one.limits[0].cap, one.wave.base) == (2500, 7)


def test_trees_have_every_parent_before_its_children() -> None:
    domains = read(
        '[[powercap]]\nname = "leaf"\nparent = "branch"\n'
        '[[powercap]]\nname = "branch"\nparent = "root"\n'
        '[[powercap]]\nname = "root"\n'
        '[[powercap]]\nname = "other"\n'
    )
    assert [[one.name for one in domain.family] for domain in domains] == [
        ["root", "branch", "leaf"], ["root", "branch", "leaf"], ["root", "branch", "leaf"],
        ["other"],
    ]  # fmt: skip


CAPS = "caps = { lowest = 2, highest = 10, step = 2 }\n"


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        ("colour = 1\n", "powercap[0].colour", "unknown key"),
        ('unit = "W"\n', "powercap[0].unit", "one of: mW, uW, abstract"),
        ('cap = "5V"\n', "powercap[0].cap", "a power from 0 to 4294967295 in mW"),
        ("cap = true\n", "powercap[0].cap", "a power from 0"),
        ('unit = "abstract"\ncap = "5W"\n', "powercap[0].cap", "a power from 0 to 4294967295"),
        ("cap = 0\n", "powercap[0].cap", "not 0 where there are no caps"),
        ('cap = "4295kW"\n', "powercap[0].cap", "a power from 0"),
        (CAPS + "cap = 3\n", "powercap[0].cap", "0, or 2 to 10 in steps of 2"),
        (CAPS + "cap = 12\n", "powercap[0].cap", "0, or 2 to 10"),
        ("caps = [1, 2]\n", "powercap[0].caps", "a table"),
        ("caps = { lowest = 1, highest = 5 }\n", "powercap[0].caps.step", "a power"),
        ("caps = { lowest = 0, highest = 5, step = 1 }\n", "caps.lowest", "more than 0"),
        ("caps = { lowest = 1, highest = 5, step = 0 }\n", "caps.step", "more than 0"),
        ("caps = { lowest = 1, highest = 1, step = 1 }\n", "caps.highest", "more than lowest"),
        ("caps = { lowest = 1, highest = 6, step = 2 }\n", "caps.highest", "whole number of steps"),
        ('pai = "1ns"\n', "powercap[0].pai", "whole microseconds"),
        ('pai = "4295s"\n', "powercap[0].pai", "whole microseconds"),
        (
            'pais = { lowest = "1ms", highest = "3ms", step = "1ms" }\npai = "4ms"\n',
            "powercap[0].pai",
            "1000 to 3000 in steps of 1000 us",
        ),
        ('parent = "d"\n', "powercap[0].parent", "does not lead back"),
        ('parent = "x"\n', "powercap[0].parent", "the name of a power capping domain"),
        ("monitoring = false\n", "powercap[0].monitoring", "true where the cap cannot be set"),
        ("async = true\n", "powercap[0].async", "false where the cap cannot be set"),
        ("accuracy = 100001\n", "powercap[0].accuracy", "0 to 100000"),
        ("restrict = { x = [] }\n", "powercap[0].restrict.x", "one of the agents"),
        ('restrict = { agent = ["x"] }\n', "restrict.agent[0]", "one of: cap, interval"),
        ('[[powercap.limit]]\nname = "l"\ncap = 1\n', "powercap[0].limit", "with a cap"),
        (CAPS + '[[powercap.limit]]\nname = "l"\n', "powercap[0].limit[0].cap", "a power"),
        (CAPS + '[[powercap.limit]]\nname = "d"\ncap = 1\n', "limit[0].name", "a name of its own"),
        (
            CAPS + '[[powercap.limit]]\nname = "l"\ncap = 1\n' * 15,
            "powercap[0].limit",
            "at most 14",
        ),
        ('[[powercap]]\nname = "d"\n', "powercap[1].name", "a name of its own"),
        (
            '[[powercap]]\nname = "e"\nunit = "abstract"\nparent = "d"\n',
            "powercap[1].parent",
            "a parent in watts for one in watts",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(row: str, place: str, words: str) -> None:
    with pytest.raises(BoardError) as raised:
        read(f'[[powercap]]\nname = "d"\n{row}')
    message = raised.value.message
    assert place in message
    assert words in message
    assert "\n" not in message


def test_a_circle_of_parents_is_found() -> None:
    with pytest.raises(BoardError, match="does not lead back to the domain"):
        read(
            '[[powercap]]\nname = "a"\nparent = "b"\n[[powercap]]\nname = "b"\nparent = "a"\n'
            '[[powercap]]\nname = "root"\n'
        )
