"""What is wrong with the fields of `call`, for every message of every protocol: told, not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl import protocols
from scmictl.errors import ScmictlError
from scmictl.protocols import Protocol
from scmictl.wire import Request, Struct
from scmictl.wire.fields import MISSING

PROTOCOLS = [protocols.by_name(name) for _, name in protocols.STANDARD]
HUGE = 1 << 70


def newest(protocol: Protocol) -> int:
    """The newest version there is, an experimental one too: all its fields can be said."""
    return protocol.versions[-1]


def good(request: type[Request[Any]], version: int) -> dict[str, str]:
    """Words for every field, all of them 0."""
    return {
        field.key: f"{field.key}:=[]" if field.kind == "array" else f"{field.key}=0"
        for field in request.layout(version)
    }


def wrong(request: type[Request[Any]], version: int) -> Iterator[tuple[str, list[str]]]:
    """Yield which field is wrong, and the words with that one wrong."""
    fields = good(request, version)
    for field in request.layout(version):
        others = [word for key, word in fields.items() if key != field.key]
        bad = []
        if field.kind == "array":
            bad = [f"{field.key}=1", f"{field.key}:=[1]", f"{field.key}:=nonsense"]
            assert isinstance(field.element, type)
            if issubclass(field.element, Struct):
                bad += [f"{field.key}[0].nosuch=1", f"{field.key}[1].type=0"]
        else:
            bad = [f"{field.key}={HUGE}", f"{field.key}=-{HUGE}", f"{field.key}=nosuch"]
            bad.append(f"{field.key}:=[1]")
            if field.kind[0] != "i":
                bad.append(f"{field.key}=-1")
        if field.bits is not None:
            bad.append(f"{field.key}.nosuch=1")
            for part in field.bits.at(version).PARTS:
                over = part.mask + 1
                bad += [f"{field.key}.{part.key}={over}", f"{field.key}.{part.key}=nosuch"]
        for word in bad:
            yield field.key, [*others, word]


REQUESTS = [
    pytest.param(protocol, request, id=f"{protocol.name}.{request.SPEC}")
    for protocol in PROTOCOLS
    for request in protocol.requests
]


@pytest.mark.parametrize(("protocol", "request_class"), REQUESTS)
def test_a_field_that_is_wrong_is_named_and_nothing_is_sent(
    console: Callable[..., Any], protocol: Protocol, request_class: type[Request[Any]]
) -> None:
    one = console("sim:demo")
    version = newest(protocol)
    head = [
        "call", f"{protocol.name}.{request_class.SPEC}",
        "--proto", f"{protocol.name}={protocols.version_text(version)}", "--yes",
    ]  # fmt: skip
    for key, words in wrong(request_class, version):
        refused(one, [*head, *words], key)
    fields = good(request_class, version)
    refused(one, [*head, *fields.values(), "nosuch=1"], "nosuch")
    layout = request_class.layout(version)
    for field in layout:
        # No list is an empty one, and a count follows from its list.
        counts = [str(other.count).partition(".")[0] for other in layout]
        if field.default is MISSING and field.kind != "array" and field.name not in counts:
            rest = [word for key, word in fields.items() if key != field.key]
            refused(one, [*head, *rest], field.key)
    assert not [frame for frame in one.frames if frame.outgoing]


def refused(one: Any, words: list[str], named: str) -> None:
    """Check that a line is exit 2, in one line that names the field."""
    with pytest.raises(ScmictlError) as raised:
        one.session.words(words)
    assert raised.value.exit_code == 2, words
    assert "\n" not in raised.value.message
    assert named in raised.value.message, (words, raised.value.message)
