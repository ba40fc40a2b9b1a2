"""How typed values become SCMI bytes.

A message is declared once, as a class (:mod:`~scmictl.wire.message`, :mod:`~scmictl.wire.fields`,
:mod:`~scmictl.wire.bits`); the fast codec (:mod:`~scmictl.wire.codec`) and the construct schema
(:mod:`~scmictl.wire.schema`) are derived from it, for every version of its protocol.

May import: nothing of scmictl but ``errors``. To extend: a new kind of field is a specifier in
``fields``, one branch in ``codec`` and one in ``schema``; the agreement test then covers it.
"""

from scmictl.wire.bits import Bit, Bits, bits, flag
from scmictl.wire.fields import (
    Field,
    array,
    declared,
    i32,
    i64,
    packed,
    text,
    u8,
    u16,
    u32,
    u64,
    word,
)
from scmictl.wire.message import (
    AsyncRequest,
    Delayed,
    Effect,
    Message,
    Notification,
    Paging,
    Request,
    Response,
    Struct,
    follow,
    holds,
)
from scmictl.wire.status import Status, status_name

__all__ = [
    "AsyncRequest",
    "Bit",
    "Bits",
    "Delayed",
    "Effect",
    "Field",
    "Message",
    "Notification",
    "Paging",
    "Request",
    "Response",
    "Status",
    "Struct",
    "array",
    "bits",
    "declared",
    "flag",
    "follow",
    "holds",
    "i32",
    "i64",
    "packed",
    "status_name",
    "text",
    "u8",
    "u16",
    "u32",
    "u64",
    "word",
]
