"""Why things booted and shut down: the reasons of i.MX95, and records of them.

The reasons are numbered as in NXP's System Manager; 20 to 30 are not used. A board says with
``reset_reason`` of its table ``nxp-misc`` why the system started.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scmictl.platform.board import Table
from scmictl.protocols.nxp.reason import BootFlags, ShutdownFlags

REASONS = (
    "cm33_lockup", "cm33_swreq", "cm7_lockup", "cm7_swreq", "fccu", "jtag_sw", "ele", "tempsense",
    "wdog1", "wdog2", "wdog3", "wdog4", "wdog5", "jtag", "cm33_exc", "bbm", "sw", "sm_err",
    "fusa_sreco", "pmic", *(f"unused{number}" for number in range(5, 16)), "por",
)  # fmt: skip
"""The names of the reasons by number, as MISC_REASON_ATTRIBUTES tells them."""
BBM = REASONS.index("bbm")
SW = REASONS.index("sw")
POR = REASONS.index("por")
MOST_EXT = 3
"""The most words of extended information in a record of a shutdown."""


class Reason(NamedTuple):
    """Why something booted or shut down; ``origin`` is the logical machine that wanted it."""

    number: int
    origin: int | None = None
    ext_info: tuple[int, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return it as it is shown to people."""
        return {"reason": REASONS[self.number], "origin": self.origin}


class History(NamedTuple):
    """The last boot and the last shutdown of something; None where there was none."""

    boot: Reason | None
    shutdown: Reason | None

    def words(self) -> dict[str, Any]:
        """Return the fields of a response that tells it."""
        boot, shutdown = BootFlags(), ShutdownFlags()
        ext_info: list[int] = []
        if self.boot is not None:
            boot = BootFlags(
                valid=True,
                origin_valid=self.boot.origin is not None,
                origin=self.boot.origin or 0,
                reason=self.boot.number,
            )
        if self.shutdown is not None:
            ext_info = list(self.shutdown.ext_info)
            shutdown = ShutdownFlags(
                valid=True,
                ext_len=len(ext_info),
                origin_valid=self.shutdown.origin is not None,
                origin=self.shutdown.origin or 0,
                reason=self.shutdown.number,
            )
        return {"boot_flags": boot, "shutdown_flags": shutdown, "ext_info": ext_info}


def at_start(board: Table) -> History:
    """Return why the system of a board has started; raises BoardError.

    Unless it was powered on, the reason is that of the shutdown before as well.
    """
    row = board.table("nxp-misc")
    number = REASONS.index(row.choice("reset_reason", REASONS, "por"))
    words = row.each("ext_info", "a list of up to 3 words")
    if len(words.values) > (0 if number == POR else MOST_EXT):
        raise row.error("ext_info", "a list of up to 3 words, and none of a power-on reset")
    found = Reason(number, None, tuple(words.integer(at, 0, 0xFFFFFFFF) for at in words.values))
    return History(found._replace(ext_info=()), None if number == POR else found)
