"""Lines of Linux's trace event scmi_msg_dump, in both of its print formats."""

from __future__ import annotations

import pytest

from scmictl.commands.ftrace import Event, Trace, is_event
from scmictl.errors import UsageError


def one(line: str) -> Event:
    event = Trace().read(line)
    assert event is not None
    return event


# From the cover letters of the patches that brought the event ("Add SCMI full message tracing") and
# the raw mode ("Introduce a unified API for SCMI Server testing").
OLD = "  cat-224   [002] .....   147.755847: scmi_msg_dump: "
NEW = "  bash-329  [000] ..... 14183.446808: scmi_msg_dump: id=0 ch=10 "


@pytest.mark.parametrize(
    ("line", "frame", "outgoing"),
    [
        ("pt=15 t=CMND msg_id=06 seq=008A s=0 pyld=0100000001000000",
         "06542802 01000000 01000000", True),
        ("pt=15 t=RESP msg_id=06 seq=008A s=0 pyld=", "06542802 00000000", False),
        ("pt=15 t=DLYD msg_id=06 seq=008A s=0 pyld=01000000a05a3200",
         "06562802 00000000 01000000 a05a3200", False),
        ("pt=15 t=NOTI msg_id=01 seq=0000 s=0 pyld=0000000008000000",
         "01570000 00000000 08000000", False),
        ("pt=13 t=CMND msg_id=07 seq=0091 s=0 pyld=000000008066ab13",
         "074c4402 00000000 8066ab13", True),
        ("pt=15 t=RESP msg_id=06 seq=0000 s=-1 pyld=", "06540000 ffffffff", False),
        ("pt=10 t=CMND msg_id=00 seq=03FF s=0 pyld=", "0040fc0f", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [OLD, NEW, "scmi_msg_dump:  ", ""])
def test_header_and_status_are_put_back(before: str, line: str, frame: str, outgoing: bool) -> None:
    assert one(before + line) == Event(bytes.fromhex(frame), outgoing, 0)


def test_what_raw_mode_sends_is_in_lower_case() -> None:
    event = one(NEW + "pt=15 t=cmnd msg_id=06 seq=0000 s=0 pyld=0100000000000000")
    assert event == Event(bytes.fromhex("06540000 01000000 00000000"), True, 0)
    assert not one(NEW + "pt=15 t=resp msg_id=06 seq=0000 s=0 pyld=3503000000000000").outgoing


def test_bytes_with_blanks_between_are_the_same() -> None:
    event = one("scmi_msg_dump: pt=15 t=CMND msg_id=06 seq=0000 s=0 pyld=01 00 00 00")
    assert event.frame == bytes.fromhex("06540000 01000000")


def test_several_platforms_are_told_apart() -> None:
    line = "scmi_msg_dump: id=3 ch=13 pt=13 t=CMND msg_id=00 seq=0001 s=0 pyld="
    assert one(line).instance == 3


@pytest.mark.parametrize(
    ("tag", "code", "word", "why", "blameless"),
    [
        ("!RESP", -1, 0x00045005, "unexpected", False),
        ("!DLYD", -2, 0x00045205, "invalid", False),
        ("!NOTI", -4, 0x00045305, "no memory for it", True),
        ("!UNKN", -3, 0x00045105, "unknown", False),
        ("!RES", -1, 0x00045005, "unexpected", False),
        ("!RESP", -9, 0x00045005, "reason -9", False),
    ],
)
def test_of_what_the_driver_did_not_take_there_is_the_header_and_why(
    tag: str, code: int, word: int, why: str, blameless: bool
) -> None:
    event = one(f"{NEW}pt=14 t={tag} msg_id=05 seq=0001 s={code} pyld=")
    assert event == Event(word.to_bytes(4, "little"), False, 0, why, blameless)


def test_a_request_that_comes_after_its_response_has_the_payload_of_it() -> None:
    # Linux 6.12 against our own platform: only the last byte of 010000d0 was ever a clock's id.
    trace = Trace()
    lines = [
        "pt=14 t=RESP msg_id=03 seq=0010 s=0 pyld=010000d07561727430000000000000000000000000000000",
        "pt=14 t=CMND msg_id=03 seq=0010 s=0 pyld=010000d0",
        "pt=14 t=CMND msg_id=03 seq=0011 s=0 pyld=02000000",
        "pt=14 t=RESP msg_id=03 seq=0011 s=0 pyld=000000d07561727431000000000000000000000000000000",
    ]
    events = [trace.read(f"scmi_msg_dump: {line}") for line in lines]
    assert [event and event.overwritten for event in events] == [False, True, False, False]


@pytest.mark.parametrize(
    ("response", "request_", "why"),
    [
        ("t=RESP msg_id=03 seq=0010 s=-4 pyld=", "t=CMND msg_id=03 seq=0010 s=0 pyld=02000000",
         "an answer without a payload overwrites nothing"),
        ("t=RESP msg_id=00 seq=0010 s=0 pyld=00000300", "t=CMND msg_id=00 seq=0010 s=0 pyld=",
         "in no payload there is nothing to overwrite"),
        ("t=RESP msg_id=03 seq=0010 s=0 pyld=00", "t=CMND msg_id=03 seq=0011 s=0 pyld=02000000",
         "it is the response of another request"),
    ],
)  # fmt: skip
def test_a_late_request_is_believed_where_it_can_be(response: str, request_: str, why: str) -> None:
    trace = Trace()
    trace.read(f"pt=14 {response}")
    event = trace.read(f"pt=14 {request_}")
    assert event is not None
    assert not event.overwritten, why


def test_a_request_long_after_a_response_is_another_one() -> None:
    trace = Trace()
    trace.read("pt=14 t=RESP msg_id=03 seq=0010 s=0 pyld=010000d0")
    for token in range(0x11, 0x30):
        trace.read(f"pt=14 t=CMND msg_id=03 seq={token:04X} s=0 pyld=00000000")
    event = trace.read("pt=14 t=CMND msg_id=03 seq=0010 s=0 pyld=02000000")
    assert event is not None
    assert not event.overwritten


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pt=15 t=CMND msg_id=06 seq=0000 s=0 pyld=010", "pyld= has 3 characters"),
        ("pt=15 t=CMND msg_id=06 seq=0000 s=0 pyld=01[LINE TOO BIG]", "pyld= has"),
        ("pt=15 t=CMND msg_id=06 seq=0000", "an unknown format of scmi_msg_dump"),
        ("[0x15]:CMND:[0x06]:[0021]:[0]: 00", "an unknown format of scmi_msg_dump"),
        ("pt=15 t=WHAT msg_id=06 seq=0000 s=0 pyld=", "t=WHAT, expected CMND, RESP"),
        ("pt=15 t=CMND msg_id=06 seq=0400 s=0 pyld=", "seq=0400, expected at most 03FF"),
        ("pt=15 t=RESP msg_id=06 seq=0001 s=4294967295 pyld=", "s=4294967295, expected a status"),
    ],
)
def test_a_damaged_line_says_what_is_wrong(line: str, found: str) -> None:
    with pytest.raises(UsageError) as raised:
        Trace().read(f"scmi_msg_dump: {line}")
    assert found in raised.value.message


@pytest.mark.parametrize(
    "line",
    [
        "scmi_xfer_begin: pt=10 msg_id=00 seq=0001 transfer_id=1 poll=0",
        "scmi_rx_done: transfer_id=145 msg_id=7 protocol_id=19 seq=145 msg_type=0",
        "scmi_fc_call: pt=13 msg_id=07 res_id:0 vals=1:0",
    ],
)
def test_other_events_of_the_driver_are_known_as_such(line: str) -> None:
    assert Trace().read(f" <idle>-0 [000] d.h.. 0.4: {line}") is None
    assert is_event(f" <idle>-0 [000] d.h.. 0.4: {line}")
    assert not is_event("echo 1 > /sys/kernel/tracing/events/scmi/scmi_msg_dump/enable")


def test_a_trace_of_answers_alone_is_not_remembered_for_ever() -> None:
    trace = Trace()
    for number in range(20_000):
        where = f"id={number} ch=10 pt=14 t=RESP msg_id=03 seq=0000 s=0 pyld=00000000"
        assert trace.read(where) is not None
    assert len(trace._early) <= 4097
