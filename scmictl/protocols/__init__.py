"""What can be said: one data-only file per SCMI protocol.

May import: ``wire`` and ``errors``. To extend: add a file whose ``PROTOCOL`` names its messages,
and its line in :data:`STANDARD`; a vendor's goes into the vendor's folder, with a line in
:data:`VENDOR`; what is in neither may come from an installed package (:class:`Plugin`). With that
alone `call`, `explain`, `decode`, `subscribe` and completion speak it: how its things are counted
and named, and which of them send what, is in the declarations. Nothing registers itself by being
imported, and a protocol's file is imported only when somebody uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

from scmictl import values
from scmictl.errors import UsageError
from scmictl.protocols import plugin
from scmictl.protocols.plugin import Plugin
from scmictl.protocols.protocol import Protocol, Resources, version_text
from scmictl.wire import Message

__all__ = [
    "STANDARD",
    "VENDOR",
    "VENDOR_FIRST",
    "Plugin",
    "Protocol",
    "Resources",
    "by_id",
    "by_label",
    "by_name",
    "every",
    "id_name",
    "is_ours",
    "number_of",
    "of",
    "standard",
    "status_meanings",
    "vendors",
    "version_text",
    "whose",
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

VENDOR_FIRST = 0x80
"""The first of the numbers that mean something else with every vendor."""

_OTHER_NAMES = {0x1A: "mpam-fb"}
"""Names to show for protocols whose messages we do not know."""
_SHOWN = re.compile("(?:vendor|protocol)-(0x[0-9a-f]{1,2})")
"""What :func:`id_name` makes of a number without a name."""


def of(message: Message | type[Message]) -> Protocol | None:
    """Return the protocol that lists ``message``; None for one that no protocol lists.

    A message class belongs to one vendor already: nobody has to be asked for that.
    """
    found = message.PROTOCOL
    assert found is None or isinstance(found, Protocol)
    return found


def by_id(
    protocol_id: int, vendor: str | None = None, sub_vendor: str | None = None
) -> Protocol | None:
    """Return the protocol with this number, or None if we do not know it.

    ``vendor`` and ``sub_vendor`` are what the platform's base protocol says, and None where nobody
    has asked it; without a vendor, the numbers from 0x80 mean nothing. For a number that is none of
    ours the installed packages are asked.
    """
    for number, name in _known(vendor, sub_vendor):
        if number == protocol_id:
            return _load(name)
    if protocol_id >= VENDOR_FIRST and vendor is None:
        return None
    found = plugin.with_id(protocol_id, vendor, sub_vendor)
    return None if found is None else found.protocol


def by_name(name: str, vendor: str | None = None, sub_vendor: str | None = None) -> Protocol:
    """Return the protocol with this name or number; raises UsageError for any other text.

    A number from 0x80 needs ``vendor``, as in :func:`by_id`; a name says whose protocol it is. For
    a name that is none of ours the installed packages are asked; UsageError also says what is wrong
    with one that should have it.
    """
    wanted = name.lower()
    for number, known in _known(vendor, sub_vendor):
        if wanted in (f"{number:#x}", str(number)):
            return _load(known)
    if is_ours(wanted):
        return _load(wanted)
    installed = plugin.named(wanted)
    if installed is not None:
        return installed.protocol
    try:
        found = by_id(values.number(wanted), vendor, sub_vendor)
    except UsageError:
        found = None
    if found is not None:
        return found
    names = [entry[-1] for entry in (*STANDARD, *VENDOR)]
    names += [one.protocol.name for one in plugin.every()]
    raise UsageError(
        f"unknown protocol {name!r}, expected one of: {', '.join(names)}",
        hint=values.nearest(wanted, names),
    )


def is_ours(name: str) -> bool:
    """Return whether a protocol of this name is one of scmictl, and none of a package."""
    return any(name == entry[-1] for entry in (*STANDARD, *VENDOR))


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
    found = by_id(protocol_id, vendor, sub_vendor)
    if found is not None:
        return found.name
    if protocol_id in _OTHER_NAMES:
        return _OTHER_NAMES[protocol_id]
    return f"{'vendor' if protocol_id >= VENDOR_FIRST else 'protocol'}-{protocol_id:#x}"


def number_of(text: str) -> int:
    """Return the number of a protocol that is written as a name or a number, 0 to 0xff.

    Its messages need not be known. Raises UsageError for anything else.
    """
    wanted = text.lower()
    names = {name: number for *_, number, name in (*STANDARD, *VENDOR)}
    names |= {name: number for number, name in _OTHER_NAMES.items()}
    if wanted in names:
        return names[wanted]
    shown = _SHOWN.fullmatch(wanted)
    try:
        number = values.number(shown[1] if shown else wanted)
    except UsageError:
        installed = plugin.named(wanted)
        if installed is not None:
            return installed.protocol.id
        known = [*names, *(one.protocol.name for one in plugin.every())]
        raise values.unknown("protocol", text, known, limit=len(known)) from None
    if not 0 <= number <= 0xFF:
        raise UsageError(f"protocol is {text}, expected 0 to 0xff")
    return number


def standard() -> Iterator[Protocol]:
    """Import and yield the protocols of the specification."""
    for _, name in STANDARD:
        yield _load(name)


def vendors() -> Iterator[Protocol]:
    """Import and yield our vendors' protocols."""
    for *_, name in VENDOR:
        yield _load(name)


def every() -> Iterator[Protocol]:
    """Import and yield all protocols: the specification's, the vendors', those of packages."""
    yield from standard()
    yield from vendors()
    for one in plugin.every():
        yield one.protocol


def whose(protocol: Protocol) -> tuple[str, str] | None:
    """Return vendor and sub-vendor (empty: any) of a protocol, None for a standard one."""
    if protocol.id < VENDOR_FIRST:
        return None
    for vendor, sub_vendor, _, name in VENDOR:
        if name == protocol.name:
            return vendor, sub_vendor
    installed = plugin.named(protocol.name)
    return None if installed is None else (installed.vendor, installed.sub_vendor)


def status_meanings(
    status: int, vendor: str | None = None, sub_vendor: str | None = None
) -> dict[str, str]:
    """Return what a status of a vendor's own means, by whose it is (``NXP:IMX``).

    Without ``vendor`` for all vendors whose protocols we have.
    """
    found: dict[str, str] = {}
    for whose, whose_sub, _, name in VENDOR:
        owner = f"{whose}:{whose_sub}"
        if owner not in found and (
            vendor is None or plugin.belongs(whose, whose_sub, vendor, sub_vendor)
        ):
            meaning = _load(name).statuses.get(status)
            if meaning is not None:
                found[owner] = meaning
    return found


def _known(vendor: str | None, sub_vendor: str | None) -> Iterator[tuple[int, str]]:
    """Yield number and name of our own protocols on a platform of this vendor."""
    yield from STANDARD
    for whose, whose_sub, number, name in VENDOR:
        if plugin.belongs(whose, whose_sub, vendor, sub_vendor):
            yield number, name


def _load(name: str) -> Protocol:
    protocol = import_module(f"scmictl.protocols.{name.replace('-', '.')}").PROTOCOL
    assert isinstance(protocol, Protocol)
    return protocol
