"""Takes a frame through the checks that all commands share, and packs what comes of it.

In this order: the message type is that of a command (else PROTOCOL_ERROR), the protocol is there
(NOT_SUPPORTED), the agent may use it (DENIED), the message exists in the version in force
(NOT_FOUND), the payload has exactly its size (PROTOCOL_ERROR), and it changes nothing if the
connection is read-only (DENIED). The rest is the behaviour's. Every refusal is the status word
alone, under the header as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scmictl.errors import RemoteProtocolError
from scmictl.platform.behaviour import LATER, Call, Malformed, Refusal
from scmictl.wire import Effect, Status, codec, header, status

if TYPE_CHECKING:
    from scmictl.platform.port import Port

SMALLEST = header.SIZE + status.WORD.size
"""The size of every refusal."""
SUCCESS = status.WORD.pack(Status.SUCCESS)


def respond(port: Port, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
    """Return the response to ``frame``, at most ``room`` bytes long.

    None if it comes later, with ``cookie``, or if none can be given: the frame has no header, or
    not even a status fits. Then nothing has been done either.
    """
    if len(frame) < header.SIZE or room < SMALLEST:
        return None
    word: int = header.WORD.unpack_from(frame)[0]
    try:
        payload = _payload(port, cookie, word, frame[header.SIZE :], room, now)
        if payload is None:
            return None
        if header.SIZE + len(payload) > room:
            # Only reads have long answers, so nothing has been changed.
            raise Malformed
    except Refusal as refusal:
        payload = status.WORD.pack(refusal.status)
        if isinstance(refusal, Malformed):
            port.platform.report(port.agent, word, refusal.status)
    return frame[: header.SIZE] + payload


def _payload(
    port: Port, cookie: int, word: int, payload: bytes, room: int, now: float
) -> bytes | None:
    head = header.unpack(word)
    if head.message_type != header.COMMAND:
        raise Malformed
    behaviour = port.platform.behaviours.get(head.protocol_id)
    if behaviour is None:
        raise Refusal(Status.NOT_SUPPORTED)
    if port.platform.permissions.revoked(port.agent, head.protocol_id):
        raise Refusal(Status.DENIED)
    version = port.versions[head.protocol_id]
    found = behaviour.method(head.message_id, version)
    if found is None:
        raise Refusal(Status.NOT_FOUND)
    message, handler = found
    try:
        request = codec.decode(message, version, payload)
    except RemoteProtocolError:
        raise Malformed from None
    if request.surplus:
        raise Malformed
    if port.readonly and request.effect > Effect.SUBSCRIBE:
        raise Refusal(Status.DENIED)
    response = handler(Call(port, cookie, word, version, room, now), request)
    if response is LATER:
        return None
    return SUCCESS if response is None else codec.answer(response, version)
