"""Reaches the platform that a hand changes: in this process, or behind a control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scmictl.agent import CONTROL, parse
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.errors import NotOffered, ScmictlError, UsageError
from scmictl.platform import ask

if TYPE_CHECKING:
    from scmictl.device.remote import Remote

ELSEWHERE = "expected sim:... (in this process), or control:PATH of a running `scmictl serve`"


def send(ctx: Context, **request: Any) -> list[Record]:
    """Have the platform do what ``request`` says, if the user allows it; return its records.

    Raises UsageError as the platform does, NotOffered for a target that is no simulated platform,
    Refused, DryRun, and what ends a connection.
    """
    target = parse(ctx.uri or "sim:")
    if target.scheme not in ("sim", CONTROL):
        raise NotOffered(f"{target.text} cannot be changed by hand, {ELSEWHERE}")
    if ask.changes(request):
        preview = {"message": f"sim {request['ask']}", "request": ask.shown(request)}
        ctx.check_write(f"sim {request['ask']}", lambda: preview)
    if target.scheme != CONTROL:
        return _here(ctx, request)
    if not target.rest:
        raise UsageError(f"target {target.text!r}, expected control:PATH")
    target.allow(())
    remote: Remote = _remote(ctx, target.rest)
    try:
        return remote.ask(request)
    except UsageError:
        raise
    except ScmictlError:
        # Half of an answer may still be on its way: the next command begins anew.
        ctx.remote = None
        remote.close()
        raise


def connect(ctx: Context) -> None:
    """Connect to the control socket that is the target, once; raises ConnectError."""
    _remote(ctx, parse(ctx.uri).rest)


def _here(ctx: Context, request: dict[str, Any]) -> list[Record]:
    from scmictl.platform import Platform
    from scmictl.platform.hand import Hand

    platform = ctx.agent.link.platform
    if not isinstance(platform, Platform):
        raise NotOffered(f"{ctx.agent.link.uri} has no platform to be changed by hand")
    records = list(Hand(platform).ask(request, ctx.agent.waiter.now()))
    if ask.changes(request):
        ctx.note_simulated()
    return records


def _remote(ctx: Context, path: str) -> Remote:
    from scmictl.device.remote import Remote

    if ctx.remote is None:
        ctx.remote = Remote(path, waiting=ctx.waiter)
    remote: Remote = ctx.remote
    remote.timeout = ctx.timeout
    remote.waiting = ctx.waiter
    return remote
