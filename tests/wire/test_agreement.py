"""The generated codec and the construct schema are one thing in two forms.

For every message of every protocol, in every layout it has had, both must build the same bytes,
read the same values and refuse the same nonsense: on messages generated from the declarations, on
those messages cut short, prolonged or damaged, and on bytes that were never a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import protocols
from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.protocols import Protocol
from scmictl.wire import Bits, Field, Struct, codec, holds, schema

LONGEST = 4
"""Elements in a generated list."""

INTEGERS = {
    "u8": (0, 0xFF),
    "u16": (0, 0xFFFF),
    "u32": (0, 0xFFFFFFFF),
    "i32": (-(1 << 31), (1 << 31) - 1),
    "u64": (0, (1 << 64) - 1),
    "i64": (-(1 << 63), (1 << 63) - 1),
}

PROTOCOLS = [protocols.by_name(name) for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]


def structs(protocol: Protocol) -> Iterator[type[Struct]]:
    """All classes whose bytes stand in a frame of ``protocol``."""
    for request in protocol.requests:
        yield request
        yield request.RESPONSE
        if request.DELAYED is not None:
            yield request.DELAYED
    yield from protocol.notifications


def versions(protocol: Protocol, cls: type[Struct]) -> list[int]:
    """The released versions, those around each change, and minor ones nobody has released."""
    found = {protocol.newest | 0xFFFF}
    for change in (*protocol.versions, *cls.changes()):
        found |= {change - 1, change, change + 1}
    return sorted(version for version in found if version >= protocol.versions[0])


EVERY = [(protocol, cls) for protocol in PROTOCOLS for cls in structs(protocol)]
LAYOUTS = {
    (cls, cls.epoch(version)): version
    for protocol, cls in EVERY
    for version in versions(protocol, cls)
}
"""Each layout once, with the newest version that has it; protocols share some responses."""


def each(layouts: dict[tuple[type[Struct], int], int]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("cls", "version"),
        [
            pytest.param(cls, v, id=f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}-{v:#x}")
            for (cls, _), v in layouts.items()
        ],
    )


every_struct = pytest.mark.parametrize(
    ("protocol", "cls"), [pytest.param(p, cls, id=f"{p.name}.{cls.__name__}") for p, cls in EVERY]
)
every_layout = each(LAYOUTS)
every_layout_with_fields = each({key: v for key, v in LAYOUTS.items() if key[0].layout(v)})
generated = settings(derandomize=True, deadline=None, max_examples=50, database=None)


def ints(kind: str) -> st.SearchStrategy[int]:
    return st.integers(*INTEGERS[kind])


def words(bits: type[Bits]) -> st.SearchStrategy[Bits]:
    """Any word at all, reserved bits included."""
    return ints("u32").map(bits)


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=size - 1)


def elements(field: Field, version: int) -> st.SearchStrategy[Any]:
    if field.kind == "packed":
        return ints("u8")
    if isinstance(field.element, str):
        return ints(field.element)
    return words(field.element) if issubclass(field.element, Bits) else of(field.element, version)


@st.composite
def of(draw: st.DrawFn, cls: type[Struct], version: int) -> Struct:
    """A ``cls`` as it can be in ``version``: counts tell the truth, conditions are met."""
    message: Struct = object.__new__(cls)
    for field in cls.FIELDS:
        setattr(message, field.name, None)
    ended = False
    for field in cls.layout(version):
        if ended or (field.when and not holds(message, field.when)):
            continue
        value: Any
        if field.kind in ("array", "packed"):
            least, most = field.minimum, most_elements(cls, field)
            if isinstance(field.count, int):
                least = most = field.count
            value = draw(st.lists(elements(field, version), min_size=least, max_size=most))
        elif field.kind == "text":
            value = draw(texts(field.size))
        elif field.bits is not None:
            value = draw(words(field.bits))
        else:
            value = draw(ints(field.kind))
        if field.optional and draw(st.booleans()):
            value = None
            ended = True
        setattr(message, field.name, value)
        if isinstance(field.count, str):
            count(message, field.count, len(value))
    return message


def most_elements(cls: type[Struct], field: Field) -> int:
    """How long a generated list may be; ext_len of NXP's reset reasons counts to 3."""
    name, _, part = field.count.partition(".") if isinstance(field.count, str) else ("", "", "")
    for counter in cls.FIELDS:
        if counter.name == name and counter.bits is not None:
            bit = next(bit for bit in counter.bits.PARTS if bit.name == part)
            return min(LONGEST, int(bit.mask))
    return LONGEST


def count(message: Struct, path: str, number: int) -> None:
    """Put ``number`` into the (part of the) field that ``path`` names."""
    name, _, part = path.partition(".")
    if part:
        word = getattr(message, name)
        setattr(message, name, type(word)(word, **{part: number}))
    else:
        setattr(message, name, number)


def read(cls: type[Struct], version: int, payload: bytes) -> Struct | None:
    """What both make of ``payload``, checked to be the same; None if both refuse it."""
    try:
        fast = codec.decode(cls, version, payload)
    except RemoteProtocolError as error:
        assert "\n" not in str(error)
        with pytest.raises(RemoteProtocolError):
            schema.parse(cls, version, payload)
        return None
    slow, used = schema.parse(cls, version, payload)
    if used < len(payload):
        slow.surplus = payload[used:]
    assert fast == slow
    return fast


def test_the_protocols_have_messages_to_compare() -> None:
    names = {protocol.name for protocol in PROTOCOLS}
    assert names >= {"base", "pinctrl", "telemetry", "nxp-lmm", "nxp-misc"}
    assert len(names) == len(protocols.STANDARD) + len(protocols.VENDOR)
    assert len(LAYOUTS) > len({cls for _, cls in EVERY})


@every_struct
def test_every_version_has_one_of_the_layouts_that_are_compared(
    protocol: Protocol, cls: type[Struct]
) -> None:
    for version in versions(protocol, cls):
        assert shape(cls, version) == shape(cls, LAYOUTS[cls, cls.epoch(version)])


@every_struct
def test_both_agree_in_every_version_not_only_in_those_where_something_changes(
    protocol: Protocol, cls: type[Struct]
) -> None:
    for version in versions(protocol, cls):
        compare(cls, version, examples=3)


def shape(cls: type[Struct], version: int) -> list[Any]:
    """Everything in a layout that can depend on the version."""
    found: list[Any] = []
    for field in cls.layout(version):
        found.append(field.name)
        for inner in (field.bits, field.element):
            if isinstance(inner, type) and issubclass(inner, Bits):
                found.append([part.name for part in inner.at(version).PARTS])
            elif isinstance(inner, type) and issubclass(inner, Struct):
                found.append(shape(inner, version))
    return found


@every_layout
def test_both_build_the_same_bytes_and_read_back_what_was_built(
    cls: type[Struct], version: int
) -> None:
    compare(cls, version, examples=50)


def compare(cls: type[Struct], version: int, examples: int) -> None:
    @settings(generated, max_examples=examples)
    @given(of(cls, version))
    def check(message: Struct) -> None:
        payload = codec.encode(message, version)
        assert schema.build(message, version) == payload
        assert codec.minimum_size(cls, version) <= len(payload)
        assert codec.fixed_size(cls, version) in (None, len(payload))
        assert read(cls, version, payload) == message

    check()


@every_layout
def test_both_keep_what_comes_after_the_message(cls: type[Struct], version: int) -> None:
    @settings(generated, max_examples=25)
    @given(of(cls, version), st.binary(min_size=1, max_size=20))
    def check(message: Struct, more: bytes) -> None:
        payload = codec.encode(message, version) + more
        found = read(cls, version, payload)
        assert found is not None
        assert codec.encode(found, version) + found.surplus == payload

    check()


@every_layout_with_fields
def test_both_judge_damaged_messages_and_random_bytes_alike(
    cls: type[Struct], version: int
) -> None:
    @generated
    @given(st.data())
    def check(data: st.DataObject) -> None:
        payload = bytearray(codec.encode(data.draw(of(cls, version)), version))
        del payload[data.draw(st.integers(0, len(payload))) :]
        if payload and data.draw(st.booleans()):
            payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
        payload += data.draw(st.one_of(st.just(b""), st.binary(max_size=100)))
        read(cls, version, bytes(payload))

    check()


@every_layout_with_fields
def test_both_refuse_to_build_what_does_not_fit(cls: type[Struct], version: int) -> None:
    @generated
    @given(st.data())
    def check(data: st.DataObject) -> None:
        message = data.draw(of(cls, version))
        field = data.draw(st.sampled_from([f for f in cls.layout(version) if not f.when]))
        setattr(message, field.name, data.draw(st.sampled_from(misfits(field, message))))
        for build in (codec.encode, schema.build):
            with pytest.raises(LocalProtocolError) as caught:
                build(message, version)
            assert "\n" not in str(caught.value)

    check()


def misfits(field: Field, message: Struct) -> list[Any]:
    """Values that ``field`` of ``message`` cannot hold."""
    if field.kind == "text":
        return ["x" * field.size, "a\0b", "é", None, 5]
    if field.kind in ("array", "packed"):
        good = getattr(message, field.name)
        found = [None, 5, *(bad + good[1:] for bad in (["x"], [None], [-1 << 70], [1 << 70]))]
        if field.count is not None:
            found.append([*good, *good, 0])
        if field.kind == "packed":
            found += [bad + good[1:] for bad in ([-1], [256])]
        return [*found, []] if field.minimum else found
    low, high = INTEGERS["u32" if field.bits is not None else field.kind]
    return [low - 1, high + 1, 1 << 70, "x", 1.5, *([] if field.optional else [None])]
