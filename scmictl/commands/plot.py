"""The file of `sensor watch --plot`: lines of time, value and name, as gnuplot reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from scmictl.commands.command import Record
from scmictl.errors import OutputError

HEADING = "# time_s,value,name,unit\n"


class Plot:
    """Appends the values of records to a file, each at once; opened when the first one is wanted.

    A sensor with axes has one line for each of them, named ``acc0.X``. In gnuplot:
    ``set datafile separator ","; plot FILE using 1:2``.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def follow(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield ``records``, written down; closes them and the file. Raises OutputError."""
        try:
            try:
                file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115
            except OSError as error:
                raise self._failed(error) from error
            with file:
                # A pipe that gnuplot reads has no beginning to look at.
                self._write(file, "" if file.seekable() and file.tell() else HEADING)
                for record in records:
                    self._write(file, "".join(lines(record)))
                    yield record
        finally:
            close = getattr(records, "close", None)
            if close is not None:
                close()

    def _write(self, file: TextIO, text: str) -> None:
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self.path}: {error.strerror or error}")


def lines(record: Record) -> Iterator[str]:
    """Yield the lines of a record; none for one without values."""
    time, name = record["time"], record.get("name") or record.get("id")
    if record.get("value") is not None:
        yield f"{time:.6f},{record['value']},{_cell(name)},{_cell(record['unit'])}\n"
    for axis in record.get("axes") or ():
        called = f"{name}.{axis['name'] if axis['name'] is not None else axis['id']}"
        yield f"{time:.6f},{axis['value']},{_cell(called)},{_cell(axis['unit'])}\n"


def _cell(value: object) -> str:
    # Names come from the platform: none may break out of its cell.
    return "".join(c if c.isprintable() and c not in ',"' else "_" for c in str(value))
