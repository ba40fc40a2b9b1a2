"""`powercap`: what is read and changed, from simulated platforms of every version and scripted."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands import Rows
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import CriteriaNotMet, NotOffered, Partial, Refused, StatusError, UsageError
from scmictl.platform import Platform
from scmictl.transport.inprocess import InProcess

DOMAINS = """
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
denied = ["rack"]
[[device]]
name = "rack"
owns = ["powercap:cpu"]
[[powercap]]
name = "soc"
caps = { lowest = "1W", highest = "30W", step = "100mW" }
cap = "15W"
pais = { lowest = "10ms", highest = "1s", step = "10ms" }
pai = "100ms"
sustainable = "12W"
accuracy = 2500
async = true
power = "2W"
[[powercap]]
name = "cpu"
parent = "soc"
caps = { lowest = 500, highest = 10000, step = 50 }
power = "6W"
restrict = { boss = ["interval"] }
[[powercap]]
name = "gpu-with-a-long-name"
unit = "uW"
parent = "cpu"
caps = { lowest = "1W", highest = "8W", step = "1mW" }
cap = 0
power = "1W"
async = true
[[powercap]]
name = "rom"
cap = "3W"
notify = false
power = "1W"
[[powercap]]
name = "npu"
unit = "abstract"
caps = { lowest = 10, highest = 100, step = 10 }
monitoring = false
[[powercap]]
name = "fan"
power = 700
"""
LIMITS = """
[[powercap]]
name = "psu"
caps = { lowest = 1, highest = 90, step = 1 }
[[powercap.limit]]
name = "battery"
caps = { lowest = 2, highest = 8, step = 2 }
cais = { lowest = "1ms", highest = "9ms", step = "4ms" }
"""
Make = Callable[..., Any]


@pytest.fixture
def make(console: Make, board: Callable[[str], str]) -> Make:
    """Return a function that makes consoles on the board above."""

    def build(version: str = "2.0", *, head: str = "", tail: str = "", query: str = "") -> Any:
        text = f'[versions]\npowercap = "{version}"\n{head}{DOMAINS}{tail}'
        return console(board(text) + query)

    return build


@pytest.fixture
def one(make: Make) -> Any:
    """A console on the newest version that is not experimental."""
    return make()


# --- list, get and show ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_a_domain_has_the_keys_of_the_contract_first(make: Make, version: str) -> None:
    rows = make(version).json("powercap list")
    assert list(rows[0])[:5] == ["id", "name", "cap", "unit", "parent"]
    assert [list(row.values())[:5] for row in rows] == [
        [0, "soc", 15_000, "mW", None],
        [1, "cpu", 10_000, "mW", 0],
        [2, "gpu-with-a-long-name", 0, "uW", 1],
        [3, "rom", 3000, "mW", None],
        [4, "npu", 100, "", None],
        [5, "fan", None, "mW", None],
    ]


def test_caps_are_read_together(one: Any) -> None:
    one.json("powercap list")
    last = [frame.outgoing for frame in one.frames][-12:]
    assert last == [True] * 6 + [False] * 6


def test_a_list_takes_patterns_and_an_id_is_one_object(one: Any) -> None:
    assert [row["id"] for row in one.json("powercap list *u 0")] == [1, 4, 0]
    assert one.json("powercap get cpu")["parent_name"] == "soc"
    assert len(one.json("powercap get c*")) == 1


def test_a_domain_that_is_not_there_is_the_platforms_answer(one: Any) -> None:
    for line in ("get 9", "measure 9", "pai get 9", "set 9 5W", "pai set 9 20ms"):
        error, _ = one.fails(f"powercap {line}")
        assert isinstance(error, StatusError), line
        assert error.exit_code == 24


def test_a_power_counts_in_the_unit_of_the_domain_whatever_number_it_is_called_by(
    console: Make,
) -> None:
    demo = console("sim:demo")
    # The upper half of a domain's number is ignored, and the gpu counts in microwatts.
    assert demo.json("powercap set 0x10002 5W")["cap"] == 5_000_000
    assert demo.json("powercap get gpu")["cap"] == 5_000_000


def test_a_domain_that_is_denied_stays_in_the_list(make: Make) -> None:
    error, rows = make(query="?agent=guest").fails("powercap list")
    assert isinstance(error, Partial)
    assert [(row["name"], row.get("error")) for row in rows][:2] == [
        ("soc", None), (None, "NOT_FOUND"),
    ]  # fmt: skip
    assert rows[2]["parent"] == 0


def test_show_tells_everything(one: Any) -> None:
    shown = one.json("powercap show soc")
    assert shown == {
        "id": 0, "name": "soc", "cap": 15_000, "unit": "mW", "parent": None, "parent_name": None,
        "power": 9000, "pai_us": 100_000, "scale": "milliwatts", "cap_configurable": True,
        "async_cap_set": True, "min_cap": 1000, "max_cap": 30_000, "cap_step": 100,
        "sustainable_power": 12_000, "monitoring": True, "accuracy_percent": 2.5,
        "pai_configurable": True, "min_pai_us": 10_000, "max_pai_us": 1_000_000,
        "pai_step_us": 10_000, "notifications": ["cap_changed", "measurements_changed"],
        "fastchannel": False, "limits": None,
    }  # fmt: skip
    npu = one.json("powercap show npu")
    assert (npu["scale"], npu["power"]) == ("abstract_linear_scale", None)
    assert "5 %" in one.text("powercap show soc -o table")


def test_show_lists_the_limits_of_version_3(make: Make) -> None:
    console = make("3.0", tail=LIMITS)
    assert console.json("powercap show psu")["limits"] == [
        {
            "id": 0, "name": "psu", "cap": 90, "cap_configurable": True, "min_cap": 1,
            "max_cap": 90, "cap_step": 1, "cai_us": 100_000, "min_cai_us": 100_000,
            "max_cai_us": 100_000, "cai_step_us": 0,
        },
        {
            "id": 1, "name": "battery", "cap": 8, "cap_configurable": True, "min_cap": 2,
            "max_cap": 8, "cap_step": 2, "cai_us": 1000, "min_cai_us": 1000,
            "max_cai_us": 9000, "cai_step_us": 4000,
        },
    ]  # fmt: skip
    assert console.json("powercap show fan")["limits"] is None
    shown = console.json("powercap show soc")
    assert shown["pai_configurable"] is True
    assert shown["notifications"] == ["cap_changed", "measurements_changed"]


def test_info_tells_version_count_and_messages(one: Any) -> None:
    found = one.json("powercap info")
    assert (found["version"], found["attributes"]) == ("2.0", {"num_domains": 6})
    assert found["messages"]["POWERCAP_CAP_SET"] is True
    assert found["messages"]["POWERCAP_CAI_SET"] is False


# --- measure and tree -----------------------------------------------------------------------------


def test_a_measurement_has_its_unit_and_interval(one: Any) -> None:
    assert one.json("powercap measure cpu") == {
        "id": 1, "name": "cpu", "power": 7000, "unit": "mW", "pai_us": 100_000,
    }  # fmt: skip
    rows = one.json("powercap measure all")
    assert [row["power"] for row in rows] == [9000, 7000, 1_000_000, 1000, None, 700]


def test_what_is_not_monitored_has_nothing_to_measure(one: Any) -> None:
    error, _ = one.fails("powercap measure npu")
    assert isinstance(error, NotOffered)
    assert "domain 4 (npu) is not monitored" in error.message


def test_the_tree_has_children_below_their_parents(one: Any) -> None:
    rows = one.json("powercap tree")
    assert [(row["name"], row["depth"], row["power"]) for row in rows] == [
        ("soc", 0, 9000), ("cpu", 1, 7000), ("gpu-with-a-long-name", 2, 1_000_000),
        ("rom", 0, 1000), ("npu", 0, None), ("fan", 0, 700),
    ]  # fmt: skip
    assert "\n 2      gpu-with" in one.text("powercap tree -o table")


# --- set ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "became", "words"),
    [
        ("soc 5W", 5000, (0, 0, 5000)),
        ("soc 5500", 5500, (0, 0, 5500)),
        ("soc 2500000uW", 2500, (0, 0, 2500)),
        ("gpu-with-a-long-name 5W", 5_000_000, (2, 0, 5_000_000)),
        ("gpu-with-a-long-name 1.5W", 1_500_000, (2, 0, 1_500_000)),
        ("npu 20", 20, (4, 0, 20)),
        ("soc off", 0, (0, 0, 0)),
        ("soc 0", 0, (0, 0, 0)),
    ],
)
def test_a_cap_is_set_in_the_unit_of_the_domain(
    one: Any, line: str, became: int, words: tuple[int, ...]
) -> None:
    row = one.json(f"powercap set {line}")
    assert row["cap"] == became
    assert one.json(f"powercap get {words[0]}")["cap"] == became
    assert struct.pack("<4I", 0x6005, *words).hex(" ") in one.requests()


def test_version_3_names_the_first_limit(make: Make) -> None:
    console = make("3.0")
    assert console.json("powercap set soc 5W")["cap"] == 5000
    assert struct.pack("<5I", 0x6005, 0, 0, 0, 5000).hex(" ") in console.requests()


@pytest.mark.parametrize("cap", ["much", "5V", "5s", ""])
def test_a_cap_that_is_none_is_a_usage_error_before_anything_is_sent(one: Any, cap: str) -> None:
    error, _ = one.fails(f"powercap set soc {cap}")
    assert isinstance(error, UsageError)
    assert one.frames == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("soc 5.5mW", "domain 0 (soc): found '5.5mW', expected a whole number of mW"),
        ("soc -5", "domain 0 (soc): found '-5', expected 0 to 4294967295 mW"),
        ("soc 5000kW", "expected 0 to 4294967295 mW"),
        ("npu 5W", "domain 4 (npu): found the unit 'W' in '5W', expected a plain number"),
        ("all 5W", "domain 4 (npu)"),
    ],
)
def test_a_cap_that_the_domain_cannot_count_is_not_sent(one: Any, line: str, found: str) -> None:
    error, _ = one.fails(f"powercap set {line}")
    assert isinstance(error, UsageError)
    assert found in error.message
    assert not any(frame.startswith("05 60") for frame in one.requests())


@pytest.mark.parametrize(
    ("line", "name"), [("soc 31W", "OUT_OF_RANGE"), ("soc 5050mW", "INVALID_PARAMETERS")]
)
def test_a_cap_the_domain_cannot_have_is_the_platforms_answer(
    one: Any, line: str, name: str
) -> None:
    error, _ = one.fails(f"powercap set {line}")
    assert isinstance(error, StatusError)
    assert error.name == name
    assert one.json("powercap get soc")["cap"] == 15_000


def test_of_several_domains_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("powercap set [srf]* 5W")
    assert isinstance(error, Partial)
    assert [(row["name"], row["cap"], row.get("error")) for row in rows] == [
        ("soc", 5000, None), ("rom", 3000, "NOT_SUPPORTED"), ("fan", None, "NOT_SUPPORTED"),
    ]  # fmt: skip


def test_a_cap_that_cannot_be_set_is_not_offered(one: Any) -> None:
    for line in ("set rom 3W", "set fan 1W", "set cpu 5W --async", "pai set fan 20ms"):
        error, _ = one.fails(f"powercap {line}")
        assert isinstance(error, NotOffered), line
        assert error.exit_code == 7


def test_a_read_only_connection_sets_nothing(one: Any) -> None:
    for line in ("set soc 5W", "set soc 5W --async", "pai set soc 20ms"):
        error, _ = one.fails(f"powercap {line} -r")
        assert isinstance(error, Refused), line
    assert one.json("powercap get soc")["cap"] == 15_000


def test_a_dry_run_by_number_and_version_sends_nothing_at_all(one: Any) -> None:
    [row] = one.json("powercap set 0 5000 --dry-run --proto powercap=2.0")
    assert row == {
        "message": "POWERCAP_CAP_SET",
        "request": "05 60 00 00 00 00 00 00 00 00 00 00 88 13 00 00",
    }
    assert one.frames == []


def test_a_dry_run_reads_the_unit_where_it_needs_one(one: Any) -> None:
    [row] = one.json("powercap set 2 5W --dry-run")
    assert row["request"].endswith("40 4b 4c 00")
    assert not any(frame.startswith("05 60") for frame in one.requests())
    assert one.json("powercap get 2")["cap"] == 0


def test_a_cap_that_another_agent_keeps_lower_is_pointed_out() -> None:
    platform = Platform.from_text(DOMAINS)
    other = platform.attach("guest")
    other.handle(0, struct.pack("<4I", 0x6005, 0, 0, 4000), 8, 0.0)
    said: list[str] = []
    agent = Agent(InProcess(platform.attach("boss")))
    for cap, seen in (("9W", 4000), ("off", 4000), ("2W", 2000)):
        invocation = parse(["powercap", "set", "soc", cap])
        assert isinstance(invocation, Invocation)
        assert invocation.command is not None and invocation.command.run is not None
        context = Context(lambda: agent, notice=said.append)
        output = invocation.command.run(context, invocation.arguments)
        assert isinstance(output, Rows)
        assert output.records[0]["cap"] == seen
    notes = [text for text in said if "forgets" not in text]
    assert notes == ["domain 0 (soc) has a cap of 4000 mW: something else asks for that"] * 2


# --- set --async ----------------------------------------------------------------------------------


def test_an_asynchronous_cap_is_accepted_first_and_shown_when_it_is_set(one: Any) -> None:
    accepted, done = one.lines("powercap set soc 5W --async")
    assert (accepted["id"], accepted["name"], accepted["accepted"]) == (0, "soc", True)
    assert (done["id"], done["cap"], done["unit"]) == (0, 5000, "mW")
    assert "accepted" not in done
    assert struct.pack("<4I", 0x6005, 0, 2, 5000).hex(" ") in one.requests()


def test_an_asynchronous_cap_that_is_refused_is_not_accepted(one: Any) -> None:
    error, rows = one.fails("powercap set soc 31W --async")
    assert (error.exit_code, rows) == (25, [])


def test_of_several_asynchronous_caps_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("powercap set [scg]* 5W --async")
    assert isinstance(error, Partial)
    assert [(row["name"][:3], row.get("accepted"), row.get("error")) for row in rows] == [
        ("soc", True, None), ("gpu", True, None),
        ("soc", None, None), ("cpu", None, "NOT_SUPPORTED"), ("gpu", None, None),
    ]  # fmt: skip
    assert [row["cap"] for row in rows[2:]] == [5000, 10_000, 5_000_000]


def test_asynchronous_caps_need_a_channel_back(make: Make) -> None:
    error, _ = make(query="?features=-p2a").fails("powercap set soc 5W --async")
    assert isinstance(error, NotOffered)
    error, _ = make(head="[async]\npowercap = 0\n").fails("powercap set soc 5W --async")
    assert isinstance(error, NotOffered)


# --- averaging intervals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "us"), [("20ms", 20_000), ("0.25", 250_000), ("1s", 1_000_000), ("10000us", 10_000)]
)
def test_an_averaging_interval_is_set_and_read_back(one: Any, typed: str, us: int) -> None:
    assert one.json(f"powercap pai set soc {typed}") == {"id": 0, "name": "soc", "pai_us": us}
    assert one.json("powercap pai get soc")["pai_us"] == us
    assert struct.pack("<4I", 0x6007, 0, 0, us).hex(" ") in one.requests()


@pytest.mark.parametrize("typed", ["soon", "1.5us", "4295s", "5W", "-1s"])
def test_an_interval_that_is_none_is_a_usage_error_before_anything_is_sent(
    one: Any, typed: str
) -> None:
    error, _ = one.fails(f"powercap pai set soc {typed}")
    assert isinstance(error, UsageError)
    assert one.frames == []


def test_intervals_of_several_domains_say_which_refused(one: Any) -> None:
    error, rows = one.fails("powercap pai set all 20ms")
    assert isinstance(error, Partial)
    assert [(row["pai_us"], row.get("error")) for row in rows[:2]] == [
        (20_000, None), (100_000, "NOT_SUPPORTED"),
    ]  # fmt: skip
    error, _ = one.fails("powercap pai set soc 15ms")
    assert error.exit_code == 22


# --- watch ----------------------------------------------------------------------------------------


def watched(console: Any, line: str, message: int) -> list[str]:
    """Run a watch to its end; return the requests that switched the notification."""
    with pytest.raises(CriteriaNotMet):
        console.text(line)
    word = f"{message:02x} 60 00 00"
    return [frame[12:] for frame in console.requests() if frame.startswith(word)]


def test_a_watch_switches_the_changes_of_all_that_offer_them_on_and_off(one: Any) -> None:
    found = watched(one, "powercap watch -n 1 --for 1ms", 0xA)
    assert found == [
        struct.pack("<2I", id, enable).hex(" ")
        for enable, ids in ((1, (0, 1, 2, 4, 5)), (0, (5, 4, 2, 1, 0)))
        for id in ids
    ]


def test_thresholds_are_counted_in_the_unit_of_each_domain(one: Any) -> None:
    found = watched(one, "powercap watch cpu gpu* --below 500mW --above 20W -n 1 --for 1ms", 0xB)
    assert found[:2] == [
        struct.pack("<4I", 1, 1, 500, 20_000).hex(" "),
        struct.pack("<4I", 2, 1, 500_000, 20_000_000).hex(" "),
    ]


def test_power_beyond_a_threshold_is_a_record_with_its_unit(one: Any) -> None:
    [row] = one.lines("powercap watch cpu --above 5W -n 1 --for 30s")
    assert (row["event"], row["id"], row["name"]) == ("POWERCAP_MEASUREMENTS_CHANGED", 1, "cpu")
    assert (row["power"], row["unit"], row["fields"]["power"]) == (7000, "mW", 7000)
    assert one.lines("powercap watch cpu --above 5W --until power>6W --for 30s")


def test_a_watch_can_read_instead(one: Any) -> None:
    rows = one.lines("powercap watch soc --interval 1ms -n 2")
    assert [(row["cap"], row["unit"]) for row in rows] == [(15_000, "mW")] * 2
    [row] = one.lines("powercap watch soc --power --interval 1ms -n 1")
    assert (row["event"], row["power"]) == ("POWERCAP_MEASUREMENTS_GET", 9000)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--below much", "expected a number"),
        ("--above 5V", "found the unit 'V'"),
        ("--power", "--power needs --interval"),
        ("--above 5W --interval 1s", "--interval reads the power itself"),
    ],
)
def test_a_watch_that_cannot_be_is_a_usage_error_before_anything_is_sent(
    one: Any, line: str, found: str
) -> None:
    error, _ = one.fails(f"powercap watch {line}")
    assert isinstance(error, UsageError)
    assert found in error.message
    assert one.frames == []


def test_thresholds_that_leave_nothing_out_are_refused(one: Any) -> None:
    error, _ = one.fails("powercap watch cpu --below 5W --above 4W -n 1")
    assert isinstance(error, UsageError)
    error, _ = one.fails("powercap watch npu --above 4 -n 1")
    assert isinstance(error, NotOffered)


def test_a_change_is_a_record_with_its_unit(one: Any) -> None:
    one.text("subscribe POWERCAP_CAP_CHANGED soc")
    one.text("powercap set soc 5W")
    row = one.lines("powercap watch soc --until cap==5W --for 30s")[-1]
    assert (row["event"], row["cap"], row["unit"], row["agent_id"]) == (
        "POWERCAP_CAP_CHANGED", 5000, "mW", 1,
    )  # fmt: skip


# --- platforms that lie ---------------------------------------------------------------------------


def described(name: str, attributes: int, parent: int) -> bytes:
    """A POWERCAP_DOMAIN_ATTRIBUTES response of 2.0, without its status."""
    numbers = struct.pack("<9I", 1, 1, 0, 1, 9, 1, 0, 0, parent)
    return struct.pack("<I", attributes) + name.encode().ljust(16, b"\0") + numbers


def test_parents_that_do_not_exist_and_units_that_mean_nothing_are_shown_as_far_as_they_go(
    script: Any,
) -> None:
    answers = {
        (0x18, 0x0, None): struct.pack("<I", 0x20000),
        (0x18, 0x1, None): struct.pack("<I", 3),
        (0x18, 0x3, struct.pack("<I", 0)): described("a", 3 << 23, 77),
        (0x18, 0x3, struct.pack("<I", 1)): described("b", 2 << 23, 2),
        (0x18, 0x3, struct.pack("<I", 2)): described("c", 2 << 23, 1),
        (0x18, 0x4, None): struct.pack("<I", 5),
    }
    output = script(answers).run("powercap list")
    assert isinstance(output, Rows)
    assert [(r["unit"], r["parent"], r["parent_name"]) for r in output.records] == [
        ("", 77, None), ("mW", 2, "c"), ("mW", 1, "b"),
    ]  # fmt: skip
    output = script(answers).run("powercap tree")
    assert isinstance(output, Rows)
    assert [(r["name"], r["depth"]) for r in output.records] == [("a", 0), ("b", 0), ("c", 1)]
