"""Voltage domains of generated boards."""

from __future__ import annotations

from functools import partial

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("vdd", "vddio", "ldo", "buck", "vpll", "vphy")
"""What voltage domains are called."""


def voltage(number: int, draw: Draw) -> str:
    """A voltage domain with steps, with a list of levels, or with one level that is fixed."""
    form = draw.below(4)
    if form == 0:
        return f'level = "{draw.of(("1200mV", "1.8V", "3.3V"))}"\nenabled = true\n'
    if form == 1:
        text = 'levels = ["700mV", "750mV", "800mV", "850mV", "900mV"]\nlevel = "800mV"\n'
    else:
        step = draw.of((5_000, 10_000, 12_500, 25_000))
        text = f"levels = {{ lowest = 600000, highest = 1100000, step = {step} }}\n"
        text += f"level = {600_000 + step * draw.below(20)}\n"
    return text + ("enabled = true\n" if draw.below(2) else "")


SPECIMENS = (Specimen("voltage", "voltage", "voltage domains", partial(named, WORDS), voltage),)
