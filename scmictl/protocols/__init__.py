"""What can be said: one data-only file per SCMI protocol.

May import: ``wire`` and ``errors``. To extend: add a file whose ``PROTOCOL`` names its messages,
and its line in :data:`STANDARD`. Nothing registers itself by being imported, and a protocol's file
is imported only when somebody uses it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from scmictl.errors import UsageError
from scmictl.protocols.protocol import Protocol, Resources, version_text

if TYPE_CHECKING:
    from scmictl.protocols import base, clock, perf, power, reset, sensor, system

__all__ = [
    "STANDARD",
    "Protocol",
    "Resources",
    "base",
    "by_id",
    "by_name",
    "clock",
    "id_name",
    "perf",
    "power",
    "reset",
    "sensor",
    "system",
    "version_text",
]

STANDARD = (
    (0x10, "base"),
    (0x11, "power"),
    (0x12, "system"),
    (0x13, "perf"),
    (0x14, "clock"),
    (0x15, "sensor"),
    (0x16, "reset"),
)
"""Number and file of every protocol we speak, in the order of the numbers."""

_OTHER_NAMES = {
    0x17: "voltage",
    0x18: "powercap",
    0x19: "pinctrl",
    0x1A: "mpam-fb",
    0x1B: "telemetry",
}
"""Names to show for protocols whose messages we do not know."""


def by_id(protocol_id: int) -> Protocol | None:
    """Return the protocol with this number, or None if we do not know it."""
    for number, name in STANDARD:
        if number == protocol_id:
            return _load(name)
    return None


def by_name(name: str) -> Protocol:
    """Return the protocol with this name or number; raises UsageError for any other text."""
    for number, known in STANDARD:
        if name.lower() in (known, f"{number:#x}", str(number)):
            return _load(known)
    known = ", ".join(known for _, known in STANDARD)
    raise UsageError(f"unknown protocol {name!r}, expected one of: {known}")


def id_name(protocol_id: int) -> str:
    """Return the name of a protocol number: ``clock``, ``vendor-0x80`` or ``protocol-0x1f``."""
    for number, name in STANDARD:
        if number == protocol_id:
            return name
    if protocol_id in _OTHER_NAMES:
        return _OTHER_NAMES[protocol_id]
    return f"{'vendor' if protocol_id >= 0x80 else 'protocol'}-{protocol_id:#x}"


def _load(name: str) -> Protocol:
    protocol = import_module(f"scmictl.protocols.{name}").PROTOCOL
    assert isinstance(protocol, Protocol)
    return protocol
