"""Words whose bits have names: a :class:`Bits` is an int that also knows its parts.

Nothing is lost (the word is the value), reading a part is a shift and a mask, and the names, their
enumerations and the versions they exist in are there for the console to read.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from scmictl.errors import LocalProtocolError

T = TypeVar("T", bool, int)


class Bit(Generic[T]):
    """One named part of a word: bits ``high`` down to ``low``."""

    __slots__ = (
        "enum",
        "high",
        "key",
        "low",
        "mask",
        "meaning",
        "name",
        "signed",
        "since",
        "until",
    )

    def __init__(
        self,
        high: int,
        low: int,
        meaning: str,
        signed: bool,
        enum: type[IntEnum] | None,
        since: int,
        until: int | None,
    ) -> None:
        self.high = high
        self.low = low
        self.mask = (1 << (high - low + 1)) - 1
        self.meaning = meaning
        self.signed = signed
        self.enum = enum
        self.since = since
        self.until = until
        self.name = self.key = ""

    @property
    def width(self) -> int:
        return self.high - self.low + 1

    @property
    def is_flag(self) -> bool:
        """Whether the part is a plain yes or no."""
        return self.high == self.low and self.enum is None

    def exists(self, version: int) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        # A trailing underscore only keeps Python keywords (`async_`) apart from the field's name.
        self.key = name.rstrip("_")

    @overload
    def __get__(self, word: None, owner: type) -> Self: ...
    @overload
    def __get__(self, word: int, owner: type) -> T: ...
    def __get__(self, word: int | None, owner: type) -> Any:
        if word is None:
            return self
        value = int(word) >> self.low & self.mask
        if self.mask == 1 and self.enum is None:
            return value == 1
        if self.signed and value > self.mask >> 1:
            return value - self.mask - 1
        return value

    def place(self, value: int) -> int:
        """Return ``value`` at its place in the word.

        Raises LocalProtocolError when it does not fit.
        """
        low, high = (-(self.mask >> 1) - 1, self.mask >> 1) if self.signed else (0, self.mask)
        if not low <= value <= high:
            raise LocalProtocolError(f"{self.key} is {value}, expected {low} to {high}")
        return (int(value) & self.mask) << self.low


def flag(
    position: int, meaning: str = "", *, since: int = 0, until: int | None = None
) -> Bit[bool]:
    """Declare one bit that reads as a bool."""
    return Bit(position, position, meaning, False, None, since, until)


def bits(
    high: int,
    low: int,
    meaning: str = "",
    *,
    signed: bool = False,
    enum: type[IntEnum] | None = None,
    since: int = 0,
    until: int | None = None,
) -> Bit[int]:
    """Declare bits ``high`` to ``low``; ``signed`` means two's complement."""
    return Bit(high, low, meaning, signed, enum, since, until)


class Bits(int):
    """Base of every word with named bits: ``Flags(0x5)`` or ``Flags(enabled=True)``."""

    WIDTH: ClassVar[int] = 32
    PARTS: ClassVar[tuple[Bit[Any], ...]] = ()
    """All parts of all versions, highest bits first."""
    KNOWN: ClassVar[int] = 0
    """Mask of the bits that mean something."""
    _BY_NAME: ClassVar[dict[str, Bit[Any]]] = {}
    _EPOCHS: ClassVar[dict[tuple[Bit[Any], ...], type[Bits]]] = {}

    def __init_subclass__(cls) -> None:
        own = [part for part in vars(cls).values() if isinstance(part, Bit)]
        if own:
            cls.PARTS = tuple(sorted(own, key=lambda part: -part.high))
            cls._EPOCHS = {}
            cls._BY_NAME = {name: part for part in own for name in (part.key, part.name)}
            # Parts of different versions may share bits, so this is not a sum.
            cls.KNOWN = 0
            for part in own:
                cls.KNOWN |= part.mask << part.low

    def __new__(cls, word: int = 0, /, **parts: int) -> Self:
        for name, value in parts.items():
            part = cls._BY_NAME.get(name)
            if part is None or part not in cls.PARTS:
                names = ", ".join(p.key for p in cls.PARTS) or "none"
                raise LocalProtocolError(f"{cls.__name__} has no bits {name!r}, expected: {names}")
            word = word & ~(part.mask << part.low) | part.place(value)
        return super().__new__(cls, word)

    @property
    def reserved(self) -> int:
        """The bits that are set but mean nothing in this version, at their place."""
        return int(self) & ~self.KNOWN

    @classmethod
    def at(cls, version: int) -> type[Self]:
        """Return this class as it is in ``version``: bits of other versions are reserved there."""
        kept = tuple(part for part in cls.PARTS if part.exists(version))
        if kept == cls.PARTS:
            return cls
        if kept not in cls._EPOCHS:
            absent = {part.name: _Absent(part) for part in cls.PARTS if part not in kept}
            variant: type[Bits] = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, **absent})
            variant.PARTS = kept
            variant.KNOWN = sum(part.mask << part.low for part in kept)
            cls._EPOCHS[kept] = variant
        return cls._EPOCHS[kept]  # type: ignore[return-value]  # made above as a subclass of cls


class _Absent:
    """A part that does not exist in this version: it reads as 0, whatever its bits say."""

    def __init__(self, part: Bit[Any]) -> None:
        self.zero = False if part.is_flag else 0

    def __get__(self, word: int | None, owner: type) -> int:
        return self.zero
