"""Text to statements and tokens: quoting, references, markers, and the tails of the shell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.console.lexer import Statement, split_shell, statements, tokens_so_far
from scmictl.errors import UsageError

quick = settings(derandomize=True, deadline=None)


def words(text: str) -> list[list[str]]:
    return [[token.text for token in s.tokens] for s in statements(text, name="f")]


def only(text: str) -> Statement:
    (statement,) = statements(text, name="f")
    return statement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\r\n;;\n", []),
        ("clock list", [["clock", "list"]]),
        ("a b; c", [["a", "b"], ["c"]]),
        ("a;b", [["a"], ["b"]]),
        ("a # x; y\n#z\n d#e", [["a"], ["d#e"]]),
        ("a '#b' c", [["a", "#b", "c"]]),
        ("a \\\n b", [["a", "b"]]),
        ("a\\\nb", [["ab"]]),
        ("a \\\r\n b\r\nc\r\n", [["a", "b"], ["c"]]),
        ("a '\\\n'", [["a", "\\\n"]]),
        ('a "x\\\ny"', [["a", "xy"]]),
        ("a \\", [["a"]]),
        ("a 'b  c'd", [["a", "b  cd"]]),
        ("a ''", [["a", ""]]),
        ("a 'b\nc' d\ne", [["a", "b\nc", "d"], ["e"]]),
        (r'a "b \" \\ \$ \` \x"', [["a", 'b " \\ $ ` \\x']]),
        (r"a b\ c \; \#", [["a", "b c", ";", "#"]]),
        ("a | b > c * ~ { }", [["a", "|", "b", ">", "c", "*", "~", "{", "}"]]),
        ("voltage set 0 -850mV", [["voltage", "set", "0", "-850mV"]]),
        ("a x:='[{\"k\": 1}]'", [["a", 'x:=[{"k": 1}]']]),
        ("\ufeffa", [["a"]]),
    ],
)
def test_text_becomes_statements_of_words(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


def test_a_statement_knows_the_file_and_line_of_its_first_word() -> None:
    found = statements("\n# c\na \\\n b\n'x\ny'; c\nd", name="soc.scmi")
    assert [(s.file, s.line, s.tokens[0].text) for s in found] == [
        ("soc.scmi", 3, "a"),
        ("soc.scmi", 5, "x\ny"),
        ("soc.scmi", 6, "c"),
        ("soc.scmi", 7, "d"),
    ]
    assert [(t.line, t.column) for t in found[0].tokens] == [(3, 1), (4, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb 'c", "f:2: found a ' that is not closed, expected another '"),
        ('a "c', 'f:1: found a " that is not closed, expected another "'),
        ("a\n\nb ${c", "f:3: found ${ alone, expected ${NAME} or ${env:NAME}"),
        ('a "${}"', "f:1: found ${ alone, expected ${NAME} or ${env:NAME}"),
        ("a\n-", "f:2: found - alone, expected a command behind it"),
        ("@ # x", "f:1: found @ alone, expected a command behind it"),
    ],
)
def test_what_is_unfinished_names_file_and_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        statements(text, name="f")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "first", "ignore_failure", "silent"),
    [
        ("clock list", "clock", False, False),
        ("-clock list", "clock", True, False),
        ("- clock list", "clock", True, False),
        ("@clock list", "clock", False, True),
        ("-@clock list", "clock", True, True),
        ("@ - clock list", "clock", True, True),
        ("--json clock list", "--json", False, False),
        ("-o json clock list", "-o", False, False),
        ("- -o json clock list", "-o", True, False),
        ("@--json clock list", "--json", False, True),
        ("'-clock' list", "-clock", False, False),
        ("\\-clock list", "-clock", False, False),
    ],
)
def test_markers_are_read_apart_from_the_words_and_from_options(
    text: str, first: str, ignore_failure: bool, silent: bool
) -> None:
    statement = only(text)
    assert statement.tokens[0].text == first
    assert statement.ignore_failure is ignore_failure
    assert statement.silent is silent


def test_references_are_replaced_outside_single_quotes_only() -> None:
    statement = only(r"""echo $A ${A}x "<$A>" '$A' \$A "\$A" ${env:CI} $5 $ a$""")
    assert statement.expand({"A": "1 2"}, {"CI": "job"}) == [
        *["echo", "1 2", "1 2x", "<1 2>", "$A", "$A", "$A", "job", "$5", "$", "a$"]
    ]
    assert statement.tokens[1].variables() == ["A"]
    assert statement.tokens[3].variables() == ["A"]
    assert statement.tokens[4].variables() == []
    assert statement.tokens[7].variables() == []


def test_a_variable_that_is_not_set_names_file_and_line() -> None:
    statement = statements("echo\n\necho $RAT", name="soc.scmi")[1]
    with pytest.raises(UsageError) as caught:
        statement.expand({"RATE": "1"}, {})
    assert caught.value.message == "soc.scmi:3: unknown variable 'RAT', expected one of: RATE"
    assert caught.value.hint == "did you mean RATE?"
    with pytest.raises(UsageError, match=r"f:1: the environment variable CI is not set"):
        only("echo ${env:CI}").expand({}, {})


def test_only_an_unquoted_word_can_be_a_keyword() -> None:
    tokens = only("expect 'expect' \"expect\" e\\xpect $expect").tokens
    assert [token.word for token in tokens] == ["expect", None, None, None, None]
    assert [token.quoted for token in tokens] == [False, True, True, True, False]


def test_the_raw_text_keeps_quotes_and_loses_joins_and_comments() -> None:
    statement = only("- assert name == 'a  b' and \\\n  rate_hz > \"$LOW\" # why\n")
    assert statement.raw == "name == 'a  b' and   rate_hz > \"$LOW\""
    assert only("assert").raw == ""
    wait = only("wait SENSOR_UPDATE  fields.value > 'x y'  within 5s")
    assert wait.source(2, -2) == "fields.value > 'x y'"


@pytest.mark.parametrize(
    ("text", "head", "rest", "raw"),
    [
        ("expect ok: clock list", ["ok"], ["clock", "list"], "list"),
        ("expect DENIED|BUSY within 5s: a", ["DENIED|BUSY", "within", "5s"], ["a"], ""),
        ("repeat 3 : a b", ["3"], ["a", "b"], "b"),
        ("for x in a 'b:' c: echo $x", ["x", "in", "a", "b:", "c"], ["echo", "${x}"], "$x"),
        ("expect ok: repeat 2: a", ["ok"], ["repeat", "2:", "a"], "2: a"),
    ],
)
def test_a_colon_parts_the_statement_word_from_its_command(
    text: str, head: list[str], rest: list[str], raw: str
) -> None:
    parted = only(text).split_colon()
    assert parted is not None
    assert [token.text for token in parted[0]] == head
    assert [token.text for token in parted[1].tokens] == rest
    assert parted[1].raw == raw


def test_the_command_behind_a_colon_has_its_own_markers() -> None:
    parted = only("repeat 3: -@ clock list").split_colon()
    assert parted is not None
    assert (parted[1].ignore_failure, parted[1].silent) == (True, True)


@pytest.mark.parametrize("text", ["expect ok clock", "expect 'ok:' clock", "expect ok\\: clock"])
def test_without_an_unquoted_colon_there_is_no_command(text: str) -> None:
    assert only(text).split_colon() is None


def test_nothing_behind_a_colon_is_an_error() -> None:
    with pytest.raises(UsageError, match="f:1: found nothing behind the colon"):
        only("expect ok:").split_colon()


@pytest.mark.parametrize(
    ("text", "complete", "partial", "start", "quote"),
    [
        ("", [], "", 0, ""),
        ("clo", [], "clo", 0, ""),
        ("clock ", ["clock"], "", 6, ""),
        ("clock l", ["clock"], "l", 6, ""),
        ("clock list; sen", [], "sen", 12, ""),
        ("clock list;", [], "", 11, ""),
        ("-clo", [], "clo", 1, ""),
        ("- clo", [], "clo", 2, ""),
        ("- ", [], "", 2, ""),
        ("-", [], "-", 0, ""),
        ("--js", [], "--js", 0, ""),
        ("expect ok: clo", ["expect", "ok:"], "clo", 11, ""),
        ("a 'b c", ["a"], "b c", 2, "'"),
        ('a "b c', ["a"], "b c", 2, '"'),
        ("a 'b c'", ["a"], "b c", 2, ""),
        ("a b\\", ["a"], "b", 2, ""),
        ("a ${x", ["a"], "${x", 2, ""),
        ("a # b", ["a"], "# b", 2, ""),
    ],
)
def test_completion_sees_the_words_so_far(
    text: str, complete: list[str], partial: str, start: int, quote: str
) -> None:
    found, typed = tokens_so_far(text)
    assert [token.text for token in found] == complete
    assert (typed.text, typed.start, typed.open_quote) == (partial, start, quote)


@pytest.mark.parametrize(
    ("text", "command", "pipe"),
    [
        ("clock list | less", "clock list", "less"),
        ("clock list |less -R", "clock list", "less -R"),
        ("clock list | grep 'a | b' > f; wc", "clock list", "grep 'a | b' > f; wc"),
        ("clock list | awk '{print $1}", "clock list", "awk '{print $1}"),
        ("- clock list | wc", "- clock list", "wc"),
        ("clock get 0; clock list | wc", "clock get 0; clock list", "wc"),
        ("expect ok: clock list | wc", "expect ok: clock list", "wc"),
    ],
)
def test_the_shell_gives_all_behind_a_bar_to_a_pipe(text: str, command: str, pipe: str) -> None:
    line = split_shell(text)
    assert (line.command, line.pipe, line.file) == (command, pipe, None)


@pytest.mark.parametrize(
    ("text", "name", "append"),
    [
        ("clock list > f", "f", False),
        ("clock list >f", "f", False),
        ("clock list >> 'a b' # c", "a b", True),
        ("clock list >>f", "f", True),
        ('clock list >"$OUT.txt"', "${OUT}.txt", False),
    ],
)
def test_the_shell_takes_the_name_behind_an_angle(text: str, name: str, append: bool) -> None:
    line = split_shell(text)
    assert line.file is not None
    assert (line.command, line.pipe, line.file.text) == ("clock list", None, name)
    assert line.append is append


@pytest.mark.parametrize(
    "text",
    [
        "clock list",
        "expect DENIED|BUSY: clock list",
        "echo '|' x",
        "echo \\| x",
        'echo "> x"',
        "| less",
        "> f",
        "assert rate_hz > 24MHz",
        "clock get 0; assert rate_hz > 24MHz",
        "repeat 3: assert rate_hz > 24MHz",
        "wait SENSOR_UPDATE value > 3 within 5s",
        "watch --until rate_hz >= 3",
        "a # | less",
        "a 'unfinished | b",
    ],
)
def test_the_shell_leaves_what_is_quoted_compared_or_without_a_command(text: str) -> None:
    assert split_shell(text) == (text, None, None, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clock list |", "found nothing behind |, expected a command"),
        ("clock list >", "found nothing behind >, expected the name of a file"),
        ("clock list > a b", "found 'b' behind > a, expected the end of the line"),
        ("clock list > a; sensor list", "found '; sensor list' behind > a"),
        ("clock list > 'a", "found a ' that is not closed behind >"),
    ],
)
def test_a_tail_that_goes_nowhere_is_an_error(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_shell(text)
    assert caught.value.message.startswith(message)


SIGNS = st.text(st.sampled_from("ab -@:;#|>'\"\\${}\n\r\t=é"), max_size=30)


@quick
@given(st.lists(st.text()))
def test_what_shlex_quotes_comes_back_as_it_was(given_words: list[str]) -> None:
    text = " ".join(["echo", *map(shlex.quote, given_words)])
    statement = only(text)
    assert statement.expand({}, {}) == ["echo", *given_words]
    assert statement.source() == text
    assert split_shell(text).command == text


@quick
@given(st.text("ab:% \t'\"\\"))
def test_quoting_is_that_of_posix(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:  # a quote is open, or a backslash ends the text
        return
    assert words(f"echo {text}") == [["echo", *expected]]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text() | SIGNS)
def test_any_text_is_statements_or_a_usage_error_with_its_place(text: str) -> None:
    try:
        found = statements(text, name="f")
    except UsageError as error:
        assert error.message.startswith("f:")
        return
    for statement in found:
        assert statement.tokens
        assert statement.raw == statement.source(1)
        for token in statement.tokens:
            assert 0 <= token.start < token.end <= len(text)
        try:
            statement.expand({}, {})
            statement.split_colon()
        except UsageError as error:
            assert error.message.startswith("f:")


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text() | SIGNS)
def test_completion_and_the_shell_take_any_text(text: str) -> None:
    complete, partial = tokens_so_far(text)
    assert all(token.end <= partial.start for token in complete)
    assert partial.end == len(text) or partial.text == ""
    try:
        line = split_shell(text)
    except UsageError:
        return
    assert text.startswith(line.command)
