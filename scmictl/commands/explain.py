"""`explain`: what a message, a status code or a header means, without any platform."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scmictl import protocols, values
from scmictl.agent import Owner
from scmictl.commands import layout, message
from scmictl.commands.command import Arg, Arguments, Command, Output, Record, Text
from scmictl.errors import StatusError, UsageError
from scmictl.protocols import Protocol, plugin, version_text
from scmictl.protocols.decoding import decode
from scmictl.wire import Message, Notification, Request, Status, header, status_name
from scmictl.wire.status import MEANINGS, VENDOR

_WORD = re.compile("0[xX][0-9a-fA-F]{1,8}|[0-9a-fA-F]{8}")
_BYTES = re.compile("(?:[0-9a-fA-F]{2})+")
_INTEGER = re.compile("-?[0-9]{1,10}")


def explain(ctx: Any, args: Arguments) -> Output:
    """Say what the words mean; nothing is sent."""
    return explained(args.words, ctx.vendor)


def explained(words: Sequence[str], vendor: Owner | None = None) -> Text:
    """Return what the words mean: a message, a protocol, a status, or a frame in hex.

    ``vendor`` says whose the numbers from 0x80 in a frame are. Raises UsageError for what is none
    of them.
    """
    text = " ".join(words).strip()
    status = _status(text)
    if status is not None:
        return _about_status(status)
    frame = _frame(words)
    if frame is not None:
        return _about_frame(frame, *(vendor or (None, None)))
    if text in [name for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]:
        # As it is written: RESET is a message, reset a protocol.
        return _about_protocol(protocols.by_name(text))
    try:
        found = _message(text)
    except UsageError:
        installed = plugin.named(text)
        if installed is None:
            raise
        return _about_protocol(installed.protocol)
    return _about_message(*found)


def check(args: Arguments) -> None:
    """Raise UsageError for words that mean nothing."""
    explained(args.words)


# --- messages -------------------------------------------------------------------------------------


def _message(text: str) -> tuple[Protocol, type[Message]]:
    try:
        return message.find(text, Message)
    except UsageError:
        try:
            # What all protocols have is the same in each of them.
            return message.find(f"base.{text}", Message)
        except UsageError:
            pass
        raise


def _about_message(protocol: Protocol, kind: type[Message]) -> Text:
    found = layout.layouts(protocol, kind)
    since = version_text(max(kind.SINCE, protocol.versions[0]))
    effect = _effect(kind)
    related = _related(protocol, kind)
    lines = [
        f"{kind.SPEC}: {message.kind_name(kind).replace('_', ' ')} {kind.MESSAGE_ID:#x} of the "
        f"{protocol.name} protocol ({protocol.id:#x}), since version {since}",
        kind.meaning(),
        *([f"effect: {effect}"] if effect else []),
        *([related] if related else []),
    ]
    for one in found:
        single = sum(other.frame == one.frame for other in found) == 1
        lines += ["", *layout.lines(one, single=single)]
    record: Record = {
        "message": kind.SPEC,
        "protocol": protocol.name,
        "protocol_id": protocol.id,
        "id": kind.MESSAGE_ID,
        "type": message.kind_name(kind),
        "meaning": kind.meaning(),
        "effect": effect,
        "since": since,
        "layouts": [one.record() for one in found],
    }
    return Text("\n".join(lines), record)


def _effect(kind: type[Message]) -> str | None:
    if not issubclass(kind, Request):
        return None
    if kind.HURTS_WHEN:
        return f"{kind.EFFECT.name.lower()}, hurts if {layout.conditions(kind.HURTS_WHEN)}"
    return kind.EFFECT.name.lower()


def _related(protocol: Protocol, kind: type[Message]) -> str | None:
    if issubclass(kind, Request):
        if kind.SUBSCRIBES is not None:
            return f"switches {kind.SUBSCRIBES.SPEC}"
        if kind.DELAYED is not None:
            when = " and ".join(condition.rstrip("_") for condition in kind.ASYNC_WHEN)
            return f"answered later by {kind.DELAYED.SPEC} if {when}"
        return None
    if issubclass(kind, Notification):
        names = [r.SPEC for r in protocol.requests if r.SUBSCRIBES is kind]
        return f"switched by {', '.join(names)}" if names else None
    return f"answers {', '.join(r.SPEC for r in protocol.requests if r.DELAYED is kind)}"


def _about_protocol(protocol: Protocol) -> Text:
    record: Record = {
        "protocol": protocol.name,
        "protocol_id": protocol.id,
        "versions": [version_text(version) for version in protocol.versions],
        "messages": [
            {
                "id": kind.MESSAGE_ID,
                "message": kind.SPEC,
                "type": message.kind_name(kind),
                "meaning": kind.meaning(),
            }
            for kind in protocol.by_spec.values()
        ],
    }
    return Text("\n".join(layout.protocol_lines(protocol)), record)


# --- status codes ---------------------------------------------------------------------------------


def _status(text: str) -> int | None:
    """Return the status that ``text`` names: by name, as a number, or as an unsigned word."""
    name = text.upper().replace("-", "_")
    if name in Status.__members__:
        return Status[name].value
    if _INTEGER.fullmatch(text) and (text.startswith("-") or (int(text) == 0 and len(text) < 8)):
        value = int(text)
        return value if value >= -(1 << 31) else None
    if _WORD.fullmatch(text):
        # A header has no bit 31, so a word with it is a negative number.
        value = int(text, 16)
        return value - (1 << 32) if value >> 31 else None
    return None


def _about_status(value: int) -> Text:
    name = status_name(value)
    if value in MEANINGS:
        meaning = MEANINGS[Status(value)]
    elif value <= VENDOR:
        meaning = "a code of the vendor's own"
    else:
        meaning = "reserved: no version of SCMI gives it a meaning"
    code = StatusError("", status=value, name=name).exit_code if value else 0
    record: Record = {"status": name, "value": value, "meaning": meaning, "exit_code": code}
    word = value & 0xFFFFFFFF
    return Text(f"{name}: status {value} ({word:#010x}), exit code {code}\n{meaning}", record)


# --- frames ---------------------------------------------------------------------------------------


def _frame(words: Sequence[str]) -> bytes | None:
    """Return the bytes that hex words mean: 32-bit words (0x00005403, 00005403) or bytes."""
    parts = " ".join(words).replace(",", " ").split()
    if not parts:
        return None
    if all(_WORD.fullmatch(part) for part in parts):
        return b"".join(int(part, 16).to_bytes(4, "little") for part in parts)
    joined = "".join(parts)
    if _BYTES.fullmatch(joined) and len(joined) >= 2 * header.SIZE:
        return bytes.fromhex(joined)
    return None


def _about_frame(frame: bytes, vendor: str | None, sub_vendor: str | None) -> Text:
    word = int.from_bytes(frame[: header.SIZE], "little")
    head = header.unpack(word)
    protocol = protocols.by_id(head.protocol_id, vendor, sub_vendor)
    called = protocols.id_name(head.protocol_id, vendor, sub_vendor)
    both = (True, False) if head.message_type == header.COMMAND else (False,)
    readings = [
        decode(frame, outgoing=outgoing, vendor=vendor, sub_vendor=sub_vendor) for outgoing in both
    ]
    name = readings[0]["message"]
    lines = [
        f"header {word:#010x}",
        f"  [7:0]    message id    {head.message_id:#x}  {name if protocol else ''}".rstrip(),
        f"  [9:8]    message type  {head.message_type}  {_type(head.message_type)}",
        f"  [17:10]  protocol id   {head.protocol_id:#x}  {called}",
        f"  [27:18]  token         {head.token}",
    ]
    if head.reserved:
        lines.append(f"  [31:28]  reserved      {head.reserved:#x}, expected 0")
    record: Record = {
        "header": word,
        "protocol": called,
        "message": name,
        "type": _type(head.message_type),
        "token": head.token,
        "reserved": head.reserved,
    }
    if len(frame) > header.SIZE:
        fitting = [r for r in readings if r["error"] is None and not r["surplus"]] or readings
        lines += [line for reading in fitting for line in _reading_lines(reading)]
        record["readings"] = fitting
    return Text("\n".join(lines), record)


def _type(number: int) -> str:
    return "request or response" if number == header.COMMAND else header.TYPE_NAMES[number]


def _reading_lines(reading: Record) -> list[str]:
    from json import dumps  # only where something is to be shown

    lines = [f"as a {reading['type'].replace('_', ' ')}"]
    for key in ("status", "fields", "surplus", "error"):
        if reading[key]:
            value = reading[key]
            text = value if isinstance(value, str) else dumps(value, ensure_ascii=False)
            lines.append(f"  {key:<8} {values.shown(text)}")
    return lines


COMMANDS = (
    Command(
        "",
        "explain",
        "say what a message, a status code or a frame in hex means",
        explain,
        args=(Arg("words", "MESSAGE, STATUS, PROTOCOL or HEX", "message", many=True),),
        connects=False,
        validate=check,
        details=(
            "A message gets its wire layout in every version. HEX is a header or a whole frame: "
            "words (0x00005403, or 8 digits each) or bytes in the order of the wire. --vendor says "
            "whose the protocols from 0x80 are."
        ),
    ),
)
