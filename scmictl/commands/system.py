"""`system`: the power state of the whole system."""

from __future__ import annotations

from typing import Any

from scmictl import values
from scmictl.agent import Transfer
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Record, Rows, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, StatusError, UsageError
from scmictl.protocols import system
from scmictl.protocols.system import SystemState
from scmictl.wire import Effect, Status
from scmictl.wire.record import enum_name

_STATE = (Column("state", "state"), Column("raw_state", "raw state"))
_SET = (
    Column("requested", "requested"),
    Column("graceful", "graceful"),
    Column("state", "state now"),
    Column("raw_state", "raw state"),
)
_WATCH = (
    Column("fields.system_state", "STATE"),
    Column("fields.flags.graceful", "GRACEFUL"),
    Column("fields.timeout", "TIME LEFT", "ms"),
    Column("agent_id", "AGENT"),
)
_NAMES = {state.name.lower().replace("_", "-"): state for state in SystemState}
_OPTIONAL = {SystemState.WARM_RESET: "warm_reset", SystemState.SUSPEND: "suspend"}
"""The states that a platform may lack, and the attribute that says so."""
_UNREADABLE = (Status.NOT_SUPPORTED, Status.NOT_FOUND)
"""What platforms answer that do not tell their state."""


def get(ctx: Context, args: Arguments) -> Output:
    """Show the state of the system."""
    ctx.require(system.PowerStateGet)
    found = ctx.agent.call(system.PowerStateGet())
    return Rows([_record(found.system_state)], _STATE, many=False)


def set_(ctx: Context, args: Arguments) -> Output:
    """Ask for a state of the system, and show what it is in then."""
    state = _state(args.state)
    _check(ctx, state)
    flags = system.Flags(graceful=bool(args.graceful))
    request = system.PowerStateSet(flags=flags, system_state=state)
    called = enum_name(SystemState, state) if state in _NAMES.values() else f"{state:#x}"
    ctx.call(request, what=f"the whole system is asked for {called}")
    record = {"state": None, "raw_state": None, **_read_back(ctx)}
    record |= {"requested": called, "graceful": bool(args.graceful)}
    return Rows([record], _SET, many=False)


def _check(ctx: Context, state: int) -> None:
    """Raise NotOffered if the platform says that it lacks the state."""
    if ctx.dry_run:
        return
    ctx.version(system.PROTOCOL)
    bit = _OPTIONAL.get(SystemState(state)) if state in _NAMES.values() else None
    if bit is None:
        return
    asked = system.MessageAttributes(message_id=system.PowerStateSet.MESSAGE_ID)
    try:
        attributes = ctx.agent.call(asked).attributes
    except StatusError:
        return  # then the request itself shall be refused
    if not getattr(attributes, bit):
        name = SystemState(state).name.lower().replace("_", "-")
        raise NotOffered(f"the platform has no {name} (its attribute {bit} is not set)")


def _read_back(ctx: Context) -> Record:
    """Return the state of the system; nothing where the platform does not tell it."""
    transfer: Transfer[Any] = ctx.send(system.PowerStateGet())
    error = transfer.error
    if error is None:
        return _record(transfer.result().system_state)
    if isinstance(error, StatusError) and error.status in _UNREADABLE:
        return {}
    # What was asked for is accepted all the same; the platform may be on its way down.
    return {"error": error.name}


def _record(state: int) -> Record:
    known = state in _NAMES.values()
    return {
        "state": enum_name(SystemState, state) if known else f"{state:#x}",
        "raw_state": int(state),
    }


def check_state(args: Arguments) -> None:
    """Raise UsageError for what cannot be a state of the system."""
    _state(args.state)


def _state(word: str) -> int:
    name = word.replace("_", "-")
    if name in _NAMES:
        return _NAMES[name]
    state = values.number(word)
    if not 0 <= state <= 0xFFFFFFFF:
        raise UsageError(f"found the state {word}, expected 0 to 0xffffffff")
    return state


# --- the table ------------------------------------------------------------------------------------


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("system", verb, help, run, args=args, **more)


COMMANDS = (
    info_command("system"),
    _command("get", "show the state of the system", get),
    _command(
        "set", "shut down, reset, suspend or power up the system", set_,
        Arg("state", "the state", "choice", choices=(*_NAMES, "0x…")),
        options=(
            Opt("--graceful", "let the platform tell the other agents first, and give them time"),
        ),
        effect=Effect.HURTS, validate=check_state,
        details="Always asks first. The numbers from 0x80000000 up are the vendor's own states. A "
        "platform that goes down at once may never answer, which is a timeout here.",
    ),
    watch_command(
        "system", "stream what other agents and the platform do to the system",
        Feed(system.PowerStateNotifier, _WATCH),
    ),
)  # fmt: skip
