"""`explain`: what a message, a status code or a header means, without any platform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scmictl import protocols, values
from scmictl.agent import Owner
from scmictl.commands import layout, message, notation
from scmictl.commands.command import Arg, Arguments, Command, Output, Record, Text
from scmictl.errors import StatusError, UsageError
from scmictl.protocols import Protocol, plugin, version_text
from scmictl.protocols.decoding import Decoder
from scmictl.protocols.guess import Reader
from scmictl.wire import Message, Notification, Request, Status, header, status_name
from scmictl.wire.status import MEANINGS, VENDOR

_WORD = re.compile("0[xX][0-9a-fA-F]{1,8}|[0-9a-fA-F]{8}")
_INTEGER = re.compile("-?[0-9]{1,10}")
_OWN = [name for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]


def explain(ctx: Any, args: Arguments) -> Output:
    """Say what the words mean; nothing is sent."""
    return explained(args.words, ctx.vendor, ctx.versions)


def explained(
    words: Sequence[str], vendor: Owner | None = None, versions: Mapping[int, int] | None = None
) -> Text:
    """Return what the words mean: a message, a protocol, a status, or a frame in hex.

    ``vendor`` says whose the numbers from 0x80 in a frame are, and the statuses from -128 down;
    ``versions`` by protocol id which layouts it has. Raises UsageError for what is none of them.
    """
    text = " ".join(words).strip()
    status = _status(text)
    if status is not None:
        return _about_status(status, *(vendor or (None, None)))
    frame = _frame(text)
    if frame is not None:
        return _about_frame(frame, Decoder(versions, *(vendor or (None, None))))
    if text in _OWN:
        # As it is written: RESET is a message, reset a protocol.
        return _about_protocol(protocols.by_name(text))
    try:
        found = _message(text)
    except UsageError:
        if text.lower() in _OWN:
            return _about_protocol(protocols.by_name(text.lower()))
        installed = plugin.named(text)
        if installed is None:
            raise
        return _about_protocol(installed.protocol)
    return _about_message(*found)


def check(args: Arguments) -> None:
    """Raise UsageError for words that mean nothing."""
    explained(args.words)


def topic(words: Sequence[str]) -> str | None:
    """Return what there is to say of the first of ``words`` that is a message, None of none."""
    for word in words:
        try:
            return _about_message(*_message(word)).text
        except UsageError:
            continue
    return None


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
    first = max(kind.SINCE, protocol.versions[0])
    since = version_text(first)
    effect = _effect(kind)
    related = _related(protocol, kind)
    lines = [
        f"{kind.SPEC}: {message.kind_name(kind).replace('_', ' ')} {kind.MESSAGE_ID:#x} of the "
        f"{protocol.name} protocol ({protocol.id:#x}), since version {protocol.called(first)}",
        kind.meaning(),
        *([f"effect: {effect}"] if effect else []),
        *([related] if related else []),
    ]
    for one in found:
        same = [other for other in found if other.frame == one.frame]
        newer = same[same.index(one) - 1] if one is not same[0] else None
        lines += ["", *layout.lines(one, single=len(same) == 1, newer=newer)]
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
        "experimental": [version_text(version) for version in sorted(protocol.experimental)],
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
    if _INTEGER.fullmatch(text):
        value = int(text)
        if text.startswith("-") or (value == 0 and len(text) < 8):
            return value if value >= -(1 << 31) else None
        if 1 << 31 <= value < 1 << 32:
            return value - (1 << 32)  # the same word, as programs print it that take it for one
    if _WORD.fullmatch(text):
        # A header has no bit 31, so a word with it is a negative number.
        value = int(text, 16)
        return value - (1 << 32) if value >> 31 else None
    return None


def _about_status(value: int, vendor: str | None, sub_vendor: str | None) -> Text:
    name = status_name(value)
    if value in MEANINGS:
        meaning = MEANINGS[Status(value)]
    elif value <= VENDOR:
        meaning = "a code of the vendor's own"
        for owner, own in protocols.status_meanings(value, vendor, sub_vendor).items():
            meaning += f"; {owner}: {own}"
    else:
        meaning = "reserved: no version of SCMI gives it a meaning"
    code = StatusError("", status=value, name=name).exit_code if value else 0
    record: Record = {"status": name, "value": value, "meaning": meaning, "exit_code": code}
    word = value & 0xFFFFFFFF
    return Text(f"{name}: status {value} ({word:#010x}), exit code {code}\n{meaning}", record)


# --- frames ---------------------------------------------------------------------------------------


def _frame(text: str) -> bytes | None:
    """Return the bytes that hex words mean; None also for what could be hex but is no frame."""
    try:
        return notation.frame(text)
    except UsageError:
        return None


def _about_frame(frame: bytes, decoder: Decoder) -> Text:
    word = int.from_bytes(frame[: header.SIZE], "little")
    head = header.unpack(word)
    readings = Reader(decoder).read(frame)
    name = readings[0]["message"]
    protocol = readings[0]["protocol"]
    number, numbered = f"{head.message_id:#x}", f"{head.protocol_id:#x}"
    lines = [
        f"header {word:#010x}",
        f"  [7:0]    message id    {number}  {name if name != number else ''}".rstrip(),
        f"  [9:8]    message type  {head.message_type}  {_type(head.message_type)}",
        f"  [17:10]  protocol id   {numbered}  {protocol}",
        f"  [27:18]  token         {head.token}",
    ]
    if head.reserved:
        lines.append(f"  [31:28]  reserved      {head.reserved:#x}, expected 0")
    record: Record = {
        "header": word,
        "protocol": protocol,
        "message": name,
        "type": _type(head.message_type),
        "token": head.token,
        "reserved": head.reserved,
    }
    if len(frame) > header.SIZE:
        lines += [line for reading in readings for line in _reading_lines(reading)]
        record["readings"] = readings
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
            "A message gets its wire layout, and what is different in older versions. A status is "
            "a name or a number, signed or not. HEX is a header or a whole frame: words "
            "(0x00005403, or 8 digits each) or bytes in the order of the wire. --vendor says "
            "whose the protocols from 0x80 are."
        ),
    ),
)
