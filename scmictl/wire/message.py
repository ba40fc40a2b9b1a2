"""What can be said: one typed class per message, for all versions of its protocol.

A class body is the declaration. Its fields (in wire order) come from :mod:`scmictl.wire.fields`,
its class arguments say which message it is and what it does, its docstring is its help. Fields
that only some versions have are ``T | None`` with ``since=`` or ``until=``; where a version
reorders the fields, ``orders`` names the new order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar, dataclass_transform, get_args

from scmictl.errors import LocalProtocolError
from scmictl.wire import fields as specifiers
from scmictl.wire import header
from scmictl.wire.bits import Bits
from scmictl.wire.fields import MISSING, Field


class Effect(IntEnum):
    """What a message does to the platform, from harmless to harmful."""

    READ = 0
    SUBSCRIBE = 1
    WRITE = 2
    HURTS = 3


class Paging(NamedTuple):
    """How a list that does not fit into one message is read.

    ``start`` is the path of the position of the first element wanted in the request, ``returned``
    and ``remaining`` are paths in the response (``remaining`` None where the protocol gives none),
    and ``items`` is the response field with the elements.
    """

    start: str
    returned: str
    remaining: str | None
    items: str


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        specifiers.u8, specifiers.u16, specifiers.u32, specifiers.i32, specifiers.u64,
        specifiers.i64, specifiers.text, specifiers.word, specifiers.array, specifiers.packed,
        specifiers.declared,
    ),
)  # fmt: skip
class Struct:
    """A sequence of fields: a whole payload, or an element of a list in one.

    ``surplus`` holds the bytes a peer sent after the known layout.
    """

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    ORDERS: ClassVar[tuple[tuple[int, tuple[str, ...]], ...]] = ()
    _CHANGES: ClassVar[frozenset[int] | None] = None
    surplus = b""

    def __init_subclass__(
        cls, *, orders: Mapping[int, Sequence[str]] | None = None, **more: Any
    ) -> None:
        super().__init_subclass__(**more)
        declared = list(cls.FIELDS)
        for name, value in list(vars(cls).items()):
            if isinstance(value, Field):
                value.bind(name)
                declared.append(value)
                delattr(cls, name)
        cls.FIELDS = tuple(declared)
        if orders:
            cls.ORDERS = tuple(sorted((v, tuple(names)) for v, names in orders.items()))

    def __init__(self, **values: Any) -> None:
        for field in self.FIELDS:
            value = values.pop(field.name, field.default)
            if value is MISSING:
                raise LocalProtocolError(f"{type(self).__name__}: field {field.key} is missing")
            if field.bits is not None and value is not None and not isinstance(value, field.bits):
                value = field.bits(value)
            setattr(self, field.name, value)
        if values:
            known = ", ".join(field.key for field in self.FIELDS) or "none"
            raise LocalProtocolError(
                f"{type(self).__name__} has no field {next(iter(values))!r}, expected: {known}"
            )

    @classmethod
    def layout(cls, version: int) -> tuple[Field, ...]:
        """Return the fields of ``version`` in wire order."""
        present = [field for field in cls.FIELDS if field.exists(version)]
        for since, names in reversed(cls.ORDERS):
            if version >= since:
                present.sort(key=lambda field: names.index(field.name))
                break
        return tuple(present)

    @classmethod
    def epoch(cls, version: int) -> int:
        """Return the newest version up to ``version`` in which this layout changed (0: never)."""
        return max((v for v in cls.changes() if v <= version), default=0)

    @classmethod
    def changes(cls) -> frozenset[int]:
        """Return the versions in which this layout becomes another one."""
        known = vars(cls).get("_CHANGES")
        if known is None:
            known = cls._CHANGES = cls._find_changes()
        return known

    @classmethod
    def _find_changes(cls) -> frozenset[int]:
        found = {since for since, _ in cls.ORDERS}
        parts: list[Any] = list(cls.FIELDS)
        for field in cls.FIELDS:
            if field.bits is not None:
                parts += field.bits.PARTS
            if isinstance(field.element, type):
                if issubclass(field.element, Struct):
                    found |= field.element.changes()
                elif issubclass(field.element, Bits):
                    parts += field.element.PARTS
        for part in parts:
            if part.since:
                found.add(part.since)
            if part.until is not None:
                found.add(part.until + 1)
        return frozenset(found)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # fields can be lists

    def __repr__(self) -> str:
        inside = ", ".join(f"{f.name}={getattr(self, f.name, None)!r}" for f in self.FIELDS)
        return f"{type(self).__name__}({inside})"


def follow(value: Any, path: str) -> Any:
    """Return what ``path`` (``"flags.enabled"``) names in ``value``."""
    for name in path.split("."):
        value = getattr(value, name)
    return value


def holds(value: Any, conditions: Sequence[str]) -> bool:
    """Return whether all ``conditions`` hold for ``value``.

    A condition is ``"flags.x"``, ``"not flags.y"`` or ``"flags.z == 1"``.
    """
    return all(_holds(value, condition) for condition in conditions)


def _holds(value: Any, condition: str) -> bool:
    path, compares, number = condition.removeprefix("not ").partition(" == ")
    found = follow(value, path)
    true = found == int(number) if compares else bool(found)
    return bool(true is not condition.startswith("not "))


class Message(Struct):
    """Base of everything that has a header of its own: which message it is."""

    SPEC: ClassVar[str] = ""
    PROTOCOL_ID: ClassVar[int] = -1
    MESSAGE_ID: ClassVar[int] = -1
    TYPE: ClassVar[int] = header.COMMAND
    SINCE: ClassVar[int] = 0
    SECTION: ClassVar[str] = ""
    PROTOCOL: ClassVar[Any] = None
    """The protocol that lists this message, once that is made; see ``scmictl.protocols.of``."""

    def __init_subclass__(
        cls,
        *,
        protocol: int | None = None,
        id: int | None = None,
        spec: str | None = None,
        since: int | None = None,
        section: str | None = None,
        **more: Any,
    ) -> None:
        super().__init_subclass__(**more)
        if protocol is not None:
            cls.PROTOCOL_ID = protocol
        if id is not None:
            cls.MESSAGE_ID = id
        if spec is not None:
            cls.SPEC = spec
        if since is not None:
            cls.SINCE = since
        if section is not None:
            cls.SECTION = section

    @classmethod
    def meaning(cls) -> str:
        """Return the first sentence of the docstring: the help of this message."""
        for base in cls.__mro__:
            text = vars(base).get("__doc__")
            if text:
                return " ".join(text.split("\n\n")[0].split())
        return ""


class Response(Struct):
    """What follows the status word of a successful response.

    The status itself is not a field: a response with another status has no fields at all.
    """


class Delayed(Message):
    """A delayed response (type 2); like a response, its fields follow the status word."""

    TYPE = header.DELAYED


class Notification(Message):
    """A notification (type 3); it has no status word.

    Class argument ``about``: the path of the field that says which resource it is about, where that
    has another name than in the request that switches it.
    """

    TYPE = header.NOTIFICATION
    ABOUT: ClassVar[str | None] = None

    def __init_subclass__(cls, *, about: str | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        if about is not None:
            cls.ABOUT = about


R = TypeVar("R", bound=Response)
D = TypeVar("D", bound=Delayed)


class Request(Message, Generic[R]):
    """A command; ``Request[R]`` says which response answers it.

    Class arguments: ``effect`` (default read), ``hurts`` (conditions over the fields under which it
    is harmful although ``effect`` says write), ``paging``, and for those that switch notifications
    ``subscribes`` (the notification), ``switch`` (the field that turns it on, off when it is 0) and
    ``offered`` (paths in the description of a thing, of which one is set where it sends it).
    """

    RESPONSE: ClassVar[type[Response]]
    DELAYED: ClassVar[type[Delayed] | None] = None
    ASYNC_WHEN: ClassVar[tuple[str, ...]] = ()
    EFFECT: ClassVar[Effect] = Effect.READ
    HURTS_WHEN: ClassVar[tuple[str, ...]] = ()
    PAGING: ClassVar[Paging | None] = None
    SUBSCRIBES: ClassVar[type[Notification] | None] = None
    SWITCH: ClassVar[str] = "notify_enable"
    OFFERED: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        effect: Effect | None = None,
        hurts: Sequence[str] = (),
        paging: Paging | None = None,
        subscribes: type[Notification] | None = None,
        switch: str | None = None,
        offered: Sequence[str] = (),
        async_when: Sequence[str] = (),
        **more: Any,
    ) -> None:
        super().__init_subclass__(**more)
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Response):
                    cls.RESPONSE = argument
                elif isinstance(argument, type) and issubclass(argument, Delayed):
                    cls.DELAYED = argument
        if effect is not None:
            cls.EFFECT = effect
        if hurts:
            cls.HURTS_WHEN = tuple(hurts)
        if paging is not None:
            cls.PAGING = paging
        if subscribes is not None:
            cls.SUBSCRIBES = subscribes
            cls.EFFECT = Effect.SUBSCRIBE
        if switch is not None:
            cls.SWITCH = switch
        if offered:
            cls.OFFERED = tuple(offered)
        if async_when:
            cls.ASYNC_WHEN = tuple(async_when)

    @property
    def effect(self) -> Effect:
        """What this very request does, its field values considered."""
        if self.HURTS_WHEN and holds(self, self.HURTS_WHEN):
            return Effect.HURTS
        return self.EFFECT

    def starting_at(self, position: int) -> Self:
        """Return this request for the part of its list that begins at ``position``.

        Raises LocalProtocolError when the request has no room for such a position.
        """
        assert self.PAGING is not None, self.SPEC
        name, _, part = self.PAGING.start.partition(".")
        values = {field.name: getattr(self, field.name) for field in self.FIELDS}
        word = values[name]
        values[name] = type(word)(word, **{part: position}) if part else position
        return type(self)(**values)

    @property
    def expects_delayed(self) -> bool:
        """Whether a delayed response follows; the immediate one then is the status alone."""
        return self.DELAYED is not None and holds(self, self.ASYNC_WHEN)


class AsyncRequest(Request[R], Generic[R, D]):
    """A command that can be answered by a delayed response ``D``, when ``async_when`` holds."""
