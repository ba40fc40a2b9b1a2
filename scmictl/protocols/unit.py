"""Sensor types: the code, the name and the symbol of every unit (reference part B, 3.3).

And the values that count in them: integers, each a number of steps of a power of ten of the unit.
"""

from __future__ import annotations

from enum import IntEnum

from scmictl import values
from scmictl.errors import UsageError

I64 = (-(1 << 63), (1 << 63) - 1)
"""The values that the wire has room for."""


class SensorType(IntEnum):
    """The unit a sensor or an axis reads in, with the codes of DMTF DSP0249."""

    NONE = 0x00
    UNSPECIFIED = 0x01
    DEGREES_CELSIUS = 0x02
    DEGREES_FAHRENHEIT = 0x03
    KELVIN = 0x04
    VOLTS = 0x05
    AMPS = 0x06
    WATTS = 0x07
    JOULES = 0x08
    COULOMBS = 0x09
    VOLT_AMPERES = 0x0A
    NITS = 0x0B
    LUMENS = 0x0C
    LUX = 0x0D
    CANDELAS = 0x0E
    KILOPASCALS = 0x0F
    PSI = 0x10
    NEWTONS = 0x11
    CUBIC_FEET_PER_MINUTE = 0x12
    RPM = 0x13
    HERTZ = 0x14
    SECONDS = 0x15
    MINUTES = 0x16
    HOURS = 0x17
    DAYS = 0x18
    WEEKS = 0x19
    MILS = 0x1A
    INCHES = 0x1B
    FEET = 0x1C
    CUBIC_INCHES = 0x1D
    CUBIC_FEET = 0x1E
    METERS = 0x1F
    CUBIC_CENTIMETERS = 0x20
    CUBIC_METERS = 0x21
    LITERS = 0x22
    FLUID_OUNCES = 0x23
    RADIANS = 0x24
    STERADIANS = 0x25
    REVOLUTIONS = 0x26
    CYCLES = 0x27
    GRAVITIES = 0x28
    OUNCES = 0x29
    POUNDS = 0x2A
    FOOT_POUNDS = 0x2B
    OUNCE_INCHES = 0x2C
    GAUSS = 0x2D
    GILBERTS = 0x2E
    HENRIES = 0x2F
    FARADS = 0x30
    OHMS = 0x31
    SIEMENS = 0x32
    MOLES = 0x33
    BECQUERELS = 0x34
    PARTS_PER_MILLION = 0x35
    DECIBELS = 0x36
    DBA = 0x37
    DBC = 0x38
    GRAYS = 0x39
    SIEVERTS = 0x3A
    COLOR_TEMPERATURE = 0x3B
    BITS = 0x3C
    BYTES = 0x3D
    WORDS = 0x3E
    DOUBLE_WORDS = 0x3F
    QUAD_WORDS = 0x40
    PERCENTAGE = 0x41
    PASCALS = 0x42
    COUNTS = 0x43
    GRAMS = 0x44
    NEWTON_METERS = 0x45
    HITS = 0x46
    MISSES = 0x47
    RETRIES = 0x48
    OVERRUNS = 0x49
    UNDERRUNS = 0x4A
    COLLISIONS = 0x4B
    PACKETS = 0x4C
    MESSAGES = 0x4D
    CHARACTERS = 0x4E
    ERRORS = 0x4F
    CORRECTED_ERRORS = 0x50
    UNCORRECTABLE_ERRORS = 0x51
    SQUARE_MILS = 0x52
    SQUARE_INCHES = 0x53
    SQUARE_FEET = 0x54
    SQUARE_CENTIMETERS = 0x55
    SQUARE_METERS = 0x56
    RADIANS_PER_SECOND = 0x57
    BEATS_PER_MINUTE = 0x58
    METERS_PER_SECOND_SQUARED = 0x59
    METERS_PER_SECOND = 0x5A
    CUBIC_METERS_PER_SECOND = 0x5B
    MILLIMETERS_OF_MERCURY = 0x5C
    RADIANS_PER_SECOND_SQUARED = 0x5D
    OEM_UNIT = 0xFF


SYMBOLS = {
    SensorType.DEGREES_CELSIUS: "°C",
    SensorType.DEGREES_FAHRENHEIT: "°F",
    SensorType.KELVIN: "K",
    SensorType.VOLTS: "V",
    SensorType.AMPS: "A",
    SensorType.WATTS: "W",
    SensorType.JOULES: "J",
    SensorType.COULOMBS: "C",
    SensorType.VOLT_AMPERES: "VA",
    SensorType.NITS: "cd/m²",
    SensorType.LUMENS: "lm",
    SensorType.LUX: "lx",
    SensorType.CANDELAS: "cd",
    SensorType.KILOPASCALS: "kPa",
    SensorType.PSI: "psi",
    SensorType.NEWTONS: "N",
    SensorType.CUBIC_FEET_PER_MINUTE: "ft³/min",
    SensorType.RPM: "rpm",
    SensorType.HERTZ: "Hz",
    SensorType.SECONDS: "s",
    SensorType.MINUTES: "min",
    SensorType.HOURS: "h",
    SensorType.DAYS: "d",
    SensorType.INCHES: "in",
    SensorType.FEET: "ft",
    SensorType.METERS: "m",
    SensorType.CUBIC_CENTIMETERS: "cm³",
    SensorType.CUBIC_METERS: "m³",
    SensorType.LITERS: "l",
    SensorType.RADIANS: "rad",
    SensorType.STERADIANS: "sr",
    SensorType.GAUSS: "G",
    SensorType.HENRIES: "H",
    SensorType.FARADS: "F",
    SensorType.OHMS: "Ω",
    SensorType.SIEMENS: "S",
    SensorType.MOLES: "mol",
    SensorType.BECQUERELS: "Bq",
    SensorType.PARTS_PER_MILLION: "ppm",
    SensorType.DECIBELS: "dB",
    SensorType.DBA: "dBA",
    SensorType.DBC: "dBC",
    SensorType.GRAYS: "Gy",
    SensorType.SIEVERTS: "Sv",
    SensorType.COLOR_TEMPERATURE: "K",
    SensorType.BITS: "bit",
    SensorType.BYTES: "B",
    SensorType.PERCENTAGE: "%",
    SensorType.PASCALS: "Pa",
    SensorType.GRAMS: "g",
    SensorType.NEWTON_METERS: "N·m",
    SensorType.SQUARE_CENTIMETERS: "cm²",
    SensorType.SQUARE_METERS: "m²",
    SensorType.RADIANS_PER_SECOND: "rad/s",
    SensorType.BEATS_PER_MINUTE: "bpm",
    SensorType.METERS_PER_SECOND_SQUARED: "m/s²",
    SensorType.METERS_PER_SECOND: "m/s",
    SensorType.CUBIC_METERS_PER_SECOND: "m³/s",
    SensorType.MILLIMETERS_OF_MERCURY: "mmHg",
    SensorType.RADIANS_PER_SECOND_SQUARED: "rad/s²",
}


def symbol(code: int) -> str:
    """Return what to write behind a value of this type: ``°C``, or the type's name, or nothing."""
    try:
        kind = SensorType(code)
    except ValueError:
        return f"type-{code:#x}"
    if kind in (SensorType.NONE, SensorType.UNSPECIFIED):
        return ""
    return SYMBOLS.get(kind, kind.name.lower())


def scaled(raw: int, exponent: int) -> int | float:
    """Return ``raw * 10^exponent``: an integer where it is one, else the nearest number.

    That number prints as the exact decimal fraction, as far as a float has digits for it.
    """
    if exponent >= 0:
        return raw * int(10**exponent)
    whole, rest = divmod(raw, 10**-exponent)
    return float(f"{raw}e{exponent}") if rest else int(whole)


def steps(text: str, unit: str, exponent: int) -> int:
    """Return what was typed in ``unit`` as the number on the wire; the inverse of `scaled`.

    Raises UsageError for what is no number, of another dimension, between two steps, or too large.
    """
    numerator, denominator = values.quantity(text).convert(unit or None)
    if exponent < 0:
        numerator *= 10**-exponent
    else:
        denominator *= 10**exponent
    raw, rest = divmod(numerator, denominator)
    if rest:
        step = f"10^{exponent} {unit}".strip()
        raise UsageError(f"value is {text}, expected a multiple of the sensor's step, {step}")
    if not I64[0] <= raw <= I64[1]:
        raise UsageError(f"value is {text}, expected one that fits 64 bits of the sensor's steps")
    return int(raw)
