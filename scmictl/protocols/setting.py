"""Pin settings: how people write their types and values (reference part B, 6.3)."""

from __future__ import annotations

from scmictl import values
from scmictl.errors import UsageError
from scmictl.protocols.pinctrl import UNITS, ConfigType

VENDOR = range(0xC0, 0x100)
"""The types that belong to the vendor."""
LAST_TYPE = 0xFF
LAST_VALUE = 0xFFFFFFFF

SWITCHES = frozenset(ConfigType) - {
    ConfigType.DEFAULT,
    ConfigType.DRIVE_STRENGTH,
    ConfigType.INPUT_DEBOUNCE,
    ConfigType.POWER_SOURCE,
    ConfigType.SLEW_RATE,
}
"""The types whose values 0 and 1 mean off and on."""

_SUFFIXES = {"Ω": "_ohm", "mA": "_ma", "us": "_us"}
_ON_OFF = {"on": 1, "true": 1, "yes": 1, "off": 0, "false": 0, "no": 0}


def type_of(text: str) -> int:
    """Return the type of a setting by its name (``bias-pull-up``, in any case) or number.

    Raises UsageError for anything else.
    """
    number = values.enum_value(text, ConfigType)
    if not 0 <= number <= LAST_TYPE:
        raise UsageError(f"found the type {text}, expected 0 to {LAST_TYPE:#x}, or a name")
    return int(number)


def type_name(type: int) -> str:
    """Return how the type of a setting is written: ``bias-pull-up``, or ``0xc0``."""
    try:
        return ConfigType(type).name.lower().replace("_", "-")
    except ValueError:
        return f"{type:#x}"


def key(type: int) -> str:
    """Return what a setting is called in a record, with its unit: ``bias_pull_up_ohm``."""
    if type in VENDOR:
        return f"vendor_{type:#x}"
    if type not in ConfigType.__members__.values():
        return f"type_{type:#x}"
    return ConfigType(type).name.lower() + _SUFFIXES.get(unit_of(type) or "", "")


def value_of(type: int, text: str) -> int:
    """Return the value of a setting: a number, which may have its unit, or ``on`` or ``off``.

    Raises UsageError for anything else.
    """
    if type in SWITCHES and text.lower() in _ON_OFF:
        return _ON_OFF[text.lower()]
    value = values.number(text, unit_of(type))
    if not 0 <= value <= LAST_VALUE:
        raise UsageError(f"found the value {text}, expected 0 to {LAST_VALUE:#x}")
    return value


def unit_of(type: int) -> str | None:
    """Return the unit that values of a type are in, if they have one."""
    return UNITS.get(ConfigType(type)) if type in ConfigType.__members__.values() else None
