"""What can be said: one data-only file per SCMI protocol.

May import: ``wire`` and ``errors``. To extend: add a file whose ``PROTOCOL`` names its messages,
and its line in :data:`STANDARD`; a vendor's goes into the vendor's folder, with a line in
:data:`VENDOR`. Nothing registers itself by being imported, and a protocol's file is imported only
when somebody uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from scmictl.errors import UsageError
from scmictl.protocols.protocol import Protocol, Resources, version_text

if TYPE_CHECKING:
    from scmictl.protocols import (
        base,
        clock,
        perf,
        pinctrl,
        power,
        powercap,
        reset,
        sensor,
        system,
        telemetry,
        voltage,
    )

__all__ = [
    "STANDARD",
    "VENDOR",
    "Protocol",
    "Resources",
    "base",
    "by_id",
    "by_label",
    "by_name",
    "clock",
    "id_name",
    "perf",
    "pinctrl",
    "power",
    "powercap",
    "reset",
    "sensor",
    "system",
    "telemetry",
    "version_text",
    "voltage",
]

STANDARD = (
    (0x10, "base"),
    (0x11, "power"),
    (0x12, "system"),
    (0x13, "perf"),
    (0x14, "clock"),
    (0x15, "sensor"),
    (0x16, "reset"),
    (0x17, "voltage"),
    (0x18, "powercap"),
    (0x19, "pinctrl"),
    (0x1B, "telemetry"),
)
"""Number and file of every protocol we speak, in the order of the numbers."""

VENDOR = (
    ("NXP", "IMX", 0x80, "nxp-lmm"),
    ("NXP", "IMX", 0x81, "nxp-bbm"),
    ("NXP", "IMX", 0x82, "nxp-cpu"),
    ("NXP", "IMX", 0x83, "nxp-fusa"),
    ("NXP", "IMX", 0x84, "nxp-misc"),
)
"""Vendor, sub-vendor, number and name of the vendors' protocols; ``nxp-lmm`` is ``nxp/lmm.py``.

Only the three together say which protocol it is: every vendor numbers its own from 0x80.
"""

_OTHER_NAMES = {0x1A: "mpam-fb"}
"""Names to show for protocols whose messages we do not know."""


def by_id(
    protocol_id: int, vendor: str | None = None, sub_vendor: str | None = None
) -> Protocol | None:
    """Return the protocol with this number, or None if we do not know it.

    ``vendor`` and ``sub_vendor`` are what the platform's base protocol says, and None where nobody
    has asked it; without a vendor, the numbers from 0x80 mean nothing.
    """
    for number, name in _known(vendor, sub_vendor):
        if number == protocol_id:
            return _load(name)
    return None


def by_name(name: str, vendor: str | None = None, sub_vendor: str | None = None) -> Protocol:
    """Return the protocol with this name or number; raises UsageError for any other text.

    A number from 0x80 needs ``vendor``, as in :func:`by_id`; a name says whose protocol it is.
    """
    for number, known in _known(vendor, sub_vendor):
        if name.lower() in (f"{number:#x}", str(number)):
            return _load(known)
    names = [entry[-1] for entry in (*STANDARD, *VENDOR)]
    if name.lower() in names:
        return _load(name.lower())
    raise UsageError(f"unknown protocol {name!r}, expected one of: {', '.join(names)}")


def by_label(label: str) -> tuple[Protocol, Resources]:
    """Return the protocol and the kind of things that :meth:`Protocol.label` has named.

    Raises UsageError for any other text.
    """
    name, dot, noun = label.partition(".")
    protocol = by_name(name)
    how = protocol.kind(noun) if dot else protocol.resources
    if how is None:
        nouns = ", ".join(kind.noun for kind in protocol.kinds) or "nothing to list"
        raise UsageError(f"unknown kind {noun!r} of {name}, expected one of: {nouns}")
    return protocol, how


def id_name(protocol_id: int, vendor: str | None = None, sub_vendor: str | None = None) -> str:
    """Return the name of a protocol number: ``clock``, ``vendor-0x80`` or ``protocol-0x1f``.

    With ``vendor``, as in :func:`by_id`, also ``nxp-lmm``.
    """
    for number, name in _known(vendor, sub_vendor):
        if number == protocol_id:
            return name
    if protocol_id in _OTHER_NAMES:
        return _OTHER_NAMES[protocol_id]
    return f"{'vendor' if protocol_id >= 0x80 else 'protocol'}-{protocol_id:#x}"


def _known(vendor: str | None, sub_vendor: str | None) -> Iterator[tuple[int, str]]:
    """Yield number and name of the protocols on a platform of this vendor.

    A sub-vendor of None is one that nobody has asked for, and then any will do.
    """
    yield from STANDARD
    if vendor is None:
        return
    for whose, whose_sub, number, name in VENDOR:
        if vendor.lower() == whose.lower() and (
            sub_vendor is None or sub_vendor.lower() == whose_sub.lower()
        ):
            yield number, name


def _load(name: str) -> Protocol:
    protocol = import_module(f"scmictl.protocols.{name.replace('-', '.')}").PROTOCOL
    assert isinstance(protocol, Protocol)
    return protocol
