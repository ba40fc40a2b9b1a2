"""SCMI status codes: the signed word that starts every response (reference part A, 1.5)."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

WORD = Struct("<i")
VENDOR = -128
"""This value and all below it belong to the vendor."""


class Status(IntEnum):
    """The status codes of SCMI 1.0 to 4.0."""

    SUCCESS = 0
    NOT_SUPPORTED = -1
    INVALID_PARAMETERS = -2
    DENIED = -3
    NOT_FOUND = -4
    OUT_OF_RANGE = -5
    BUSY = -6
    COMMS_ERROR = -7
    GENERIC_ERROR = -8
    HARDWARE_ERROR = -9
    PROTOCOL_ERROR = -10
    IN_USE = -11
    PARTIAL_ERROR = -12


MEANINGS = {
    Status.SUCCESS: "done, or an asynchronous command was accepted",
    Status.NOT_SUPPORTED: "the platform or this resource does not have that feature",
    Status.INVALID_PARAMETERS: "a reserved bit is set, or a value or combination is illegal",
    Status.DENIED: "this agent has no permission for it",
    Status.NOT_FOUND: "what was named does not exist for this agent",
    Status.OUT_OF_RANGE: "a value or list index is outside the allowed range",
    Status.BUSY: "the resource or a queue is occupied; try again later",
    Status.COMMS_ERROR: "the message was damaged on its way",
    Status.GENERIC_ERROR: "the platform failed and has no better code for it",
    Status.HARDWARE_ERROR: "the hardware failed to perform",
    Status.PROTOCOL_ERROR: "the message is malformed or comes in the wrong state",
    Status.IN_USE: "another agent holds the resource",
    Status.PARTIAL_ERROR: "done in part only",
}


def status_name(value: int) -> str:
    """Return the name of a status: ``DENIED``, ``VENDOR(-130)`` or ``RESERVED(-20)``."""
    try:
        return Status(value).name
    except ValueError:
        return f"{'VENDOR' if value <= VENDOR else 'RESERVED'}({value})"
