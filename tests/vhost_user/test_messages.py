"""Layouts and checks against the bytes of reference/vhost-user-virtqueue.md, sections 1 to 3."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from scmictl.errors import RemoteProtocolError
from scmictl.vhost_user import messages
from scmictl.vhost_user.backend import HANDLERS
from scmictl.vhost_user.messages import Header, MemoryRegion, Request, VringAddress

pytestmark = pytest.mark.skipif(
    sys.byteorder != "little", reason="host byte order, and the expected bytes are little-endian"
)


def test_a_request_is_number_flags_size_and_payload() -> None:
    assert messages.pack(Request.GET_FEATURES, b"") == bytes.fromhex("010000000100000000000000")
    assert messages.pack(
        Request.SET_VRING_ENABLE,
        messages.pack_state(1, 1),
        messages.VERSION | messages.NEED_REPLY,
    ) == bytes.fromhex("12000000 09000000 08000000 01000000 01000000")


def test_a_reply_header_is_read_back() -> None:
    assert messages.unpack_header(bytes.fromhex("010000000500000008000000")) == (1, 5, 8)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "GET_FEATURES"),
        (2, "SET_FEATURES"),
        (3, "SET_OWNER"),
        (4, "RESET_OWNER"),
        (5, "SET_MEM_TABLE"),
        (8, "SET_VRING_NUM"),
        (9, "SET_VRING_ADDR"),
        (10, "SET_VRING_BASE"),
        (11, "GET_VRING_BASE"),
        (12, "SET_VRING_KICK"),
        (13, "SET_VRING_CALL"),
        (14, "SET_VRING_ERR"),
        (15, "GET_PROTOCOL_FEATURES"),
        (16, "SET_PROTOCOL_FEATURES"),
        (17, "GET_QUEUE_NUM"),
        (18, "SET_VRING_ENABLE"),
        (36, "GET_MAX_MEM_SLOTS"),
        (37, "ADD_MEM_REG"),
        (38, "REM_MEM_REG"),
    ],
)
def test_requests_have_the_numbers_of_the_reference_and_are_served(number: int, name: str) -> None:
    assert messages.name(number) == name
    assert number in messages.RULES
    assert number in HANDLERS


def test_every_request_with_a_rule_has_a_handler_and_no_other() -> None:
    assert set(messages.RULES) == set(HANDLERS)


def test_a_number_without_a_name_is_named_by_its_number() -> None:
    assert messages.name(77) == "request 77"


def test_ring_addresses_have_used_before_available() -> None:
    packed = messages.pack_address(VringAddress(1, 0, 0x1000, 0x3000, 0x2000, 0x4000))
    assert packed == bytes.fromhex(
        "01000000 00000000 0010000000000000 0030000000000000 0020000000000000 0040000000000000"
    )
    found = messages.unpack_address(Request.SET_VRING_ADDR, packed)
    assert (found.used, found.available) == (0x3000, 0x2000)


def test_a_memory_table_is_a_count_padding_and_the_regions() -> None:
    region = MemoryRegion(guest=0x40000000, size=0x200000, user=0x7F0000000000, offset=0x1000)
    packed = messages.pack_memory_table([region])
    assert packed == bytes.fromhex(
        "01000000 00000000"
        "0000004000000000 0000200000000000 0000000000 7f0000 0010000000000000".replace(" ", "")
    )
    assert messages.unpack_memory_table(Request.SET_MEM_TABLE, packed) == [region]


def test_a_single_region_has_eight_bytes_before_it() -> None:
    region = MemoryRegion(guest=1, size=2, user=3, offset=4)
    packed = messages.pack_memory_region(region)
    assert packed == bytes(8) + b"".join(n.to_bytes(8, "little") for n in (1, 2, 3, 4))
    assert messages.unpack_memory_region(Request.ADD_MEM_REG, packed) == region


@pytest.mark.parametrize(
    ("index", "attached", "expected"),
    [(0, True, "0000000000000000"), (1, True, "0100000000000000"), (1, False, "0101000000000000")],
)
def test_bit_8_says_that_no_descriptor_comes_along(
    index: int, attached: bool, expected: str
) -> None:
    packed = messages.pack_vring_fd(index, attached)
    assert packed == bytes.fromhex(expected)
    found = messages.unpack_vring_fd(Request.SET_VRING_CALL, packed, int(attached))
    assert found == (index, attached)


@pytest.mark.parametrize(("word", "fds"), [(0x100, 1), (0x000, 0), (0x000, 2), (0x200, 1)])
def test_bit_8_and_the_descriptors_have_to_agree_and_the_rest_is_zero(word: int, fds: int) -> None:
    with pytest.raises(RemoteProtocolError, match=r"SET_VRING_KICK: .* found, expected"):
        messages.unpack_vring_fd(Request.SET_VRING_KICK, word.to_bytes(8, "little"), fds)


@pytest.mark.parametrize(
    ("unpack", "size"),
    [
        (messages.unpack_u64, 8),
        (messages.unpack_state, 8),
        (messages.unpack_address, 40),
        (messages.unpack_memory_region, 40),
        (messages.unpack_memory_table, 40),
    ],
)
def test_a_payload_has_exactly_its_size(unpack: Callable[[int, bytes], object], size: int) -> None:
    payload = bytes([1, 0, 0, 0]) + bytes(36) if size == 40 else bytes(size)
    if unpack is messages.unpack_memory_region:
        payload = bytes(40)
    unpack(Request.GET_CONFIG, payload)
    for wrong in (payload[:-1], payload + b"\0", b""):
        with pytest.raises(RemoteProtocolError, match=f"payload of {len(wrong)} bytes found"):
            unpack(Request.GET_CONFIG, wrong)


@pytest.mark.parametrize("payload", ["00000000 00000000", "01000000 01000000" + "00" * 32])
def test_a_memory_table_without_regions_or_with_padding_is_refused(payload: str) -> None:
    with pytest.raises(RemoteProtocolError, match="found, expected"):
        messages.unpack_memory_table(Request.SET_MEM_TABLE, bytes.fromhex(payload))


def test_padding_before_a_single_region_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="padding found, expected 0"):
        messages.unpack_memory_region(Request.ADD_MEM_REG, bytes([1]) + bytes(39))


@pytest.mark.parametrize("flags", [0x1, 0x9])
def test_a_request_may_ask_for_an_acknowledgement(flags: int) -> None:
    messages.check_request(Header(Request.SET_OWNER, flags, 0))


@pytest.mark.parametrize("flags", [0x0, 0x2, 0x3, 0x5, 0xD, 0x11, 0x80000001, 0xFFFFFFFF])
def test_a_request_has_version_1_and_neither_reply_nor_unknown_flags(flags: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"flags {flags:#x} found, expected 0x1 or 0x9"):
        messages.check_request(Header(Request.SET_OWNER, flags, 0))


@pytest.mark.parametrize(
    ("request_number", "size"),
    [(1, 8), (2, 0), (2, 12), (9, 39), (11, 0xFFFFFFFF), (5, 4097), (77, 4097), (37, 8)],
)
def test_a_request_of_the_wrong_size_is_refused_by_its_header(
    request_number: int, size: int
) -> None:
    with pytest.raises(RemoteProtocolError, match=f"payload of {size} bytes found, expected"):
        messages.check_request(Header(request_number, 0x1, size))


def test_a_reply_repeats_the_request_with_flags_5() -> None:
    messages.check_reply(Header(1, 0x5, 8), Request.GET_FEATURES, 8)
    # libvhost-user leaves NEED_REPLY set in some replies.
    messages.check_reply(Header(1, 0xD, 8), Request.GET_FEATURES, 8)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (Header(15, 0x5, 8), "reply to GET_PROTOCOL_FEATURES found, expected one to GET_FEATURES"),
        (Header(1, 0x1, 8), "flags 0x1 found, expected 0x5"),
        (Header(1, 0x6, 8), "flags 0x6 found, expected 0x5"),
        (Header(1, 0x15, 8), "flags 0x15 found, expected 0x5"),
        (Header(1, 0x5, 4), "payload of 4 bytes found, expected 8"),
        (Header(1, 0x5, 2056), "payload of 2056 bytes found, expected 8"),
    ],
)
def test_a_reply_with_anything_else_is_refused(header: Header, text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=text):
        messages.check_reply(header, Request.GET_FEATURES, 8)
