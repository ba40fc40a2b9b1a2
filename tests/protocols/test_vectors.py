"""Frames that other programs or other people made (``vectors/``) are read, and made again."""

from __future__ import annotations

import struct
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scmictl import protocols
from scmictl.wire import (
    Delayed,
    Message,
    Notification,
    Request,
    Response,
    Status,
    Struct,
    codec,
    header,
    schema,
)
from scmictl.wire.record import record

FILES = {
    path.stem: tomllib.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "vectors").glob("*.toml"))
    if path.stem not in ("layouts", "linux-6.12")
}
LINUX = tomllib.loads((Path(__file__).parents[1] / "vectors" / "linux-6.12.toml").read_text())
FRAMES = [
    pytest.param(frame, id=f"{file}-{number}-{frame['message'][1]}-{frame['message'][2]}")
    for file, content in FILES.items()
    for number, frame in enumerate(content["frame"])
]
HEADERS = [
    pytest.param(entry, id=f"{file}-{entry['name']}")
    for file, content in FILES.items()
    for entry in content.get("header", [])
]
TYPES = {
    "request": header.COMMAND,
    "response": header.COMMAND,
    "delayed": header.DELAYED,
    "notification": header.NOTIFICATION,
}


def octets(frame: dict[str, Any]) -> bytes:
    """The bytes of a frame, given in memory order or as little-endian words."""
    if "hex" in frame:
        return bytes.fromhex(frame["hex"])
    words = [int(word, 16) for word in frame["words"].split()]
    return struct.pack(f"<{len(words)}I", *words)


def classes(frame: dict[str, Any]) -> tuple[type[Message], type[Struct]]:
    """The class that knows the frame's number and the one of its payload."""
    protocol, spec, kind, _ = frame["message"]
    found = protocols.by_name(protocol)
    message: type[Message] = found.by_spec[spec]
    if kind == "response":
        assert issubclass(message, Request)
        return message, message.RESPONSE
    return message, message


def present(value: Any) -> Any:
    """A record without the fields that are null, which TOML cannot say."""
    if isinstance(value, dict):
        return {key: present(item) for key, item in value.items() if item is not None}
    return [present(item) for item in value] if isinstance(value, list) else value


def test_there_are_frames_from_every_source() -> None:
    assert set(FILES) == {"linux-guest", "reference-a", "reference-b", "vhost-device-scmi"}
    assert all(frame["origin"] for content in FILES.values() for frame in content["frame"])


@pytest.mark.parametrize("frame", FRAMES)
def test_the_header_says_which_message_it_is(frame: dict[str, Any]) -> None:
    message, _ = classes(frame)
    found = header.unpack(int.from_bytes(octets(frame)[:4], "little"))
    assert (found.message_id, found.protocol_id) == (message.MESSAGE_ID, message.PROTOCOL_ID)
    assert found.message_type == TYPES[frame["message"][2]]
    assert found.token == frame.get("token", found.token)
    assert found.reserved == 0


@pytest.mark.parametrize("frame", FRAMES)
def test_the_payload_is_read_and_made_again(frame: dict[str, Any]) -> None:
    raw = octets(frame)
    _, _, kind, version = frame["message"]
    _, cls = classes(frame)
    start = 4
    if kind in ("response", "delayed"):
        start = 8
        status = codec.read_status(raw[4:], frame["name"])
        assert Status(status).name == frame.get("status", "SUCCESS")
        if status != Status.SUCCESS:
            assert len(raw) == start
            return
    message = codec.decode(cls, version, raw, start)
    assert present(record(message, version)) == frame.get("fields", {})
    assert message.surplus == bytes.fromhex(frame.get("surplus", ""))
    assert codec.encode(message, version) + message.surplus == raw[start:]
    assert schema.build(message, version) + message.surplus == raw[start:]


@pytest.mark.parametrize("frame", FRAMES)
def test_whole_frames_are_put_together_the_same(frame: dict[str, Any]) -> None:
    raw = octets(frame)
    _, _, kind, version = frame["message"]
    message, cls = classes(frame)
    token = int.from_bytes(raw[:4], "little") >> 18
    if "status" in frame:
        payload = struct.pack("<i", Status[frame["status"]])
    else:
        decoded = codec.decode(cls, version, raw, 4 if kind in ("request", "notification") else 8)
        if isinstance(decoded, Request | Notification):
            assert codec.frame(decoded, version, token) == raw
            return
        assert isinstance(decoded, Response | Delayed)
        payload = codec.answer(decoded, version) + decoded.surplus
    assert (
        header.frame(message.MESSAGE_ID, message.TYPE, message.PROTOCOL_ID, token, payload) == raw
    )


@pytest.mark.parametrize("entry", HEADERS)
def test_headers_of_other_protocols_are_read_and_made_again(entry: dict[str, Any]) -> None:
    word = int.from_bytes(bytes.fromhex(entry["hex"]), "little")
    assert list(header.unpack(word)) == [*entry["parts"], 0]
    assert header.pack(*entry["parts"]) == word


def test_the_device_answers_with_the_header_of_the_command() -> None:
    answered = 0
    for command, answer in pairwise(FILES["vhost-device-scmi"]["frame"]):
        if answer["message"][2] == "response":
            assert command["message"][:2] == answer["message"][:2]
            assert octets(command)[:4] == octets(answer)[:4]
            answered += 1
    assert answered > 30


@pytest.mark.parametrize("text", LINUX["frames"])
def test_every_command_of_a_linux_guest_is_read_and_made_again(text: str) -> None:
    raw = bytes.fromhex(text)
    head = header.unpack(int.from_bytes(raw[:4], "little"))
    protocol = protocols.by_id(head.protocol_id)
    assert protocol is not None
    request = codec.decode(protocol.by_id[head.message_id], protocol.newest, raw, header.SIZE)
    assert request.surplus == b""
    assert codec.frame(request, protocol.newest, 0) == raw


@pytest.mark.parametrize("text", LINUX["frames"])
def test_linux_leaves_room_for_the_response_that_we_declare(text: str) -> None:
    raw = bytes.fromhex(text)
    head = header.unpack(int.from_bytes(raw[:4], "little"))
    protocol = protocols.by_id(head.protocol_id)
    assert protocol is not None
    response = protocol.by_id[head.message_id].RESPONSE
    layout = response.layout(protocol.newest)
    if all(isinstance(field.size, int) and field.count is None for field in layout):
        size = 8 + sum(field.size for field in layout)
        # Exactly that, or the 128 bytes of a whole message where it expects any number of things.
        assert LINUX["frames"][text] in (size, 136)
