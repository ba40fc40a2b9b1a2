"""`sim`: a simulated platform changed by hand, in this process or behind a control socket."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from scmictl import values
from scmictl.commands import fields, message, reach
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Record, Rows
from scmictl.commands.context import Context
from scmictl.errors import NotOffered, UsageError
from scmictl.platform import fault as faults
from scmictl.protocols import Protocol
from scmictl.wire import Effect, Message, Notification, codec

UNITS = {
    "hz": "Hz", "khz": "kHz", "uv": "uV", "us": "us", "ms": "ms", "s": "s", "percent": "%",
}  # fmt: skip
"""The unit that the last word of a key names."""
NARROW = ("raw", "timestamps", "uptime_us", "raw_state", "last_reset_state")
"""Keys that a table of many leaves to --fields and to the other forms, with all that is nested."""
AGENT_ID = "agent_id"

_PERMISSIONS = (
    Column("agent_id", "AGENT ID"),
    Column("agent", "AGENT"),
    Column("device_id", "DEVICE ID"),
    Column("device", "DEVICE"),
    Column("protocol", "PROTOCOL"),
    Column("access", "ACCESS"),
)
_FAULTS = (
    Column("fault", "FAULT"),
    Column("kind", "KIND", wide=True),
    Column("met", "MET"),
    Column("struck", "STRUCK"),
    Column("left", "LEFT"),
)
_SENT = (
    Column("message", "MESSAGE"),
    Column("fields", "FIELDS"),
    Column("sent", "SENT"),
    Column("agents", "AGENTS"),
)


# --- state and values -----------------------------------------------------------------------------


def state(ctx: Context, args: Arguments) -> Output:
    """Show what resources are like, whoever may see them."""
    records = reach.send(ctx, ask="state", resources=args.resources)
    return _states(
        records, many=len(args.resources) != 1 or _is_pattern(args.resources[0], records)
    )


def set_(ctx: Context, args: Arguments) -> Output:
    """Change a resource, as its hardware would."""
    records = reach.send(ctx, ask="set", resource=args.resource, settings=args.settings)
    return _states(records, many=_is_pattern(args.resource, records))


def check_set(args: Arguments) -> None:
    """Raise UsageError for a setting that is none."""
    for word in args.settings:
        key, equals, _ = word.partition("=")
        if not equals or not key:
            raise UsageError(f"found {word!r}, expected KEY=VALUE")


def _states(records: Sequence[Record], *, many: bool) -> Rows:
    keys = dict.fromkeys(key for record in records for key in record)
    wide = {*NARROW, *_nested(records)} if many else set()
    columns = [Column(key, _title(key), _unit(key), wide=key in wide) for key in keys]
    return Rows(records, tuple(columns), many=many, by="protocol")


def _nested(records: Sequence[Record]) -> set[str]:
    """Return the keys under which there are lists and objects, where many records have them."""
    many = Counter(record["protocol"] for record in records)
    return {
        key
        for record in records
        if many[record["protocol"]] > 1
        for key, value in record.items()
        if isinstance(value, list | dict)
    }


def _unit(key: str) -> str | None:
    return UNITS.get(key.rpartition("_")[2]) if "_" in key else None


def _title(key: str) -> str:
    words = key.split("_")
    return " ".join(words[:-1] if _unit(key) else words).upper()


def _is_pattern(word: str, found: Sequence[Record]) -> bool:
    """Return whether ``word`` could have named several resources; a name may look like a glob."""
    _, colon, name = word.partition(":")
    if not colon or name == "all" or len(found) != 1:
        return True
    return any(sign in name for sign in "*?[") and name != found[0]["name"]


# --- faults ---------------------------------------------------------------------------------------


def fault(ctx: Context, args: Arguments) -> Output:
    """Put faults in force, end them, or list those that are."""
    do, spec = _fault(args.words)
    return Rows(reach.send(ctx, ask="fault", do=do, spec=spec), _FAULTS)


def check_fault(args: Arguments) -> None:
    """Raise UsageError for faults that there are on no platform."""
    _, spec = _fault(args.words)
    if spec is not None:
        # Which agents there are, only the platform knows.
        faults.parse(re.sub(r"@agent=[^@,]*", "", spec), {})


def fault_kinds() -> dict[str, str]:
    """Return the kinds of faults there are, and what each does."""
    return {kind.name: kind.help for kind in faults.KINDS.values()}


def _fault(words: Sequence[str]) -> tuple[str, str | None]:
    if not words:
        return "list", None
    if words[0] in ("list", "clear"):
        if len(words) > 1:
            raise UsageError(f"found {words[1]!r}, expected nothing behind {words[0]}")
        return words[0], None
    return "add", ",".join(words)


# --- permissions ----------------------------------------------------------------------------------


def perms(ctx: Context, args: Arguments) -> Output:
    """Show which agent may use what, or change it."""
    device, _, protocol = (args.device or "").partition(":")
    records = reach.send(
        ctx,
        ask="perms",
        do=args.action or "list",
        agent=args.agent,
        device=device or None,
        protocol=protocol or None,
    )
    return Rows(records, _PERMISSIONS)


def check_perms(args: Arguments) -> None:
    """Raise UsageError where it is not said whose permissions change, or to what."""
    if args.action in ("allow", "deny") and args.device is None:
        raise UsageError(f"sim perms {args.action}, expected AGENT DEVICE[:PROTOCOL]")
    if args.action == "reset" and args.agent is None:
        raise UsageError("sim perms reset, expected AGENT")
    if args.action == "reset" and args.device is not None:
        raise UsageError(f"found {args.device!r}, expected nothing behind the agent")


# --- notifications --------------------------------------------------------------------------------


def notify(ctx: Context, args: Arguments) -> Output:
    """Send a notification to those who have subscribed to it."""
    protocol, kind = _event(args.message)
    (facts,) = reach.send(ctx, ask="facts")
    reported = facts["versions"].get(protocol.name)
    if reported is None:
        raise NotOffered(f"the platform has no {protocol.name} protocol")
    major, _, minor = str(reported).partition(".")
    version = int(major) << 16 | int(minor)
    payload = codec.encode(
        fields.build(kind, _with_agent(kind, args.assignments), version), version
    )
    records = reach.send(
        ctx,
        ask="notify",
        protocol=protocol.name,
        message=kind.SPEC,
        payload=payload.hex(),
        to=args.to,
    )
    for record in records:
        if not record["sent"]:
            ctx.notice(f"nobody who may have it has subscribed to this {kind.SPEC}")
    return Rows(records, _SENT, many=False)


def check_notify(args: Arguments) -> None:
    """Raise UsageError for a notification or field that exists in no version."""
    protocol, kind = _event(args.message)
    fields.check(kind, _with_agent(kind, args.assignments), protocol)


def _event(text: str) -> tuple[Protocol, type[Notification]]:
    try:
        return message.find(text, Notification)
    except UsageError as error:
        found = error
    try:
        protocol, other = message.find(text, Message)
    except UsageError:
        specs = [event.SPEC for _, event in message.every(Notification)]
        found.message = found.message.replace("message", "notification", 1).replace(
            "CLOCK_RATE_SET or clock.RATE_SET", "CLOCK_RATE_CHANGED or clock.RATE_CHANGED"
        )
        raise UsageError(found.message, hint=values.nearest(text.upper(), specs)) from None
    sends = [event.SPEC for event in protocol.notifications]
    raise UsageError(
        f"{other.SPEC} is no notification, expected {values.listing(sends, len(sends))}",
        hint="`call` sends a request",
    )


def _with_agent(kind: type[Notification], words: Sequence[str]) -> Sequence[str]:
    """Return the fields given; the platform itself causes what is said to be nobody's."""
    has = any(field.key == AGENT_ID for field in kind.FIELDS)
    given = any(re.match(rf"{AGENT_ID}:?=", word) for word in words)
    return [f"{AGENT_ID}=0", *words] if has and not given else words


_RESOURCES = "clock:uart0, clock:3, clock:uart*, or clock for all of them"

COMMANDS = (
    Command(
        "sim",
        "state",
        "show what resources are like now, whoever may see them",
        state,
        args=(
            Arg("resources", f"{_RESOURCES} (default: everything)", "resource",
                required=False, many=True),
        ),
    ),
    Command(
        "sim",
        "set",
        "change a resource, as its hardware would",
        set_,
        args=(
            Arg("resource", _RESOURCES, "resource"),
            Arg("settings", "KEY=VALUE, all of them or none", "setting", many=True),
        ),
        effect=Effect.WRITE,
        validate=check_set,
        details=(
            "Who listens is told, and no permission counts. Values take units. A wrong key is "
            "answered with those there are: sim set sensor:soc-temp value=80C (held until "
            "value=auto), trip.0=75C:rising, interval=1s; sim set clock:uart0 rate=25MHz "
            "parent=pll-sys enabled=on."
        ),
    ),
    Command(
        "sim",
        "fault",
        "have the platform misbehave, list its faults, or end them",
        fault,
        args=(
            Arg("words", "SPEC of faults to add, list (default) or clear", "fault",
                required=False, many=True),
        ),
        effect=Effect.WRITE,
        validate=check_fault,
        details=f"Added to those in force; `clear` ends all. {faults.describe()}",
    ),
    Command(
        "sim",
        "perms",
        "show which agent may use what, or change it",
        perms,
        args=(
            Arg("action", "list (default), or what to do", "choice",
                choices=("list", "allow", "deny", "reset"), required=False),
            Arg("agent", "number or name of an agent, or all", "id", of="agent", required=False),
            Arg("device", "DEVICE[:PROTOCOL], the device by name or number", required=False),
        ),
        effect=Effect.WRITE,
        validate=check_perms,
        details=(
            "What an agent is denied does not exist for it. Its subscriptions stay, silent until "
            "it is allowed again. `reset` puts back what the board says."
        ),
    ),
    Command(
        "sim",
        "notify",
        "send a notification to those who have subscribed to it",
        notify,
        args=(
            Arg("message", "CLOCK_RATE_CHANGED, clock.RATE_CHANGED, ...", "message",
                of="notification"),
            Arg("assignments", "FIELD=VALUE, as in call", "field", required=False, many=True),
        ),
        options=(Opt("--to", "only to this agent", "text", "AGENT"),),
        effect=Effect.WRITE,
        validate=check_notify,
        details=(
            "Nothing else of the platform changes. agent_id, the agent that has caused it, is 0 "
            "unless it is given."
        ),
    ),
)  # fmt: skip
