"""What a command switches on for its own time: subscriptions, and sensors that were off.

Everything is switched off again whatever ends the command (its own end, an error, Ctrl-C, a closed
stdout), last first, and switched on again by the agent after a reconnection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from scmictl.agent import Held, Transfer
from scmictl.agent.agent import GOODBYE_S
from scmictl.commands.command import Record
from scmictl.commands.context import Context, DryRun
from scmictl.errors import ScmictlError
from scmictl.wire import Request


class Pair(NamedTuple):
    """How to switch something on, and how to put it back."""

    on: Request[Any]
    off: Request[Any]


class Holds:
    """A context manager around the time for which things are on."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.held: list[Held] = []

    def add(self, pairs: Sequence[Pair]) -> list[ScmictlError | None]:
        """Switch on all of ``pairs`` together; return for each why it could not be, or None.

        Raises Refused and DryRun before anything is sent, and what ends a connection.
        """
        agent = self.ctx.agent
        previews: list[Record] = []
        for pair in pairs:
            try:
                self.ctx.allow(pair.on)
            except DryRun as dry:
                previews += dry.records
        if previews:
            raise DryRun(previews)
        sent: list[Transfer[Any]] = []
        try:
            sent.extend(agent.submit(pair.on) for pair in pairs)
            agent.collect(sent)
        finally:
            # Also when interrupted: what has been sent may have been done.
            for pair, transfer in zip(pairs, sent, strict=False):
                if not transfer.done or transfer.error is None:
                    held = Held(agent, pair.on, pair.off)
                    agent.held.append(held)
                    self.held.append(held)
        return [transfer.error for transfer in sent]

    def release(self, timeout: float | None = None) -> None:
        """Switch everything off again, each within ``timeout`` seconds (None: the agent's).

        Raises the first refusal when all is done, and DeviceGone; then nothing is left to put back.
        """
        agent = self.ctx.agent
        ours = [held for held in reversed(self.held) if held in agent.held]
        self.held.clear()
        for held in ours:
            agent.held.remove(held)
        if not ours:
            return
        # Whoever asked to stop meant the command, not the cleaning up; only twice means at once.
        deadline = agent.waiter.deadline
        if not agent.waiter.resume():
            return
        try:
            last = [agent.submit(held.off, timeout=timeout) for held in ours]
            agent.collect(last)
        finally:
            agent.waiter.deadline = deadline
        for transfer in last:
            if transfer.error is not None:
                raise transfer.error

    def __enter__(self) -> Holds:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.release(None if kind is None else GOODBYE_S)
        except ScmictlError:
            # What ended the command is the reason to tell.
            if kind is None:
                raise
