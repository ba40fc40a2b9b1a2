"""What `perf` reads and changes, on simulated platforms of every version and on scripted ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.commands import Rows
from scmictl.errors import NotOffered, Partial, RemoteProtocolError, StatusError, UsageError

BOARD = Path(__file__).with_name("perf.toml").read_text()
PERF = 0x13
INDEXING = 1 << 25
"""The attribute bit level_indexing_mode."""

Make = Callable[..., Any]


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def described(name: str, attributes: int = 0, freq: int = 0, level: int = 0) -> bytes:
    """A PERFORMANCE_DOMAIN_ATTRIBUTES response up to 4.0, without its status."""
    return word(attributes, 0, freq, level) + name.encode().ljust(16, b"\0")


@pytest.fixture
def domains(console: Make, board: Callable[[str], str]) -> Make:
    """Return a function that makes consoles on the board in perf.toml."""

    def make(version: str = "4.0", *, query: str = "", **more: Any) -> Any:
        return console(board(f'[versions]\nperf = "{version}"\n{BOARD}') + query, **more)

    return make


@pytest.fixture
def one(domains: Make) -> Any:
    """A console on the newest version of the board."""
    return domains()


# --- reading --------------------------------------------------------------------------------------


def test_a_domain_has_the_keys_of_the_contract_first(one: Any) -> None:
    big, *_ = one.json("perf list")
    assert list(big)[:5] == ["id", "name", "level", "min", "max"]
    assert big == {
        "id": 0, "name": "big", "level": 1500000, "min": 300000, "max": 2000000,
        "frequency_khz": 1500000, "level_index": None,
    }  # fmt: skip


def test_levels_are_levels_also_where_messages_carry_indices(one: Any) -> None:
    assert one.json("perf list gpu") == [
        {
            "id": 1, "name": "gpu", "level": 40, "min": 20, "max": 80,
            "frequency_khz": 400000, "level_index": 2,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_older_platforms_have_no_indices(domains: Make, version: str) -> None:
    rows = domains(version).json("perf list")
    assert [row["level"] for row in rows] == [1500000, 40, 8, 1]
    assert [row["max"] for row in rows] == [2000000, 80, 16, 2]
    assert {row["level_index"] for row in rows} == {None}
    name = "a-domain-with-a-long-name" if version == "3.0" else "a-domain-with-a"
    assert rows[3]["name"] == name


def test_a_list_takes_patterns_and_one_literal_id_is_an_object(one: Any) -> None:
    assert [row["id"] for row in one.json("perf list b* gpu")] == [0, 2, 1]
    assert one.json("perf level get 0x1") == {
        "id": 1, "name": "gpu", "level": 40, "frequency_khz": 400000, "level_index": 2,
    }  # fmt: skip
    assert one.json("perf limits get gpu") == {"id": 1, "name": "gpu", "min": 20, "max": 80}
    assert [row["min"] for row in one.json("perf limits get all")] == [300000, 20, 8, 1]


def test_domains_are_read_in_bulk(one: Any) -> None:
    one.json("perf list")
    level_get = [frame for frame in one.frames if frame.data[:1] == b"\x08"]
    assert [frame.outgoing for frame in level_get] == [True] * 4 + [False] * 4


def test_the_levels_of_a_connection_are_read_once(one: Any) -> None:
    one.json("perf list")
    one.json("perf list")
    lists = [frame for frame in one.frames if frame.data[:1] == b"\x04" and frame.outgoing]
    assert len([frame for frame in lists if frame.data[1] & 0xFC == 0x4C]) == 1


def test_a_domain_that_is_denied_stays_in_the_list(domains: Make) -> None:
    error, rows = domains(query="?agent=guest").fails("perf list")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, "NOT_FOUND", None]
    assert rows[2] == {
        "id": 2, "name": None, "level": None, "min": None, "max": None, "frequency_khz": None,
        "level_index": None, "error": "NOT_FOUND",
    }  # fmt: skip


def test_an_id_beyond_the_platforms_is_answered_by_the_platform(one: Any) -> None:
    for line in ("level get 9", "limits get 9", "show 9", "levels 9", "level set 9 1"):
        error, _ = one.fails(f"perf {line}")
        assert isinstance(error, StatusError)
        assert (error.name, error.exit_code) == ("NOT_FOUND", 24)


def test_an_unknown_name_is_a_usage_error_with_the_candidates(one: Any) -> None:
    error, _ = one.fails("perf show bug")
    assert isinstance(error, UsageError)
    assert "unknown performance domain 'bug', expected one of: big, gpu, bus" in error.message


def test_levels_have_their_cost_in_the_unit_of_the_platform(one: Any) -> None:
    row = one.json("perf levels big")
    assert (row["name"], row["lowest"], row["highest"], row["count"]) == ("big", 300000, 2000000, 4)
    assert row["levels"][0] == {
        "level": 300000, "power": 68, "unit": "mW", "latency_us": 400, "frequency_khz": 300000,
        "index": None,
    }  # fmt: skip
    assert (row["levels"][3]["power"], row["levels"][3]["unit"]) == (None, None)
    gpu = one.json("perf levels gpu")
    assert [(one["index"], one["frequency_khz"]) for one in gpu["levels"]] == [
        (1, 200000), (2, 400000), (3, 800000),
    ]  # fmt: skip
    assert [row["count"] for row in one.json("perf levels all")] == [4, 3, 2, 2]


@pytest.mark.parametrize(
    ("version", "bits", "unit"),
    [(0x20000, 1, "mW"), (0x20000, 0, None), (0x40000, 2, "uW"), (0x40000, 0, None)],
)
def test_the_unit_is_what_the_version_says_it_is(
    script: Any, version: int, bits: int, unit: str | None
) -> None:
    entry = word(5, 7, 9) + (word(0, 0) if version >= 0x40000 else b"")
    platform = script(
        {
            (PERF, 0x0, None): word(version),
            (PERF, 0x1, None): word(bits << 16 | 1, 0, 0, 0),
            (PERF, 0x3, None): described("p"),
            (PERF, 0x4, None): word(1) + entry,
        }
    )
    [row] = platform.run("perf levels p").records
    assert row["levels"] == [
        {
            "level": 5, "power": 7, "unit": unit, "latency_us": 9, "frequency_khz": None,
            "index": None,
        }
    ]  # fmt: skip


def test_all_that_can_be_known_is_shown(one: Any) -> None:
    row = one.json("perf show big")
    assert (row["can_set_level"], row["can_set_limits"], row["fastchannel"]) == (True, True, False)
    assert row["notifications"] == ["limits", "level"]
    assert (row["sustained_level"], row["sustained_frequency_khz"]) == (1500000, 1500000)
    assert (row["rate_limit_us"], row["guaranteed_level"]) == (500, None)
    assert (row["level"], len(row["levels"])) == (1500000, 4)
    assert one.json("perf show gpu")["level_indexing_mode"] is True
    assert one.json("perf show bus")["notifications"] == []


def test_a_guaranteed_level_and_quality_of_service_are_known_from_4_1_on(
    domains: Make, script: Any
) -> None:
    assert domains("4.0").json("perf show big")["qos"] is None
    row = domains("4.1").json("perf show big")
    assert (row["guaranteed_level"], row["qos"]["parent"]) == (1000000, None)
    # Asynchronous configuration, reducing the sustained level; OEM types 3, architected 5; parent 7
    bits = 1 << 24 | 1 << 22
    platform = script(
        {
            (PERF, 0x0, None): word(0x40001),
            (PERF, 0x1, None): word(1, 0, 0, 0),
            (PERF, 0x3, None): described("p", bits) + word(9, 3 << 16 | 5, 7),
            (PERF, 0x4, None): word(0),
        }
    )
    [row] = platform.run("perf show p").records
    assert row["qos"] == {
        "only": False, "async_config": True, "reduce_sustained_level": True,
        "architected_types": 5, "oem_types": 3, "parent": 7,
    }  # fmt: skip


def test_what_an_agent_may_not_set_is_shown(domains: Make) -> None:
    row = domains(query="?agent=guest").json("perf show 3")
    assert (row["can_set_level"], row["can_set_limits"]) == (False, False)


def test_the_group_says_which_messages_there_are(one: Any) -> None:
    row = one.json("perf info")
    assert row["attributes"] == {"num_performance_domains": 4, "power_unit": "milliwatt"}
    assert row["messages"]["PERFORMANCE_DOMAIN_NAME_GET"] is True
    assert row["messages"]["PERFORMANCE_DESCRIBE_FASTCHANNEL"] is False


def test_a_platform_without_domains_is_exit_7(script: Any) -> None:
    with pytest.raises(NotOffered, match="no perf protocol"):
        script({}).run("perf list")


def test_an_index_that_stands_for_no_level_is_the_platforms_fault(script: Any) -> None:
    platform = script(
        {
            (PERF, 0x0, None): word(0x40000),
            (PERF, 0x1, None): word(1, 0, 0, 0),
            (PERF, 0x3, None): described("p", INDEXING),
            (PERF, 0x4, None): word(1) + word(5, 0, 0, 100, 1),
            (PERF, 0x6, None): word(1, 1),
            (PERF, 0x8, None): word(7),
        }
    )
    [row] = platform.run("perf list").records
    assert (row["level"], row["level_index"], row["max"]) == (None, 7, 5)
    assert row["error"] == RemoteProtocolError.name
    with pytest.raises(UsageError, match="has no level 6, expected one of: 5"):
        platform.run("perf level set p 6")


def test_where_the_levels_cannot_be_read_an_index_stays_an_index(script: Any) -> None:
    platform = script(
        {
            (PERF, 0x0, None): word(0x40000),
            (PERF, 0x1, None): word(1, 0, 0, 0),
            (PERF, 0x3, None): described("p", INDEXING),
            (PERF, 0x4, None): -8,
            (PERF, 0x6, None): word(1, 1),
            (PERF, 0x7, word(0, 1)): b"",
            (PERF, 0x8, None): word(1),
        }
    )
    [row] = platform.run("perf list").records
    assert (row["level"], row["level_index"], row["error"]) == (None, 1, "GENERIC_ERROR")
    with pytest.raises(StatusError, match="GENERIC_ERROR"):
        platform.run("perf level set p 5")
    [row] = platform.run("perf level set p index=1").records
    assert (row["level_index"], row["error"]) == (1, "GENERIC_ERROR")
    assert (PERF, 0x7, word(0, 1)) in platform.asked


def test_statistics_are_where_the_platform_says(script: Any, one: Any) -> None:
    platform = script(
        {
            (PERF, 0x0, None): word(0x40000),
            (PERF, 0x1, None): word(1, 0x1000, 0x2, 0x400),
        }
    )
    output = platform.run("perf stats")
    assert isinstance(output, Rows)
    assert output.records == [{"address": 0x2_0000_1000, "length_bytes": 0x400}]
    error, _ = one.fails("perf stats")
    assert error.exit_code == 7


# --- level set ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("big 1000000", 1000000),
        ("big 0xf4240", 1000000),
        ("big 1GHz", 1000000),
        ("big 2000MHz", 2000000),
        ("gpu 80", 80),
        ("gpu index=3", 80),
        ("gpu 800MHz", 80),
        ("bus 16", 16),
    ],
)
def test_a_level_is_set_by_number_frequency_or_index(one: Any, line: str, level: int) -> None:
    row = one.json(f"perf level set {line}")
    assert row["level"] == level
    assert one.json(f"perf level get {line.split()[0]}")["level"] == level


@pytest.mark.parametrize(
    "text", ["fast", "1.5", "-1", "0x1_0000_0000", "12V", "index=", "index=-1"]
)
def test_a_level_that_is_none_is_a_usage_error_before_anything_is_sent(one: Any, text: str) -> None:
    error, _ = one.fails(f"perf level set big {text}")
    assert error.exit_code == 2
    assert one.frames == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gpu 41", "has no level 41, expected one of: 20, 40, 80"),
        ("gpu 1GHz", "has no level 1GHz, expected one of: 200 MHz, 400 MHz, 800 MHz"),
        ("big index=1", "is not in level indexing mode"),
        ("bus 1GHz", "does not say which frequency a level has"),
        ("big 1Hz", "has no level of 1Hz"),
    ],
)
def test_what_a_domain_cannot_be_told_is_a_usage_error(one: Any, line: str, message: str) -> None:
    error, _ = one.fails(f"perf level set {line}")
    assert isinstance(error, UsageError)
    assert message in error.message


@pytest.mark.parametrize("line", ["big 1", "big 1200MHz", "gpu index=4"])
def test_a_level_the_domain_does_not_have_is_the_platforms_answer(one: Any, line: str) -> None:
    error, _ = one.fails(f"perf level set {line}")
    assert isinstance(error, StatusError)
    assert (error.name, error.exit_code, error.request) == (
        "OUT_OF_RANGE", 25, "PERFORMANCE_LEVEL_SET",
    )  # fmt: skip


def test_what_an_agent_may_not_set_is_denied(domains: Make) -> None:
    guest = domains(query="?agent=guest")
    for line in ("level set 3 2", "limits set 3 1 1"):
        error, _ = guest.fails(f"perf {line}")
        assert (error.name, error.exit_code) == ("DENIED", 23)


def test_of_several_domains_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("perf level set b* 16")
    assert isinstance(error, Partial)
    assert [(row["name"], row["level"], row.get("error")) for row in rows] == [
        ("big", 1500000, "OUT_OF_RANGE"), ("bus", 16, None),
    ]  # fmt: skip


def test_a_dry_run_by_number_and_version_sends_nothing_at_all(one: Any) -> None:
    # By the reference: header 0x4c07, domain, level; header 0x4c05, domain, highest, lowest.
    [row] = one.json("perf level set 1 3 --dry-run --proto perf=4.0")
    assert row["request"] == "07 4c 00 00 01 00 00 00 03 00 00 00"
    [row] = one.json("perf limits set 0 1 2 --dry-run --proto perf=4.0")
    assert row["request"] == "05 4c 00 00 00 00 00 00 02 00 00 00 01 00 00 00"
    assert one.frames == []
    error, _ = one.fails("perf level set 1 1GHz --dry-run --proto perf=4.0")
    assert error.exit_code == 2


def test_a_dry_run_by_name_translates_and_sends_no_write(one: Any) -> None:
    [row] = one.json("perf level set gpu 80 --dry-run")
    assert row["request"] == "07 4c 00 00 01 00 00 00 03 00 00 00"
    assert one.json("perf level get gpu")["level"] == 40


def test_a_read_only_connection_sets_nothing(one: Any) -> None:
    for line in ("level set big 300000", "limits set big 300000 300000"):
        error, _ = one.fails(f"perf {line} -r")
        assert error.exit_code == 9
    assert one.json("perf level get big")["level"] == 1500000


# --- limits set -----------------------------------------------------------------------------------


def test_limits_clip_the_level_and_are_shown_as_they_hold(one: Any) -> None:
    row = one.json("perf limits set big 300000 1GHz")
    assert (row["level"], row["min"], row["max"]) == (1000000, 300000, 1000000)
    assert one.requests().count("05 4c 00 00 00 00 00 00 40 42 0f 00 e0 93 04 00") == 1
    row = one.json("perf limits set gpu 20 index=1")
    assert (row["level"], row["min"], row["max"]) == (20, 20, 20)


def test_a_limit_of_0_stays_as_it_is_from_3_0_on(one: Any, domains: Make) -> None:
    one.json("perf limits set big 1000000 1500000")
    assert one.json("perf limits set big 0 1000000")["min"] == 1000000
    assert one.json("perf limits set big 300000 0")["max"] == 1000000
    error, _ = one.fails("perf limits set big 0 0")
    assert isinstance(error, UsageError)
    error, _ = domains("2.0").fails("perf limits set big 0 1000000")
    assert error.exit_code == 25


@pytest.mark.parametrize("bounds", ["2 1", "index=2 index=1", "2GHz 1GHz", "0x10 15"])
def test_limits_the_wrong_way_round_are_refused_before_anything_is_sent(
    one: Any, bounds: str
) -> None:
    error, _ = one.fails(f"perf limits set gpu {bounds}")
    assert error.exit_code == 2
    assert one.frames == []


def test_limits_that_are_typed_in_different_ways_are_compared_too(one: Any) -> None:
    error, _ = one.fails("perf limits set big 1500000 1GHz")
    assert isinstance(error, UsageError)
    assert "lower limit 1500000 is above the upper limit 1GHz" in error.message


def test_limits_outside_the_domain_are_the_platforms_answer(one: Any) -> None:
    error, _ = one.fails("perf limits set big 1 1000000")
    assert (error.name, error.exit_code) == ("OUT_OF_RANGE", 25)


def test_an_index_0_cannot_be_a_limit(console: Make, board: Callable[[str], str]) -> None:
    one = console(
        board(BOARD.replace("level_indexing = true", "level_indexing = true\nfirst_index = 0"))
    )
    error, _ = one.fails("perf limits set gpu 20 40")
    assert isinstance(error, UsageError)
    assert "cannot be a limit" in error.message
    assert one.json("perf limits set gpu 0 40")["max"] == 40


# --- watch ----------------------------------------------------------------------------------------


def test_levels_are_watched_as_levels(one: Any) -> None:
    one.text("subscribe PERFORMANCE_LEVEL_CHANGED gpu")
    one.text("perf level set gpu 80")
    [event] = one.lines("perf watch gpu -n 1 --for 5s")
    assert (event["event"], event["agent_id"]) == ("PERFORMANCE_LEVEL_CHANGED", 1)
    assert event["fields"] == {"agent_id": 1, "domain_id": 1, "performance_level": 3}
    assert (event["name"], event["level"], event["level_index"]) == ("gpu", 80, 3)
    assert event["frequency_khz"] == 800000


def test_limits_are_watched_where_that_is_wanted(one: Any) -> None:
    one.text("subscribe PERFORMANCE_LIMITS_CHANGED gpu")
    one.text("perf limits set gpu 40 80")
    [event] = one.lines("perf watch gpu --limits --until min>=40 --for 5s")
    assert event["event"] == "PERFORMANCE_LIMITS_CHANGED"
    assert event["fields"] == {"agent_id": 1, "domain_id": 1, "range_max": 3, "range_min": 2}
    assert (event["name"], event["min"], event["max"]) == ("gpu", 40, 80)


def test_a_domain_without_notifications_cannot_be_watched(one: Any) -> None:
    error, _ = one.fails("perf watch bus --for 1s")
    assert isinstance(error, NotOffered)


@pytest.mark.parametrize(
    ("option", "event", "keys"),
    [
        ("", "PERFORMANCE_LEVEL_GET", {"level": 40, "level_index": 2}),
        (" --limits", "PERFORMANCE_LIMITS_GET", {"min": 20, "max": 80}),
    ],
)
def test_levels_and_limits_can_be_polled(
    one: Any, option: str, event: str, keys: dict[str, int]
) -> None:
    rows = one.lines(f"perf watch gpu --interval 1ms -n 2{option}")
    assert [row["event"] for row in rows] == [event] * 2
    assert keys.items() <= rows[0].items()
