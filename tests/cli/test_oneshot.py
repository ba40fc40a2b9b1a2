"""The installed command, one line at a time: what it prints, where, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

COMMAND = str(Path(sysconfig.get_path("scripts")) / "scmictl")
ENVIRON = {**os.environ, "XDG_CONFIG_HOME": "/nonexistent", "SCMICTL_TARGET": "sim:demo"}


class Outcome:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self) -> object:
        return json.loads(self.out)


def scmictl(*words: str, stdin: str = "", **environ: str) -> Outcome:
    return Outcome(
        subprocess.run(
            [COMMAND, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env={**ENVIRON, **environ},
            check=False,
        )
    )


def test_the_version_is_printed() -> None:
    for flag in ("-V", "--version"):
        assert scmictl(flag).out.startswith("scmictl 0.")


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scmictl", "clock", "get", "uart0", "--json"],
        capture_output=True, text=True, env=ENVIRON, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["rate_hz"] == 24_000_000


def test_without_a_chosen_target_the_simulator_says_that_it_is_one() -> None:
    done = scmictl("clock", "list", SCMICTL_TARGET="")
    assert done.err == "target: sim:demo (none chosen; see --target)\n"
    assert scmictl("clock", "list", "-q", SCMICTL_TARGET="").err == ""


def test_piped_output_is_tab_separated_below_the_json_keys() -> None:
    lines = scmictl("clock", "list").out.splitlines()
    assert lines[0].split("\t")[:4] == ["id", "name", "enabled", "rate_hz"]
    assert lines[2].split("\t")[:4] == ["1", "uart0", "true", "24000000"]
    assert scmictl("clock", "list", "--no-headers").out.splitlines() == lines[1:]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("clock", "list"), ["id", "name", "enabled", "rate_hz", "parent"]),
        (("sensor", "list"), ["id", "name", "type", "unit", "scale", "axes", "enabled"]),
    ],
)
def test_a_list_is_an_array_with_the_keys_of_the_contract(
    words: tuple[str, ...], keys: list[str]
) -> None:
    rows = scmictl(*words, "--json").json()
    assert isinstance(rows, list)
    for row in rows:
        assert list(row)[: len(keys)] == keys


def test_one_literal_id_is_an_object_and_a_glob_is_an_array() -> None:
    assert isinstance(scmictl("clock", "get", "uart0", "--json").json(), dict)
    assert isinstance(scmictl("clock", "get", "1", "--json").json(), dict)
    rows = scmictl("clock", "get", "uart*", "--json").json()
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == ["uart0", "uart1"]


def test_jsonl_and_csv_have_the_same_values() -> None:
    lines = [json.loads(line) for line in scmictl("clock", "list", "-o", "jsonl").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(scmictl("clock", "list", "-o", "csv").out)))
    assert [row["name"] for row in rows] == [line["name"] for line in lines]
    assert [int(row["rate_hz"]) for row in rows] == [line["rate_hz"] for line in lines]


def test_hex_output_is_one_response_frame_a_line() -> None:
    done = scmictl("raw", "0x10", "0", "-o", "hex")
    # Reference part A, section 11, but for the token.
    assert done.out == "00400000" + "00000000" + "01000200" + "\n"


def test_fields_sort_and_where_choose_what_is_printed() -> None:
    done = scmictl(
        "clock", "list", "--where", "rate_hz > 1GHz", "--sort", "-rate_hz", "--fields", "name",
        "--no-headers",
    )  # fmt: skip
    assert done.out.split() == ["pll-ddr", "ddr", "cpu-big", "pll-sys"]


def test_global_options_go_anywhere_and_the_last_one_wins() -> None:
    expected = scmictl("clock", "get", "uart0", "-o", "json").out
    assert scmictl("-o", "json", "clock", "get", "uart0").out == expected
    assert scmictl("clock", "-o", "json", "get", "uart0").out == expected
    assert scmictl("-o", "csv", "clock", "get", "uart0", "--json").out == expected
    assert scmictl("-r", "clock", "set", "uart0", "25MHz").code == 9
    assert scmictl("-r", "clock", "set", "uart0", "25MHz", "--no-readonly").code == 0


def test_a_write_prints_the_record_read_back_after_it() -> None:
    done = scmictl("clock", "set", "uart0", "25MHz", "--json")
    record = done.json()
    assert isinstance(record, dict)
    assert (record["name"], record["rate_hz"]) == ("uart0", 25_000_000)
    assert "forgets" in done.err


def test_a_word_that_begins_with_a_digit_behind_its_minus_is_a_value() -> None:
    done = scmictl("sensor", "trip", "set", "soc-temp", "0", "-5C")
    assert done.code == 0, done.err


def test_a_dry_run_prints_the_bytes_and_sends_no_write() -> None:
    done = scmictl("clock", "set", "uart0", "25MHz", "--dry-run", "--json", "--trace")
    (record,) = json.loads(done.out)
    assert record["request"] == "05 50 00 00 00 00 00 00 01 00 00 00 40 78 7d 01 00 00 00 00"
    assert "CLOCK_RATE_SET" not in done.err


def test_a_dry_run_with_a_number_and_a_version_asks_nothing_at_all() -> None:
    done = scmictl(
        "clock", "set", "1", "25MHz", "--dry-run", "--proto", "clock=3.0", "--trace"
    )  # fmt: skip
    assert "05 50 00 00" in done.out
    assert done.err == ""


def test_the_trace_shows_every_message_on_stderr_only() -> None:
    done = scmictl("clock", "get", "uart0", "-x", "--json")
    assert isinstance(done.json(), dict)
    done = scmictl("raw", "0x10", "0", "-x")
    assert [line.split()[1] for line in done.err.splitlines()] == [">", "<"]


def test_statistics_are_one_line_on_stderr() -> None:
    done = scmictl("clock", "list", "--stats")
    (line,) = done.err.splitlines()
    assert re.fullmatch(r"messages [0-9]+, elapsed [0-9.]+ ms, p50 [0-9]+ us, p99 [0-9]+ us", line)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("clock", "get", "99"), 24),
        (("clock", "get", "nothing-like-it"), 2),
        (("clock", "set", "uart0", "1THz"), 22),
        (("call", "clock.CLOCK_RATE_GET"), 2),
        (("call", "clock.CLOCK_RATE_GET", "clock_id=99"), 24),
        (("clock", "disable", "uart0"), 9),
        (("clock", "disable", "uart0", "-y"), 0),
        (("sensor", "read", "acc0"), 30),
        (("sensor", "read", "all"), 8),
        (("watch", "CLOCK_RATE_CHANGED", "uart0", "-n", "1", "--for", "20ms"), 10),
        (("-t", "sim:demo?features=-p2a", "sensor", "watch", "soc-temp"), 7),
        (("-t", "sim:nowhere", "clock", "list"), 2),
        (("-t", "vhost-user:/nonexistent", "clock", "list"), 3),
        (("-c", "clock get uart0; assert rate_hz == 1"), 6),
        (("frobnicate",), 2),
        (("clock",), 2),
    ],
)
def test_exit_codes_are_those_of_the_contract(words: tuple[str, ...], code: int) -> None:
    done = scmictl(*words)
    assert done.code == code, done.err
    assert "Traceback" not in done.err


def test_an_error_in_json_is_one_object_on_stderr() -> None:
    done = scmictl("clock", "get", "99", "--json")
    error = json.loads(done.err)["error"]
    assert set(error) == {"code", "name", "scmi_status", "message", "hint"}
    assert (error["code"], error["name"], error["scmi_status"]) == (24, "NOT_FOUND", -4)


def test_a_reader_that_leaves_early_is_no_error_on_stderr() -> None:
    line = f"{COMMAND} sensor watch soc-temp -o jsonl | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=ENVIRON, timeout=60, check=False
    )
    event, code = done.stdout.splitlines()
    assert json.loads(event)["event"] == "SENSOR_UPDATE"
    assert code == "141"
    assert done.stderr == ""


def test_output_that_cannot_be_written_is_exit_11() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, "clock", "list"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=ENVIRON, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 11
    assert done.stderr.count("\n") == 1


def test_standard_input_that_is_no_terminal_is_a_batch() -> None:
    done = scmictl(stdin="@clock get uart0\nassert rate_hz == 24MHz\n")
    assert done.code == 0, done.err
    assert "uart0" in done.out


def test_the_batch_file_beside_this_test_passes() -> None:
    done = scmictl("batch", str(Path(__file__).parent / "demo.scmi"))
    assert done.code == 0, done.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_watch_with_its_own_code_and_no_traceback(
    number: signal.Signals, code: int
) -> None:
    watch = subprocess.Popen(
        [COMMAND, "sensor", "watch", "soc-temp", "-o", "jsonl", "-x"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRON,
    )  # fmt: skip
    assert watch.stdout is not None
    watch.stdout.readline()
    watch.send_signal(number)
    _, err = watch.communicate(timeout=60)
    assert watch.returncode == code
    assert "Traceback" not in err
    assert "SENSOR_CONTINUOUS_UPDATE_NOTIFY" in err.splitlines()[-3], "it is switched off again"


def test_a_one_shot_loads_nothing_it_does_not_use() -> None:
    code = (
        "import sys; from scmictl.console.runner import run; "
        "run(['clock', 'list', '--json']); print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRON, timeout=60,
        check=True,
    )  # fmt: skip
    loaded = set(done.stderr.strip("[]\n").replace("'", "").split(", "))
    heavy = {"asyncio", "construct", "dataclasses", "prompt_toolkit", "pydantic", "rich", "socket"}
    assert not loaded & heavy
    assert not any(name.startswith("scmictl.vhost_user") for name in loaded)


def test_serve_makes_the_simulated_board_a_device_for_others(tmp_path: Path) -> None:
    path = str(tmp_path / "board.sock")
    server = subprocess.Popen(
        [COMMAND, "serve", "demo", "--socket", path], stderr=subprocess.PIPE, text=True, env=ENVIRON
    )
    try:
        assert server.stderr is not None
        assert path in server.stderr.readline()
        first = scmictl("-t", path, "clock", "set", "uart0", "25MHz", "--json")
        assert first.code == 0, first.err
        # Unlike sim:, a served board goes on living between two commands.
        second = scmictl("-t", path, "clock", "get", "uart0", "--json").json()
        assert isinstance(second, dict)
        assert second["rate_hz"] == 25_000_000
        watch = scmictl("-t", path, "sensor", "watch", "soc-temp", "-n", "2", "-o", "jsonl")
        assert len(watch.out.splitlines()) == 2, watch.err
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    assert server.returncode == 130
    assert not Path(path).exists()


def test_the_configuration_names_targets_and_sets_defaults(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('output = "jsonl"\n[targets.lab]\nuri = "sim:tiny"\nreadonly = true\n')
    done = scmictl("--config", str(config), "-t", "lab", "clock", "list")
    assert [json.loads(line)["name"] for line in done.out.splitlines()] == ["uart0"]
    assert scmictl("--config", str(config), "-t", "lab", "clock", "set", "0", "12MHz").code == 9
