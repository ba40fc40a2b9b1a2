r"""The one lexer of command lines, for ``-c``, the shell and batch files: text to statements.

Statements end at a line's end or an unquoted ``;``. A ``#`` where a word could begin starts a
comment, a backslash at the end of a line joins the next one, quoting is that of POSIX (a quoted
text may go over several lines). ``$NAME``, ``${NAME}`` and ``${env:NAME}`` are references outside
single quotes; they stay parts of their token, an expansion is never split into words, and a ``$``
that begins no reference is itself. Nothing else is special: ``|``, ``>``, ``*`` are ordinary.

A statement may begin with ``-`` (ignore its failure) and ``@`` (do not echo it), with or without a
blank behind. Global options may stand there too, so ``--json`` and ``-o`` (a single letter) are
options, and ``-clock`` is a marker before ``clock``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from scmictl.errors import UsageError
from scmictl.values import Part, double_quoted, expand, reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BLANKS = frozenset(" \t\r\f\v")
_PLAIN = re.compile(r"""[^ \t\r\f\v\n;'"\\$]+""")
_JOIN = re.compile(r"\\\r?\n")
# Behind these an expression may stand, in which `>` compares.
_WITH_EXPRESSION = frozenset(("assert", "wait", "quiet"))


class Token(NamedTuple):
    """One word: its parts with their quoting, and where it stands.

    ``start`` and ``end`` are offsets into the text that was given, ``line`` and ``column`` count
    from 1. ``open_quote`` is the quote that is not closed yet: only :func:`tokens_so_far` has it.
    """

    parts: tuple[Part, ...]
    file: str
    line: int
    column: int
    start: int
    end: int
    open_quote: str = ""

    @property
    def text(self) -> str:
        """The word without its quotes; references as ``${NAME}``."""
        return "".join(part.source for part in self.parts)

    @property
    def quoted(self) -> bool:
        """Whether any of it was quoted or escaped."""
        return any(part.quoted for part in self.parts)

    @property
    def word(self) -> str | None:
        """The text, if nothing of it is quoted or a reference: only then it can be a keyword."""
        plain = all(part.kind == "text" and not part.quoted for part in self.parts)
        return self.text if plain else None

    @property
    def ends_with_colon(self) -> bool:
        """Whether it ends in an unquoted ``:``, as the word before the command of ``expect``."""
        last = self.parts[-1] if self.parts else Part("")
        return last.kind == "text" and not last.quoted and last.text.endswith(":")

    def without_colon(self) -> Token:
        """Return the token without its last character; its text may then be empty."""
        last = self.parts[-1]
        kept = (*self.parts[:-1], Part(last.text[:-1])) if last.text != ":" else self.parts[:-1]
        return self._replace(parts=kept, end=self.end - 1)

    def without_first(self) -> Token:
        """Return the token without its first character; its text may then be empty."""
        first = self.parts[0]
        kept = (Part(first.text[1:]), *self.parts[1:]) if len(first.text) > 1 else self.parts[1:]
        return self._replace(parts=kept, column=self.column + 1, start=self.start + 1)

    def variables(self) -> list[str]:
        """Return the names of the variables in it (``$NAME``, not the environment's)."""
        return [part.text for part in self.parts if part.kind == "variable"]

    def expand(self, variables: Mapping[str, str], environ: Mapping[str, str]) -> str:
        """Return the text with references replaced.

        Raises UsageError, naming file and line where there are any, for what is not set.
        """
        try:
            return expand(self.parts, variables, environ)
        except UsageError as error:
            place = f"{self.file}:{self.line}: " if self.file else ""
            raise UsageError(f"{place}{error}", hint=error.hint) from None


class Statement(NamedTuple):
    """One command or statement, without its markers; ``tokens`` is never empty."""

    tokens: tuple[Token, ...]
    file: str
    line: int
    text: str
    """All that was given to the lexer: the offsets of the tokens count from its start."""
    joins: tuple[int, ...] = ()
    """Where in ``text`` a backslash joins two lines."""
    ignore_failure: bool = False
    silent: bool = False

    @property
    def raw(self) -> str:
        """The source text behind the first word, with its quotes: what ``assert`` is given."""
        return self.source(1)

    def source(self, first: int = 0, last: int | None = None) -> str:
        """Return the source text of ``tokens[first:last]``, joined lines as one."""
        tokens = self.tokens[first:last]
        if not tokens:
            return ""
        at = tokens[0].start
        end = tokens[-1].end
        text = ""
        for join in self.joins:
            if at <= join < end:
                text += self.text[at:join]
                at = self.text.index("\n", join) + 1
        return text + self.text[at:end]

    def expand(self, variables: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
        """Return the words with references replaced; raises as Token.expand()."""
        return [token.expand(variables, environ) for token in self.tokens]

    def split_colon(self) -> tuple[list[Token], Statement] | None:
        """Split ``expect OUTCOME: command`` at the first word that ends in an unquoted colon.

        Return the tokens between the first word and the colon, which is taken off, and the command
        as a statement with its own markers. None if there is no colon.
        Raises UsageError when nothing follows the colon.
        """
        for index, token in enumerate(self.tokens):
            if token.ends_with_colon:
                head = [*self.tokens[1:index], *([token.without_colon()] if index else [])]
                rest = self._replace(tokens=self.tokens[index + 1 :])
                if not rest.tokens:
                    raise _error(self.file, self.line, "nothing behind the colon", "a command")
                return [token for token in head if token.parts], _marked(rest)
        return None


class ShellLine(NamedTuple):
    """A line of the shell: the command, and where its output goes.

    ``pipe`` is the text for /bin/sh, ``file`` the name behind ``>`` or (``append``) ``>>``.
    """

    command: str
    pipe: str | None = None
    file: Token | None = None
    append: bool = False


def statements(text: str, *, name: str) -> list[Statement]:
    """Read all statements of a text; ``name`` is what errors call it (``soc.scmi:12: …``).

    Raises UsageError for a quote that is not closed, a malformed ``${`` and a marker alone.
    """
    scanner = _Scanner(text, name)
    found = []
    for tokens in scanner.run():
        for token in tokens:
            if token.open_quote:
                quote = token.open_quote
                raise _error(name, token.line, f"a {quote} that is not closed", f"another {quote}")
            if any(part.kind == "malformed" for part in token.parts):
                raise _error(name, token.line, "${ alone", "${NAME} or ${env:NAME}")
        statement = Statement(tuple(tokens), name, tokens[0].line, text, tuple(scanner.joins))
        found.append(_marked(statement))
    return found


def tokens_so_far(text: str) -> tuple[list[Token], Token]:
    """Return the complete words of the last statement of ``text``, and the one being typed.

    For completion: nothing is an error. The word being typed has an empty text behind a blank;
    ``open_quote`` tells whether it stands in quotes, ``start`` where it begins. In a comment it is
    the comment, from its ``#`` on.
    """
    scanner = _Scanner(text, "")
    found = scanner.run(empty=True)[-1]
    if scanner.comment is not None:
        partial = scanner.make([Part(text[scanner.comment :])], scanner.comment, len(text))
    elif found and found[-1].end == len(text):
        partial = found.pop()
    else:
        partial = scanner.make([], len(text), len(text))
    complete, _, _ = _without_markers(found)
    if not complete and partial.parts:
        stripped, _, _ = _without_markers([partial])
        partial = stripped[0] if stripped else partial
    return list(complete), partial


def split_shell(text: str) -> ShellLine:
    """Split ``command | less`` and ``command > file`` as typed in the shell.

    Only unquoted, at the beginning of a word, behind a command, and not where an expression stands.
    All that follows ``|`` is for /bin/sh. Raises UsageError when nothing follows, and when more
    than a name follows ``>``. What is wrong with the command itself is left to statements().
    """
    for line in _Scanner(text, "").run():
        tokens, _, _ = _without_markers(line)
        in_expression = False
        for index, token in enumerate(tokens):
            if index == 0 or tokens[index - 1].ends_with_colon:
                in_expression = token.word in _WITH_EXPRESSION
            elif not in_expression and not token.parts[0].quoted:
                sign = token.parts[0].text[:2]
                if sign[:1] == "|" and sign != "||":
                    pipe = text[token.start + 1 :].strip()
                    if not pipe:
                        raise UsageError("found nothing behind |, expected a command")
                    return ShellLine(text[: token.start].rstrip(), pipe)
                if sign[:1] == ">" and sign != ">=":
                    return _redirected(text, tokens[index:])
    return ShellLine(text)


def _redirected(text: str, tail: Sequence[Token]) -> ShellLine:
    """Read ``> file`` or ``>> file``, which ``tail`` begins with."""
    command = text[: tail[0].start].rstrip()
    first = tail[0].without_first()
    append = first.text.startswith(">") and not first.quoted
    if append:
        first = first.without_first()
    names = [first] if first.parts else list(tail[1:2])
    if not names:
        raise UsageError("found nothing behind >, expected the name of a file")
    file = names[0]
    if file.open_quote:
        raise UsageError(f"found a {file.open_quote} that is not closed behind >")
    rest = text[file.end :].strip()
    if rest and not rest.startswith("#"):
        raise UsageError(
            f"found {rest!r} behind > {file.text}, expected the end of the line",
            hint="quote a > that is not for a file",
        )
    return ShellLine(command, None, file, append)


def _marked(statement: Statement) -> Statement:
    """Return the statement with its leading ``-`` and ``@`` read; UsageError if nothing is left."""
    tokens, ignore_failure, silent = _without_markers(statement.tokens)
    if not tokens:
        marker = statement.tokens[-1].text
        raise _error(statement.file, statement.line, f"{marker} alone", "a command behind it")
    return statement._replace(tokens=tuple(tokens), ignore_failure=ignore_failure, silent=silent)


def _without_markers(tokens: Sequence[Token]) -> tuple[Sequence[Token], bool, bool]:
    """Return the tokens behind the markers, and which there were: ``-``, ``@``."""
    ignore_failure = silent = False
    while tokens:
        first = tokens[0]
        part = first.parts[0]
        if part.quoted or part.kind != "text" or part.text[:1] not in ("-", "@"):
            break
        if part.text[0] == "@":
            silent = True
        elif part.text[:2] == "--" or (len(first.text) == 2 and first.text[1] != "@"):
            break  # a global option
        else:
            ignore_failure = True
        rest = first.without_first()
        tokens = [rest, *tokens[1:]] if rest.parts else tokens[1:]
    return tokens, ignore_failure, silent


def _error(file: str, line: int, found: str, expected: str) -> UsageError:
    return UsageError(f"{file}:{line}: found {found}, expected {expected}")


class _Scanner:
    """Reads a text once, from its beginning to its end. Nothing is an error here."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        # An editor's byte order mark is no part of the first word.
        self.at = 1 if text.startswith("\ufeff") else 0
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.joins: list[int] = []
        self.comment: int | None = None
        """Where the comment begins in which the text ends."""

    def run(self, *, empty: bool = False) -> list[list[Token]]:
        """Return the tokens of each statement; of those without any only if ``empty``."""
        found: list[list[Token]] = [[]]
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in "\n;":
                found.append([])
                self.at += 1
            elif sign in _BLANKS:
                self.at += 1
            elif sign == "#":
                end = self.text.find("\n", self.at)
                if end < 0:
                    self.comment = self.at
                self.at = end if end >= 0 else len(self.text)
            elif not self._join():
                token = self._token()
                if token.parts:
                    found[-1].append(token)
        return [tokens for tokens in found if tokens or empty]

    def make(self, parts: Sequence[Part], start: int, end: int, open_quote: str = "") -> Token:
        line = bisect_right(self.line_starts, start)
        column = start - self.line_starts[line - 1] + 1
        return Token(tuple(parts), self.file, line, column, start, end, open_quote)

    def _join(self) -> bool:
        match = _JOIN.match(self.text, self.at)
        if match:
            self.joins.append(self.at)
            self.at = match.end()
        return match is not None

    def _token(self) -> Token:
        text = self.text
        start = self.at
        parts: list[Part] = []
        open_quote = ""
        while self.at < len(text):
            plain = _PLAIN.match(text, self.at)
            sign = text[self.at]
            if plain:
                parts.append(Part(plain[0]))
                self.at = plain.end()
            elif sign == "'":
                close = text.find("'", self.at + 1)
                if close < 0:
                    open_quote, close = sign, len(text)
                parts.append(Part(text[self.at + 1 : close], True))
                self.at = min(close + 1, len(text))
            elif sign == '"':
                inside, self.at, closed = double_quoted(text, self.at)
                open_quote = "" if closed else sign
                parts += inside
            elif sign == "$":
                part, self.at = reference(text, self.at, False)
                parts.append(part)
            elif sign != "\\":
                break
            elif not self._join():
                # A backslash that ends the text joins nothing and escapes nothing: it is dropped.
                parts += [Part(text[self.at + 1], True)] if self.at + 1 < len(text) else []
                self.at = min(self.at + 2, len(text))
        return self.make(_merged(parts), start, self.at, open_quote)


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with neighbours of the same quoting as one."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last and last.kind == part.kind == "text" and last.quoted == part.quoted:
            merged[-1] = Part(last.text + part.text, part.quoted)
        else:
            merged.append(part)
    return merged
