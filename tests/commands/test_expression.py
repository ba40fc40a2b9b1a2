"""EXPR: what it accepts, what it means on a record and on a list, and how it explains itself."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.commands.expression import compile_expression
from scmictl.errors import ExpectationFailed, ScmictlError, UsageError

quick = settings(derandomize=True, deadline=None)

# Records as CLI.md shows them.
UART0: dict[str, Any] = {
    "id": 0,
    "name": "uart0",
    "enabled": True,
    "rate_hz": 24000000,
    "parent": None,
}
SPI: dict[str, Any] = {
    "id": 1,
    "name": "spi-0",
    "enabled": False,
    "rate_hz": 50000000,
    "parent": "osc",
}
UNREAD: dict[str, Any] = {"id": 2, "name": "gone", "error": "NOT_FOUND"}
CLOCKS = [UART0, SPI, UNREAD]
SENSOR: dict[str, Any] = {
    "id": 0,
    "name": "acc0",
    "value": 23.7,
    "unit": "°C",
    "raw": 23700,
    "timestamp": None,
    "axes": [
        {"id": 0, "name": "X", "value": 0.5, "raw": 500, "unit": "m/s²", "timestamp": None},
        {"id": 1, "name": "Y", "value": -2.0, "raw": -2000, "unit": "m/s²", "timestamp": None},
    ],
}
CAP: dict[str, Any] = {"id": 0, "name": "soc", "cap": 15000, "unit": "mW", "parent": None}
INFO: dict[str, Any] = {
    "target": "sim:demo",
    "features": ["VERSION_1", "EVENT_IDX"],
    "base": {"vendor": "Acme", "version": "2.1"},
    "protocols": [
        {"name": "clock", "version": "3.0", "count": 12},
        {"name": "sensor", "version": "2.0", "count": 3},
    ],
}
CALL: dict[str, Any] = {
    "message": "CLOCK_RATE_GET",
    "status": "SUCCESS",
    "fields": {"rate": 24000000},
    "surplus": "",
    "latency_us": 41,
}
EXTRA: dict[str, object] = {"status": "SUCCESS", "exit": 0, "latency": 41}


def holds(text: str, record: object) -> bool:
    return compile_expression(text).evaluate(record, extra=EXTRA)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("rate_hz == 24000000", UART0),
        ("rate_hz == 24MHz", UART0),
        ("rate_hz == 0x16e3600", UART0),
        ("rate_hz != 25MHz", UART0),
        ("rate_hz > 23.5MHz and rate_hz < 24.5MHz", UART0),
        ("24MHz == rate_hz", UART0),
        ("20MHz < rate_hz", UART0),
        ("name == uart0", UART0),
        ("name == 'uart0'", UART0),
        ('name == "uart0"', UART0),
        ("name != spi-0", UART0),
        ("name ~ ^uart[0-9]$", UART0),
        ("name ~ ^(uart|spi)", UART0),
        ("(name ~ ^(u|v)art) and id == 0", UART0),
        ("name ~ 'a?rt'", UART0),
        ('name ~ "^uart0$"', UART0),
        ("rate_hz ~ ^24", UART0),
        ("enabled ~ true", UART0),
        ("not name ~ ^spi", UART0),
        ("enabled", UART0),
        ("enabled == on", UART0),
        ("enabled == true", UART0),
        ("enabled == 1", UART0),
        ("enabled != off", UART0),
        ("parent == null", UART0),
        ("parent != osc", UART0),
        ("not parent", UART0),
        ("not parent > 3", UART0),
        ("name in (uart0, uart1)", UART0),
        ("name in [uart0, uart1]", UART0),
        ("name not in (spi, i2c)", UART0),
        ("rate_hz in (12MHz, 24MHz)", UART0),
        ("status == SUCCESS", UART0),
        ("status in (SUCCESS, BUSY) and exit == 0", UART0),
        ("latency < 1ms", UART0),
        ("latency == 41us", UART0),
        ("latency == 41", UART0),
        ("id == 1 or name == uart0", UART0),
        ("id == 1 and id == 1 or id == 0", UART0),
        ("id == 0 or id == 1 and id == 2", UART0),
        ("not (id == 1 or id == 2)", UART0),
        ("not not enabled", UART0),
        ("value > 23C", SENSOR),
        ("value < 24°C", SENSOR),
        ("value == 23.7", SENSOR),
        ("value == 23.7C", SENSOR),
        ("raw == 23700", SENSOR),
        ("timestamp == null", SENSOR),
        ("axes[0].value == 0.5", SENSOR),
        ("axes[1].value < -1m/s2", SENSOR),
        ("axes[name==Y].value == -2", SENSOR),
        ("timestamp.seconds == null", SENSOR),
        ("timestamp[0].seconds == null", SENSOR),
        ("name < b and name >= acc0 and name != a..b", SENSOR),
        ("cap == 15W", CAP),
        ("cap == 15000", CAP),
        ("base.vendor == Acme", INFO),
        ("base.version == 2.1", INFO),
        ("protocols[name==clock].version == 3.0", INFO),
        ("protocols[name==clock].count >= 12", INFO),
        ('"VERSION_1" in features', INFO),
        ('"IN_ORDER" not in features', INFO),
        ("fields.rate == 24000000", CALL),
        ("latency_us < 1ms", CALL),
        ("surplus == ''", CALL),
        ("not surplus", CALL),
        # One record counts as a list of one.
        ("count == 1", UART0),
        ("all(enabled)", UART0),
        ("[name==uart0].rate_hz == 24MHz", UART0),
    ],
)
def test_what_is_true_of_one_record(text: str, record: dict[str, Any]) -> None:
    assert holds(text, record)
    assert not holds(f"not ({text})", record)


@pytest.mark.parametrize(
    "text",
    [
        "id >= 0",
        "count == 3",
        "count > 2 and id < 3",
        "any(rate_hz == 50MHz)",
        "any(enabled) and not all(enabled)",
        "all(rate_hz > 1MHz or error == NOT_FOUND)",
        "rate_hz > 1MHz or error == NOT_FOUND",
        "not (id > 2)",
        "[name==uart0].rate_hz == 24000000",
        "[0].rate_hz < [1].rate_hz",
        "[enabled].name == uart0",
        "[error == NOT_FOUND].id == 2",
        "[2].rate_hz == null",
        "status == SUCCESS",
        "latency < 1ms and exit == 0",
    ],
)
def test_what_is_true_of_a_list(text: str) -> None:
    assert holds(text, CLOCKS)


@pytest.mark.parametrize(
    "text",
    [
        "enabled",
        "not enabled",
        "rate_hz > 1MHz",
        "any(rate_hz > 1GHz)",
        "count == 2",
        "status == DENIED",
        "status == DENIED or count == 0",
    ],
)
def test_what_is_false_of_a_list(text: str) -> None:
    assert not holds(text, CLOCKS)


def test_an_empty_list_fulfils_all_but_not_any() -> None:
    assert holds("rate_hz == 1", [])
    assert holds("all(rate_hz == 1)", [])
    assert not holds("any(rate_hz == 1)", [])
    assert holds("count == 0", [])
    assert not holds("status == DENIED", [])
    assert holds("count == 0 or [0].id == 1", [])


def test_a_statement_without_a_result_still_has_a_status() -> None:
    assert holds("status == SUCCESS and exit == 0", None)


def test_a_key_of_the_record_goes_before_the_name_besides() -> None:
    assert compile_expression("status == BUSY").evaluate({"status": "BUSY"}, extra=EXTRA)
    assert compile_expression("all(count > 1)").evaluate(INFO["protocols"])


def test_a_word_on_the_right_is_the_key_of_that_name_where_there_is_one() -> None:
    record = {"level": 3, "max": 3, "name": "max"}
    assert holds("level == max", record)
    assert holds("name == 'max'", record)
    with pytest.raises(ExpectationFailed, match="name is text, max is a number"):
        holds("name == max", record)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("rat == 1", UART0),
        ("not rat", UART0),
        ("uart0 == name", UART0),
        ("enabled or rat == 1", UART0),
        ("all(rat == 1)", CLOCKS),
        ("rat == 1", CLOCKS),
        ("[rat==1].id == 0", CLOCKS),
    ],
)
def test_an_unknown_name_fails_and_lists_the_names_there_are(text: str, record: object) -> None:
    with pytest.raises(ExpectationFailed, match="unknown name") as caught:
        holds(text, record)
    assert caught.value.exit_code == 6
    for name in ("rate_hz", "enabled", "status", "exit", "latency"):
        assert name in caught.value.message


def test_an_unknown_name_deeper_down_lists_the_names_of_that_level() -> None:
    with pytest.raises(ExpectationFailed, match=r"unknown name 'rat', expected one of: rate$"):
        holds("fields.rat == 1", CALL)
    with pytest.raises(ExpectationFailed, match="unknown name 'rat', expected one of: name, ver"):
        holds("protocols[rat==1].name == clock", INFO)


@pytest.mark.parametrize(
    ("text", "record", "message"),
    [
        ("name < 3", UART0, "name is text, 3 is a number: < does not compare them"),
        ("rate_hz == fast", UART0, "rate_hz is 24000000: found 'fast', expected a number"),
        ("rate_hz == '24000000'", UART0, "rate_hz is a number, '24000000' is text"),
        ("rate_hz == 5W", UART0, "found the unit 'W' in '5W', expected Hz"),
        ("id == 5W", UART0, "expected a plain number"),
        ("raw == 5C", SENSOR, "expected a plain number"),
        ("value > 5V", SENSOR, "expected °C"),
        ("enabled == maybe", UART0, "enabled is true, found maybe, expected true or false"),
        ("enabled < true", UART0, "< does not compare them"),
        ("axes == 3", SENSOR, "axes is an array"),
        ("axes ~ x", SENSOR, "axes is an array, expected text for ~"),
        ("axes.name == X", SENSOR, "found an array before .name, expected an object"),
        ("name[0] == u", UART0, "found text, expected an array"),
        ("axes[2].id == 2", SENSOR, "found 2 elements, expected more than 2"),
        ("axes[id >= 0].id == 2", SENSOR, "found 2 rows that fit, expected 1"),
        ("[name==i2c].id == 2", CLOCKS, "found 0 rows that fit, expected 1"),
        ("count == id", CLOCKS, "found id of 3 rows, expected that of one row"),
        ("id in name", UART0, "name is text, expected an array"),
    ],
)
def test_what_cannot_be_compared_fails_with_found_and_expected(
    text: str, record: object, message: str
) -> None:
    with pytest.raises(ExpectationFailed) as caught:
        holds(text, record)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: found the end, expected a name or a value"),
        ("rate_hz ==", "column 11: found the end"),
        ("rate_hz = 3", "column 9: found '='"),
        ("a == 1 && b == 2", "column 8: found '&'"),
        ("and", "column 1: found 'and', expected a name or a value"),
        ("a b", "column 3: found 'b', expected and, or, or the end"),
        ("(a == 1", "column 8: found the end, expected ')'"),
        ("a == 1)", "column 7: found ')'"),
        ("1 < a < 3", "column 7: found '<', expected the end"),
        ("a in (1, 2", "expected ')'"),
        ("a[0 == 1", "expected ']'"),
        ("a[-1] == 1", "column 3: found '-1', expected an index such as 0"),
        ("a[99999999999] == 1", "expected an index"),
        ("a..b == 1", "column 1: found 'a..b', expected a name such as a.b"),
        ("name == 'x", "column 9: found a quote that is not closed"),
        ('name == "x', "column 9: found a quote that is not closed"),
        ("name == ${x", "column 9: found ${ alone"),
        ("name ~ [", "found the pattern '['"),
        ("name ~ )", "column 8: found ')'"),
        ("(" * 1000, "found too many levels, expected at most 32"),
        ("a[" * 1000, "found too many levels"),
    ],
)
def test_a_syntax_error_tells_the_column(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_expression(text)
    assert message in caught.value.message


def test_the_operators_of_other_languages_get_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        compile_expression("a = 1")
    assert caught.value.hint == "say =="


@pytest.mark.parametrize(
    ("text", "record", "expected"),
    [
        ("rate_hz == 25000000", UART0, "rate_hz is 24000000, expected == 25000000"),
        ("rate_hz == 25MHz", UART0, "rate_hz is 24000000, expected == 25MHz"),
        ("enabled and rate_hz > 1GHz", UART0, "rate_hz is 24000000, expected > 1GHz"),
        ("id == 1 or id == 2", UART0, "id is 0, expected == 1; id is 0, expected == 2"),
        ("not enabled", UART0, "enabled is true, expected false"),
        ("not (id == 0)", UART0, "id is 0, expected not == 0"),
        ("name in (a, b)", UART0, "name is uart0, expected in (a, b)"),
        ("name not in (uart0)", UART0, "name is uart0, expected not in (uart0)"),
        ("name ~ ^spi", UART0, "name is uart0, expected ~ ^spi"),
        ("id == rate_hz", UART0, "id is 0, expected == rate_hz (24000000)"),
        ('"A" in features', INFO, 'A, expected in features (["VERSION_1", "EVENT_IDX"])'),
        ("enabled", CLOCKS, "row 1 (spi-0): enabled is false, expected true"),
        (
            "any(rate_hz > 1GHz)",
            CLOCKS,
            "none of 3 rows fits: row 0 (uart0): rate_hz is 24000000, expected > 1GHz",
        ),
        ("not any(enabled)", CLOCKS, "row 0 (uart0): enabled is true, expected false"),
        ("not all(id >= 0)", CLOCKS, "all of 3 rows fit"),
        ("any(id == 0)", [], "none of 0 rows fit"),
        ("count == 4", CLOCKS, "count is 3, expected == 4"),
        ("status == DENIED", None, "status is SUCCESS, expected == DENIED"),
        ("rate_hz == fast", UART0, "rate_hz is 24000000: found 'fast', expected a number"),
        ("enabled", UART0, "enabled holds"),
    ],
)
def test_a_failure_is_explained_with_the_values_that_decided_it(
    text: str, record: object, expected: str
) -> None:
    assert compile_expression(text).explain(record, extra=EXTRA) == expected


def test_a_hostile_value_does_not_reach_the_terminal_as_it_is() -> None:
    explanation = compile_expression("name == x").explain({"name": "\x1b[2J\n"})
    assert explanation.isprintable()
    with pytest.raises(ExpectationFailed) as caught:
        compile_expression("x == 1").evaluate({"\x1b[2J\n": 1})
    assert caught.value.message.isprintable()


def test_the_caller_can_tell_the_unit_of_a_field() -> None:
    rate = compile_expression("fields.rate == 24MHz")
    assert rate.evaluate(CALL, units={"fields.rate": "Hz"})
    assert rate.evaluate(CALL, units={"rate": "Hz"})
    with pytest.raises(ExpectationFailed, match="expected a plain number"):
        rate.evaluate(CALL)


def test_variables_are_literals_and_never_keys() -> None:
    expression = compile_expression('name == $WHO and rate_hz > ${LOW} and name ~ "$WHO"')
    assert expression.variables() == ["WHO", "LOW"]
    assert expression.evaluate(UART0, variables={"WHO": "uart0", "LOW": "20MHz"})
    assert not expression.evaluate(UART0, variables={"WHO": "enabled", "LOW": "20MHz"})
    chosen = compile_expression("[name == $WHO].id == 1")
    assert chosen.variables() == ["WHO"]
    assert chosen.evaluate(CLOCKS, variables={"WHO": "spi-0"})
    assert compile_expression("$X == 24MHz").evaluate(None, variables={"X": "24000kHz"})
    assert compile_expression("$X == 24").evaluate(None, variables={"X": "0x18"})
    assert compile_expression("$X == on").evaluate(None, variables={"X": "true"})
    assert compile_expression("$X != 3v4-rail").evaluate(None, variables={"X": "3v3-rail"})
    assert compile_expression("${env:CI} == yes").evaluate(None, environ={"CI": "yes"})
    with pytest.raises(UsageError, match="unknown variable 'WHO'"):
        expression.evaluate(UART0)
    with pytest.raises(ExpectationFailed, match="expected a unit on both or neither"):
        compile_expression("$X == 24MHz").evaluate(None, variables={"X": "24000000"})


def test_single_quotes_keep_a_dollar() -> None:
    assert compile_expression("name == '$x'").evaluate({"name": "$x"})


def test_where_keeps_the_rows_that_fit() -> None:
    assert compile_expression("rate_hz > 24.5MHz").filter(CLOCKS) == [SPI]
    assert compile_expression("error == NOT_FOUND").filter(CLOCKS) == [UNREAD]
    assert compile_expression("rate_hz > 1").filter([]) == []
    with pytest.raises(ExpectationFailed, match="unknown name 'rat'"):
        compile_expression("rat > 1").filter(CLOCKS)


def test_a_path_alone_has_a_value() -> None:
    assert compile_expression(".rate_hz").value(UART0) == 24000000
    assert compile_expression(".rate_hz").value([UART0]) == 24000000
    assert compile_expression("[name==spi-0].rate_hz").value(CLOCKS) == 50000000
    assert compile_expression(".count").value(CLOCKS) == 3
    assert compile_expression(".fields.rate").value(CALL) == 24000000
    with pytest.raises(ExpectationFailed, match="expected that of one row"):
        compile_expression(".rate_hz").value(CLOCKS)
    with pytest.raises(ExpectationFailed, match="unknown name 'rat'"):
        compile_expression(".rat").value(UART0)
    with pytest.raises(UsageError, match="expected the name of a field"):
        compile_expression("a == b").value(UART0)


def test_the_names_that_must_exist_are_known_before() -> None:
    expression = compile_expression("rate_hz > 1 and fields.rate == max and [name==a].id in (1, b)")
    assert expression.names() == ["rate_hz", "fields.rate", "id", "name"]
    assert compile_expression("protocols[version==1].name == a").names() == ["protocols"]


SIGNS = st.text(st.sampled_from("ab0 .[]()=!<>~,'\"$\\{}-1µ°é\n&"), max_size=30)
PIECES = """( ) [ ] , ~ == < >= and or not in all( any( count id name axes[0].id 'q' 24MHz null on x
$v 1 value unit"""
WORDS = st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "value", "unit", "axes"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(text=st.text() | SIGNS | WORDS, record=VALUES)
def test_any_text_is_an_expression_or_a_usage_error_and_any_record_has_an_answer(
    text: str, record: object
) -> None:
    try:
        expression = compile_expression(text)
    except UsageError:
        return
    try:
        answer = expression.evaluate(record, extra=EXTRA, variables={"v": "3"})
    except ScmictlError as error:
        assert isinstance(error, ExpectationFailed | UsageError)
    else:
        assert isinstance(answer, bool)
    assert expression.explain(record, extra=EXTRA, variables={"v": "3"})


@quick
@given(
    sign=st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    left=st.integers(-(10**9), 10**9),
    right=st.integers(-(10**6), 10**6),
)
def test_numbers_compare_as_numbers_do_in_every_unit(sign: str, left: int, right: int) -> None:
    compare = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[sign]
    assert holds(f"rate_hz {sign} {right}", {"rate_hz": left}) == compare(left, right)
    assert holds(f"rate_hz {sign} {right}kHz", {"rate_hz": left}) == compare(left, right * 1000)
    assert holds(f"{right} {sign} rate_hz", {"rate_hz": left}) == compare(right, left)
