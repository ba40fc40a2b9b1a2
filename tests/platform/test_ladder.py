"""Performance domains on a board: what can be written there, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError
from scmictl.platform import Platform
from scmictl.protocols import perf


def domains(text: str) -> Any:
    behaviour: Any = Platform.from_text(text, "b").behaviours[perf.ID]
    return behaviour.domains


def one(text: str) -> Any:
    [found] = domains(f'[[perf]]\nname = "p"\n{text}\n')
    return found


def test_a_domain_needs_only_a_name_and_levels_and_has_the_lowest() -> None:
    found = one("levels = [10, 20]")
    assert (found.level, found.bounds, found.indexed) == (10, (10, 20), False)
    assert [rung.latency_us for rung in found.rungs] == [0, 0]


def test_limits_at_start_are_the_platforms_and_move_a_level_that_is_not_given() -> None:
    found = one("levels = [10, 20, 30]\nmin = 15\nmax = 25")
    assert (found.level, found.bounds) == (20, (15, 25))
    assert found.limits == {0: (15, 25)}


def test_times_are_rounded_up_to_microseconds() -> None:
    found = one('levels = [10, { level = 20, latency = "1ns" }]\nlatency = "1500ns"')
    assert [rung.latency_us for rung in found.rungs] == [2, 1]


def test_a_protocol_without_domains_has_none() -> None:
    assert domains('[versions]\nperf = "4.1"\n') == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"perf\[0\].levels: found nothing, expected 1 to 65535 levels"),
        ("levels = []", r"levels: found a list of 0, expected 1 to 65535 levels"),
        ("levels = 3", r"levels: found 3, expected a list"),
        ("levels = [2, 1]", r"levels\[1\]: found 1, expected more than the level before it"),
        ("levels = [1, { level = 1 }]", r"levels\[1\]: found 1, expected more than the level"),
        ("levels = [0]", r"levels\[0\]: found 0, expected an integer from 1 to 4294967295"),
        ('levels = ["1"]', r"levels\[0\]: found '1', expected an integer"),
        ("levels = [{ power = 1 }]", r"levels\[0\].level: found nothing, expected an integer"),
        ("levels = [{ level = 1, volts = 1 }]", r"levels\[0\].volts: found an unknown key"),
        ("levels = [1]\nvolts = 1", r"perf\[0\].volts: found an unknown key"),
        ("levels = [1]\nlevel = 2", "level: found 2, expected one of the domain's levels"),
        ("levels = [1, 2]\nlevel = 2\nmax = 1", "level: found 2, expected a level from min to max"),
        ("levels = [1, 2]\nmin = 2\nmax = 1", "min: found 2, expected at most the 1 of max"),
        ("levels = [1]\nmax = 2", "max: found 2, expected an integer from 1 to 1"),
        ("levels = [1]\nsustained_level = 2", "sustained_level: found 2, expected one of"),
        ("levels = [1]\nsustained_level = 0", "sustained_level: found 0, expected one of"),
        ("levels = [1]\nguaranteed_level = 2", "guaranteed_level: found 2, expected one of"),
        ("levels = [1]\nsustained_freq = 1500", "sustained_freq: found 1500, expected a frequency"),
        ('levels = [1]\nlatency = "1s"', "latency: found '1s', expected at most 65535 us"),
        ('levels = [1]\nrate_limit = "2s"', "rate_limit: found '2s', expected at most 1048575 us"),
        ('levels = [1]\npower_unit = "W"', "power_unit: found 'W', expected one of: abstract, mW"),
        ("levels = [1]\nlevel_indexing = true", r"levels\[0\]: found 1, expected a table with"),
        (
            "levels = [{ level = 1 }]\nlevel_indexing = true",
            r"levels\[0\].frequency: found nothing, expected a rate",
        ),
        ("levels = [1]\nfirst_index = 4294967295", "first_index: found 4294967295, expected an"),
        ('levels = [1]\nrestrict = { nobody = ["level"] }', "restrict.nobody: found 'nobody'"),
        (
            'levels = [1]\nrestrict = { agent = ["rate"] }',
            r"restrict.agent\[0\]: found 'rate', expected one of: level, limits",
        ),
        ('levels = [1]\n[[perf]]\nname = "p"\nlevels = [1]', r"perf\[1\].name: found 'p', which"),
        (
            'levels = [1]\npower_unit = "mW"\n[[perf]]\nname = "q"\nlevels = [1]\n'
            'power_unit = "uW"',
            r"perf\[1\].power_unit: found 'uW', expected mW as in a domain before",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(BoardError, match=message) as raised:
        one(text)
    assert "\n" not in raised.value.message


def test_a_board_of_a_thousand_domains_with_a_hundred_levels_each_is_no_burden() -> None:
    levels = ", ".join(str(number) for number in range(1, 101))
    text = "".join(f'[[perf]]\nname = "p{n}"\nlevels = [{levels}]\n' for n in range(1000))
    found = domains(text)
    assert len(found) == 1000
    assert found[999].levels[-1] == 100
