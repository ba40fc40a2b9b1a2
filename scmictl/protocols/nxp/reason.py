"""Why a machine booted or shut down: words that both LMM_RESET_REASON and MISC_RESET_REASON use."""

from __future__ import annotations

from scmictl.wire import Bits, bits, flag


class BootFlags(Bits):
    """Why a machine booted; MISC_REASON_ATTRIBUTES has the reason's name."""

    valid = flag(31, "the whole reason is valid")
    origin_valid = flag(28)
    origin = bits(27, 24, "logical machine that caused it")
    err_valid = flag(23)
    err_id = bits(22, 8)
    reason = bits(7, 0)


class ShutdownFlags(Bits):
    """Why a machine shut down; MISC_REASON_ATTRIBUTES has the reason's name."""

    valid = flag(31, "the whole reason is valid")
    ext_len = bits(30, 29, "words of ext_info")
    origin_valid = flag(28)
    origin = bits(27, 24, "logical machine that caused it")
    err_valid = flag(23)
    err_id = bits(22, 8)
    reason = bits(7, 0)
