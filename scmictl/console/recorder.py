"""``record FILE``: writes what is typed as a batch file, with the results as assertions.

What differs from one run to the next (readings, times) is not asserted, nor what is nested. Each
line is written as soon as its command is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from scmictl.commands import Record
from scmictl.console.completion import quoted
from scmictl.console.lexer import Statement
from scmictl.console.script import OUTCOMES, outcome
from scmictl.console.session import Result
from scmictl.errors import Interrupted, OutputError, ScmictlError, UsageError

VARYING = frozenset(
    ("time", "timestamp", "value", "raw", "latency_us", "payload", "sent", "received", "request")
)
"""Keys whose values are another time's."""


class Recorder:
    """A batch file being written; it owns the file, and :meth:`close` ends it."""

    def __init__(self, path: str, target: str, variables: Mapping[str, str]) -> None:
        """Begin ``path`` anew. Raises OutputError."""
        self.path = path
        self._file: TextIO
        try:
            self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - until close()
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        self._line(f"# recorded on {' '.join(target.split())}; what asked then needs --yes now")
        for name, value in variables.items():
            self._line(f"set {name} = {quoted(value)}")

    def target(self, uri: str) -> None:
        """Note that another target is used from here on."""
        self._line(f"target {quoted(uri)}")

    def note(self, one: Statement, result: Result | None, error: ScmictlError | None) -> None:
        """Write a statement that has run, and what came of it. Raises OutputError."""
        source = one.source()
        if isinstance(error, Interrupted | UsageError):
            return  # it says nothing about the platform
        if error is None:
            self._line(source)
            for line in assertions(result) if result is not None else ():
                self._line(line)
        elif result is not None and result.error is error and outcome(error) in OUTCOMES:
            self._line(f"expect {outcome(error)}: {source}")
        else:
            self._line(f"# failed: {source}")

    def close(self) -> None:
        """End the file. Raises OutputError."""
        try:
            self._file.close()
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error

    def _line(self, text: str) -> None:
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error


def assertions(result: Result) -> list[str]:
    """Return the lines that hold for ``result``, and should hold again."""
    if not result.many:
        parts = _parts(result.records[0], "") if result.records else []
        return [f"assert {' and '.join(parts)}"] if parts else []
    lines = [f"assert count == {len(result.records)}"]
    if _numbered(result.records):
        for record in result.records:
            parts = _parts(record, f"[id=={record['id']}].")
            lines += [f"assert {' and '.join(parts)}"] if parts else []
    return lines


def _numbered(records: Sequence[Record]) -> bool:
    """Return whether every record has an id of its own."""
    ids = [record.get("id") for record in records]
    return all(isinstance(number, int) for number in ids) and len(set(ids)) == len(ids)


def _parts(record: Record, prefix: str) -> list[str]:
    found = []
    for key, value in record.items():
        text = None if key in VARYING or (prefix and key == "id") else _literal(value)
        if text is not None and key.isidentifier():
            found.append(f"{prefix}{key} == {text}")
    return found


def _literal(value: object) -> str | None:
    """Return a value as an expression has it; None for what is not to be compared."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.isprintable() and "'" not in value:
        return f"'{value}'"
    return None
