"""Frames for people: the bytes of one message in, one record of plain values out.

A frame tells neither its direction (type 0 is request and response) nor the version of its
protocol, nor whose protocol a number from 0x80 is; all have to be known. :class:`Decoder` learns
versions and vendor from the frames of one connection as they pass. Nothing a peer sends makes this
module raise: what is wrong with a frame stands in its record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.protocols import base, by_id, id_name
from scmictl.protocols.common import MessageAttributes, NegotiateProtocolVersion, ProtocolVersion
from scmictl.protocols.protocol import Protocol
from scmictl.wire import Field, Message, Request, Struct, codec, header, status_name
from scmictl.wire.header import Header
from scmictl.wire.record import record as fields_of

Record = dict[str, Any]
"""The keys of `decode` in CLI.md, and ``status``: null where the kind of frame has none.

Where there is something to tell: ``reserved`` (bits of the header), ``hidden`` (bytes that no field
shows).
"""

_COMMON = {request.MESSAGE_ID: request for request in (ProtocolVersion, MessageAttributes)}
"""The commands that every protocol has, also one that we do not know."""
_SUB_VENDOR = (base.ID, base.DiscoverSubVendor.MESSAGE_ID)


def decode(
    frame: bytes,
    *,
    outgoing: bool,
    version: int | None = None,
    sent: bytes | None = None,
    vendor: str | None = None,
    sub_vendor: str | None = None,
    protocol: Protocol | None = None,
) -> Record:
    """Return the record of one frame.

    ``outgoing`` means from the agent to the platform. ``version`` is that of the frame's protocol
    as the platform reports it, our newest by default. ``sent`` is the frame of the request that a
    response answers: it tells a response that only says "accepted" from one that is too short;
    without it the status alone is a good answer to everything that can be asynchronous. ``vendor``
    and ``sub_vendor`` say whose the protocols from 0x80 are, as in :func:`scmictl.protocols.by_id`;
    ``protocol`` is that of the frame where it is known already.

    ``error`` says why the fields are incomplete or missing; ``surplus`` then is what could not be
    read. A status other than SUCCESS is no
    error; it has no fields. Words that nothing is known about are listed as ``words``.
    """
    if len(frame) < header.SIZE:
        text = f"a frame of {len(frame)} bytes, expected at least the {header.SIZE} of the header"
        return _record(surplus=frame.hex(), error=text)
    head = header.unpack(header.WORD.unpack_from(frame)[0])
    payload = frame[header.SIZE :]
    if protocol is None or protocol.id != head.protocol_id:
        protocol = by_id(head.protocol_id, vendor, sub_vendor)
    name = protocol.name if protocol else id_name(head.protocol_id, vendor, sub_vendor)
    kind = _kind(head, outgoing)
    request = (_COMMON if protocol is None else protocol.by_id).get(head.message_id)
    layout = _layout(protocol, request, head, kind)
    spoken = 0 if protocol is None else protocol.layout_version(version or protocol.newest)
    found = _record(
        protocol=name,
        message=_name(layout, request, head, kind),
        type=kind,
        token=head.token,
    )
    if head.reserved:
        found["reserved"] = f"{head.reserved:#x}"
    try:
        if kind in ("response", "delayed_response"):
            payload = _take_status(found, payload)
            if found["status"] != "SUCCESS":
                found["surplus"] = payload.hex()
                return found
        if kind == "response" and request is not None and _accepts(request, spoken, payload, sent):
            found["surplus"] = payload.hex()
        elif layout is None:
            _raw_words(found, payload)
            found["error"] = _unexpected(request, kind)
        else:
            _read(found, layout, spoken, payload)
    except RemoteProtocolError as error:
        # The class at the front of the text is the record's message.
        found["error"] = error.message.partition(": ")[2] or error.message
        if isinstance(error.partial, Struct):
            found["fields"] = fields_of(error.partial, spoken)
            _show_hidden(found, error.partial, spoken, payload)
            payload = payload[_size(error.partial, spoken) :]
        found["surplus"] = payload.hex()
    return found


def _record(**known: Any) -> Record:
    return {
        "protocol": None,
        "message": None,
        "type": None,
        "token": None,
        "status": None,
        "fields": {},
        "surplus": "",
        "error": None,
        **known,
    }


def _kind(head: Header, outgoing: bool) -> str:
    if head.message_type == header.COMMAND:
        return "request" if outgoing else "response"
    return header.TYPE_NAMES[head.message_type]


def _layout(
    protocol: Protocol | None, request: type[Request[Any]] | None, head: Header, kind: str
) -> type[Struct] | None:
    """Return the class that declares the fields of this frame, if there is one."""
    if kind == "notification":
        return None if protocol is None else protocol.events_by_id.get(head.message_id)
    if request is None:
        return None
    if kind == "request":
        return request
    return {"response": request.RESPONSE, "delayed_response": request.DELAYED}.get(kind)


def _name(
    layout: type[Struct] | None, request: type[Request[Any]] | None, head: Header, kind: str
) -> str:
    """Return the specification name, or the number where there is none."""
    if layout is not None and issubclass(layout, Message):
        return layout.SPEC
    if request is not None and kind != "notification":
        return request.SPEC
    return f"{head.message_id:#x}"


def _take_status(found: Record, payload: bytes) -> bytes:
    found["status"] = status_name(codec.read_status(payload, found["message"]))
    return payload[4:]


def _accepts(request: type[Request[Any]], version: int, payload: bytes, sent: bytes | None) -> bool:
    """Return whether a response only says that the command was accepted and goes on."""
    if request.DELAYED is None:
        return False
    if sent is None:
        return not payload
    try:
        return codec.decode(request, version, sent, header.SIZE).expects_delayed
    except RemoteProtocolError:
        return not payload  # the request was sent byte by byte, and wrong


def _read(found: Record, layout: type[Struct], version: int, payload: bytes) -> None:
    message = codec.decode(layout, version, payload)
    found["fields"] = fields_of(message, version)
    found["surplus"] = message.surplus.hex()
    _show_hidden(found, message, version, payload)


def _show_hidden(found: Record, message: Struct, version: int, payload: bytes) -> None:
    hidden = _hidden(message, version, payload)
    if hidden:
        found["hidden"] = hidden


def _hidden(message: Struct, version: int, payload: bytes) -> str:
    """Return in hex what no field shows: bytes behind the NUL of a text, padding that is not 0."""
    if any(field.kind == "construct" for field in message.layout(version)):
        parts = _changed(message, version, payload)
    else:
        parts = _unseen(message, version, payload)[0]
    return " ".join(run.hex() for part in parts for run in part.split(b"\0") if run)


def _unseen(struct: Struct, version: int, payload: bytes, at: int = 0) -> tuple[list[bytes], int]:
    """Return what of a struct at an offset stands in no field, and where the struct ends."""
    parts: list[bytes] = []
    for field in struct.layout(version):
        value = getattr(struct, field.name, None)
        if value is None:
            continue
        end = at + _field_size(field, value, version)
        if field.kind == "text":
            parts.append(payload[at:end].partition(b"\0")[2])
        elif field.kind == "packed":
            parts.append(payload[at + len(value) : end])
        elif field.kind == "array":
            for item in value if _is_struct(field) else ():
                inner, at = _unseen(item, version, payload, at)
                parts += inner
        at = end
    return parts, at


def _changed(message: Struct, version: int, payload: bytes) -> list[bytes]:
    """Return what is lost when a message with a construct type of its own is built again."""
    try:
        shown = codec.encode(message, version)
    except LocalProtocolError:
        return []
    pairs = zip(payload, shown, strict=False)
    return [bytes(byte if byte != again else 0 for byte, again in pairs)]


def _size(struct: Struct, version: int) -> int:
    """Return the number of bytes of the fields that a struct has, in a layout or cut short."""
    values = ((field, getattr(struct, field.name, None)) for field in struct.layout(version))
    return sum(_field_size(field, value, version) for field, value in values if value is not None)


def _field_size(field: Field, value: Any, version: int) -> int:
    if field.kind == "packed":
        return len(value) + -len(value) % 4
    if field.kind != "array":
        return field.size
    if _is_struct(field):
        return sum(_size(item, version) for item in value)
    return len(value) * codec.element_size(field, version)


def _is_struct(field: Field) -> bool:
    """Return whether the elements of an array have fields of their own."""
    return isinstance(field.element, type) and issubclass(field.element, Struct)


def _raw_words(found: Record, payload: bytes) -> None:
    whole = len(payload) // 4 * 4
    words = [f"{int.from_bytes(payload[i : i + 4], 'little'):#010x}" for i in range(0, whole, 4)]
    found["fields"] = {"words": words} if words else {}
    found["surplus"] = payload[whole:].hex()


def _unexpected(request: type[Request[Any]] | None, kind: str) -> str | None:
    """Return what is wrong with a kind of frame; that we do not know a message is no fault."""
    if kind == "reserved":
        return "message type 1 is reserved, expected 0, 2 or 3"
    if kind == "delayed_response" and request is not None:
        return "a delayed response, which this message does not have"
    return None


class Decoder:
    """Decodes the frames of one connection, in their order.

    Theory of operation. Every frame of both directions passes :meth:`decode` once. A version is
    learned from the answers to PROTOCOL_VERSION and NEGOTIATE_PROTOCOL_VERSION; until then it is
    what ``versions`` says by protocol id, else our newest. Vendor and sub-vendor are learned from
    the answers of the base protocol, unless ``vendor`` is given; a platform that has been asked for
    its sub-vendor has none until it says one. Requests are kept by their token, of which there are
    1024, until it is used again, so that each response meets its request. An answer whose request
    did not pass here teaches nothing, except with ``recorded``: a recording may begin in the
    middle, and what is in it has been accepted by somebody.
    """

    def __init__(
        self,
        versions: Mapping[int, int] | None = None,
        vendor: str | None = None,
        sub_vendor: str | None = None,
        *,
        recorded: bool = False,
    ) -> None:
        self.versions = dict(versions or {})
        self.vendor = vendor
        self.sub_vendor = sub_vendor
        self.recorded = recorded
        self._fixed = frozenset(self.versions)
        self._fixed_vendor = vendor is not None
        self._requests: dict[int, bytes] = {}

    def decode(self, frame: bytes, *, outgoing: bool) -> Record:
        """Return the record of the next frame."""
        found = self.read(frame, outgoing=outgoing)
        if found["type"] == "request":
            self._requests[found["token"]] = frame
            head = _header(frame)
            asks = (head.protocol_id, head.message_id)
            if asks == _SUB_VENDOR and not self._fixed_vendor and self.sub_vendor is None:
                self.sub_vendor = ""
        elif found["type"] == "response" and found["status"] == "SUCCESS":
            sent = self.request_of(frame)
            if sent is not None or self.recorded:
                self._learn(frame, sent)
        return found

    def read(self, frame: bytes, *, outgoing: bool) -> Record:
        """Return the record of a frame with what is known so far; it teaches nothing."""
        protocol_id = _header(frame).protocol_id if len(frame) >= header.SIZE else -1
        return decode(
            frame,
            outgoing=outgoing,
            version=self.versions.get(protocol_id),
            sent=None if outgoing else self.request_of(frame),
            vendor=self.vendor,
            sub_vendor=self.sub_vendor,
        )

    def request_of(self, frame: bytes) -> bytes | None:
        """Return the request that a response or delayed response belongs to, if it passed here."""
        if len(frame) < header.SIZE:
            return None
        head = _header(frame)
        sent = self._requests.get(head.token)
        if sent is None or head.message_type == header.NOTIFICATION:
            return None
        asked = _header(sent)
        same = (asked.protocol_id, asked.message_id) == (head.protocol_id, head.message_id)
        return sent if same else None

    def _learn(self, frame: bytes, sent: bytes | None) -> None:
        # Nothing but the answer is needed, except where only the request says which version it is.
        head = _header(frame)
        if head.protocol_id == base.ID and not self._fixed_vendor:
            if head.message_id == base.DiscoverVendor.MESSAGE_ID:
                self.vendor = codec.read_text(frame[8:24])
            elif head.message_id == base.DiscoverSubVendor.MESSAGE_ID:
                self.sub_vendor = codec.read_text(frame[8:24])
        if head.message_id == ProtocolVersion.MESSAGE_ID and head.protocol_id not in self._fixed:
            said = frame[8:12]
        elif head.message_id == NegotiateProtocolVersion.MESSAGE_ID and sent is not None:
            said = sent[4:8]
        else:
            return
        if len(said) == 4:
            self.versions[head.protocol_id] = int.from_bytes(said, "little")


def _header(frame: bytes) -> Header:
    return header.unpack(header.WORD.unpack_from(frame)[0])
