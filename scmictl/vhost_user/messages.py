"""The vhost-user messages: numbers, flag words, feature bits, payload layouts and their checks.

Nothing here does I/O. Integers are in host byte order. Every ``unpack_*`` takes the payload of
one message, insists on its exact size and raises RemoteProtocolError with what was found and
what was expected; every ``pack_*`` returns payload bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from scmictl.errors import RemoteProtocolError

# Flag words. Bits 1:0 are the version, which is 1; bits 31:4 are zero.
VERSION = 0x1
REPLY = 0x4
NEED_REPLY = 0x8

#: No payload of any message that we understand is longer; rust-vmm has the same limit.
MAX_PAYLOAD = 4096

# Virtio feature bits that the control protocol itself looks at (as masks).
PROTOCOL_FEATURES = 1 << 30
VERSION_1 = 1 << 32

# Protocol feature bits (as masks): those that one of our ends can take.
MQ = 1 << 0
REPLY_ACK = 1 << 3
CONFIGURE_MEM_SLOTS = 1 << 15

#: SET_VRING_ADDR: the ring's used part is to be logged for migration (never offered by us).
ADDRESS_LOG = 0x1
#: SET_VRING_KICK / CALL / ERR: no descriptor comes along.
NO_FD = 0x100


class Request(IntEnum):
    """The numbers of the requests a frontend can send."""

    GET_FEATURES = 1
    SET_FEATURES = 2
    SET_OWNER = 3
    RESET_OWNER = 4
    SET_MEM_TABLE = 5
    SET_LOG_BASE = 6
    SET_LOG_FD = 7
    SET_VRING_NUM = 8
    SET_VRING_ADDR = 9
    SET_VRING_BASE = 10
    GET_VRING_BASE = 11
    SET_VRING_KICK = 12
    SET_VRING_CALL = 13
    SET_VRING_ERR = 14
    GET_PROTOCOL_FEATURES = 15
    SET_PROTOCOL_FEATURES = 16
    GET_QUEUE_NUM = 17
    SET_VRING_ENABLE = 18
    SET_BACKEND_REQ_FD = 21
    IOTLB_MSG = 22
    SET_VRING_ENDIAN = 23
    GET_CONFIG = 24
    SET_CONFIG = 25
    GET_INFLIGHT_FD = 31
    SET_INFLIGHT_FD = 32
    RESET_DEVICE = 34
    VRING_KICK = 35
    GET_MAX_MEM_SLOTS = 36
    ADD_MEM_REG = 37
    REM_MEM_REG = 38
    SET_STATUS = 39
    GET_STATUS = 40
    GET_SHMEM_CONFIG = 44


class Header(NamedTuple):
    """The twelve bytes before every payload; ``size`` is the payload's, in bytes."""

    request: int
    flags: int
    size: int


class Rule(NamedTuple):
    """What a request of ours to serve looks like.

    ``size`` is the exact payload size in bytes (None: 8 + 32 for each region of a table);
    ``reply`` says whether it has a reply of its own, which an acknowledgement never joins.
    """

    size: int | None
    reply: bool = False


class VringState(NamedTuple):
    """A queue index and a number: a size, an index into the ring, or on/off."""

    queue: int
    num: int


class VringAddress(NamedTuple):
    """Where the three parts of a ring are, as *user* addresses; ``log`` is a guest address."""

    queue: int
    flags: int
    descriptor: int
    used: int
    available: int
    log: int = 0


class VringFd(NamedTuple):
    """A queue index, and whether a descriptor comes along."""

    queue: int
    attached: bool


class MemoryRegion(NamedTuple):
    """A piece of a memory file and where driver and frontend think it is.

    ``guest``: address in descriptors; ``user``: address in SET_VRING_ADDR; ``size`` and
    ``offset`` (in the file) in bytes.
    """

    guest: int
    size: int
    user: int
    offset: int


_HEADER = struct.Struct("=III")
_U64 = struct.Struct("=Q")
_STATE = struct.Struct("=II")
_ADDRESS = struct.Struct("=IIQQQQ")
_REGION = struct.Struct("=QQQQ")
_TABLE = struct.Struct("=II")

HEADER_SIZE = _HEADER.size
U64_SIZE = _U64.size
STATE_SIZE = _STATE.size

#: The requests our backend serves. A number that is not here is refused.
RULES: dict[int, Rule] = {
    Request.GET_FEATURES: Rule(0, reply=True),
    Request.SET_FEATURES: Rule(_U64.size),
    Request.SET_OWNER: Rule(0),
    Request.RESET_OWNER: Rule(0),
    Request.SET_MEM_TABLE: Rule(None),
    Request.SET_VRING_NUM: Rule(_STATE.size),
    Request.SET_VRING_ADDR: Rule(_ADDRESS.size),
    Request.SET_VRING_BASE: Rule(_STATE.size),
    Request.GET_VRING_BASE: Rule(_STATE.size, reply=True),
    Request.SET_VRING_KICK: Rule(_U64.size),
    Request.SET_VRING_CALL: Rule(_U64.size),
    Request.SET_VRING_ERR: Rule(_U64.size),
    Request.GET_PROTOCOL_FEATURES: Rule(0, reply=True),
    Request.SET_PROTOCOL_FEATURES: Rule(_U64.size),
    Request.GET_QUEUE_NUM: Rule(0, reply=True),
    Request.SET_VRING_ENABLE: Rule(_STATE.size),
    Request.GET_MAX_MEM_SLOTS: Rule(0, reply=True),
    Request.ADD_MEM_REG: Rule(_U64.size + _REGION.size),
    Request.REM_MEM_REG: Rule(_U64.size + _REGION.size),
}


def name(request: int) -> str:
    """The name of a request, or ``request N`` for a number without one."""
    try:
        return Request(request).name
    except ValueError:
        return f"request {request}"


def pack(request: int, payload: bytes, flags: int = VERSION) -> bytes:
    """A whole message: header and payload, to be sent at once."""
    return _HEADER.pack(request, flags, len(payload)) + payload


def unpack_header(data: bytes | bytearray) -> Header:
    """The header in exactly ``HEADER_SIZE`` bytes, unchecked."""
    return Header._make(_HEADER.unpack(data))


def check_request(header: Header) -> None:
    """Judge a request's header before its payload is waited for.

    Raises RemoteProtocolError for flags other than a plain request's (with or without
    NEED_REPLY) and for a size that is not the request's. A number that is not known passes, if
    its payload is short enough to be skipped.
    """
    if header.flags & ~NEED_REPLY != VERSION:
        raise RemoteProtocolError(
            f"{name(header.request)}: flags {header.flags:#x} found, expected 0x1 or 0x9"
        )
    rule = RULES.get(header.request)
    if rule is not None and rule.size is not None:
        _check_size(header.request, header.size, rule.size)
    elif header.size > MAX_PAYLOAD:
        raise RemoteProtocolError(
            f"{name(header.request)}: payload of {header.size} bytes found,"
            f" expected at most {MAX_PAYLOAD}"
        )


def check_reply(header: Header, request: int, size: int) -> None:
    """Judge the header of the reply to ``request``, whose payload has ``size`` bytes.

    A backend may leave NEED_REPLY set when the request had it (libvhost-user does); any other
    deviation raises RemoteProtocolError.
    """
    if header.request != request:
        raise RemoteProtocolError(
            f"reply to {name(header.request)} found, expected one to {name(request)}"
        )
    if header.flags & ~NEED_REPLY != VERSION | REPLY:
        raise RemoteProtocolError(
            f"reply to {name(request)}: flags {header.flags:#x} found, expected 0x5"
        )
    _check_size(request, header.size, size)


def _check_size(request: int, found: int, expected: int) -> None:
    if found != expected:
        raise RemoteProtocolError(
            f"{name(request)}: payload of {found} bytes found, expected {expected}"
        )


def pack_u64(value: int) -> bytes:
    """A single number: features, a count, an acknowledgement."""
    return _U64.pack(value)


def unpack_u64(request: int, payload: bytes) -> int:
    """The inverse of ``pack_u64``."""
    _check_size(request, len(payload), _U64.size)
    return int(_U64.unpack(payload)[0])


def pack_state(index: int, num: int) -> bytes:
    """A queue index and a number."""
    return _STATE.pack(index, num)


def unpack_state(request: int, payload: bytes) -> VringState:
    """The inverse of ``pack_state``."""
    _check_size(request, len(payload), _STATE.size)
    return VringState._make(_STATE.unpack(payload))


def pack_address(address: VringAddress) -> bytes:
    """The addresses of a ring (used before available, on the wire as in the tuple)."""
    return _ADDRESS.pack(*address)


def unpack_address(request: int, payload: bytes) -> VringAddress:
    """The inverse of ``pack_address``."""
    _check_size(request, len(payload), _ADDRESS.size)
    return VringAddress._make(_ADDRESS.unpack(payload))


def pack_vring_fd(index: int, attached: bool) -> bytes:
    """The payload of SET_VRING_KICK, CALL and ERR."""
    return _U64.pack(index if attached else index | NO_FD)


def unpack_vring_fd(request: int, payload: bytes, fds: int) -> VringFd:
    """The inverse of ``pack_vring_fd``; ``fds`` is the number of descriptors that came along.

    Raises RemoteProtocolError when bits 63:9 are not zero, or bit 8 and ``fds`` disagree.
    """
    word = unpack_u64(request, payload)
    if word & ~0x1FF:
        raise RemoteProtocolError(f"{name(request)}: {word:#x} found, expected bits 63:9 to be 0")
    check_fds(request, fds, 0 if word & NO_FD else 1)
    return VringFd(word & 0xFF, not word & NO_FD)


def check_fds(request: int, found: int, expected: int) -> None:
    """Raise RemoteProtocolError unless exactly ``expected`` descriptors came along."""
    if found != expected:
        raise RemoteProtocolError(
            f"{name(request)}: {found} file descriptors found, expected {expected}"
        )


def pack_memory_table(regions: Sequence[MemoryRegion]) -> bytes:
    """The payload of SET_MEM_TABLE; descriptor i of the message belongs to region i."""
    return _TABLE.pack(len(regions), 0) + b"".join(_REGION.pack(*region) for region in regions)


def unpack_memory_table(request: int, payload: bytes) -> list[MemoryRegion]:
    """The inverse of ``pack_memory_table``; at least one region, the padding zero."""
    if len(payload) < _TABLE.size:
        _check_size(request, len(payload), _TABLE.size + _REGION.size)
    count, padding = _TABLE.unpack_from(payload)
    if count == 0:
        raise RemoteProtocolError(f"{name(request)}: no region found, expected at least one")
    if padding:
        raise RemoteProtocolError(f"{name(request)}: padding {padding:#x} found, expected 0")
    _check_size(request, len(payload), _TABLE.size + count * _REGION.size)
    return [MemoryRegion._make(fields) for fields in _REGION.iter_unpack(payload[_TABLE.size :])]


def pack_memory_region(region: MemoryRegion) -> bytes:
    """The payload of ADD_MEM_REG and REM_MEM_REG."""
    return _U64.pack(0) + _REGION.pack(*region)


def unpack_memory_region(request: int, payload: bytes) -> MemoryRegion:
    """The inverse of ``pack_memory_region``; the padding is zero."""
    _check_size(request, len(payload), _U64.size + _REGION.size)
    if unpack_u64(request, payload[: _U64.size]):
        raise RemoteProtocolError(f"{name(request)}: padding found, expected 0")
    return MemoryRegion._make(_REGION.unpack_from(payload, _U64.size))
