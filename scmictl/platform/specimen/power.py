"""Power domains of generated boards."""

from __future__ import annotations

from functools import partial

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("core", "gpu", "display", "usb", "video", "isp", "npu", "serdes")
"""What power domains are called."""


def power(number: int, draw: Draw) -> str:
    """A power domain that is on or off, some with a state between, some shared by all agents."""
    text = ""
    if draw.below(4) == 0:
        text += "states = { on = 0x0, retention = 0x2, off = 0x40000000 }\n"
    if draw.below(3) == 0:
        text += 'state = "off"\n'
    if draw.below(2) == 0:
        text += f'latency = "{100 * (1 + draw.below(10))}us"\n'
    if draw.below(8) == 0:
        text += "shared = true\n"
    return text


SPECIMENS = (Specimen("power", "power", "power domains", partial(named, WORDS), power),)
