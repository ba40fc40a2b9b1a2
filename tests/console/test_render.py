"""What a command gives is printed in the form that was asked for, whatever the platform says."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pytest

from scmictl.commands import Column, Output, Record, Rows, Stream, Text
from scmictl.commands.command import TIME_OF_DAY
from scmictl.console.cell import bare, compact
from scmictl.console.environment import Environment
from scmictl.console.render import render
from scmictl.console.view import View
from scmictl.errors import OutputError, ScmictlError, UsageError

COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("enabled", "ENABLED"),
    Column("rate_hz", "RATE", "Hz"),
    Column("parent", "PARENT", wide=True),
)
UART0: Record = {"id": 0, "name": "uart0", "enabled": True, "rate_hz": 24000000, "parent": None}
CPU: Record = {"id": 1, "name": "cpu", "enabled": False, "rate_hz": 1200000000, "parent": 0}
LOST: Record = {"id": 2, "name": None, "error": "NOT_FOUND"}
CLOCKS = Rows([UART0, CPU], COLUMNS)
SHOW = Rows([{**CPU, "permissions": {"rate": True, "state": False}}], many=False)

HOSTILE = "a\x1b[2J\x07\r\n\tb\x7f\x9b31m\u202ec\u200bd"
"""Erases the screen, rings, moves the cursor, ends the line, colours, and turns the text around."""
TAMED = r"a\x1b[2J\x07\r\n\tb\x7f\x9b31m\u202ec\u200bd"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(output: Output, environment: Environment, view: View) -> str:
    """What ``output`` looks like."""
    render(output, view, environment)
    stdout = environment.stdout
    assert isinstance(stdout, io.StringIO)
    return stdout.getvalue()


def on(stream: TextIO) -> Environment:
    """An environment whose stdout is ``stream``."""
    return Environment(io.StringIO(), stream, io.StringIO(), {})


@contextmanager
def failing(file: str | int) -> Iterator[Environment]:
    """An environment whose stdout cannot be written, which closing it would say once more."""
    stream = open(file, "w", encoding="utf-8")  # noqa: SIM115
    try:
        yield on(stream)
    finally:
        with suppress(OSError):
            stream.close()


def events(*records: Record) -> Stream:
    """``records`` as a stream."""
    return Stream(iter(records))


def message(output: Output, environment: Environment, view: View) -> str:
    """The text and hint of the usage error that printing ``output`` is."""
    with pytest.raises(UsageError) as caught:
        render(output, view, environment)
    return f"{caught.value.message}; {caught.value.hint}"


# --- plain ----------------------------------------------------------------------------------------


def test_plain_separates_by_tabs_and_shows_values_as_they_are(environment: Environment) -> None:
    assert shown(CLOCKS, environment, View("plain")) == (
        "id\tname\tenabled\trate_hz\n0\tuart0\ttrue\t24000000\n1\tcpu\tfalse\t1200000000\n"
    )


def test_plain_leaves_null_empty_and_the_header_out_when_told_to(environment: Environment) -> None:
    view = View("plain", fields=("name", "parent"), headers=False)
    assert shown(CLOCKS, environment, view) == "uart0\t\ncpu\t0\n"


def test_plain_cuts_nothing(environment: Environment) -> None:
    row = {"name": "x" * 300, "rates": list(range(100))}
    text = shown(Rows([row]), environment, View("plain"))
    assert text == f"name\trates\n{'x' * 300}\t{json.dumps(list(range(100)))}\n"


def test_plain_shows_a_single_object_as_a_line_for_each_key(environment: Environment) -> None:
    assert shown(SHOW, environment, View("plain")) == (
        "id\t1\nname\tcpu\nenabled\tfalse\nrate_hz\t1200000000\nparent\t0\n"
        'permissions\t{"rate": true, "state": false}\n'
    )


def test_one_field_without_headers_is_just_the_value(environment: Environment) -> None:
    view = View("plain", fields=("rate_hz",), headers=False)
    assert shown(SHOW, environment, view) == "1200000000\n"


@pytest.mark.parametrize(
    ("units", "expected"), [("si", "24 MHz"), ("raw", "24000000"), ("hex", "0x16e3600")]
)
def test_units_are_as_chosen(environment: Environment, units: str, expected: str) -> None:
    view = View("plain", fields=("rate_hz",), headers=False, units=units)
    assert shown(Rows([UART0], COLUMNS), environment, view) == f"{expected}\n"


def test_a_row_that_could_not_be_read_says_so_in_plain(environment: Environment) -> None:
    text = shown(Rows([UART0, LOST], COLUMNS), environment, View("plain"))
    assert text == (
        "id\tname\tenabled\trate_hz\terror\n0\tuart0\ttrue\t24000000\t\n2\t\t\t\tNOT_FOUND\n"
    )


# --- JSON and csv ---------------------------------------------------------------------------------


def test_json_is_an_array_with_every_key_and_one_record_a_line(environment: Environment) -> None:
    assert shown(CLOCKS, environment, View("json")) == (
        "[\n"
        '  {"id": 0, "name": "uart0", "enabled": true, "rate_hz": 24000000, "parent": null},\n'
        '  {"id": 1, "name": "cpu", "enabled": false, "rate_hz": 1200000000, "parent": 0}\n'
        "]\n"
    )


def test_json_of_a_single_object_is_an_object(environment: Environment) -> None:
    assert json.loads(shown(SHOW, environment, View("json"))) == SHOW.records[0]


def test_json_of_no_rows_is_an_empty_array(environment: Environment) -> None:
    assert shown(Rows([], COLUMNS), environment, View("json")) == "[]\n"


def test_jsonl_is_one_record_a_line(environment: Environment) -> None:
    lines = shown(CLOCKS, environment, View("jsonl")).splitlines()
    assert [json.loads(line) for line in lines] == [UART0, CPU]


def test_json_keeps_its_types_whatever_the_units(environment: Environment) -> None:
    text = shown(CLOCKS, environment, View("json", units="si"))
    assert json.loads(text) == [UART0, CPU]


def test_fields_choose_and_order_the_keys_of_json(environment: Environment) -> None:
    view = View("jsonl", fields=("rate_hz", "id"))
    assert shown(CLOCKS, environment, view).splitlines()[0] == '{"rate_hz": 24000000, "id": 0}'


def test_csv_has_every_key_and_what_is_nested_as_json(environment: Environment) -> None:
    text = shown(SHOW, environment, View("csv"))
    assert list(csv.reader(io.StringIO(text))) == [
        ["id", "name", "enabled", "rate_hz", "parent", "permissions"],
        ["1", "cpu", "false", "1200000000", "0", '{"rate": true, "state": false}'],
    ]


def test_csv_quotes_what_needs_it(environment: Environment) -> None:
    assert shown(Rows([{"name": 'a,"b'}]), environment, View("csv")) == 'name\n"a,""b"\n'


def test_hex_is_one_response_frame_a_line(environment: Environment) -> None:
    # BASE_DISCOVER_LIST_PROTOCOLS and PROTOCOL_VERSION, answers of reference part A, 11.
    frames = [
        bytes.fromhex("06 40 08 00  00 00 00 00  05 00 00 00  11 12 13 14  16 00 00 00"),
        bytes.fromhex("00 40 04 00  00 00 00 00  01 00 02 00"),
    ]
    render(CLOCKS, View("hex"), environment, frames=frames)
    assert isinstance(environment.stdout, io.StringIO)
    assert environment.stdout.getvalue() == (
        "0640080000000000050000001112131416000000\n004004000000000001000200\n"
    )


# --- table ----------------------------------------------------------------------------------------


def test_a_table_has_titles_units_and_numbers_on_the_right(environment: Environment) -> None:
    assert shown(CLOCKS, environment, View("table")) == (
        "ID  NAME   ENABLED     RATE\n"
        " 0  uart0  yes       24 MHz\n"
        " 1  cpu    no       1.2 GHz\n"
    )  # fmt: skip


def test_a_table_shows_null_as_a_dash(environment: Environment) -> None:
    view = View("table", fields=("name", "parent"), headers=False)
    assert shown(CLOCKS, environment, view) == "uart0  -\ncpu    0\n"


def test_a_row_that_could_not_be_read_says_so_in_a_table(environment: Environment) -> None:
    assert shown(Rows([UART0, LOST], COLUMNS), environment, View("table")) == (
        "ID  NAME   ENABLED    RATE  ERROR\n"
        " 0  uart0  yes      24 MHz\n"
        " 2  -      -             -  NOT_FOUND\n"
    )


def test_a_single_object_is_a_sheet(environment: Environment) -> None:
    assert shown(SHOW, environment, View("table")) == (
        "id           1\n"
        "name         cpu\n"
        "enabled      no\n"
        "rate_hz      1200000000\n"
        "parent       0\n"
        "permissions  rate=yes\n"
        "             state=no\n"
    )


@pytest.mark.parametrize("width", [60, 80, 132])
def test_a_table_fits_the_terminal_and_loses_nothing(environment: Environment, width: int) -> None:
    name = "".join(f"n{i:02}" for i in range(40))
    row = {"rate_hz": 24000000, "text": "a few words " * 20, "name": name}
    columns = (Column("rate_hz", "RATE", "Hz"), Column("text", "TEXT"), Column("name", "NAME"))
    lines = shown(Rows([row], columns), environment, View("table", width=width)).splitlines()
    second, third = lines[0].index("TEXT"), lines[0].index("NAME")
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("24 MHz")
    assert " ".join(line[second:third].strip() for line in lines[1:]).split() == (
        ["a", "few", "words"] * 20
    )
    assert "".join(line[third:] for line in lines[1:]) == name


def test_what_does_not_fit_as_a_table_is_shown_as_sheets(environment: Environment) -> None:
    rows = [{f"number_{i}": 10**9 + i for i in range(12)} for _ in range(2)]
    text = shown(Rows(rows), environment, View("table"))
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[0] == "number_0   1000000000"
    assert text.count("number_11  1000000011") == 2


def test_a_long_list_is_only_begun_in_a_table(environment: Environment) -> None:
    text = shown(Rows([{"rates": list(range(100))}]), environment, View("table"))
    assert text == "rates\n0, 1, 2, 3, 4, 5, ... 100 in all\n"


def test_there_is_no_colour_unless_it_is_wanted(environment: Environment) -> None:
    assert "\x1b" not in shown(CLOCKS, environment, View("table"))
    coloured = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    assert "\x1b[1m" in shown(CLOCKS, coloured, View("table", color=True))


def test_a_table_without_rows_is_its_header(environment: Environment) -> None:
    assert shown(Rows([], COLUMNS[:2]), environment, View("table")) == "ID  NAME\n"


# --- hostile texts --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "plain", "csv"])
def test_an_escape_sequence_in_a_name_never_reaches_the_terminal(
    environment: Environment, form: str
) -> None:
    text = shown(Rows([{"name": HOSTILE, "id": 1}]), environment, View(form, width=200))
    assert TAMED in text
    assert text.replace("\n", "").replace("\t", "").isprintable()
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_escapes_what_a_terminal_would_obey(environment: Environment, form: str) -> None:
    text = shown(Rows([{"name": HOSTILE, "path": {HOSTILE: [HOSTILE]}}]), environment, View(form))
    assert text.replace("\n", "").isprintable()
    loaded = json.loads(text)
    record = loaded[0] if form == "json" else loaded
    assert record == {"name": HOSTILE, "path": {HOSTILE: [HOSTILE]}}


@pytest.mark.parametrize("form", ["table", "plain"])
def test_a_hostile_name_is_tamed_inside_nested_values_and_streams(
    environment: Environment, form: str
) -> None:
    record = {"fields": {"name": HOSTILE, HOSTILE: [HOSTILE]}, "error": HOSTILE}
    text = shown(events(record, record), environment, View(form))
    text += shown(Rows([record], many=False), environment, View(form))
    assert text.replace("\n", "").replace("\t", "").isprintable()


def test_what_is_printed_as_markup_is_not_taken_as_markup(environment: Environment) -> None:
    text = shown(Rows([{"name": "[red]:smile:[/red]"}]), environment, View("table", color=True))
    assert "[red]:smile:[/red]" in text


def test_a_text_is_tamed_on_a_terminal_and_kept_in_a_file(environment: Environment) -> None:
    assert shown(Text("a\tb\x1b[2J\nc"), environment, View("table", terminal=True)) == (
        "a\tb\\x1b[2J\nc\n"
    )
    file = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    assert shown(Text("a\tb\x1b[2J\nc\n"), file, View("json")) == "a\tb\x1b[2J\nc\n"


# --- which rows and keys --------------------------------------------------------------------------


def test_where_keeps_the_rows_that_fit_and_returns_them_whole(environment: Environment) -> None:
    view = View("plain", where="rate_hz > 100MHz", fields=("name",), headers=False)
    assert render(CLOCKS, view, environment) == [CPU]
    assert isinstance(environment.stdout, io.StringIO)
    assert environment.stdout.getvalue() == "cpu\n"


def test_where_takes_the_unit_of_a_column(environment: Environment) -> None:
    rows = Rows([{"cap": 15000}, {"cap": 900}], (Column("cap", "CAP", "mW"),))
    assert render(rows, View("plain", where="cap >= 15W"), environment) == [{"cap": 15000}]


def test_sort_goes_by_value_with_null_last(environment: Environment) -> None:
    rows = Rows([{"v": 10}, {"v": None}, {"v": 9}, {"v": 100}])
    up = render(rows, View("plain", sort="v"), environment)
    down = render(rows, View("plain", sort="-v"), environment)
    assert [row["v"] for row in up] == [9, 10, 100, None]
    assert [row["v"] for row in down] == [100, 10, 9, None]


def test_sort_counts_the_numbers_in_names(environment: Environment) -> None:
    rows = Rows([{"name": "uart10"}, {"name": "uart2"}, {"name": "uart"}, {"name": 3}])
    found = render(rows, View("plain", sort="name"), environment)
    assert [row["name"] for row in found] == [3, "uart", "uart2", "uart10"]


def test_a_dotted_key_leads_into_a_nested_value(environment: Environment) -> None:
    rows = Rows([{"fields": {"rate": 24}, "status": "SUCCESS"}], many=False)
    view = View("plain", fields=("fields.rate",), headers=False)
    assert shown(rows, environment, view) == "24\n"


@pytest.mark.parametrize("form", ["table", "plain", "json", "jsonl", "csv"])
def test_an_unknown_field_is_an_error_that_lists_the_keys(
    environment: Environment, form: str
) -> None:
    assert message(CLOCKS, environment, View(form, fields=("rate",))) == (
        "--fields: unknown key 'rate', expected one of: id, name, enabled, rate_hz, parent; "
        "did you mean rate_hz?"
    )


def test_an_unknown_sort_key_is_an_error_that_lists_the_keys(environment: Environment) -> None:
    assert message(CLOCKS, environment, View(sort="-rates")).startswith(
        "--sort: unknown key 'rates', expected one of: id, name"
    )


@pytest.mark.parametrize("where", ["speed > 3", "rate_hz >", "rate_hz == 3V", "name < 3"])
def test_an_expression_that_does_not_fit_is_an_error_of_usage(
    environment: Environment, where: str
) -> None:
    assert message(CLOCKS, environment, View(where=where)).startswith("--where: ")


def test_of_no_rows_no_key_is_unknown(environment: Environment) -> None:
    assert shown(Rows([]), environment, View(fields=("rate",), sort="rate", where="rate > 1")) == (
        "rate\n"
    )


# --- streams --------------------------------------------------------------------------------------


def test_every_event_is_flushed_before_the_next_is_asked_for() -> None:
    read, write = os.pipe()
    with open(read, encoding="utf-8") as reader, open(write, "w", encoding="utf-8") as writer:

        def source() -> Iterator[Record]:
            yield {"n": 1}
            assert reader.readline() == '{"n": 1}\n'
            yield {"n": 2}
            assert reader.readline() == '{"n": 2}\n'

        assert render(Stream(source()), View("json"), on(writer)) == [{"n": 1}, {"n": 2}]


def test_a_stream_is_closed_when_nobody_reads_it_any_more() -> None:
    read, write = os.pipe()
    closed = []

    def source() -> Iterator[Record]:
        try:
            while True:
                yield {"n": 1}
        finally:
            closed.append(True)

    os.close(read)
    with failing(write) as environment, pytest.raises(BrokenPipeError):
        render(Stream(source()), View("jsonl"), environment)
    assert closed == [True]


def test_a_plain_stream_has_one_header_and_a_line_for_each_event(environment: Environment) -> None:
    stream = events({"event": "A", "fields": {"rate": 1}}, {"event": "B", "fields": {}})
    assert shown(stream, environment, View("plain")) == ('event\tfields\nA\t{"rate": 1}\nB\t{}\n')


def test_a_csv_stream_has_the_same_cells_in_every_line(environment: Environment) -> None:
    stream = events({"n": 1}, {"n": 2, "error": "NOT_FOUND"}, {"n": 3})
    assert shown(stream, environment, View("csv")) == "n,error\n1,\n2,NOT_FOUND\n3,\n"


def test_an_event_with_an_error_shows_it_behind_its_columns(environment: Environment) -> None:
    stream = events({"n": 1}, {"n": 2, "error": "too short"})
    assert shown(stream, environment, View("plain")) == "n\n1\n2\ttoo short\n"


def test_a_table_of_events_is_aligned_and_cut_at_the_width_of_the_terminal() -> None:
    environment = on(Terminal())
    stream = Stream(
        iter([{"e": "RATE", "v": 24000000, "t": "x" * 30}, {"e": "LONGER", "v": 1, "t": "y"}]),
        (Column("e", "EVENT"), Column("v", "VALUE", "Hz"), Column("t", "TEXT")),
    )
    view = View("table", terminal=True, width=24)
    assert shown(stream, environment, view) == (
        "EVENT  VALUE   TEXT\n"
        "RATE   24 MHz  xxxxxxxx…\n"
        "LONGER  1 Hz    y\n"
    )  # fmt: skip


def test_a_stream_of_which_nothing_may_be_missing_goes_on_in_the_next_line() -> None:
    stream = Stream(iter([{"n": 1, "list": [*range(9)], "t": "x" * 30}]), whole=True)
    view = View("table", terminal=True, width=24)
    assert shown(stream, on(Terminal()), view).splitlines()[1] == (
        "1  0, 1, 2, 3, 4, 5, 6, 7, 8  " + "x" * 30
    )


def test_where_lets_events_pass_that_have_other_fields(environment: Environment) -> None:
    stream = events(
        {"event": "RATE", "fields": {"rate": 5}},
        {"event": "UPDATE", "fields": {"sensor_id": 1}},
        {"event": "UPDATE", "fields": {"sensor_id": 2}},
    )
    view = View("jsonl", where="fields.rate == 5 or fields.sensor_id == 1")
    assert [r["event"] for r in render(stream, view, environment)] == ["RATE", "UPDATE"]


def test_where_of_a_stream_knows_the_keys_of_an_event(environment: Environment) -> None:
    assert message(events({"event": "A"}), environment, View(where="evnt == A")).startswith(
        "--where: unknown name 'evnt', expected one of: event"
    )


def test_a_stream_cannot_be_sorted(environment: Environment) -> None:
    assert message(events({"n": 1}), environment, View(sort="n")).startswith("--sort needs all")


def test_hex_of_a_stream_prints_the_frames_as_they_come(environment: Environment) -> None:
    frames: list[bytes] = []

    def source() -> Iterator[Record]:
        for byte in (1, 2):
            frames.append(bytes([byte] * 4))
            yield {"n": byte}

    render(Stream(source()), View("hex"), environment, frames=frames)
    assert isinstance(environment.stdout, io.StringIO)
    assert environment.stdout.getvalue() == "01010101\n02020202\n"


# --- streams of the process -----------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_output_error() -> None:
    with failing("/dev/full") as environment, pytest.raises(OutputError) as caught:
        render(CLOCKS, View("plain"), environment)
    assert caught.value.exit_code == 11
    assert "No space left on device" in caught.value.message


def test_a_closed_stdout_is_an_output_error() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(OutputError):
        render(CLOCKS, View("plain"), on(closed))


def test_a_reader_that_left_is_a_broken_pipe_and_no_error_of_ours() -> None:
    read, write = os.pipe()
    os.close(read)
    with failing(write) as environment, pytest.raises(BrokenPipeError) as caught:
        render(CLOCKS, View("plain"), environment)
    assert not isinstance(caught.value, ScmictlError)


@pytest.mark.parametrize("form", ["table", "plain", "csv"])
def test_a_stream_of_ascii_gets_escapes_for_the_rest(form: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    render(Rows([{"unit": "°C"}]), View(form), on(stream))
    assert raw.getvalue() == b"unit\n\\xb0C\n"


def test_json_in_ascii_is_still_json() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    render(Rows([{"unit": "°C"}]), View("jsonl"), on(stream))
    assert raw.getvalue() == b'{"unit": "\\u00b0C"}\n'


def test_half_a_surrogate_pair_can_be_printed() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "utf-8")
    render(Rows([{"file": "\udce9.toml"}]), View("jsonl"), on(stream))
    render(Rows([{"file": "\udce9.toml"}]), View("plain"), on(stream))
    assert raw.getvalue() == b'{"file": "\\udce9.toml"}\nfile\n\\udce9.toml\n'


PROGRAM = """
from scmictl.commands import Column, Rows
from scmictl.console.environment import Environment
from scmictl.console.render import render
from scmictl.console.view import View
environment = Environment.real()
row = {"name": "caf\\u00e9 \\u2026", "temperature": 23, "list": list(range(99))}
for form in ("table", "plain", "json", "csv"):
    render(Rows([row], (Column("name", "NAME"), Column("temperature", "T", "\\u00b0C"),
        Column("list", "LIST"))), View(form, terminal=True), environment)
"""


@pytest.mark.parametrize(
    "variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_no_locale_makes_it_crash(variables: dict[str, str]) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**clean, "PYTHONCOERCECLOCALE": "0", **variables},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"caf\xe9" in done.stdout
    assert b"23 \\xb0C" in done.stdout
    assert done.stdout.isascii()


def imported(form: str) -> set[str]:
    """The modules that printing in ``form`` loads in a process of its own."""
    program = (
        "import sys\n"
        "from scmictl.commands import Rows\n"
        "from scmictl.console.environment import Environment\n"
        "from scmictl.console.render import render\n"
        "from scmictl.console.view import View\n"
        "before = set(sys.modules)\n"
        f"render(Rows([{{'id': 1}}]), View({form!r}), Environment.real())\n"
        "print(*(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_no_form_loads_rich_and_only_csv_loads_csv() -> None:
    for form in ("plain", "jsonl", "table"):
        assert not imported(form) & {"rich", "csv"}
    assert "rich" not in imported("csv")


def test_a_table_shows_the_time_of_day_and_everything_else_the_whole_time() -> None:
    whole = "2026-01-01T15:47:14.148685Z"
    assert compact(whole, TIME_OF_DAY, "si") == "15:47:14.148"
    assert compact(0.25, TIME_OF_DAY, "si") == "0.25"  # --timestamps delta
    assert bare(whole, TIME_OF_DAY, "si", io.StringIO()) == whole
