"""What is on for as long as somebody wants it: a subscription, a sensor enabled for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scmictl.errors import Interrupted, ScmictlError
from scmictl.wire import Request

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent


class Held:
    """Something switched on, and off again afterwards; a context manager.

    As long as it is in ``agent.held`` the agent sends ``on`` again after a reconnection, and
    ``off`` when it closes.
    """

    def __init__(self, agent: Agent, on: Request[Any], off: Request[Any]) -> None:
        self.agent = agent
        self.on = on
        self.off = off

    def close(self) -> None:
        """Switch it off; an answer other than SUCCESS is raised.

        When that is interrupted it stays held, and the agent switches it off when it closes.
        """
        if self not in self.agent.held:
            return
        try:
            self.agent.call(self.off)
        except Interrupted:
            raise
        except ScmictlError:
            self.agent.held.remove(self)
            raise
        self.agent.held.remove(self)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
