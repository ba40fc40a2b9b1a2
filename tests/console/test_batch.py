"""Batch: what scripts do, where they stop, and what they say about it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from scmictl.console.batch import run_files, run_text
from scmictl.console.environment import Environment
from scmictl.console.session import Session
from scmictl.errors import UsageError


class Outcome:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a script on the demo board."""

    def run_script(
        text: str, *, options: dict[str, object] | None = None, stdin: str = "",
        variables: dict[str, str] | None = None, keep_going: bool = False,
        line_by_line: bool = False,
    ) -> Outcome:  # fmt: skip
        script = tmp_path / "test.scmi"
        script.write_text(text)
        environment = Environment(
            io.StringIO(stdin), io.StringIO(), io.StringIO(), {"HOME": str(tmp_path), "CI": "yes"}
        )
        given = {"target": "sim:demo", "output": "plain", **(options or {})}
        with Session(environment, given, lasting=True) as session:
            files = ["-"] if stdin else [str(script)]
            code = run_files(
                session, files, variables, keep_going=keep_going, line_by_line=line_by_line
            )
        assert isinstance(environment.stdout, io.StringIO)
        assert isinstance(environment.stderr, io.StringIO)
        return Outcome(code, environment.stdout.getvalue(), environment.stderr.getvalue())

    return run_script


def test_what_one_command_sets_the_next_one_finds(run: Run) -> None:
    done = run(
        "clock set uart0 25MHz\n"
        "assert rate_hz == 25MHz and name == uart0\n"
        "clock get uart0\n"
        "assert rate_hz == 25000000\n"
    )
    assert done.code == 0, done.err


def test_commands_are_echoed_unless_told_not_to(run: Run) -> None:
    done = run("clock get uart0\n@clock get spi0\n@ clock get emmc\n")
    assert "> clock get uart0\n" in done.err
    assert "spi0" not in done.err
    assert "emmc" not in done.err


def test_a_script_stops_at_its_first_failure_and_has_its_exit_code(run: Run) -> None:
    done = run("clock get uart0\nclock get 99\necho never\n")
    assert done.code == 24
    assert "never" not in done.err
    (line,) = [line for line in done.err.splitlines() if "NOT_FOUND (-4)" in line]
    assert "test.scmi:2: " in line


def test_a_failure_shows_the_request_bytes_and_the_decoded_answer(run: Run) -> None:
    done = run("call clock.CLOCK_RATE_GET clock_id=99\n")
    sent, received = [line.strip() for line in done.err.splitlines()[-2:]]
    assert sent.startswith("sent")
    assert sent.endswith("63 00 00 00")
    assert "fc ff ff ff" in received
    assert "CLOCK_RATE_GET NOT_FOUND" in received


def test_with_keep_going_all_is_run_and_the_first_failure_counts(run: Run) -> None:
    done = run("clock get 99\nassert 1 == 2\necho the end\n", keep_going=True)
    assert done.code == 24
    assert "the end" in done.err


def test_a_failure_that_is_to_be_ignored_is_ignored(run: Run) -> None:
    done = run("- clock get 99\n-clock get 98\necho the end\n")
    assert done.code == 0
    assert "the end" in done.err


@pytest.mark.parametrize(
    "line",
    [
        "expect ok: clock get uart0",
        "expect SUCCESS: clock get uart0",
        "expect NOT_FOUND: clock get 99",
        "expect DENIED|NOT_FOUND: clock get 99",
        "expect ok within 30s: clock get uart0",
        "expect refused: clock disable uart0",
        "expect NOT_FOUND: @clock get 99",
    ],
)
def test_an_expectation_that_holds_goes_on(run: Run, line: str) -> None:
    assert run(f"{line}\n").code == 0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("expect ok: clock get 99", "the outcome is NOT_FOUND, expected ok"),
        ("expect NOT_FOUND: clock get uart0", "the outcome is ok, expected NOT_FOUND"),
        ("expect timeout: clock get 99", "the outcome is NOT_FOUND, expected timeout"),
        ("expect ok within 0s: clock get uart0", "expected at most 0 s"),
    ],
)
def test_an_expectation_that_does_not_hold_is_exit_6(run: Run, line: str, complaint: str) -> None:
    done = run(f"{line}\n")
    assert done.code == 6
    assert complaint in done.err


@pytest.mark.parametrize(
    "expression",
    [
        "count == 15",
        "any(name == osc24m)",
        "[name==uart0].rate_hz == 24MHz",
        "all(rate_hz > 1MHz) and status == SUCCESS and exit == 0",
    ],
)
def test_assertions_look_at_the_last_result(run: Run, expression: str) -> None:
    done = run(f"clock list\nassert {expression}\n")
    assert done.code == 0, done.err


def test_an_assertion_that_fails_says_what_it_found(run: Run) -> None:
    done = run("clock get uart0\nassert rate_hz == 25MHz\n")
    assert done.code == 6
    assert "24000000" in done.err
    assert ":2: assert rate_hz == 25MHz: " in done.err


def test_an_assertion_over_an_unknown_name_fails_and_lists_the_names(run: Run) -> None:
    done = run("clock get uart0\nassert rate == 24MHz\n")
    assert done.code == 6
    assert "rate_hz" in done.err


@pytest.mark.parametrize("before", ["", "expect NOT_FOUND: clock get 99\n", "echo hi\n"])
def test_without_a_result_an_assertion_about_one_fails(run: Run, before: str) -> None:
    done = run(f"{before}assert rate_hz == 24MHz\n")
    assert done.code == 6
    assert "unknown name 'rate_hz', expected one of: status, exit, latency" in done.err


def test_a_failed_command_can_be_asserted_upon_when_its_failure_is_expected(run: Run) -> None:
    assert run("expect NOT_FOUND: clock get 99\nassert status == NOT_FOUND\n").code == 0


def test_variables_are_set_from_words_and_from_results(run: Run) -> None:
    done = run(
        "set NAME = uart0\n"
        "set rate := clock get $NAME .rate_hz\n"
        "echo $NAME runs at ${rate} in ${env:CI}\n"
        "clock set $NAME $rate\n"
        "assert rate_hz == $rate\n"
    )
    assert done.code == 0, done.err
    assert "uart0 runs at 24000000 in yes" in done.err


def test_the_result_that_sets_a_variable_is_not_printed(run: Run) -> None:
    assert run("set rate := clock get uart0 .rate_hz\n").out == ""


def test_variables_of_the_command_line_are_known(run: Run) -> None:
    done = run("echo $WHO\n", variables={"WHO": "it is me"})
    assert "it is me" in done.err


def test_repeat_and_for_run_their_command_again(run: Run) -> None:
    done = run("repeat 3: @clock get uart0\nfor id in 1 spi0: @clock get $id\n")
    assert done.code == 0, done.err
    assert done.out.count("name\tuart0") == 4
    assert done.out.count("name\tspi0") == 1


def test_a_notification_can_be_waited_for(run: Run) -> None:
    done = run(
        "subscribe SENSOR_UPDATE soc-temp\n"
        "wait SENSOR_UPDATE within 30s\n"
        "assert event == SENSOR_UPDATE\n"
        "wait SENSOR_UPDATE sensor_id == 0 within 30s\n"
        "unsubscribe SENSOR_UPDATE soc-temp\n"
        "quiet SENSOR_UPDATE for 10ms\n"
    )
    assert done.code == 0, done.err


def test_what_a_notification_means_can_be_waited_for_as_its_watch_shows_it(run: Run) -> None:
    done = run(
        "subscribe SENSOR_UPDATE soc-temp\n"
        "sim set sensor:soc-temp value=91C\n"
        "wait SENSOR_UPDATE value > 90C and name == soc-temp within 5s\n"
        "assert value == 91\n"
        "subscribe PERFORMANCE_LIMITS_CHANGED big\n"
        "sim set perf:big max=1000000\n"
        "wait PERFORMANCE_LIMITS_CHANGED max == 1000000 within 1s\n"
    )
    assert done.code == 0, done.err


def test_a_unit_is_converted_to_that_of_the_field_in_messages_and_notifications(run: Run) -> None:
    done = run(
        "call voltage.LEVEL_GET domain_id=0\n"
        "assert fields.voltage_level == 850mV\n"
        "call voltage.DESCRIBE_LEVELS domain_id=1 level_index=0\n"
        "assert fields.voltage[0] == 0.7V\n"
        "subscribe POWERCAP_CAP_CHANGED soc\n"
        "powercap pai set soc 50ms\n"
        "wait POWERCAP_CAP_CHANGED pai == 50ms within 1s\n"
        "assert fields.pai == 50ms\n"
    )
    assert done.code == 0, done.err


def test_a_notification_that_does_not_come_fails_the_wait(run: Run) -> None:
    done = run("subscribe CLOCK_RATE_CHANGED uart0\nwait CLOCK_RATE_CHANGED within 20ms\n")
    assert done.code == 6
    assert "no CLOCK_RATE_CHANGED came within 0.02 s" in done.err


def test_only_what_came_since_the_last_statement_began_is_waited_for(run: Run) -> None:
    done = run(
        "subscribe CLOCK_RATE_CHANGED uart0\n"
        "clock set uart0 25MHz\n"
        "wait CLOCK_RATE_CHANGED rate == 25000000 within 1s\n"
        "clock set uart0 26MHz\n"
        "clock get uart0\n"
        "quiet CLOCK_RATE_CHANGED for 20ms\n"
    )
    assert done.code == 0, done.err


def test_nothing_is_sent_when_anything_in_the_script_is_wrong(run: Run) -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    with Session(environment, {"target": "sim:demo"}, lasting=True) as session:
        with pytest.raises(UsageError, match="-c:1: no such command 'lst'"):
            run_text(session, "clock set uart0 25MHz; clock lst")
        assert not session.contexts, "nothing was even connected to"


def test_a_dangerous_write_is_refused_where_nobody_can_confirm_it(run: Run) -> None:
    done = run("clock disable uart0\n")
    assert done.code == 9
    assert "--yes" in done.err
    assert run("clock disable uart0\n", options={"yes": True}).code == 0


def test_json_output_of_a_script_is_one_record_a_line(run: Run) -> None:
    done = run("@clock list\n@clock get uart0\n", options={"output": "json"})
    assert len(done.out.splitlines()) == 16


def test_sections_and_sleeps_and_targets(run: Run) -> None:
    done = run("section one\nsleep 1ms\ntarget sim:tiny\nclock list\nassert count == 1\n")
    assert done.code == 0, done.err
    assert "== one" in done.err


def test_standard_input_is_a_script_too(run: Run) -> None:
    done = run("", stdin="clock get uart0\nclock get 99\n")
    assert done.code == 24
    assert "-:2: " in done.err


def test_line_by_line_runs_what_came_before_a_line_that_is_wrong(run: Run) -> None:
    done = run("", stdin="clock get uart0\nclock lst\n", line_by_line=True)
    assert done.code == 2
    assert "uart0" in done.out
    assert "-:2: " in done.err


def test_commands_of_the_command_line_are_separated_by_semicolons() -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    given = {"target": "sim:demo", "output": "plain"}
    with Session(environment, given, lasting=True) as session:
        assert (
            run_text(session, "clock set uart0 25MHz; clock get uart0; assert rate_hz == 25MHz")
            == 0
        )


def test_a_file_that_is_not_there_is_a_usage_error(run: Run) -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    with (
        Session(environment, {"target": "sim:demo"}, lasting=True) as session,
        pytest.raises(UsageError, match="cannot read /nonexistent"),
    ):
        run_files(session, ["/nonexistent"])


def test_a_failure_in_an_included_file_names_that_file_and_obeys_its_marker(
    run: Run, tmp_path: Path
) -> None:
    included = tmp_path / "inner.scmi"
    included.write_text("- clock get 98\nclock get uart0\nclock get 99\n")
    done = run(f"include {included}\necho never\n")
    assert done.code == 24
    assert f"{included}:3: " in done.err
    assert "test.scmi:1" not in done.err
    assert "never" not in done.err
