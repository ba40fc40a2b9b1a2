"""The device side: the simulated platform behind a pair of queues, and behind a socket.

``pump`` moves frames between two device queues and a port of the platform, ``server`` adds the
vhost-user backend, ``control`` a socket over which the platform is changed by hand, and ``remote``
is the other end of that. May import: ``platform``, ``virtio``, ``wire``, and only the last three
also ``vhost_user``. To extend: another way to be reached is a file beside ``server`` that owns a
pump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scmictl.device.server import Server, serve

__all__ = ["Server", "serve"]


def __getattr__(name: str) -> Any:
    # `sim:` uses the pump of this package and must not load socket code for that.
    if name in __all__:
        from scmictl.device import server

        return getattr(server, name)
    raise AttributeError(f"module 'scmictl.device' has no attribute {name!r}")
