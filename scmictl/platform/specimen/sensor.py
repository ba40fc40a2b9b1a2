"""Sensors of generated boards: temperatures and the like, and some with three axes."""

from __future__ import annotations

from typing import NamedTuple

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("temp", "vdd", "current", "power", "temp-die", "fan", "humidity", "vref")
"""What sensors are called, in the order of ``MEASURES``."""
AXES_EVERY = 32
"""Every so many sensors have three axes."""


class Measure(NamedTuple):
    """What sensors of a word measure: values from ``lowest`` to ``highest`` about ``value``."""

    type: str
    scale: int
    value: int
    spread: int
    lowest: int
    highest: int


_CELSIUS = Measure("degrees_celsius", -3, 35_000, 40_000, -40_000, 125_000)
_VOLTS = Measure("volts", -3, 700, 500, 0, 3_600)
MEASURES = (
    _CELSIUS,
    _VOLTS,
    Measure("amps", -3, 100, 3_000, 0, 8_000),
    Measure("watts", -3, 500, 6_000, 0, 15_000),
    _CELSIUS,
    Measure("rpm", 0, 1_200, 2_400, 0, 6_000),
    Measure("percentage", -1, 200, 600, 0, 1_000),
    _VOLTS,
)
"""What sensors measure, word by word."""

INTERVALS = (
    'intervals = ["10ms", "100ms", "1s"]\ninterval = "100ms"\n',
    'intervals = ["500ms", "1s", "5s", "10s"]\n',
    'intervals = { lowest = "5ms", highest = "1s", step = "5ms" }\ninterval = "50ms"\n',
)


def _has_axes(number: int) -> bool:
    return number % AXES_EVERY == AXES_EVERY - 1


def name(number: int) -> str:
    """Return what the sensor with this number is called."""
    if _has_axes(number):
        return f"acc{number // AXES_EVERY}"
    return named(WORDS, number)


def sensor(number: int, draw: Draw) -> str:
    """A sensor of the kind its name says; some move, some have intervals, some have axes."""
    if _has_axes(number):
        text = f"{draw.of(INTERVALS)}continuous = true\ntimestamp_exponent = -9\n"
        prefix = draw.of(("acc_", "acceleration_axis_"))  # Linux wants the _
        for axis, value in zip("XYZ", (0, 0, 9_807), strict=True):
            text += (
                f'\n[[sensor.axis]]\nname = "{prefix}{axis}"\ntype = "meters_per_second_squared"\n'
                f"scale = -3\nvalue = {value}\nnoise = 20\nrange = [-39227, 39227]\n"
            )
        return text
    one = MEASURES[number % len(MEASURES)]
    text = f'type = "{one.type}"\nscale = {one.scale}\n' if one.scale else f'type = "{one.type}"\n'
    text += f"value = {one.value + draw.below(one.spread)}\n"
    if draw.below(4) == 0:
        text += f'swing = {one.spread // 8}\nperiod = "{10 + draw.below(90)}s"\nnoise = 5\n'
    if draw.below(8) == 0:
        text += f"range = [{one.lowest}, {one.highest}]\nresolution = 1\n"
    if draw.below(8) == 0:
        text += f"{draw.of(INTERVALS)}continuous = true\n"
    if draw.below(16) == 0:
        text += f"trip_points = {1 + draw.below(3)}\ntimestamp_exponent = -6\n"
    if draw.below(32) == 0:
        text += 'async = true\nlatency = "5ms"\n'
    return text


# Numbers go to 65535; the list of sensors says what the 16 bits of their count cannot.
SPECIMENS = (Specimen("sensor", "sensors", "sensors", name, sensor, most=0x10000),)
