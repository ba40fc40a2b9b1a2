"""`encode`: the frame of a message, from the fields that `call` takes; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scmictl import values
from scmictl.commands import fields, message
from scmictl.commands.command import Arg, Arguments, Command, Opt, Output, Record, Text
from scmictl.commands.context import Context
from scmictl.commands.explain import topic
from scmictl.errors import UsageError
from scmictl.protocols import Protocol, version_text
from scmictl.wire import Delayed, Message, Notification, Request, Status, Struct, header
from scmictl.wire import status as statuses
from scmictl.wire.record import record as fields_of

KINDS = ("request", "response", "delayed", "notification")
_TYPES = {"delayed": header.DELAYED, "notification": header.NOTIFICATION}


class Form(NamedTuple):
    """Which frame to write: the message whose numbers are in its header, and its payload."""

    protocol: Protocol
    message: type[Message]
    payload: type[Struct]
    kind: str

    @property
    def answers(self) -> bool:
        """Whether there is a status in front of the fields."""
        return self.kind in ("response", "delayed")

    @property
    def title(self) -> str:
        """What errors call it."""
        return self.message.SPEC + (" (response)" if self.kind == "response" else "")


def encode(ctx: Context, args: Arguments) -> Output:
    """Return the frame of a message with these fields."""
    form = _form(args.message, getattr(args, "as"))
    since = form.message.SINCE
    version = ctx.versions.get(form.protocol.id, max(form.protocol.newest, since))
    if version < since:
        raise UsageError(
            f"{form.message.SPEC} exists from {form.protocol.name} {version_text(since)} on, "
            f"--proto says {version_text(version)}"
        )
    token = _token(args.token)
    status = _status(args.status, form)
    data, known = frame(form, args.assignments, version, token=token, status=status)
    record: Record = {
        "protocol": form.protocol.name,
        "message": form.message.SPEC,
        "type": "delayed_response" if form.kind == "delayed" else form.kind,
        "token": token,
        "status": None if not form.answers else statuses.status_name(status or 0),
        "version": version_text(version),
        "fields": known,
        "frame": data.hex(),
    }
    return Text(data.hex(" "), record)


def frame(
    form: Form, words: Sequence[str], version: int, *, token: int = 0, status: int | None = None
) -> tuple[bytes, Record]:
    """Return the frame with the fields that ``words`` say, and these fields as they are decoded.

    With a status and without fields there is the status alone: an error, or "accepted". Raises
    UsageError for fields that are missing, unknown or do not fit.
    """
    payload = statuses.WORD.pack(status or 0) if form.answers else b""
    known: Record = {}
    if words or status is None:
        built = fields.build(form.payload, words, version, name=form.title)
        payload += fields.payload(built, version, form.title)
        known = fields_of(built, version)
    type_ = _TYPES.get(form.kind, header.COMMAND)
    message_id, protocol_id = form.message.MESSAGE_ID, form.protocol.id
    return header.frame(message_id, type_, protocol_id, token, payload), known


def check(args: Arguments) -> None:
    """Raise UsageError for what is wrong in every version."""
    form = _form(args.message, getattr(args, "as"))
    _token(args.token)
    status = _status(args.status, form)
    if args.assignments or status is None:
        fields.check(form.payload, args.assignments, form.protocol, name=form.title)


def _form(text: str, kind: str | None) -> Form:
    """Return what to write; raises UsageError for a message that has no such frame."""
    wanted: type[Message] = {"delayed": Delayed, "notification": Notification}.get(
        kind or "", Message if kind is None else Request
    )
    found: type[Message]
    try:
        protocol, found = message.find(text, wanted)
    except UsageError:
        # A command's name will do for what answers it later, and for what it switches.
        protocol, found = message.find(text, Message)
    if issubclass(found, Request):
        if kind in (None, "request"):
            return Form(protocol, found, found, "request")
        if kind == "response":
            return Form(protocol, found, found.RESPONSE, "response")
        other = found.DELAYED if kind == "delayed" else found.SUBSCRIBES
        if other is not None:
            return Form(protocol, other, other, kind or "")
    else:
        own = "delayed" if issubclass(found, Delayed) else "notification"
        if kind in (None, own):
            return Form(protocol, found, found, own)
    there = message.kind_name(found).replace("_", " ")
    wanted_name = "delayed response" if kind == "delayed" else kind
    raise UsageError(f"{found.SPEC} is a {there} and has no {wanted_name}")


def _token(text: str | None) -> int:
    token = values.number(text) if text is not None else 0
    if not 0 <= token < header.TOKENS:
        raise UsageError(f"--token is {text}, expected 0 to {header.TOKENS - 1}")
    return token


def _status(text: str | None, form: Form) -> int | None:
    """Return the status that was given; raises UsageError where there is none in the frame."""
    if text is None:
        return None
    if not form.answers:
        raise UsageError(
            f"--status: a {form.kind} has no status",
            hint="--as response or --as delayed",
        )
    name = text.upper().replace("-", "_")
    if name in Status.__members__:
        return int(Status[name])
    try:
        value = values.number(text)
    except UsageError:
        raise values.unknown(
            "status", text, [member.lower() for member in Status.__members__], limit=len(Status)
        ) from None
    if not -(1 << 31) <= value < 1 << 32:
        raise UsageError(f"--status is {text}, expected a number of 32 bits")
    return value - (1 << 32) if value >> 31 > 0 else value


COMMANDS = (
    Command(
        "",
        "encode",
        "print the frame of a message in hex",
        encode,
        args=(
            Arg("message", "CLOCK_RATE_SET, clock.RATE_SET or clock.0x5", "message"),
            Arg("assignments", "FIELD=VALUE", "field", required=False, many=True),
        ),
        options=(
            Opt("--as", "which frame of the message (default: what its name says)", "choice",
                choices=KINDS),
            Opt("--token", "the token in the header (default 0)", "number", "N"),
            Opt("--status", "the status of a response, by name or number", "text", "STATUS"),
        ),
        connects=False,
        validate=check,
        topic=topic,
        details=(
            "Fields are written as for `call`, and `decode` gives them back. Without fields a "
            "--status is all that follows the header: an error, or that a command with a delayed "
            "response was accepted. --proto chooses the version, the newest by default."
        ),
    ),
)  # fmt: skip
