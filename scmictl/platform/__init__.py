"""The simulated SCMI platform: what a board file can express, done as the reference says.

``board`` reads and checks the file; ``platform`` holds agents, permissions, timers and
subscriptions; ``port`` is one agent's connection; ``dispatch`` takes a frame through the common
checks; and one behaviour file per protocol (``base``, ``clock``, ``sensor``: the names of
``protocols/``) does what its messages say. ``hand`` shows and changes all that from outside. Frames
and the time come in, frames come out: no socket, no queue, no clock.

May import: ``protocols``, ``wire`` and ``errors``.

To extend: a protocol is one file here with a :class:`Behaviour` in ``BEHAVIOUR``, and its name in
:data:`~scmictl.platform.platform.BEHAVIOURS`; it reads the board's table of that name itself. A
vendor's is in the vendor's folder, and its name in ``VENDOR_BEHAVIOURS``. A built-in board is a
file in ``boards/``. Installed packages add protocols (``extension``).
"""

from scmictl.platform.behaviour import Behaviour, Call, Handler, Malformed, Refusal
from scmictl.platform.board import Table, built_in
from scmictl.platform.platform import Agent, Platform
from scmictl.platform.port import Port

__all__ = [
    "Agent",
    "Behaviour",
    "Call",
    "Handler",
    "Malformed",
    "Platform",
    "Port",
    "Refusal",
    "Table",
    "built_in",
]
