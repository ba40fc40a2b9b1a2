"""What goes wrong is one line on stderr, in text or JSON, and saying it never goes wrong itself."""

from __future__ import annotations

import io
import json
import os
from contextlib import suppress

import pytest

from scmictl.console import report
from scmictl.console.environment import Environment
from scmictl.console.view import View
from scmictl.errors import DeviceGone, NotOffered, ScmictlError, StatusError, UsageError

DENIED = StatusError(
    "CLOCK_RATE_SET: DENIED (-3)", status=-3, name="DENIED", request="CLOCK_RATE_SET", hint="ask"
)


def said(environment: Environment) -> str:
    """What stderr got."""
    assert isinstance(environment.stderr, io.StringIO)
    assert isinstance(environment.stdout, io.StringIO)
    assert environment.stdout.getvalue() == ""
    return environment.stderr.getvalue()


def test_an_error_is_one_line_with_its_hint(environment: Environment) -> None:
    report.error(UsageError("no clock 'x'", hint="try uart0"), View(), environment)
    assert said(environment) == "scmictl: no clock 'x'; try uart0\n"


def test_an_error_without_a_hint_is_just_its_message(environment: Environment) -> None:
    report.error(DeviceGone("the device hung up"), View("table"), environment)
    assert said(environment) == "scmictl: the device hung up\n"


def test_an_error_stays_one_line_and_tame_whatever_it_quotes(environment: Environment) -> None:
    report.error(UsageError("found 'a\nb\x1b[2J'", hint="\u202ebad"), View(), environment)
    assert said(environment) == "scmictl: found 'a\\nb\\x1b[2J'; \\u202ebad\n"


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_an_error_is_an_object_where_the_output_is_json(
    environment: Environment, form: str
) -> None:
    report.error(DENIED, View(form), environment)
    assert json.loads(said(environment)) == {
        "error": {
            "code": 23,
            "name": "DENIED",
            "scmi_status": -3,
            "message": "CLOCK_RATE_SET: DENIED (-3)",
            "hint": "ask",
        }
    }
    assert said(environment).count("\n") == 1


def test_only_a_status_has_a_status(environment: Environment) -> None:
    report.error(NotOffered("no"), View("json"), environment)
    assert json.loads(said(environment))["error"] == {
        "code": 7,
        "name": "NOT_OFFERED",
        "scmi_status": None,
        "message": "no",
        "hint": None,
    }


def test_a_notice_is_its_text(environment: Environment) -> None:
    report.notice("target: sim:demo (none chosen; see --target)", View(), environment)
    assert said(environment) == "target: sim:demo (none chosen; see --target)\n"


def test_a_notice_is_an_object_where_the_output_is_json(environment: Environment) -> None:
    report.notice("a \x1b[2J", View("jsonl"), environment)
    assert said(environment) == '{"notice": "a \\u001b[2J"}\n'


def test_csv_has_errors_in_text(environment: Environment) -> None:
    report.error(ScmictlError("x"), View("csv"), environment)
    assert said(environment) == "scmictl: x\n"


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_closed_stderr_is_no_reason_to_fail(form: str) -> None:
    closed = io.StringIO()
    closed.close()
    environment = Environment(io.StringIO(), io.StringIO(), closed, {})
    report.error(DENIED, View(form), environment)
    report.notice("x", View(form), environment)


def test_a_stderr_nobody_reads_is_no_reason_to_fail() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = open(write, "w", encoding="utf-8")  # noqa: SIM115 - closing it fails as well
    report.error(DENIED, View(), Environment(io.StringIO(), io.StringIO(), stream, {}))
    with suppress(BrokenPipeError):
        stream.close()


def test_a_stderr_of_ascii_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    environment = Environment(io.StringIO(), io.StringIO(), stream, {})
    report.error(UsageError("°C"), View(), environment)
    report.error(UsageError("°C"), View("json"), environment)
    first, second = raw.getvalue().splitlines()
    assert first == b"scmictl: \\xb0C"
    assert json.loads(second)["error"]["message"] == "°C"
