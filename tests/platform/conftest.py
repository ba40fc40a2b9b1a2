"""An agent made by hand: says messages to a port at times the test chooses."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from scmictl import protocols
from scmictl.platform import Platform, Port, board
from scmictl.platform.behaviour import Behaviour
from scmictl.protocols import base, system
from scmictl.wire import Bits, Effect, Field, Request, Status, Struct, codec, follow, header, status

START = 5000.25
"""The caller's clock may stand anywhere when the platform is first used."""


class Connection:
    """One port, and the messages on it; ``now`` is the time at which they are said."""

    def __init__(self, platform: Platform, agent: str | None, events: bool) -> None:
        self.platform = platform
        self.port: Port = platform.attach(agent, events=events)
        self.now = START
        self.token = 0
        self.late: list[tuple[int, Status]] = []
        """Token and status of the responses that came by a poll."""

    def send(self, request: Request[Any], room: int = 8192) -> bytes | None:
        """Say a message in the version in force and return the response frame."""
        self.token = (self.token + 1) % header.TOKENS
        version = self.port.versions.get(request.PROTOCOL_ID, 0x10000)
        frame = codec.frame(request, version, self.token)
        return self.port.handle(self.token, frame, room, self.now)

    def status(self, request: Request[Any], room: int = 8192) -> Status:
        """Say a message that is refused, and return the status; nothing may follow it."""
        frame = self.send(request, room)
        assert frame is not None
        found = Status(status.WORD.unpack_from(frame, 4)[0])
        assert found is Status.SUCCESS or len(frame) == 8
        return found

    def ask(self, request: Request[Any], room: int = 8192) -> Any:
        """Say a message that succeeds, and return the response."""
        frame = self.send(request, room)
        assert frame is not None
        assert len(frame) <= room
        assert codec.read_status(frame[4:], request.SPEC) == 0
        if request.expects_delayed:
            assert len(frame) == 8
            return None
        version = self.port.versions[request.PROTOCOL_ID]
        message = codec.decode(request.RESPONSE, version, frame[8:])
        assert message.surplus == b""
        return message

    def every(self, request: Request[Any], room: int = 136) -> list[Any]:
        """Read a whole list, in as many messages as the room demands."""
        paging = request.PAGING
        assert paging is not None
        found: list[Any] = []
        while True:
            setattr(request, paging.start, len(found))
            response = self.ask(request, room)
            page = getattr(response, paging.items)
            found += page
            if paging.remaining is None:
                # Nothing tells how many there are: the list ends with an empty page.
                if not page:
                    return found
                continue
            assert page
            if not follow(response, paging.remaining):
                return found

    def raw(self, text: str, room: int = 8192) -> str | None:
        """Send bytes given in hexadecimal, and return the response the same way."""
        frame = self.port.handle(0, bytes.fromhex(text), room, self.now)
        return None if frame is None else frame.hex(" ", 4)

    def words(self, *values: int) -> list[int] | None:
        """Send a frame of 32-bit words, and return the response the same way."""
        frame = self.port.handle(
            0,
            b"".join((value & 0xFFFFFFFF).to_bytes(4, "little") for value in values),
            8192,
            self.now,
        )
        if frame is None:
            return None
        return [int.from_bytes(frame[at : at + 4], "little") for at in range(0, len(frame), 4)]

    def poll(self, now: float | None = None) -> list[bytes]:
        """Return the frames that have come by themselves."""
        self.now = self.now if now is None else now
        due = self.port.poll(self.now)
        for cookie, frame in due:
            if cookie is not None:
                head = header.unpack(header.WORD.unpack_from(frame)[0])
                assert (head.message_type, head.token) == (header.COMMAND, cookie)
                assert len(frame) == 8
                self.late.append((cookie, Status(status.WORD.unpack_from(frame, 4)[0])))
        return [frame for cookie, frame in due if cookie is None]

    def events(self, now: float | None = None) -> list[Any]:
        """Return the notifications and delayed responses that have come, decoded.

        A delayed response that is an error is its Status.
        """
        found: list[Any] = []
        for frame in self.poll(now):
            head = header.unpack(header.WORD.unpack_from(frame)[0])
            protocol = protocols.by_id(
                head.protocol_id, self.platform.vendor, self.platform.sub_vendor
            )
            assert protocol is not None
            version = self.port.versions[head.protocol_id]
            if head.message_type == header.NOTIFICATION:
                found.append(
                    codec.decode(protocol.events_by_id[head.message_id], version, frame[4:])
                )
                continue
            assert head.message_type == header.DELAYED
            code = codec.read_status(frame[4:], "")
            delayed = protocol.by_id[head.message_id].DELAYED
            assert delayed is not None
            found.append(Status(code) if code else codec.decode(delayed, version, frame[8:]))
            assert not code or len(frame) == 8
        assert all(getattr(message, "surplus", b"") == b"" for message in found)
        return found


Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Connect:
    """Return a function that attaches an agent to a platform, or to a board given as text."""

    def attach(
        board: str | Platform, agent: str | None = None, *, events: bool = True
    ) -> Connection:
        platform = Platform.from_text(board, "test.toml") if isinstance(board, str) else board
        return Connection(platform, agent, events)

    return attach


FLEETING = {
    "_outbox", "_notifications", "_since", "dropped", "now", "_started", "_held", "_known", "_size",
    "_absent",
}  # fmt: skip
"""What may change although nothing has been done: what waits to be taken, the time, and what is
only remembered so that it need not be worked out again."""


def freeze(thing: Any, seen: dict[int, int] | None = None) -> Any:
    """Everything a thing consists of, in a form that can be compared with that of another."""
    seen = {} if seen is None else seen
    if isinstance(thing, type):
        return thing.__name__
    if thing is None or isinstance(thing, int | float | str | bytes):
        return thing
    if id(thing) in seen:
        return f"the {seen[id(thing)]}th"
    seen[id(thing)] = len(seen)
    if callable(thing) and not isinstance(thing, Behaviour):
        return getattr(thing, "__qualname__", "a function")
    if isinstance(thing, dict):
        return [(freeze(key, seen), freeze(value, seen)) for key, value in thing.items()]
    if isinstance(thing, set | frozenset):
        return sorted(map(repr, thing))
    if hasattr(thing, "__iter__"):
        return [freeze(each, seen) for each in thing]
    names = [name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())]
    names += getattr(thing, "__dict__", {})
    return [
        (name, freeze(getattr(thing, name, None), seen))
        for name in names
        if name not in FLEETING and not name.startswith("__")
    ]


def state(platform: Platform) -> Any:
    """All that a command could change: what the platform consists of, and what it says of it."""
    said = [
        behaviour.state(resource)
        for behaviour in platform.behaviours.values()
        for resource in range(len(behaviour.names))
    ]
    return freeze(platform), said


def numbers(frozen: Any) -> set[int]:
    """All integers in something frozen."""
    if isinstance(frozen, int):
        return {int(frozen)}
    if isinstance(frozen, list | tuple):
        return {number for each in frozen for number in numbers(each)}
    return set()


_KNOWN: dict[str, dict[tuple[int, int], list[int]]] = {}


def known_numbers(platform: Platform) -> dict[tuple[int, int], list[int]]:
    """The integers that have to do with each resource, by protocol and number."""
    found = {}
    for one in platform.behaviours.values():
        parts = vars(one)
        lists = (parts[name] for name in ("domains", "clocks", "sensors") if name in parts)
        for id, thing in enumerate(next(lists, [parts] * len(one.names))):
            found[one.PROTOCOL.id, id] = sorted(numbers(freeze(thing)))
    return found


class Chatter:
    """Says at random what an agent could say: most of it makes sense to the platform.

    Identifiers are mostly those that exist, other values those that the board knows of the resource
    or near them.
    """

    def __init__(self, platform: Platform, seed: int) -> None:
        self.random = random.Random(seed)
        self.behaviours = list(platform.behaviours.values())
        self.counts = {one.PROTOCOL.id: max(1, len(one.names)) for one in self.behaviours}
        if platform.name not in _KNOWN:
            _KNOWN[platform.name] = known_numbers(platform)
        self.known = _KNOWN[platform.name]

    def request(self, versions: dict[int, int]) -> tuple[Request[Any], int]:
        """Return a request, and the version it is to be written in: mostly that in force."""
        while True:
            protocol = self.random.choice(self.behaviours).PROTOCOL
            version = versions[protocol.id]
            if self.random.random() < 0.02:
                version = self.random.choice(protocol.versions)
            request = self.random.choice(protocol.requests)
            if request.EFFECT is Effect.READ and self.random.random() < 0.6:
                continue
            # What ends everything that was begun shall not come too often.
            rare = request.MESSAGE_ID in (0x0, 0x1, 0x2, 0x10) or request is base.DiscoverVendor
            rare = rare or request in (base.ResetAgentConfiguration, system.PowerStateSet)
            if version >= request.SINCE and not (rare and self.random.random() < 0.8):
                return self.fill(request, protocol.id, version), version

    def fill(self, cls: type[Any], protocol: int, version: int) -> Any:
        """Return a message with values in all fields."""
        message: Struct = object.__new__(cls)
        id = self.identifier(self.counts[protocol])
        for field in cls.FIELDS:
            setattr(message, field.name, None)
        for field in cls.layout(version):
            if field.name in ("domain_id", "clock_id", "sensor_id", "identifier"):
                setattr(message, field.name, id)
            else:
                setattr(message, field.name, self.value(field, (protocol, id), version))
        for field in cls.layout(version):
            if isinstance(field.count, str):
                name, _, part = field.count.partition(".")
                word = getattr(message, name)
                length = len(getattr(message, field.name))
                setattr(message, name, type(word)(word, **{part: length}) if part else length)
        return message

    def identifier(self, count: int) -> int:
        if self.random.random() < 0.95:
            return self.random.randrange(count)
        return self.random.choice((count, 0xFF, 0xFFFF, 0xFFFFFFFF))

    def value(self, field: Field, resource: tuple[int, int], version: int) -> Any:
        if field.kind == "array":
            assert isinstance(field.element, type)
            assert issubclass(field.element, Struct)
            return [
                self.fill(field.element, resource[0], version)
                for _ in range(self.random.choice((0, 1, 1, 2, 5)))
            ]
        if field.bits is not None:
            return field.bits(self.word(field.bits, resource, version))
        limit = 1 << 8 * field.size
        low, high = (-limit // 2, limit // 2 - 1) if field.kind[0] == "i" else (0, limit - 1)
        if field.name.endswith("_id") and field.name != "message_id":
            return self.identifier(9)
        if field.name.endswith("index") or field.name in ("skip", "axis_id", "message_id", "cpli"):
            return self.random.choice((0, 0, 0, 1, 2, 3, 5, 8, 16, high))
        if self.random.random() < 0.9:
            near = self.near(resource) + self.random.choice((0, 0, 0, 0, 1, -1))
            return min(max(near, low), high)
        return self.random.choice((low, high, 0, self.random.randint(low, high)))

    def near(self, resource: tuple[int, int]) -> int:
        return self.random.choice(self.known.get(resource, range(20)))

    def word(self, bits: type[Bits], resource: tuple[int, int], version: int) -> int:
        kind = self.random.random()
        if kind < 0.03:
            return self.random.getrandbits(32)
        if bits is base.CommandId:
            return self.random.choice(list(self.counts))
        parts = bits.at(version).PARTS
        if max((part.width for part in parts), default=0) > 16 or kind > 0.9:
            return self.near(resource) & 0xFFFFFFFF
        word = 0
        for part in parts:
            drawn = self.random.choice((0, 0, 1, 1, 2, 3, part.mask, self.random.randint(0, 40)))
            word |= (drawn & part.mask) << part.low
        if kind < 0.06:
            word |= 1 << self.random.randrange(32)
        return word

    def room(self) -> int:
        """Return how much room there is for the answer."""
        return self.random.choice((8192,) * 12 + (136, 136, 8, self.random.randrange(8, 140)))


@pytest.fixture
def chatter() -> type[Chatter]:
    return Chatter


@pytest.fixture
def state_of() -> Callable[[Platform], Any]:
    """Return the function that tells all that a command could change of a platform."""
    return state


@pytest.fixture
def demo() -> Callable[..., Platform]:
    """Return a function that makes the platform of the demo board with other newest versions."""

    def make(**versions: str) -> Platform:
        table = board.load("demo")
        table.values["versions"] = dict(versions)
        return Platform(table)

    return make
