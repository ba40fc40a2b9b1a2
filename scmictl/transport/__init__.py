"""Ways to reach a platform: each moves whole frames and nothing else.

May import: ``virtio``, ``vhost_user``, ``device.pump``, ``values`` and ``errors``. To extend: a
module with ``open(target, *, wake, limit)`` that returns a
:class:`~scmictl.transport.base.Transport`, and its line in :data:`SCHEMES`. A module is imported
only for its scheme, so ``sim:`` needs no socket code. ``control:`` is a target too, but no
transport leads there: it is for :mod:`scmictl.device.remote`.
"""

from __future__ import annotations

from importlib import import_module

from scmictl.errors import NotOffered
from scmictl.transport import target
from scmictl.transport.base import Link, Received, Transport
from scmictl.transport.capture import Capture, Frame
from scmictl.transport.target import Target

__all__ = ["Capture", "Frame", "Link", "Received", "Target", "Transport", "connect", "parse"]

SCHEMES = {"sim": "scmictl.transport.inprocess", "vhost-user": "scmictl.transport.vhost_user"}
"""The module behind every scheme."""
CONTROL = "control"
"""The scheme of targets at which there is no agent: a served platform is changed by hand there."""


def parse(text: str) -> Target:
    """Split a target URI; raises UsageError for a scheme that there is not."""
    return target.parse(text, (*SCHEMES, CONTROL))


def connect(to: Target, *, wake: int | None = None, limit: float | None = None) -> Transport:
    """Open a transport; ``wake`` is a descriptor that interrupts it by becoming readable.

    ``limit``: seconds it may take, whatever the target says.

    Raises UsageError and BoardError for what is wrong with the target, NotOffered for a control
    socket, ConnectError for what is wrong with the device, Interrupted.
    """
    if to.scheme == CONTROL:
        raise NotOffered(
            f"{to.text} is a control socket: no agent is there, only the sim commands work",
            hint="agents connect to the vhost-user socket of the same `scmictl serve`",
        )
    transport: Transport = import_module(SCHEMES[to.scheme]).open(to, wake=wake, limit=limit)
    return transport
