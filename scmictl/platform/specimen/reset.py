"""Reset domains of generated boards."""

from __future__ import annotations

from functools import partial

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("pcie", "usb", "gpu", "uart", "eth", "sata", "display", "dma")
"""What reset domains are called."""


def reset(number: int, draw: Draw) -> str:
    """A reset domain; some are held in reset at the start, or have a reset of their own."""
    text = f'latency = "{10 * (1 + draw.below(50))}us"\n'
    if draw.below(5) == 0:
        text += "states = [0, 0x80000002]\n"
    if draw.below(6) == 0:
        text += "asserted = true\n"
    return text


SPECIMENS = (Specimen("reset", "reset", "reset domains", partial(named, WORDS), reset),)
