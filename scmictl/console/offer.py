"""What can be typed in one place: the words that each kind of argument and option takes.

An :class:`Offer` is a whole word as the program wants it; how much of it has been typed already,
and how it has to be quoted, is the business of :mod:`scmictl.console.completion`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from scmictl import protocols, values
from scmictl.commands import Arg, Opt, event, message
from scmictl.console.knowledge import AGENTS, Item
from scmictl.console.terminal import safe
from scmictl.errors import UsageError
from scmictl.protocols import Protocol, Resources, version_text
from scmictl.wire import Bits, Field, Message, Notification, Request, Struct

LISTED = 1000
"""Files of one directory, or things of one kind, that are offered at most."""

UNITS = {
    "Hz": ("Hz", "kHz", "MHz", "GHz"),
    "s": ("us", "ms", "s", "min", "h"),
    "ms": ("ms", "s"),
    "us": ("us", "ms", "s"),
    "V": ("mV", "V"),
    "mV": ("mV", "V"),
    "uV": ("uV", "mV", "V"),
    "W": ("mW", "W"),
    "mW": ("mW", "W"),
    "uW": ("uW", "mW", "W"),
    "°C": ("C",),
    "B": ("B", "kB", "MB"),
}
"""How the unit of a field is commonly written, smallest first."""

_AMOUNT = re.compile(r"-?(?:[0-9][0-9_]*)?\.?[0-9]+")
_INTEGER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class Offer(NamedTuple):
    """A word, and what to say beside it; ``open`` means that it goes on (``rate=``, ``boards/``).

    ``shown`` is what a menu has for it, where that differs from the word. ``literal`` words are
    typed as they are, with what the lexer reads in them.
    """

    word: str
    note: str = ""
    open: bool = False
    shown: str = ""
    literal: bool = False


class Scene(NamedTuple):
    """What surrounds the line that is being typed.

    ``items`` returns the things of a kind as far as they are known; ``versions`` are the layout
    versions of the connection, ``targets`` the names of the config file, ``keys`` those of the last
    result.
    """

    items: Callable[[str], Sequence[Item]] = lambda kind: ()
    versions: Mapping[int, int] = {}
    variables: Mapping[str, str] = {}
    targets: Sequence[str] = ()
    keys: Sequence[str] = ()


# --- arguments and options ------------------------------------------------------------------------


def argument(arg: Arg, before: Sequence[str], partial: str, scene: Scene) -> list[Offer]:
    """Return what fits the argument; ``before`` are the arguments that come before it."""
    if arg.kind in ("id", "ids"):
        kind = _kind(arg.of or arg.name, before)
        return ids(kind, partial, scene, several=arg.kind == "ids")
    if arg.kind == "field":
        return fields(before, partial, scene)
    if arg.kind == "message":
        return messages(partial, message_kind(arg))
    if arg.kind == "resource":
        return resources(partial, scene)
    if arg.kind == "fault":
        return faults()
    if arg.kind == "event":
        return events() + (_event_ids(before, partial, scene) if arg.many else [])
    if arg.name == "ids" and not arg.of:
        return _event_ids(before, partial, scene)
    return value(arg, partial, scene)


def value(arg: Arg | Opt, partial: str, scene: Scene) -> list[Offer]:
    """Return what fits an option, or an argument that stands for itself."""
    if arg.choices:
        return [Offer(one, open=one.endswith("=")) for one in arg.choices if "…" not in one]
    if arg.kind == "duration":
        return amounts(partial, "s")
    if arg.kind == "number" and arg.unit:
        return amounts(partial, arg.unit)
    if arg.kind == "file":
        return files(partial)
    if arg.name == "--target":
        return targets(scene)
    if arg.name == "--proto":
        return _versions()
    if arg.name == "--vendor":
        return _vendors()
    if arg.name in ("--fields", "--sort", "--where"):
        return [Offer(key) for key in scene.keys]
    if arg.name == "board":
        return _boards() + files(partial)
    return []


def ids(kind: str, partial: str, scene: Scene, *, several: bool) -> list[Offer]:
    """Return the names of things with what they are now; numbers where digits are being typed."""
    items = scene.items(kind)
    near = _near(items, partial)
    taken = Counter(item.name for item in near)
    by_number = bool(_INTEGER.fullmatch(partial))
    offers = []
    for item in _some(near, "id" if by_number else "name"):
        usable = item.name is not None and item.name.isprintable() and taken[item.name] == 1
        if usable and not by_number and not _is_number(item.name or ""):
            offers.append(Offer(item.name or "", f"{item.id}  {safe(item.value)}".rstrip()))
        else:
            # A name that cannot be typed, or that would mean something else.
            offers.append(_by_number(item))
    if several and items and not by_number:
        offers.append(Offer("all", f"all {len(items)}"))
    return offers


def _near(items: Sequence[Item], partial: str) -> Sequence[Item]:
    """Return the things whose name or number begins with what has been typed."""
    if not partial:
        return items
    folded = partial.casefold()
    return [
        item
        for item in items
        if str(item.id).startswith(partial) or (item.name or "").casefold().startswith(folded)
    ]


def _some(items: Sequence[Item], key: str) -> Sequence[Item]:
    """Return all things, or of very many the first.

    With them the last ones by name (or number), so that all have in common what these have: a menu
    puts that on the line.
    """
    if len(items) <= LISTED:
        return items
    words = [str(getattr(item, key)) for item in items]
    ends = (words.index(min(words)), words.index(max(words)))
    return [*items[:LISTED], *(items[end] for end in ends if end >= LISTED)]


def resources(partial: str, scene: Scene) -> list[Offer]:
    """Return what can be changed by hand: protocols, and behind their colon what they have."""
    name, colon, typed = partial.partition(":")
    standard = [name for _, name in protocols.STANDARD]
    if not colon:
        return [Offer(f"{one}:", protocols.by_name(one).title, open=True) for one in standard]
    if name not in standard:
        return []
    protocol = protocols.by_name(name)
    offers = []
    for how in protocol.kinds:
        first = how is protocol.resources
        begun = typed if first else typed.removeprefix(f"{how.noun}/")
        for one in ids(protocol.label(how), begun, scene, several=False):
            # Only those of the first kind have the number under which it knows them itself.
            if first or not _is_number(one.word):
                shown = one.word if first else f"{how.noun}/{one.word}"
                offers.append(Offer(f"{name}:{shown}", one.note, shown=shown))
    return offers


def faults() -> list[Offer]:
    """Return the kinds of faults, and what else can be done about faults."""
    from scmictl.commands import sim

    kinds = [Offer(kind, meaning, open=True) for kind, meaning in sim.fault_kinds().items()]
    return [Offer("list", "those in force"), Offer("clear", "end them"), *kinds]


def _kind(of: str, before: Sequence[str]) -> str:
    """Return the kind of things meant: of a protocol with several, a word before may name it."""
    if of == AGENTS or "." in of:
        return of
    try:
        protocol = protocols.by_name(of)
    except UsageError:
        return of
    named = (protocol.kind(word) for word in before if len(protocol.kinds) > 1)
    how = next((how for how in named if how is not None), protocol.resources)
    return of if how is None else protocol.label(how)


def _by_number(item: Item) -> Offer:
    return Offer(str(item.id), f"{safe(item.name or '')}  {safe(item.value)}".strip())


def _is_number(text: str) -> bool:
    try:
        values.number(text)
    except UsageError:
        return False
    return True


def amounts(partial: str, unit: str) -> list[Offer]:
    """Return the number being typed with the units it can have."""
    match = _AMOUNT.match(partial)
    if match is None:
        return []
    return [Offer(match[0] + written) for written in UNITS.get(unit, (unit,))]


def targets(scene: Scene) -> list[Offer]:
    """Return the targets of the config file, the built-in boards and the schemes."""
    named = [Offer(name, "from the config file") for name in scene.targets]
    boards = [Offer(f"sim:{board.word}", board.note) for board in _boards()]
    return [
        *named,
        *boards,
        Offer("vhost-user:", "the socket of a device", open=True),
        Offer("control:", "the control socket of a served platform", open=True),
    ]


def _boards() -> list[Offer]:
    from scmictl.commands import board

    return [Offer(name, "built-in board") for name in board.built_in()]


def _versions() -> list[Offer]:
    offers = []
    for protocol in protocols.every():
        name = protocol.name
        offers += [Offer(f"{name}={version_text(v)}") for v in reversed(protocol.versions)]
    return offers


def _vendors() -> list[Offer]:
    """Return the vendors whose protocols we know."""
    owners = dict.fromkeys(filter(None, map(protocols.whose, protocols.every())))
    return [Offer(":".join(filter(None, owner))) for owner in owners]


def files(partial: str) -> list[Offer]:
    """Return the files and directories that a path being typed can become."""
    directory, _, start = partial.rpartition("/")
    place = f"{directory}/" if directory or partial.startswith("/") else ""
    offers = []
    try:
        with os.scandir(place or ".") as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not start.startswith(".")
                if hidden or not entry.name.startswith(start) or not entry.name.isprintable():
                    continue
                end = "/" if entry.is_dir() else ""
                offers.append(Offer(place + entry.name + end, open=bool(end), shown=entry.name))
                if len(offers) == LISTED:
                    break
    except OSError:
        pass  # no such directory: nothing to offer
    return sorted(offers)


# --- messages, events and their fields ------------------------------------------------------------


def messages(partial: str, kind: type[Message]) -> list[Offer]:
    """Return messages by their specification name; behind a dot, those of one protocol."""
    found = list(message.every(kind))
    prefix, dot, rest = partial.rpartition(".")
    taken = Counter(m.SPEC for _, m in found)
    offers = []
    for protocol, one in found:
        name = one.SPEC
        if dot:
            if protocol.name != prefix.lower():
                continue
            # Behind the protocol its name may be left out.
            whole = name.startswith(rest.upper())
            name = f"{prefix}.{name if whole else name.partition('_')[2]}"
        elif taken[name] > 1:
            name = message.qualified(protocol, one)
        offers.append(Offer(name, one.meaning().rstrip(".")))
    return offers


def message_kind(arg: Arg) -> type[Message]:
    """Return which messages an argument can name."""
    if arg.of == "notification":
        return Notification
    # `call` sends what it names; everything else can only be talked about.
    return Message if arg.many else Request


def events() -> list[Offer]:
    """Return the notifications that can be switched on."""
    return [
        Offer(s.event.SPEC, s.event.meaning().rstrip(".")) for s in event.switches() if s.simple
    ]


def _event_ids(before: Sequence[str], partial: str, scene: Scene) -> list[Offer]:
    """Return what sends the last event named before."""
    named = [word for word in before if event.is_event(word)]
    if not named:
        return []
    try:
        switch = event.find(named[-1])
    except UsageError:
        return []
    return ids(switch.protocol.name, partial, scene, several=True) if switch.id else []


def fields(before: Sequence[str], partial: str, scene: Scene) -> list[Offer]:
    """Return the fields of the message ``before[0]``, and behind a ``=`` what they can be."""
    found = _message(before[0]) if before else None
    if found is None:
        return []
    protocol, kind = found
    version = scene.versions.get(protocol.id, protocol.newest)
    path, equals, typed = partial.partition("=")
    if equals:
        return [
            offer._replace(word=f"{path}={offer.word}", shown=offer.shown or offer.word)
            for offer in _field_value(
                kind, version, path.rstrip(":"), typed, _Fields(protocol, before[1:], scene)
            )
        ]
    given = {word.partition("=")[0].rstrip(":") for word in before[1:]}
    offers = []
    for field in kind.layout(version):
        for name, note in _names(field, version):
            if name not in given and field.key not in given:
                offers.append(Offer(f"{name}=", note, open=True))
    return offers


def _message(text: str) -> tuple[Protocol, type[Message]] | None:
    for kind in (Request, Notification):
        try:
            return message.find(text, kind)
        except UsageError:
            pass  # none of this kind
    return None


def _names(field: Field, version: int) -> list[tuple[str, str]]:
    """Return how the parts of a field are named, and what to say of each."""
    if field.bits is not None:
        bits = reversed(field.bits.at(version).PARTS)
        parts = [(f"{field.key}.{b.key}", _choices(b.enum) or b.meaning) for b in bits]
        return [*parts, (field.key, "the whole word")]
    if field.kind in ("array", "packed"):
        element = field.element
        if isinstance(element, type) and issubclass(element, Struct):
            inner = [f"{field.key}[0].{f.key}" for f in element.layout(version)]
            return [(name, field.meaning) for name in inner]
        return [(f"{field.key}[0]", field.meaning)]
    return [(field.key, _choices(field.enum) or field.meaning or field.unit or "")]


def _choices(enum: Iterable[Any] | None) -> str:
    return "|".join(member.name.lower().rstrip("_") for member in enum) if enum else ""


class _Fields(NamedTuple):
    """What surrounds the value of a field: the protocol, the ``given`` fields, and the scene."""

    protocol: Protocol
    given: Sequence[str]
    scene: Scene

    def kind(self, field: Field) -> Resources | None:
        """Return the kind of things that an id in ``field`` is one of.

        Where the same field holds ids of several kinds, another field says which is meant.
        """
        named = {word.partition("=")[2].lower() for word in self.given}
        kinds = self.protocol.kinds
        for how in kinds:
            if field.key == f"{how.noun}_id" or (field.key == how.id and how.noun in named):
                return how
        return next((how for how in kinds if field.key in (how.id, "parent_id")), None)


def _field_value(
    kind: type[Struct], version: int, path: str, typed: str, around: _Fields
) -> list[Offer]:
    """Return what can stand behind ``path=``."""
    first, _, rest = path.partition(".")
    name = first.partition("[")[0]
    field = next((f for f in kind.layout(version) if f.key == name), None)
    if field is None:
        return []
    if rest and isinstance(field.element, type) and issubclass(field.element, Struct):
        return _field_value(field.element, version, rest, typed, around)
    enum = field.enum
    if rest and field.bits is not None:
        bit = next((b for b in field.bits.at(version).PARTS if b.key == rest), None)
        if bit is None:
            return []
        if bit.is_flag:
            return [Offer("1", bit.meaning), Offer("0")]
        enum = bit.enum
    if enum is not None:
        return [Offer(member.name.lower().rstrip("_"), str(member.value)) for member in enum]
    how = around.kind(field)
    if how is not None:
        return _numbers(around.protocol.label(how), typed, around.scene)
    if field.key == "agent_id":
        return _numbers(AGENTS, typed, around.scene)
    return amounts(typed, field.unit) if field.unit and not _is_word(field) else []


def _numbers(kind: str, typed: str, scene: Scene) -> list[Offer]:
    items = [item for item in scene.items(kind) if str(item.id).startswith(typed)]
    return [_by_number(item) for item in _some(items, "id")]


def _is_word(field: Field) -> bool:
    return field.bits is not None or (
        isinstance(field.element, type) and issubclass(field.element, Bits)
    )
