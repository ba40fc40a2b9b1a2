"""Frames whose direction nobody has told."""

from __future__ import annotations

import pytest

from scmictl.protocols.decoding import Decoder
from scmictl.protocols.guess import Reader
from scmictl.wire import header


def frame(message_id: int, protocol_id: int, *words: int, token: int = 0, type_: int = 0) -> bytes:
    payload = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)
    return header.frame(message_id, type_, protocol_id, token, payload)


def reader(*, outgoing: bool | None = None) -> Reader:
    return Reader(Decoder(recorded=True), outgoing=outgoing)


RATE_GET = frame(0x6, 0x14, 3)
RATE = frame(0x6, 0x14, 0, 24_000_000, 0)


def test_the_reading_that_fits_is_the_one() -> None:
    (request,) = reader().read(RATE_GET)
    assert (request["type"], request["fields"], request["guess"]) == (
        "request", {"clock_id": 3}, False,
    )  # fmt: skip
    (response,) = reader().read(RATE)
    assert (response["type"], response["fields"]) == ("response", {"rate": 24_000_000})


def test_a_header_alone_is_a_request() -> None:
    (found,) = reader().read(frame(0x0, 0x14))
    assert (found["type"], found["error"]) == ("request", None)


def test_two_readings_that_fit_are_both_given_as_guesses() -> None:
    # Sensor 0xfffffffc of a request with one word, or the status NOT_FOUND.
    first, second = reader().read(frame(0x6, 0x14, -4))
    assert (first["type"], first["fields"]) == ("request", {"clock_id": 0xFFFFFFFC})
    assert (second["type"], second["status"]) == ("response", "NOT_FOUND")
    assert first["guess"] and second["guess"]


def test_a_status_that_scmi_has_reserved_is_rather_a_number() -> None:
    (found,) = reader().read(frame(0x6, 0x14, -20))
    assert found["type"] == "request"


def test_the_response_of_a_request_that_waits_needs_no_guess() -> None:
    one = reader()
    one.read(frame(0x6, 0x14, 3, token=7))
    (found,) = one.read(frame(0x6, 0x14, -4, token=7))
    assert (found["type"], found["status"], found["guess"]) == ("response", "NOT_FOUND", False)
    # Now it has been answered, and what comes with its token is a guess again.
    assert len(one.read(frame(0x6, 0x14, -4, token=7))) == 2


def test_another_token_or_message_answers_no_request() -> None:
    one = reader()
    one.read(frame(0x6, 0x14, 3, token=7))
    assert len(one.read(frame(0x6, 0x14, -4, token=8))) == 2
    assert len(one.read(frame(0x3, 0x14, -4, token=7))) == 2


def test_several_requests_with_the_same_token_stay_requests() -> None:
    one = reader()
    found = [one.read(frame(0x6, 0x14, number))[0]["type"] for number in range(3)]
    assert found == ["request"] * 3


def test_neither_reading_of_a_broken_frame_is_dropped() -> None:
    found = reader().read(frame(0x6, 0x14) + b"\1")
    assert [record["type"] for record in found] == ["request", "response"]
    assert all(record["error"] and record["guess"] for record in found)


@pytest.mark.parametrize("outgoing", [True, False])
def test_who_says_the_direction_is_believed(outgoing: bool) -> None:
    word = frame(0x6, 0x14, -4)
    (found,) = reader(outgoing=outgoing).read(word)
    (also,) = reader().read(word, outgoing=outgoing)
    assert found == also
    assert found["type"] == ("request" if outgoing else "response")
    assert not found["guess"]


def test_the_header_tells_delayed_responses_and_notifications_whatever_is_said() -> None:
    done = frame(0x5, 0x14, 0, 1, 24_000_000, 0, type_=2)
    changed = frame(0x0, 0x11, 1, 1, 0, type_=3)
    for outgoing in (None, True, False):
        one = reader(outgoing=outgoing)
        assert one.read(done)[0]["message"] == "CLOCK_RATE_SET_COMPLETE"
        assert one.read(changed)[0]["message"] == "POWER_STATE_CHANGED"


def test_versions_are_learned_from_answers_even_if_their_request_is_missing() -> None:
    one = reader()
    old = frame(0x7, 0x14, 0, 1)
    # Two words more are in 3.0, and as a response one is too many: the better of two bad readings.
    (found,) = one.read(old)
    assert (found["type"], found["surplus"], found["guess"]) == ("response", "01000000", True)
    one.read(frame(0x0, 0x14, 0, 0x10000))
    (found,) = one.read(old)
    assert (found["type"], found["guess"]) == ("request", False)
    assert found["fields"] == {"clock_id": 0, "attributes": {"enable": True}}


def test_nothing_is_learned_from_a_guess() -> None:
    one = reader()
    assert len(one.read(frame(0x6, 0x14, -4, token=7))) == 2
    assert one.decoder.request_of(frame(0x6, 0x14, 0, 0, 0, token=7)) is None


def test_messages_that_nobody_knows_can_be_both() -> None:
    words = frame(0x5, 0x83, 0, 2)
    found = reader().read(words)
    assert [record["fields"] for record in found] == [
        {"words": ["0x00000000", "0x00000002"]}, {"words": ["0x00000002"]},
    ]  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"\1\2\3"])
def test_what_is_shorter_than_a_header_is_shown_once(data: bytes) -> None:
    (found,) = reader().read(data)
    assert found["surplus"] == data.hex()
    assert found["error"].startswith(f"a frame of {len(data)} bytes")
