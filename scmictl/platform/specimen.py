"""Specimens: one table of a board for every kind of thing, made up from its number.

Theory of operation: everything about a thing follows from the seed, its kind and its number, so it
can be written without remembering what came before. Numbers come in small blocks that belong
together: the first of a block is what the others hang on (a PLL, a cap, a bus). What varies,
varies within what all platforms could have; Linux drivers find nothing in it to complain about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from scmictl.platform.waveform import mix

T = TypeVar("T")

LONG_EVERY = 11
"""Every so many things have a name that needs more than the 15 characters of the short one."""
BLOCK = 16
"""Clocks that hang on the same PLL."""
FAMILY = 32
"""Power capping domains below the same root, itself included."""
CLUSTER = 8
"""Those of them below the same child of the root."""
AXES_EVERY = 32
"""Every so many sensors have three axes."""
OSCILLATOR = "osc24m"

PLACES = ("north", "south", "east", "west", "display", "camera", "storage", "network")
WORDS = {
    "clock": ("uart", "i2c", "spi", "emmc", "usb", "eth", "can", "pwm", "adc", "timer", "audio"),
    "sensor": ("temp", "vdd", "current", "power", "temp-die", "fan", "humidity", "vref"),
    "power": ("core", "gpu", "display", "usb", "video", "isp", "npu", "serdes"),
    "perf": ("cpu", "gpu", "npu", "dsp", "memory", "bus"),
    "reset": ("pcie", "usb", "gpu", "uart", "eth", "sata", "display", "dma"),
    "voltage": ("vdd", "vddio", "ldo", "buck", "vpll", "vphy"),
    "pin": ("gpio", "uart", "i2c", "spi", "sdio", "pwm"),
    "group": ("uart-pins", "i2c-pins", "spi-pins", "sdio-pins", "pwm-pins"),
    "function": ("uart", "i2c", "spi", "sdio", "pwm", "can"),
}
"""What things are called, before their number; no word ends in a digit, so names are unique."""


class Draw:
    """Numbers drawn for one thing, the same ones whenever the same thing is asked for."""

    __slots__ = ("_left",)

    def __init__(self, seed: int, kind: str, number: int) -> None:
        self._left = mix(seed, *kind.encode(), number)

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``; a dozen small ones can be had."""
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def of(self, choices: Sequence[T]) -> T:
        """Return one of ``choices``."""
        return choices[self.below(len(choices))]


def name(kind: str, number: int) -> str:
    """Return what the thing with this number is called."""
    if kind == "clock":
        return _clock_name(number)
    if kind == "powercap":
        return _cap_name(number)
    if kind == "sensor" and _has_axes(number):
        return f"acc{number // AXES_EVERY}"
    return _named(WORDS[kind], number)


def _named(words: Sequence[str], number: int) -> str:
    short = f"{words[number % len(words)]}{number // len(words)}"
    if number % LONG_EVERY != LONG_EVERY - 1:
        return short
    return f"{short}-of-the-{PLACES[number // LONG_EVERY % len(PLACES)]}-side"


# --- clocks ---------------------------------------------------------------------------------------


def _clock_name(number: int) -> str:
    block, place = divmod(number - 1, BLOCK)
    if number == 0:
        return OSCILLATOR
    if place == 0:
        return f"pll{block}"
    if place <= 2:
        return f"{'ahb' if place == 1 else 'apb'}{block}"
    return _named(WORDS["clock"], number)


def clock(number: int, draw: Draw) -> str:
    """An oscillator; then blocks of a PLL, two buses that follow it, and clocks that divide it."""
    block, place = divmod(number - 1, BLOCK)
    if number == 0:
        return 'rate = "24MHz"\nenabled = true\ncritical = true\n'
    if place == 0:
        top = draw.of((1200, 1600, 2000))
        rates = f'["{top // 2}MHz", "{top * 3 // 4}MHz", "{top}MHz"]'
        return (
            f'parent = "{OSCILLATOR}"\nrates = {rates}\nrate = "{top}MHz"\nenabled = true\n'
            f'enable_delay = "{50 + draw.below(200)}us"\nlatency = "{1 + draw.below(5)}ms"\n'
        )
    if place == 1:
        return f'parent = "pll{block}"\ndivider = {draw.of((2, 4))}\nenabled = true\n'
    if place == 2:
        return f'parent = "ahb{block}"\ndivider = 2\nenabled = true\n'
    parents = draw.of((f'parent = "pll{block}"', f'parents = ["pll{block}", "{OSCILLATOR}"]'))
    form = draw.below(4)
    if form == 0:
        return f'{parents}\nrate = "{draw.of((12, 24, 48, 100, 125))}MHz"\n'
    if form == 1:
        step = draw.of((1, 10, 100))
        rates = f'{{ lowest = "1MHz", highest = "{100 + 50 * draw.below(4)}MHz", '
        rates += f'step = "{step}kHz" }}'
        return f'{parents}\nrates = {rates}\nrate = "{1 + draw.below(100)}MHz"\n'
    base = draw.of((6, 10, 12, 25))
    rates = ", ".join(f'"{base << power}MHz"' for power in range(2 + draw.below(4)))
    more = "enabled = true\n" if form == 2 else "duty_cycle = 50\n" if draw.below(8) == 0 else ""
    return f'{parents}\nrates = [{rates}]\nrate = "{base * 2}MHz"\n{more}'


# --- sensors --------------------------------------------------------------------------------------


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
"""In the order of the words for sensors."""

INTERVALS = (
    'intervals = ["10ms", "100ms", "1s"]\ninterval = "100ms"\n',
    'intervals = ["500ms", "1s", "5s", "10s"]\n',
    'intervals = { lowest = "5ms", highest = "1s", step = "5ms" }\ninterval = "50ms"\n',
)


def _has_axes(number: int) -> bool:
    return number % AXES_EVERY == AXES_EVERY - 1


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


# --- domains --------------------------------------------------------------------------------------


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


def reset(number: int, draw: Draw) -> str:
    """A reset domain; some are held in reset at the start, or have a reset of their own."""
    text = f'latency = "{10 * (1 + draw.below(50))}us"\n'
    if draw.below(5) == 0:
        text += "states = [0, 0x80000002]\n"
    if draw.below(6) == 0:
        text += "asserted = true\n"
    return text


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


def _cap_name(number: int) -> str:
    family, place = divmod(number, FAMILY)
    if place == 0:
        return f"package{family}"
    if place % CLUSTER == 0:
        return f"cluster{family}-{place // CLUSTER}"
    return _named(("zone",), number)


def powercap(number: int, draw: Draw) -> str:
    """A power capping domain: packages at the top, clusters below them, zones at the bottom."""
    family, place = divmod(number, FAMILY)
    if place == 0:
        text, watts = "", 60
    elif place % CLUSTER == 0 or place < CLUSTER:
        text, watts = f'parent = "package{family}"\n', 20
    else:
        text, watts = f'parent = "cluster{family}-{place // CLUSTER}"\n', 4
    text += f'caps = {{ lowest = "500mW", highest = "{watts}W", step = "100mW" }}\n'
    text += f'cap = "{watts}W"\n' if draw.below(2) else f'cap = "{watts * 1000 - 500}mW"\n'
    text += f"power = {100 + draw.below(watts * 40)}\n"
    if draw.below(3) == 0:
        text += 'pais = { lowest = "10ms", highest = "1s", step = "10ms" }\npai = "100ms"\n'
    if draw.below(4) == 0:
        text += f'swing = 50\nnoise = 5\nperiod = "{10 + draw.below(50)}s"\n'
    return text


# --- pins -----------------------------------------------------------------------------------------

SETTINGS = (
    'settings = { bias-pull-up = "10kohm", input-mode = true }\n',
    'settings = { drive-push-pull = true, drive-strength = "4mA" }\n',
    'settings = { bias-pull-down = "50kohm" }\n',
)


def pin(number: int, draw: Draw) -> str:
    """A pin, some of them with settings."""
    return draw.of(SETTINGS) if draw.below(4) == 0 else ""
