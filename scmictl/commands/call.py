"""`call` and `raw`: any message by its specification name, or byte by byte.

Nothing is checked but what sending needs (fields that parse and fit, and an event queue for what
comes by it), so that a platform's answer to anything can be seen. The record of an answer is
printed whatever its status; a status other than SUCCESS is the exit code then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scmictl import protocols, values
from scmictl.agent import Raw, Transfer
from scmictl.commands import fields, message
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
    Stream,
)
from scmictl.commands.context import Context
from scmictl.commands.explain import topic
from scmictl.errors import ScmictlError, StatusError, UsageError
from scmictl.protocols.decoding import decode
from scmictl.wire import Effect, Request, codec, header, status_name
from scmictl.wire.record import record as fields_of

COLUMNS = (
    Column("message", "MESSAGE"),
    Column("type", "TYPE"),
    Column("status", "STATUS"),
    Column("fields", "FIELDS"),
    Column("surplus", "SURPLUS"),
    Column("latency_us", "LATENCY", "us"),
)
_PAYLOAD = (*COLUMNS, Column("payload", "PAYLOAD"))
_BETWEEN = re.compile(r"0[xX]|[\s,:_]+")
_HEX = re.compile("(?:[0-9a-fA-F]{2})*")


def call(ctx: Context, args: Arguments) -> Output:
    """Send a message built from its fields, and return the answer."""
    _, kind = message.find(args.message, Request)
    version = _version(ctx, kind)
    request = fields.build(kind, args.assignments, version)
    payload = fields.payload(request, version, kind.SPEC)
    ctx.allow(request)
    try:
        ctx.layout_version(request)
    except StatusError:
        # The platform has no such protocol, but it shall have its say on this very message.
        return _answer(ctx, Raw(kind.PROTOCOL_ID, kind.MESSAGE_ID, payload), version)
    return _answer(ctx, request, version)


def raw(ctx: Context, args: Arguments) -> Output:
    """Send the bytes of a payload behind a header of the given numbers, and return the answer."""
    protocol_id, message_id, kind = _numbers(args)
    if kind is None:
        protocol = ctx.agent.protocols.by_id(protocol_id)
        kind = None if protocol is None else protocol.by_id.get(message_id)
    number = values.number(args.type) if args.type else header.COMMAND
    payload = _payload(args.payload or "")
    request: Request[Any] | Raw = Raw(protocol_id, message_id, payload, number)
    version = 0
    effect = Effect.WRITE
    if kind is not None and number == header.COMMAND:
        version = _version(ctx, kind)
        effect = Effect.HURTS if kind.HURTS_WHEN else kind.EFFECT
        typed = _typed(kind, payload, version)
        if typed is not None:
            request, effect = typed, typed.effect
    ctx.allow(request, effect=effect)
    return _answer(ctx, request, version, payload=True)


def check_call(args: Arguments) -> None:
    """Raise UsageError for a message or field that exists in no version."""
    protocol, kind = message.find(args.message, Request)
    fields.check(kind, args.assignments, protocol)


def check_raw(args: Arguments) -> None:
    """Raise UsageError for numbers out of range and for a payload that is not hex."""
    _numbers(args)
    if args.type and not 0 <= values.number(args.type) <= 3:
        raise UsageError(f"--type is {args.type}, expected 0 to 3")
    if args.payload and args.payload != "-" and not args.payload.startswith("@"):
        _payload(args.payload)


# --- sending --------------------------------------------------------------------------------------


def _version(ctx: Context, kind: type[Request[Any]]) -> int:
    """Return the version to lay ``kind`` out in, asking the platform only where it matters."""
    protocol = protocols.of(kind)
    assert protocol is not None, f"no protocol lists {kind.SPEC}"
    delayed = kind.DELAYED
    if kind.changes() or kind.RESPONSE.changes() or (delayed is not None and delayed.changes()):
        try:
            return ctx.agent.version(protocol)
        except StatusError:
            return protocol.newest
    return ctx.agent.versions.get(protocol.id, protocol.newest)


def _typed(kind: type[Request[Any]], payload: bytes, version: int) -> Request[Any] | None:
    """Return the message that is exactly these bytes, so that what follows it is understood too."""
    try:
        request = codec.decode(kind, version, payload)
        same = not request.surplus and codec.encode(request, version) == payload
    except ScmictlError:
        return None
    return request if same else None


def _answer(
    ctx: Context, request: Request[Any] | Raw, version: int, *, payload: bool = False
) -> Output:
    """Send ``request`` and return what comes: one record, or two when it is asynchronous."""
    transfer = ctx.send(request)
    if not transfer.payload and transfer.error is not None:
        raise transfer.error
    response = _response(ctx, transfer, version, payload=payload)
    columns = _PAYLOAD if payload else COLUMNS
    if transfer.awaiting or transfer.delayed is not None:
        return Stream(_both(ctx, transfer, response, payload=payload), columns)
    error = transfer.error
    if error is None and transfer.status:
        error = _refusal(ctx, transfer, response)
    return Rows([response], columns, many=False, error=error)


def _response(ctx: Context, transfer: Transfer[Any], version: int, *, payload: bool) -> Record:
    # The header has been compared with the request's: only the payload is the platform's own.
    frame = transfer.frame[: header.SIZE] + transfer.payload
    protocol_id, message_id = _ids(transfer)
    request = transfer.request
    protocol = None if isinstance(request, Raw) else protocols.of(request)
    if protocol is None:
        protocol = ctx.agent.protocols.by_id(protocol_id, ask=False)
    found = decode(
        frame, outgoing=False, version=version or None, sent=transfer.frame, protocol=protocol
    )
    if found["error"] is not None and transfer.error is None:
        ctx.notice(f"{transfer.spec}: {found['error']}")
    known = None if protocol is None else protocol.by_id.get(message_id)
    record = {
        "message": known.SPEC if known is not None else None,
        "type": "response",
        "status": found["status"],
        "fields": found["fields"],
        "surplus": found["surplus"],
        "latency_us": _microseconds(transfer),
    }
    if payload:
        record["payload"] = transfer.payload.hex()
    return record


def _both(
    ctx: Context, transfer: Transfer[Any], response: Record, *, payload: bool
) -> Iterator[Record]:
    """Yield the response, and the delayed response when it has come; raises what it says."""
    yield response
    ctx.agent.collect([transfer])
    delayed = transfer.delayed
    error = transfer.error
    if delayed is None and not isinstance(error, StatusError):
        raise error if error is not None else UsageError(f"{transfer.spec}: no delayed response")
    request = transfer.request
    assert not isinstance(request, Raw) and request.DELAYED is not None
    record: Record = {
        "message": request.DELAYED.SPEC,
        "type": "delayed_response",
        "status": status_name(error.status) if isinstance(error, StatusError) else "SUCCESS",
        "fields": fields_of(delayed, transfer.version) if delayed is not None else {},
        "surplus": delayed.surplus.hex() if delayed is not None else "",
        "latency_us": _microseconds(transfer),
    }
    if payload and delayed is not None:
        whole = codec.answer(delayed, transfer.version) + delayed.surplus
        record["payload"] = whole.hex()
    yield record
    if error is not None:
        raise error


def _refusal(ctx: Context, transfer: Transfer[Any], response: Record) -> ScmictlError:
    """Return the error for the status of a raw message, which no transfer looks at."""
    from scmictl.agent import status_error

    assert transfer.status is not None
    protocol = ctx.agent.protocols.by_id(_ids(transfer)[0], ask=False)
    return status_error(transfer.status, response["message"] or transfer.spec, protocol)


def _ids(transfer: Transfer[Any]) -> tuple[int, int]:
    head = header.unpack(header.WORD.unpack_from(transfer.frame)[0])
    return head.protocol_id, head.message_id


def _microseconds(transfer: Transfer[Any]) -> int | None:
    return None if transfer.latency is None else round(transfer.latency * 1e6)


# --- what was typed -------------------------------------------------------------------------------


def _numbers(args: Arguments) -> tuple[int, int, type[Request[Any]] | None]:
    """Return the numbers of protocol and message, and the message if it was named."""
    protocol_id = protocols.number_of(args.protocol)
    try:
        message_id = values.number(args.message)
    except UsageError:
        _, kind = message.with_number(args.message, protocol_id)
        return protocol_id, kind.MESSAGE_ID, kind
    if not 0 <= message_id <= 0xFF:
        raise UsageError(f"message is {args.message}, expected 0 to 0xff")
    return protocol_id, message_id, None


def _payload(text: str) -> bytes:
    """Return the bytes of HEX, of @FILE or of stdin (``-``).

    A file holds hex digits, or else the bytes themselves.
    """
    if text == "-" or text.startswith("@"):
        content = _read(text.removeprefix("@"))
        try:
            return _hex(content.decode("ascii"))
        except (UnicodeDecodeError, UsageError):
            return content
    return _hex(text)


def _hex(text: str) -> bytes:
    digits = _BETWEEN.sub("", text)
    if not _HEX.fullmatch(digits):
        raise UsageError(
            f"--payload: found {values.shown(text[:60])!r}, expected pairs of hex digits",
            hint="bytes in the order of the wire: 14000000 is the word 0x14; @FILE reads a file",
        )
    return bytes.fromhex(digits)


def _read(path: str) -> bytes:
    try:
        if path == "-":
            import sys

            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"--payload: cannot read {path}: {error.strerror}") from error


COMMANDS = (
    Command(
        "",
        "call",
        "send any message by its specification name",
        call,
        args=(
            Arg("message", "CLOCK_RATE_SET, clock.RATE_SET or clock.0x5", "message"),
            Arg("assignments", "FIELD=VALUE", "field", required=False, many=True),
        ),
        effect=Effect.HURTS,
        validate=check_call,
        topic=topic,
        details=(
            "Field names are the specification's, 64-bit values joined. A word with bits takes a "
            "number or its bits (attributes=0x1, attributes.enabled=1), an array its elements or "
            "JSON (configs[0].type=3, configs:='[...]'). Enumerations take their names, values "
            "their units (rate=24MHz). `call MESSAGE --help` shows the layout. The answer is "
            "printed whatever its status is; the exit code is that of the status."
        ),
    ),
    Command(
        "",
        "raw",
        "send any message byte by byte",
        raw,
        args=(
            Arg("protocol", "number or name of the protocol"),
            Arg("message", "number or name of the message"),
        ),
        options=(
            Opt("--payload", "what follows the header", "text", "HEX|@FILE|-"),
            Opt("--type", "message type of the header (default 0, a command)", "number", "N"),
        ),
        effect=Effect.HURTS,
        validate=check_raw,
        details=(
            "The payload is hex in the order of the bytes, from a file (@FILE) or from stdin (-). "
            "A file that is not hex is sent as it is. Without --payload there is none."
        ),
    ),
)
