"""How the user wants results shown: the part of the global options that is about output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scmictl.console.environment import Environment
from scmictl.errors import UsageError

FORMS = ("table", "plain", "json", "jsonl", "csv", "hex")
UNITS = ("si", "raw", "hex")
COLORS = ("auto", "always", "never")


class View(NamedTuple):
    """``form`` is one of FORMS; ``sort`` a key, ``-key`` for downwards; ``where`` an expression.

    ``units`` is empty where nobody has chosen; see :attr:`style`.
    """

    form: str = "plain"
    fields: tuple[str, ...] = ()
    sort: str = ""
    where: str = ""
    headers: bool = True
    units: str = ""
    color: bool = False
    width: int = 80
    terminal: bool = False

    @property
    def style(self) -> str:
        """How to show numbers: as chosen, else short for people and as they are for programs."""
        return self.units or ("si" if self.form == "table" else "raw")

    @property
    def json_errors(self) -> bool:
        """Whether messages on stderr are JSON objects."""
        return self.form in ("json", "jsonl")

    @classmethod
    def of(cls, options: Mapping[str, Any], environment: Environment) -> View:
        """Build the view from merged options; raises UsageError for what is no choice."""
        terminal = environment.stdout.isatty()
        form = "json" if options.get("json") else options.get("output")
        form = form or ("table" if terminal else "plain")
        if form not in FORMS:
            raise UsageError(f"output is {form!r}, expected one of: {', '.join(FORMS)}")
        units, color = options.get("units") or "", options.get("color") or "auto"
        for name, found, there in (("units", units or "si", UNITS), ("color", color, COLORS)):
            if found not in there:
                raise UsageError(f"{name} is {found!r}, expected one of: {', '.join(there)}")
        return cls(
            form=form,
            fields=tuple(f.strip() for f in (options.get("fields") or "").split(",") if f.strip()),
            sort=options.get("sort") or "",
            where=options.get("where") or "",
            headers=not options.get("no_headers"),
            units=units,
            color=color == "always"
            or (color == "auto" and terminal and not environment.environ.get("NO_COLOR")),
            width=environment.width,
            terminal=terminal,
        )
