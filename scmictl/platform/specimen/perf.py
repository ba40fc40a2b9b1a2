"""Performance domains of generated boards."""

from __future__ import annotations

from functools import partial

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("cpu", "gpu", "npu", "dsp", "memory", "bus")
"""What performance domains are called."""


def perf(number: int, draw: Draw) -> str:
    """A performance domain whose levels are kHz, or indices with a frequency each."""
    many, step = 3 + draw.below(8), 100_000 * (1 + draw.below(3))
    indexed = draw.below(6) == 0
    levels = []
    for position in range(1, many + 1):
        level, milliwatts = position * step, 20 * position * position
        if indexed:
            levels.append(
                f'{{ level = {position}, power = {milliwatts}, frequency = "{level}kHz" }}'
            )
        else:
            levels.append(f"{{ level = {level}, power = {milliwatts} }}")
    unit = 1 if indexed else step
    middle = 1 + draw.below(many)
    text = f"levels = [{', '.join(levels)}]\nlevel = {middle * unit}\n"
    text += f'sustained_freq = "{many * step}kHz"\nsustained_level = {many * unit}\n'
    text += f'latency = "{50 * (1 + draw.below(20))}us"\n'
    if number == 0:
        text += 'power_unit = "mW"\n'
    return text + ("level_indexing = true\n" if indexed else "")


SPECIMENS = (Specimen("perf", "perf", "performance domains", partial(named, WORDS), perf),)
