"""What is changed by `clock`: rates, gates, parents and configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import NotOffered, Partial, Refused, StatusError, UsageError


@pytest.fixture
def one(clocks: Callable[..., Any]) -> Any:
    """A console on the newest version of the board."""
    return clocks()


# --- set ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("round", "became"), [("", 12000000), (" --round up", 13000000), (" --round auto", 13000000)]
)
def test_setting_a_rate_prints_what_it_became(one: Any, round: str, became: int) -> None:
    row = one.json(f"clock set uart 12.6MHz{round}")
    assert (row["name"], row["rate_hz"]) == ("uart", became)
    assert one.json("clock get uart")["rate_hz"] == became


@pytest.mark.parametrize("rate", ["fast", "24MB", "0.5", "12V"])
def test_a_rate_that_is_none_is_a_usage_error_before_anything_is_sent(one: Any, rate: str) -> None:
    error, _ = one.fails(f"clock set uart {rate}")
    assert error.exit_code == 2
    assert one.frames == []


def test_a_rate_that_is_negative_is_refused_here(one: Any) -> None:
    error, _ = one.fails("clock set uart -5")
    assert error.exit_code == 2
    assert one.json("clock get uart")["rate_hz"] == 12000000


def test_a_rate_the_clock_does_not_have_is_the_platforms_answer(one: Any) -> None:
    error, _ = one.fails("clock set uart 4GHz")
    assert isinstance(error, StatusError)
    assert (error.name, error.exit_code, error.request) == (
        "INVALID_PARAMETERS", 22, "CLOCK_RATE_SET",
    )  # fmt: skip


def test_of_several_clocks_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("clock set * 1kHz")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [
        "INVALID_PARAMETERS", "INVALID_PARAMETERS", "INVALID_PARAMETERS", "DENIED",
        "INVALID_PARAMETERS",
    ]  # fmt: skip
    assert rows[3]["rate_hz"] == 2000


def test_an_asynchronous_rate_is_accepted_first_and_shown_when_it_is_set(one: Any) -> None:
    accepted, done = one.lines("clock set uart 20MHz --async")
    assert (accepted["id"], accepted["name"], accepted["accepted"]) == (2, "uart", True)
    assert (done["id"], done["rate_hz"]) == (2, 20000000)
    assert "accepted" not in done


def test_an_asynchronous_rate_that_is_refused_is_not_accepted(one: Any) -> None:
    error, rows = one.fails("clock set uart 4GHz --async")
    assert (error.exit_code, rows) == (22, [])


def test_asynchronous_rates_of_several_clocks_are_all_accepted_before_the_first_is_shown(
    one: Any,
) -> None:
    rows = one.lines("clock set [up][aw]* 2MHz --async")
    assert [(row["name"], row.get("accepted")) for row in rows] == [
        ("uart", True), ("pwm", True), ("uart", None), ("pwm", None),
    ]  # fmt: skip
    assert [row["rate_hz"] for row in rows[2:]] == [2000000, 2000000]


ONE_AT_A_TIME = "[async]\nclock = 1\n"


def test_an_asynchronous_rate_too_many_is_busy(clocks: Callable[..., Any]) -> None:
    error, rows = clocks(head=ONE_AT_A_TIME).fails("clock set [up][aw]* 2MHz --async")
    assert isinstance(error, Partial)
    assert [(row["name"], row.get("accepted"), row.get("error")) for row in rows] == [
        ("uart", True, None), ("uart", None, None), ("pwm", None, "BUSY"),
    ]  # fmt: skip


def test_a_busy_platform_is_asked_again_where_that_is_wanted(clocks: Callable[..., Any]) -> None:
    line = "clock set [up][aw]* 2MHz --async --retry-busy 10"
    rows = clocks(head=ONE_AT_A_TIME).lines(line)
    assert [row["rate_hz"] for row in rows[2:]] == [2000000, 2000000]


def test_asynchronous_rates_need_a_platform_that_has_them(clocks: Callable[..., Any]) -> None:
    error, _ = clocks(head="[async]\nclock = 0\n").fails("clock set uart 20MHz --async")
    assert isinstance(error, NotOffered)
    error, _ = clocks(query="?features=-p2a").fails("clock set uart 20MHz --async")
    assert isinstance(error, NotOffered)


def test_a_dry_run_by_number_and_version_sends_nothing_at_all(one: Any) -> None:
    # By the reference: header 0x5005, flags (round up), clock, rate low word first.
    row = one.json("clock set 3 24MHz --round up --dry-run --proto clock=3.0")
    assert row == [
        {
            "message": "CLOCK_RATE_SET",
            "request": "05 50 00 00 04 00 00 00 03 00 00 00 00 36 6e 01 00 00 00 00",
        }
    ]
    assert one.frames == []


def test_a_dry_run_by_name_reads_names_and_writes_nothing(one: Any) -> None:
    [row] = one.json("clock set uart 20MHz --dry-run")
    assert row["request"].startswith("05 50 00 00 00 00 00 00 02 00 00 00")
    assert not any(frame.startswith("05 50") for frame in one.requests())
    assert one.json("clock get uart")["rate_hz"] == 12000000


def test_a_dry_run_of_several_shows_all_of_them(one: Any) -> None:
    rows = one.json("clock enable p* --dry-run")
    assert [row["request"][:23] for row in rows] == [
        "07 50 00 00 01 00 00 00",
        "07 50 00 00 04 00 00 00",
    ]


def test_a_read_only_connection_sets_nothing(one: Any) -> None:
    for line in ("set uart 20MHz", "enable uart", "disable pll", "parent set uart osc"):
        error, _ = one.fails(f"clock {line} -r")
        assert isinstance(error, Refused), line
    assert one.json("clock get uart") == {
        "id": 2, "name": "uart", "enabled": False, "rate_hz": 12000000, "parent": 1,
        "parent_name": "pll",
    }  # fmt: skip


# --- enable and disable ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "request_"),
    [
        ("1.0", "07 50 00 00 02 00 00 00 01 00 00 00"),
        ("2.0", "07 50 00 00 02 00 00 00 01 00 00 00"),
        ("3.0", "07 50 00 00 02 00 00 00 01 00 00 00 00 00 00 00"),
    ],
)
def test_a_gate_is_opened_in_the_form_of_the_version(
    clocks: Callable[..., Any], version: str, request_: str
) -> None:
    platform = clocks(version)
    assert platform.json("clock enable uart")["enabled"] is True
    assert request_ in platform.requests()


def test_disabling_an_enabled_clock_has_to_be_confirmed(one: Any) -> None:
    error, _ = one.fails("clock disable pll")
    assert isinstance(error, Refused)
    assert "clock 1 (pll) is enabled" in error.message
    assert one.json("clock get pll")["enabled"] is True


def test_yes_confirms(one: Any) -> None:
    assert one.json("clock disable pll -y")["enabled"] is False


@pytest.mark.parametrize(("answer", "enabled"), [("y\n", False), ("n\n", True), ("", True)])
def test_on_a_terminal_it_asks(clocks: Callable[..., Any], answer: str, enabled: bool) -> None:
    platform = clocks(answers=answer)
    if enabled:
        platform.fails("clock disable pll")
    else:
        platform.text("clock disable pll")
    assert "clock 1 (pll) is enabled" in platform.said
    assert platform.json("clock get pll")["enabled"] is enabled


def test_disabling_a_disabled_clock_hurts_nobody(one: Any) -> None:
    assert one.json("clock disable uart")["enabled"] is False


def test_nothing_is_disabled_before_all_of_it_is_confirmed(one: Any) -> None:
    one.fails("clock disable all")
    assert not any(frame.startswith("07 50") for frame in one.requests())


def test_a_clock_that_stays_enabled_is_pointed_out(one: Any) -> None:
    one.text("clock enable uart")
    one.text("clock disable pll -y")
    assert one.json("clock get pll")["enabled"] is True
    assert "clock 1 stays enabled" in one.said


# --- parents --------------------------------------------------------------------------------------


def test_parents_and_the_one_that_is_selected(one: Any) -> None:
    row = one.json("clock parents uart")
    assert row["parents"] == [{"id": 1, "name": "pll"}, {"id": 0, "name": "osc"}]
    assert (row["parent"], row["parent_name"]) == (1, "pll")
    assert one.json("clock parent get uart") == {
        "id": 2, "name": "uart", "parent": 1, "parent_name": "pll",
    }  # fmt: skip


def test_selecting_a_parent_prints_the_clock(one: Any) -> None:
    row = one.json("clock parent set uart osc")
    assert (row["parent"], row["parent_name"], row["rate_hz"]) == (0, "osc", 12000000)
    assert "0d 50 00 00 02 00 00 00 00 00 00 00" in one.requests()


def test_a_parent_that_is_none_is_the_platforms_answer(one: Any) -> None:
    error, _ = one.fails("clock parent set uart pwm")
    assert error.name == "INVALID_PARAMETERS"


def test_a_clock_without_parents_is_exit_7(one: Any) -> None:
    for line in ("parents osc", "parent get osc", "parent set osc pll"):
        error, _ = one.fails(f"clock {line}")
        assert isinstance(error, NotOffered), line
        assert "parent_ids_available" in error.message


def test_of_several_clocks_those_without_parents_have_none(one: Any) -> None:
    rows = one.json("clock parents all")
    assert [row["parents"] for row in rows[:2]] == [None, [{"id": 0, "name": "osc"}]]


@pytest.mark.parametrize(
    "line",
    [
        "parents uart",
        "parent get uart",
        "parent set uart osc",
        "tree",
        "config get uart",
        "perms 0",
    ],
)
def test_what_came_with_3_0_is_not_asked_of_older_platforms(
    clocks: Callable[..., Any], line: str
) -> None:
    platform = clocks("2.0")
    error, _ = platform.fails(f"clock {line}")
    assert isinstance(error, NotOffered)
    assert "from clock 3.0 on, the platform speaks 2.0" in error.message
    # The version, and nothing else: such a number can mean something else to an old platform.
    assert platform.requests() == ["00 50 00 00"]


# --- configuration and permissions ----------------------------------------------------------------


def test_the_configuration_of_a_clock(one: Any) -> None:
    assert one.json("clock config get pwm") == {
        "id": 4, "name": "pwm", "enabled": False, "duty_cycle_percent": 50, "phase": None,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["duty_cycle", "duty_cycle_percent", "0x1"])
def test_the_duty_cycle_is_set_with_the_gate_left_alone(one: Any, key: str) -> None:
    row = one.json(f"clock config set pwm {key}=25")
    assert (row["enabled"], row["duty_cycle_percent"]) == (False, 25)
    # State 3 leaves the gate alone; type 1 in bits 23:16 is the duty cycle.
    assert "07 50 00 00 04 00 00 00 03 00 01 00 19 00 00 00" in one.requests()


def test_several_settings_at_once(one: Any) -> None:
    row = one.json("clock config set pwm enabled=on duty_cycle=75")
    assert (row["enabled"], row["duty_cycle_percent"]) == (True, 75)


def test_closing_a_gate_by_its_configuration_hurts_as_well(one: Any) -> None:
    error, _ = one.fails("clock config set pll enabled=off")
    assert isinstance(error, Refused)
    assert one.json("clock config set pll enabled=off -y")["enabled"] is False


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("duty_cycle", "expected KEY=VALUE"),
        ("duty=50", "unknown key 'duty'"),
        ("enabled=maybe", "unknown value 'maybe'"),
        ("duty_cycle=half", "expected a number"),
        ("0=1", "expected 1 to 0xff"),
    ],
)
def test_a_setting_that_is_none_is_a_usage_error_before_anything_is_sent(
    one: Any, setting: str, part: str
) -> None:
    error, _ = one.fails(f"clock config set pwm {setting}")
    assert isinstance(error, UsageError)
    assert part in error.message
    assert one.frames == []


def test_an_extended_configuration_needs_a_clock_and_a_platform_that_have_it(
    one: Any, clocks: Callable[..., Any]
) -> None:
    error, _ = one.fails("clock config set uart duty_cycle=50")
    assert isinstance(error, NotOffered)
    error, _ = clocks("1.0").fails("clock config set pwm duty_cycle=50")
    assert isinstance(error, NotOffered)


def test_the_gate_of_an_old_platform_can_be_configured_too(clocks: Callable[..., Any]) -> None:
    assert clocks("1.0").json("clock config set pwm enabled=on")["enabled"] is True


def test_permissions(one: Any) -> None:
    assert one.json("clock perms 3") == {
        "id": 3,
        "name": "a-clock-with-a-long-name",
        "state_control_allowed": True,
        "parent_control_allowed": True,
        "rate_control_allowed": False,
    }


def test_a_platform_that_restricts_nothing_does_not_offer_permissions(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    text = '[[clock]]\nname = "a"\nrates = ["1kHz"]\nrate = "1kHz"\n'
    error, _ = console(board(text)).fails("clock perms a")
    assert isinstance(error, NotOffered)


# --- verbs of two words ---------------------------------------------------------------------------


def test_a_verb_of_two_words_needs_both(one: Any) -> None:
    error, _ = one.fails("clock parent")
    assert isinstance(error, UsageError)
    assert error.hint == "try: scmictl clock parent --help"
    error, _ = one.fails("clock parent sett uart osc")
    assert isinstance(error, UsageError)
    assert "set" in error.message


def test_the_help_lists_verbs_as_they_are_typed(one: Any) -> None:
    text = one.text("clock --help")
    assert "  parent get  " in text
    assert "  config set  " in text
    assert "clock parent get, clock parent set." in one.text("clock parent --help")
