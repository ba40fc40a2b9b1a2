"""The simulated SCMI platform: what a board file can express, done as the reference says.

``board`` reads and checks the file; ``platform`` holds agents, permissions, timers and
subscriptions; ``port`` is one agent's connection; ``dispatch`` takes a frame through the common
checks; and one behaviour file per protocol (the names of ``protocols/``) does what its messages
say. Where the things of a protocol have a life of their own, that is in a second file without any
message: the ``tree`` of clocks, the ``instrument`` that a sensor is, the ``transition`` of a power
domain, the ``ladder`` of performance levels, the ``regulator`` of a voltage, the ``budget`` of a
power cap, the ``pad`` of a pin. ``hand`` shows and changes all that from outside. Frames and the
time come in, frames come out: no socket, no queue, no clock.

May import: ``protocols``, ``wire`` and ``errors``.

To extend: a protocol is one file here with a :class:`Behaviour` in ``BEHAVIOUR``, and its name in
:data:`~scmictl.platform.platform.BEHAVIOURS`; it reads the board's table of that name itself. A
vendor's is in the vendor's folder, and its name in ``VENDOR_BEHAVIOURS``. What every protocol does
is in :class:`Behaviour`: versions, which messages there are, long names, notifications that are
switched, permissions, what is to be put back. A built-in board is a file in ``boards/``; what
boards of any size are made up of is in ``specimen``, protocol by protocol. Installed packages add
protocols in the same way (``extension``).
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
