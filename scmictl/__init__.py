"""The console for Arm SCMI: speak as an agent over virtio queues, or be the platform.

The public API is small: :func:`connect` gives an :class:`~scmictl.agent.Agent`, the messages are in
``scmictl.protocols``, the simulated platform is :class:`~scmictl.platform.Platform`, :func:`serve`
puts it behind a vhost-user socket, and every exception is in ``scmictl.errors``. Everything loads
on first use, because start-up time is a feature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scmictl.version import VERSION as __version__

if TYPE_CHECKING:
    from scmictl.agent import connect
    from scmictl.device import serve
    from scmictl.platform import Platform

__all__ = ["Platform", "__version__", "connect", "serve"]

_HOMES = {"connect": "agent", "serve": "device", "Platform": "platform"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'scmictl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"scmictl.{home}"), name)
