"""Whatever a platform sends, in every protocol: a message, or an error of ours; nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl import protocols
from scmictl.agent import Agent
from scmictl.errors import RemoteProtocolError, ScmictlError
from scmictl.protocols import Protocol
from scmictl.transport.inprocess import InProcess
from scmictl.wire import Request, Struct, codec, header

PROTOCOLS = [protocols.by_name(name) for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]
VERSIONS = [
    pytest.param(protocol, version, id=f"{protocol.name}-{protocols.version_text(version)}")
    for protocol in PROTOCOLS
    for version in protocol.versions
]
LISTS = [
    pytest.param(protocol, version, request, id=f"{request.SPEC}-{protocols.version_text(version)}")
    for protocol in PROTOCOLS
    for version in protocol.versions
    for request in protocol.requests
    if version >= request.SINCE and request.PAGING is not None
]
NUMBERS = (0, 0, 0, 1, 2, 3, 16, 0xFFFF, 0x1000FFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Noise:
    """A platform that answers every command with ``answer``, and sends events by the way."""

    def __init__(self, answer: Callable[[bytes], bytes], events: Iterator[bytes]) -> None:
        self.answer = answer
        self.events = events
        self.asked = 0

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes:
        self.asked += 1
        return self.answer(frame)[:room]

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        return [(None, event) for event in self.events]

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def of_zeros(cls: type[Struct], version: int) -> Any:
    """A message whose fields are 0, and its lists empty."""
    message: Any = object.__new__(cls)
    for field in cls.FIELDS:
        setattr(message, field.name, None)
    for field in cls.layout(version):
        value: Any = 0 if field.bits is None else field.bits(0)
        if field.kind in ("array", "packed"):
            value = []
        setattr(message, field.name, "" if field.kind == "text" else value)
    return message


def words(pick: random.Random) -> bytes:
    """A payload: words that could be counts and flags, or bytes that could be anything."""
    if pick.random() < 0.3:
        return pick.randbytes(pick.randrange(120))
    numbers = (
        pick.choice(NUMBERS) if pick.random() < 0.7 else pick.getrandbits(32)
        for _ in range(pick.randrange(30))
    )
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def tried(step: Callable[[], object]) -> None:
    try:
        step()
    except ScmictlError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(("protocol", "version"), VERSIONS)
def test_arbitrary_answers_in_every_protocol_never_crash_the_agent(
    protocol: Protocol, version: int
) -> None:
    pick = random.Random(protocol.id << 32 | version)

    def answer(frame: bytes) -> bytes:
        status = bytes(4) if pick.random() < 0.9 else pick.randbytes(4)
        return frame[:4] + status[: pick.choice((4, 4, 4, 4, 4, 4, 3))] + words(pick)

    def events() -> Iterator[bytes]:
        if pick.random() < 0.5:
            kind = pick.choice((header.DELAYED, header.NOTIFICATION))
            word = protocol.id << 10 | kind << 8 | pick.randrange(20) | pick.randrange(8) << 18
            yield word.to_bytes(4, "little") + bytes(4) + words(pick)

    for request_class in protocol.requests:
        if version < request_class.SINCE:
            continue
        for _ in range(5):
            noise = Noise(answer, iter(()))
            agent = Agent(
                InProcess(noise),
                timeout=0.0,
                delayed_timeout=0.0,
                versions={protocol.id: version},
            )
            request = of_zeros(request_class, version)
            noise.events = events()
            tried(lambda a=agent, r=request: a.call(r))  # type: ignore[misc]
            if request_class.PAGING is not None:
                agent.listing(request)
            if request_class.DELAYED is not None:
                for field in request_class.layout(version):
                    if field.bits is not None and hasattr(field.bits, "async_"):
                        setattr(request, field.name, field.bits(0, async_=True))
                noise.events = events()
                tried(lambda a=agent, r=request: a.complete(r))  # type: ignore[misc]
            noise.events = events()
            tried(lambda a=agent: a.dispatch(0.0))  # type: ignore[misc]
            agent.close()
    for how in protocol.kinds:
        noise = Noise(lambda frame: few(frame, answer(frame)), iter(()))
        agent = Agent(InProcess(noise), timeout=0.0, versions={protocol.id: version})
        tried(lambda a=agent, h=how: a.discover(protocol, h))  # type: ignore[misc]
        agent.close()


def few(frame: bytes, answer: bytes) -> bytes:
    """Of how many things there are, a number that does not take the whole day to ask for."""
    if frame[0] == 0x1:
        return frame[:4] + bytes(4) + (0x00030003).to_bytes(4, "little") + bytes(32)
    return answer


@pytest.mark.parametrize(("protocol", "version", "request_class"), LISTS)
def test_a_list_whose_counts_lie_ends_with_what_was_found_and_expected(
    protocol: Protocol, version: int, request_class: type[Request[Any]]
) -> None:
    paging = request_class.PAGING
    assert paging is not None
    if paging.remaining is None:
        return  # it ends with the first empty part
    for returned, remaining in ((0, 5), (0xFFFFFFFF, 0), (0xFFFFFFFF, 5)):
        response = of_zeros(request_class.RESPONSE, version)
        put(response, paging.returned, 0)
        put(response, paging.remaining, remaining)
        payload = bytearray(codec.encode(response, version))
        put(response, paging.returned, returned)
        raw = head(response, version, paging.returned)
        payload[: len(raw)] = raw
        noise = Noise(lambda frame, p=bytes(payload): frame[:4] + bytes(4) + p, iter(()))  # type: ignore[misc]
        agent = Agent(InProcess(noise), versions={protocol.id: version})
        listing = agent.listing(of_zeros(request_class, version))
        assert isinstance(listing.error, RemoteProtocolError)
        assert listing.items == []
        assert noise.asked <= 3  # of a vendor's protocol, first who the vendor is
        assert "expected" in listing.error.message or "is said to have" in listing.error.message
        agent.close()


def put(response: Any, path: str, value: int) -> None:
    """Put a count where ``path`` says, as large as its bits allow."""
    name, _, part = path.partition(".")
    if not part:
        setattr(response, name, value)
        return
    word = getattr(response, name)
    [bit] = [bit for bit in type(word).PARTS if bit.name == part]
    setattr(response, name, type(word)(word, **{part: min(value, bit.mask)}))


def head(response: Any, version: int, path: str) -> bytes:
    """The bytes of a response up to the count of its list."""
    data = b""
    for field in type(response).layout(version):
        if field.kind in ("array", "packed"):
            break
        data += int(getattr(response, field.name)).to_bytes(field.size, "little")
        if field.name == path.partition(".")[0]:
            break
    return data
