"""Frames become records: the bytes are those of reference part A, 11, and of vhost-device-scmi."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.protocols import decoding
from scmictl.protocols.decoding import Decoder, Record

KEYS = ["protocol", "message", "type", "token", "status", "fields", "surplus", "error"]


def decoded(
    text: str, *, outgoing: bool = False, version: int | None = None, sent: str | None = None
) -> Record:
    """The record of a frame in hexadecimal."""
    return decoding.decode(
        bytes.fromhex(text),
        outgoing=outgoing,
        version=version,
        sent=None if sent is None else bytes.fromhex(sent),
    )


# --- the reference's examples ---------------------------------------------------------------------


def test_a_request_is_decoded() -> None:
    assert decoded("00 40 04 00", outgoing=True) == {
        "protocol": "base",
        "message": "PROTOCOL_VERSION",
        "type": "request",
        "token": 1,
        "status": None,
        "fields": {},
        "surplus": "",
        "error": None,
    }


def test_a_response_is_decoded_by_its_message_id() -> None:
    assert decoded("00 40 04 00  00 00 00 00  01 00 02 00") == {
        "protocol": "base",
        "message": "PROTOCOL_VERSION",
        "type": "response",
        "token": 1,
        "status": "SUCCESS",
        "fields": {"version": {"minor": 1, "major": 2}},
        "surplus": "",
        "error": None,
    }


def test_a_list_of_bytes_is_decoded_without_its_padding() -> None:
    found = decoded("06 40 08 00  00 00 00 00  05 00 00 00  11 12 13 14  16 00 00 00")
    assert found["message"] == "BASE_DISCOVER_LIST_PROTOCOLS"
    assert found["fields"] == {"num_protocols": 5, "protocols": [0x11, 0x12, 0x13, 0x14, 0x16]}
    assert (found["surplus"], found["error"]) == ("", None)


def test_a_list_of_rates_is_decoded() -> None:
    found = decoded(
        "04 50 1c 00  00 00 00 00  03 10 00 00  40 42 0f 00 00 00 00 00"
        "00 8c 86 47 00 00 00 00  e8 03 00 00 00 00 00 00"
    )
    assert (found["message"], found["token"]) == ("CLOCK_DESCRIBE_RATES", 7)
    assert found["fields"] == {
        "num_rates_flags": {"num_returned": 3, "rate_format": "triplet", "num_remaining": 0},
        "rates": [1_000_000, 1_200_000_000, 1000],
    }


RATE_SET = "05 50 24 00  01 00 00 00  02 00 00 00  00 08 af 2f  00 00 00 00"
ACCEPTED = "05 50 24 00  00 00 00 00"
COMPLETE = "05 52 24 00  00 00 00 00  02 00 00 00  00 08 af 2f  00 00 00 00"


def test_the_three_frames_of_an_asynchronous_command_are_decoded() -> None:
    request = decoded(RATE_SET, outgoing=True)
    assert request["fields"]["flags"]["async"] is True
    assert (request["fields"]["clock_id"], request["fields"]["rate"]) == (2, 800_000_000)
    accepted = decoded(ACCEPTED, sent=RATE_SET)
    assert (accepted["type"], accepted["status"]) == ("response", "SUCCESS")
    assert (accepted["fields"], accepted["error"]) == ({}, None)
    complete = decoded(COMPLETE)
    assert (complete["message"], complete["type"]) == (
        "CLOCK_RATE_SET_COMPLETE",
        "delayed_response",
    )
    assert complete["status"] == "SUCCESS"
    assert complete["fields"] == {"clock_id": 2, "rate": 800_000_000}


def test_the_layout_is_that_of_the_version() -> None:
    newest = "07 50 28 00  02 00 00 00  01 00 00 00  00 00 00 00"
    older = "07 50 28 00  02 00 00 00  01 00 00 00"
    assert decoded(newest, outgoing=True)["fields"] == {
        "clock_id": 2,
        "attributes": {"state": "enable", "extended_config_type": "none"},
        "extended_config_val": 0,
    }
    assert decoded(older, outgoing=True, version=0x20000)["fields"] == {
        "clock_id": 2,
        "attributes": {"enable": True},
    }
    assert decoded(newest, outgoing=True, version=0x20000)["surplus"] == "00000000"
    assert "extended_config_val" in decoded(older, outgoing=True)["error"]


def test_a_version_nobody_knows_yet_is_read_as_our_newest() -> None:
    newest = "07 50 28 00  02 00 00 00  01 00 00 00  00 00 00 00"
    found = decoded(newest, outgoing=True, version=0x90000)
    assert (found["fields"]["extended_config_val"], found["error"]) == (0, None)


# --- frames of vhost-device-scmi ------------------------------------------------------------------


def test_a_notification_is_decoded() -> None:
    readings = "".join(f"{v:02x} 00 00 00 00 00 00 00" + "00" * 8 for v in (5, 105, 205))
    found = decoded("01 57 00 00  00 00 00 00  00 00 00 00" + readings)
    assert (found["message"], found["type"]) == ("SENSOR_UPDATE", "notification")
    assert found["status"] is None
    assert [r["sensor_value"] for r in found["fields"]["readings"]] == [5, 105, 205]
    assert found["error"] is None


def test_what_follows_a_known_layout_is_kept_as_surplus() -> None:
    found = decoded("0b 54 00 00  00 00 00 00  01 00 00 00")
    assert found["message"] == "SENSOR_CONTINUOUS_UPDATE_NOTIFY"
    assert (found["surplus"], found["error"]) == ("01000000", None)


def test_a_status_where_a_notification_should_be_is_an_error() -> None:
    found = decoded("01 57 00 00  f9 ff ff ff")
    assert found["fields"] == {"agent_id": 0xFFFFFFF9}
    assert "sensor_id" in found["error"]


# --- statuses -------------------------------------------------------------------------------------


def test_an_error_status_has_no_fields_and_is_no_fault_of_the_frame() -> None:
    found = decoded("06 50 04 00  fc ff ff ff")
    assert (found["message"], found["status"]) == ("CLOCK_RATE_GET", "NOT_FOUND")
    assert (found["fields"], found["surplus"], found["error"]) == ({}, "", None)


def test_what_follows_an_error_status_is_surplus() -> None:
    found = decoded("06 50 04 00  fd ff ff ff  00 36 6e 01 00 00 00 00")
    assert (found["status"], found["surplus"]) == ("DENIED", "00366e0100000000")
    assert found["fields"] == {}


def test_vendor_statuses_have_a_name() -> None:
    assert decoded("06 50 04 00  7e ff ff ff")["status"] == "VENDOR(-130)"


def test_the_status_alone_is_enough_where_a_command_can_be_asynchronous() -> None:
    # SENSOR_READING_GET, which has a reading in its synchronous answer.
    assert decoded("06 54 04 00  00 00 00 00")["error"] is None


def test_the_request_tells_whether_the_status_alone_is_enough() -> None:
    asynchronous = "06 54 04 00  01 00 00 00  01 00 00 00"
    synchronous = "06 54 04 00  01 00 00 00  00 00 00 00"
    assert decoded("06 54 04 00  00 00 00 00", sent=asynchronous)["error"] is None
    found = decoded("06 54 04 00  00 00 00 00", sent=synchronous)
    assert found["error"] == "0 bytes left for readings, expected 16"


def test_what_follows_the_acceptance_is_surplus() -> None:
    asynchronous = "06 54 04 00  01 00 00 00  01 00 00 00"
    found = decoded("06 54 04 00  00 00 00 00  07 00 00 00", sent=asynchronous)
    assert (found["surplus"], found["fields"], found["error"]) == ("07000000", {}, None)


# --- what is not known, or wrong ------------------------------------------------------------------


def test_words_of_an_unknown_protocol_are_listed() -> None:
    # POWER_STATE_SET and PERFORMANCE_LEVEL_CHANGED of the reference, by an id that is the vendor's.
    request = decoded("04 00 16 00  00 00 00 00  03 00 00 00  00 00 00 40", outgoing=True)
    assert (request["protocol"], request["message"]) == ("vendor-0x80", "0x4")
    assert request["fields"] == {"words": ["0x00000000", "0x00000003", "0x40000000"]}
    assert request["error"] is None
    event = decoded("01 03 02 00  01 00 00 00  00 00 00 00  40 77 1b 00 ff")
    assert (event["type"], event["message"]) == ("notification", "0x1")
    assert event["fields"] == {"words": ["0x00000001", "0x00000000", "0x001b7740"]}
    assert event["surplus"] == "ff"


def test_what_all_protocols_have_is_known_of_unknown_ones_too() -> None:
    found = decoded("00 00 02 00  00 00 00 00  00 00 01 00")
    assert (found["protocol"], found["message"]) == ("vendor-0x80", "PROTOCOL_VERSION")
    assert found["fields"] == {"version": {"minor": 0, "major": 1}}


def test_an_unknown_message_of_a_known_protocol_has_words() -> None:
    found = decoded("7f 50 00 00  00 00 00 00  01 00 00 00")
    assert (found["protocol"], found["message"]) == ("clock", "0x7f")
    assert (found["fields"], found["error"]) == ({"words": ["0x00000001"]}, None)


def test_a_command_and_a_notification_of_the_same_number_are_different() -> None:
    assert decoded("00 53 00 00" + "00" * 16)["message"] == "CLOCK_RATE_CHANGED"
    assert decoded("7f 53 00 00")["message"] == "0x7f"


@pytest.mark.parametrize("text", ["", "06", "06 50 04"])
def test_a_frame_without_a_header_is_surplus(text: str) -> None:
    found = decoded(text)
    size = len(bytes.fromhex(text))
    assert found["error"] == f"a frame of {size} bytes, expected at least the 4 of the header"
    assert found["surplus"] == bytes.fromhex(text).hex()
    assert found["protocol"] is found["message"] is found["type"] is found["token"] is None


def test_a_response_without_a_status_is_an_error() -> None:
    found = decoded("06 50 04 00  00 00")
    assert found["error"] == (
        "the answer has 2 payload bytes, expected at least the 4 of the status"
    )
    assert found["status"] is None


def test_a_response_that_is_too_short_keeps_what_could_be_read() -> None:
    found = decoded("04 50 1c 00  00 00 00 00  03 10 00 00  40 42 0f 00 00 00 00 00")
    assert found["error"] == "rates is said to have 3 elements, the message holds 1"
    assert found["fields"]["rates"] == [1_000_000]


def test_the_reserved_type_is_an_error() -> None:
    found = decoded("06 51 04 00  02 00 00 00")
    assert found["type"] == "reserved"
    assert found["error"] == "message type 1 is reserved, expected 0, 2 or 3"
    assert found["fields"] == {"words": ["0x00000002"]}


def test_a_delayed_response_to_what_has_none_is_an_error() -> None:
    found = decoded("06 52 04 00  00 00 00 00  01 00 00 00")
    assert (found["message"], found["type"]) == ("CLOCK_RATE_GET", "delayed_response")
    assert found["error"] == "a delayed response, which this message does not have"


def test_reserved_bits_of_the_header_are_shown() -> None:
    assert decoded("06 50 04 a0  00 00 00 00  00 36 6e 01 00 00 00 00")["reserved"] == "0xa"
    assert "reserved" not in decoded("06 50 04 00  00 00 00 00  00 36 6e 01 00 00 00 00")


HEADERS = st.builds(
    lambda word, known: (word & ~0x3FC00 | known << 10).to_bytes(4, "little"),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([*range(0x10, 0x1C), *range(0x80, 0x86)]),
)
FRAMES = st.builds(lambda head, payload: head + payload, HEADERS, st.binary(max_size=96))


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(FRAMES, st.binary(max_size=12)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 0xFFFFFFFF)),
    st.one_of(st.none(), FRAMES),
)
def test_no_bytes_at_all_make_it_raise(
    frame: bytes, outgoing: bool, version: int | None, sent: bytes | None
) -> None:
    found = decoding.decode(frame, outgoing=outgoing, version=version, sent=sent, vendor="NXP")
    assert [key for key in found if key != "reserved"] == KEYS
    assert json.loads(json.dumps(found)) == found


# --- a whole connection ---------------------------------------------------------------------------


def take(decoder: Decoder, text: str, *, outgoing: bool = False) -> Record:
    return decoder.decode(bytes.fromhex(text), outgoing=outgoing)


CONFIG_SET = "07 50 28 00  02 00 00 00  01 00 00 00"
ASK_CLOCK_VERSION = "00 50 04 00"


@pytest.mark.parametrize(("version", "fits"), [("00 00 02 00", True), ("00 00 03 00", False)])
def test_a_version_is_learned_from_the_answer_to_protocol_version(version: str, fits: bool) -> None:
    decoder = Decoder()
    take(decoder, ASK_CLOCK_VERSION, outgoing=True)
    take(decoder, f"00 50 04 00  00 00 00 00  {version}")
    assert (take(decoder, CONFIG_SET, outgoing=True)["error"] is None) == fits


def test_a_version_is_learned_from_a_negotiation() -> None:
    decoder = Decoder()
    take(decoder, "10 50 04 00  00 00 02 00", outgoing=True)
    assert take(decoder, CONFIG_SET, outgoing=True)["error"] is not None
    take(decoder, "10 50 04 00  00 00 00 00")
    assert take(decoder, CONFIG_SET, outgoing=True)["error"] is None


def test_a_negotiation_that_failed_changes_nothing() -> None:
    decoder = Decoder({0x14: 0x30000})
    take(decoder, "10 50 04 00  00 00 02 00", outgoing=True)
    take(decoder, "10 50 04 00  ff ff ff ff")
    assert decoder.versions == {0x14: 0x30000}


def test_a_version_that_is_given_stays() -> None:
    decoder = Decoder({0x14: 0x20000})
    take(decoder, ASK_CLOCK_VERSION, outgoing=True)
    take(decoder, "00 50 04 00  00 00 00 00  00 00 03 00")
    assert take(decoder, CONFIG_SET, outgoing=True)["error"] is None


def test_the_version_of_one_protocol_is_not_that_of_another() -> None:
    decoder = Decoder()
    take(decoder, ASK_CLOCK_VERSION, outgoing=True)
    take(decoder, "00 50 04 00  00 00 00 00  00 00 01 00")
    assert decoder.versions == {0x14: 0x10000}


def test_a_version_nobody_asked_for_is_not_learned() -> None:
    decoder = Decoder()
    take(decoder, "00 50 04 00  00 00 00 00  00 00 01 00")
    assert decoder.versions == {}


# --- the protocols of vendors ---------------------------------------------------------------------

LMM_BOOT = "04 00 06 00  02 00 00 00"
LMM_EVENT = "00 03 02 00  01 00 00 00  02 00 00 00  01 00 00 00"
VENDOR_ASKED = "03 40 04 00"
SUB_VENDOR_ASKED = "04 40 04 00"


def named(request: str, name: bytes) -> str:
    return f"{request} 00 00 00 00 {name.ljust(16, bytes(1)).hex(' ')}"


def test_a_vendors_frame_is_decoded_if_the_vendor_is_known() -> None:
    found = decoding.decode(bytes.fromhex(LMM_BOOT), outgoing=True, vendor="NXP", sub_vendor="IMX")
    assert (found["protocol"], found["message"]) == ("nxp-lmm", "LMM_BOOT")
    assert found["fields"] == {"lm_id": 2}
    event = decoding.decode(bytes.fromhex(LMM_EVENT), outgoing=False, vendor="NXP")
    assert event["message"] == "LMM_EVENT"
    flags = {"boot": True, "shutdown": False, "suspend": False, "wake": False}
    assert event["fields"] == {"lm_id": 1, "event_lm": 2, "flags": flags}


@pytest.mark.parametrize(
    ("vendor", "sub_vendor"), [(None, None), ("Arm", "IMX"), ("NXP", "S32"), (None, "IMX")]
)
def test_of_another_vendor_the_same_number_is_another_protocol(
    vendor: str | None, sub_vendor: str | None
) -> None:
    frame = bytes.fromhex(LMM_BOOT)
    found = decoding.decode(frame, outgoing=True, vendor=vendor, sub_vendor=sub_vendor)
    assert (found["protocol"], found["message"]) == ("vendor-0x80", "0x4")
    assert (found["fields"], found["error"]) == ({"words": ["0x00000002"]}, None)


def test_the_vendor_is_learned_from_the_answers_of_the_base_protocol() -> None:
    decoder = Decoder()
    assert take(decoder, LMM_BOOT, outgoing=True)["protocol"] == "vendor-0x80"
    for asked, name in ((VENDOR_ASKED, b"NXP"), (SUB_VENDOR_ASKED, b"IMX")):
        take(decoder, asked, outgoing=True)
        take(decoder, named(asked, name))
    assert (decoder.vendor, decoder.sub_vendor) == ("NXP", "IMX")
    assert take(decoder, LMM_BOOT, outgoing=True)["message"] == "LMM_BOOT"
    take(decoder, SUB_VENDOR_ASKED, outgoing=True)
    take(decoder, named(SUB_VENDOR_ASKED, b"S32"))
    assert take(decoder, LMM_BOOT, outgoing=True)["protocol"] == "vendor-0x80"


def test_a_vendor_that_is_given_stays() -> None:
    decoder = Decoder(vendor="NXP")
    take(decoder, VENDOR_ASKED, outgoing=True)
    take(decoder, named(VENDOR_ASKED, b"Arm"))
    assert decoder.vendor == "NXP"
    assert take(decoder, LMM_BOOT, outgoing=True)["message"] == "LMM_BOOT"


def test_half_a_name_is_no_vendor_of_ours() -> None:
    decoder = Decoder()
    take(decoder, VENDOR_ASKED, outgoing=True)
    take(decoder, f"{VENDOR_ASKED} 00 00 00 00 4e 58")
    assert take(decoder, LMM_BOOT, outgoing=True)["protocol"] == "vendor-0x80"


def test_a_response_meets_its_request_by_token_and_message() -> None:
    decoder = Decoder()
    take(decoder, RATE_SET, outgoing=True)
    sent = bytes.fromhex(RATE_SET)
    assert decoder.request_of(bytes.fromhex(ACCEPTED)) == sent
    assert decoder.request_of(bytes.fromhex(COMPLETE)) == sent
    other_token = bytes.fromhex("05 50 28 00  00 00 00 00")
    other_message = bytes.fromhex("06 50 24 00  00 00 00 00")
    notification = bytes.fromhex("05 53 24 00")
    for frame in (other_token, other_message, notification, b"", b"\x05\x50"):
        assert decoder.request_of(frame) is None


def test_an_asynchronous_reading_is_told_from_a_short_one_by_its_request() -> None:
    decoder = Decoder()
    take(decoder, "06 54 04 00  01 00 00 00  01 00 00 00", outgoing=True)
    assert take(decoder, "06 54 04 00  00 00 00 00")["error"] is None
    take(decoder, "06 54 08 00  01 00 00 00  00 00 00 00", outgoing=True)
    assert take(decoder, "06 54 08 00  00 00 00 00")["error"] is not None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(FRAMES, st.booleans()), max_size=8))
def test_no_frames_in_any_order_make_a_decoder_raise(frames: list[tuple[bytes, bool]]) -> None:
    decoder = Decoder(vendor="NXP")
    for frame, outgoing in frames:
        decoder.decode(frame, outgoing=outgoing)
