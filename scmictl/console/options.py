"""The global options: accepted before the group, between group and verb, and after the verb."""

from __future__ import annotations

from scmictl import protocols, values
from scmictl.agent import Owner
from scmictl.commands import Opt
from scmictl.errors import UsageError

GLOBALS = (
    Opt("--target", "what to talk to: a URI, a socket, or a name from the config file", "text",
        "URI", short="-t"),
    Opt("--output", "how to print", "choice", "FORM",
        choices=("table", "plain", "json", "jsonl", "csv", "hex"), short="-o"),
    Opt("--json", "the same as -o json"),
    Opt("--fields", "print only these keys, in this order", "text", "A,B"),
    Opt("--sort", "sort rows by this key (-KEY: downwards)", "text", "KEY"),
    Opt("--where", "print only rows for which the expression holds", "text", "EXPR"),
    Opt("--no-headers", "leave the header line out"),
    Opt("--units", "how to print values", "choice", "STYLE", choices=("si", "raw", "hex")),
    Opt("--color", "when to use colour", "choice", "WHEN", choices=("auto", "always", "never")),
    Opt("--timeout", "time for a response (default 1s)", "duration", "DUR", short="-T"),
    Opt("--delayed-timeout", "time for a delayed response (default 2s)", "duration", "DUR"),
    Opt("--deadline", "time for the whole run", "duration", "DUR"),
    Opt("--retry-busy", "try again up to N times while the platform is busy", "number", "N"),
    Opt("--readonly", "send nothing that changes the platform", short="-r"),
    Opt("--no-readonly", "allow writes again"),
    Opt("--yes", "do not ask before what hurts", short="-y"),
    Opt("--dry-run", "send no write, print its bytes"),
    Opt("--proto", "speak this version of a protocol without asking (clock=3.0)", "text",
        "NAME=VERSION"),
    Opt("--vendor", "whose the protocols from 0x80 are, instead of asking the platform", "text",
        "NAME[:SUB]"),
    Opt("--trace", "print each message, decoded, on stderr", short="-x"),
    Opt("--stats", "print counts and latencies at the end, on stderr"),
    Opt("--verbose", "say more", short="-v"),
    Opt("--quiet", "say less", short="-q"),
    Opt("--config", "the configuration file", "file", "FILE"),
    Opt("--command", "run these commands (separated by ';'), then exit", "text", "CMDS",
        short="-c"),
)  # fmt: skip

EITHER = (("readonly", "no_readonly"), ("output", "json"))
"""Options of which the one given last wins over the other."""


def owner(text: str | None) -> Owner | None:
    """Parse ``--vendor NXP:IMX``; without a sub-vendor any will do."""
    if text is None:
        return None
    vendor, colon, sub_vendor = text.partition(":")
    if not vendor or (colon and not sub_vendor) or not text.isprintable():
        raise UsageError(
            f"--vendor {values.shown(text)!r}, expected VENDOR or VENDOR:SUB_VENDOR, as in NXP:IMX"
        )
    return vendor, sub_vendor or None


def versions(text: str | None, whose: Owner | None) -> dict[int, int]:
    """Parse ``--proto clock=3.0,sensor=2.0``."""
    found: dict[int, int] = {}
    for part in filter(None, (text or "").split(",")):
        name, _, number = part.partition("=")
        major, _, minor = number.partition(".")
        if not major.isdigit() or not (minor or "0").isdigit():
            raise UsageError(f"--proto {part!r}, expected NAME=MAJOR.MINOR, as in clock=3.0")
        found[protocols.by_name(name, *(whose or ())).id] = int(major) << 16 | int(minor or "0")
    return found
