"""Specimens: what a generated board has any number of, one file for the things of a protocol.

Theory of operation: everything about a thing follows from the seed, its kind and its number, so it
can be written without remembering what came before. Numbers come in small blocks that belong
together: the first of a block is what the others hang on (a PLL, a cap, a bus). What varies,
varies within what all platforms could have; Linux drivers find nothing in it to complain about.

To extend: a file with the name of a protocol whose ``SPECIMENS`` are its kinds of things, and its
name in :data:`~scmictl.platform.generator.PROTOCOLS`. Everything else follows from there, the
options of `board generate` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from scmictl.platform.waveform import mix

T = TypeVar("T")

LONG_EVERY = 11
"""Every so many things have a name that needs more than the 15 characters of the short one."""
PLACES = ("north", "south", "east", "west", "display", "camera", "storage", "network")
LINE = 96
"""Characters after which a list goes on in the next line."""


class Size(NamedTuple):
    """How large a board is to be: how many of everything, and whether it has a system."""

    counts: Mapping[str, int]
    system: bool = False
    seed: int = 0

    def of(self, kind: str) -> int:
        """Return how many things of a kind there are to be."""
        return self.counts.get(kind, 0)


class Draw:
    """Numbers drawn for one thing, the same ones whenever the same thing is asked for.

    ``size`` is that of the board, for what consists of other things.
    """

    __slots__ = ("_left", "size")

    def __init__(self, size: Size, kind: str, number: int) -> None:
        self.size = size
        self._left = mix(size.seed, *kind.encode(), number)

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``; a dozen small ones can be had."""
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def of(self, choices: Sequence[T]) -> T:
        """Return one of ``choices``."""
        return choices[self.below(len(choices))]


class Share(NamedTuple):
    """How many there are of a kind where nobody says: one for every so ``many`` of ``kind``."""

    kind: str
    many: int


class Specimen(NamedTuple):
    """A kind of thing: what it is called, and what stands in its table of a board below its name.

    A table has the name of the protocol, or of the kind below it where the protocol has several.
    """

    kind: str
    option: str
    """The option that says how many there are to be."""
    things: str
    """What many are called."""
    name: Callable[[int], str]
    body: Callable[[int, Draw], str]
    most: int = 0xFFFF
    owned: bool = True
    """Whether a device can own one."""
    made_of: str = ""
    """The kind without which there can be none."""
    share: Share | None = None


def named(words: Sequence[str], number: int) -> str:
    """Return one of ``words`` with a number behind it; no word ends in a digit, so it is unique."""
    short = f"{words[number % len(words)]}{number // len(words)}"
    if number % LONG_EVERY != LONG_EVERY - 1:
        return short
    return f"{short}-of-the-{PLACES[number // LONG_EVERY % len(PLACES)]}-side"


def quoted(names: Sequence[str]) -> str:
    """Return a list of names, over as many lines as it takes."""
    lines, line = [], ""
    for text in (f'"{name}"' for name in names):
        if line and len(line) + len(text) > LINE:
            lines.append(line)
            line = ""
        line = f"{line}, {text}" if line else text
    lines.append(line)
    return f"[{line}]" if len(lines) == 1 else "[\n    " + ",\n    ".join(lines) + ",\n]"
