"""The plain form of a message: what JSON, tables, assertions and ``call`` name its parts.

A word with bits becomes an object under its own name, enumerations become their names, reserved
bits that are set show as ``"reserved": "0x…"``, and fields of other versions are left out.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from scmictl.wire.bits import Bits
from scmictl.wire.fields import Field
from scmictl.wire.message import Struct


def record(message: Struct, version: int) -> dict[str, Any]:
    """Return the fields of ``message`` as they are named in ``version``."""
    return {
        field.key: _plain(field, getattr(message, field.name), version)
        for field in message.layout(version)
        if hasattr(message, field.name)
    }


def word_record(word: Bits, version: int) -> dict[str, Any]:
    """Return the named bits of ``word``, lowest first, and its reserved bits if any are set."""
    variant = word.at(version)
    bound = variant(word)
    result: dict[str, Any] = {}
    for part in reversed(variant.PARTS):
        value = getattr(bound, part.name)
        result[part.key] = value if part.is_flag else enum_name(part.enum, value)
    if bound.reserved:
        result["reserved"] = f"{bound.reserved:#x}"
    return result


def enum_name(enum: type[IntEnum] | None, value: int) -> int | str:
    """Return the lower-case member name of ``value``, or ``value`` where there is none."""
    if enum is None:
        return value
    try:
        return enum(value).name.lower()
    except ValueError:
        return value


def _plain(field: Field, value: Any, version: int) -> Any:
    if isinstance(value, list):
        return [_plain_item(item, version) for item in value]
    if isinstance(value, int) and field.enum is not None:
        return enum_name(field.enum, value)
    return _plain_item(value, version)


def _plain_item(value: Any, version: int) -> Any:
    if isinstance(value, Bits):
        return word_record(value, version)
    if isinstance(value, Struct):
        return record(value, version)
    if isinstance(value, bytes):
        return value.hex()
    return value
