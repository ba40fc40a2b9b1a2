"""Vendors' protocols in every command: whose a number is follows from vendor and sub-vendor."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands import Rows
from scmictl.commands.command import Arguments
from scmictl.commands.context import Context
from scmictl.commands.event import event_record, switches_of
from scmictl.console.environment import Environment
from scmictl.console.knowledge import Knowledge, Learner
from scmictl.console.session import Session
from scmictl.errors import NotOffered, StatusError, UsageError
from scmictl.protocols.nxp import lmm
from scmictl.transport.inprocess import InProcess

BASE, LMM, MISC = 0x10, 0x80, 0x84
IMX95 = '[platform]\nvendor = "NXP"\nsub_vendor = "IMX"\n'


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def nxp(**more: Any) -> dict[Any, Any]:
    """A platform that has NXP's LMM 1.0 with two logical machines (reference part B, 8.1)."""
    return {
        (BASE, 0x0, None): word(0x20000),
        (BASE, 0x1, None): word(2),
        (BASE, 0x3, None): b"NXP".ljust(16, b"\0"),
        (BASE, 0x4, None): b"IMX".ljust(16, b"\0"),
        (BASE, 0x5, None): word(1),
        (BASE, 0x6, None): word(2) + bytes((LMM, MISC, 0, 0)),
        (LMM, 0x0, None): word(0x10000),
        (LMM, 0x1, None): word(2),
        (LMM, 0x2, None): word(0),
        (LMM, 0x3, word(0)): word(0, 1, 1, 0) + b"scmi".ljust(16, b"\0"),
        (LMM, 0x3, word(1)): word(1, 1, 1, 0) + b"linux".ljust(16, b"\0"),
        (LMM, 0x4, None): b"",
        (LMM, 0x9, None): b"",
        (MISC, 0x0, None): word(0x10000),
        **more,
    }


def other(name: bytes = b"Arm") -> dict[Any, Any]:
    return {**nxp(), (BASE, 0x3, None): name.ljust(16, b"\0")}


def test_a_message_of_a_vendor_can_be_called(script: Any) -> None:
    platform = script(nxp())
    output = platform.run("call nxp-lmm.LMM_BOOT lm_id=2")
    assert output.records[0]["status"] == "SUCCESS"
    assert platform.asked[-1] == (LMM, 0x4, word(2))
    # A name that the specification does not have needs nobody's name in front.
    assert script(nxp()).run("call LMM_ATTRIBUTES lm_id=1").records[0]["fields"]["name"] == "linux"


def test_call_checks_no_vendor_and_its_answer_is_that_of_the_message_sent(script: Any) -> None:
    platform = script(other())
    [record] = platform.run("call nxp-lmm.LMM_ATTRIBUTES lm_id=1").records
    assert (record["message"], record["fields"]["name"]) == ("LMM_ATTRIBUTES", "linux")


def test_a_raw_message_is_decoded_for_the_vendor_of_the_platform(script: Any) -> None:
    [record] = script(nxp()).run("raw 0x80 3 --payload 01000000").records
    assert (record["message"], record["fields"]["name"]) == ("LMM_ATTRIBUTES", "linux")
    [record] = script(nxp()).run("raw 0x80 LMM_ATTRIBUTES --payload 01000000").records
    assert record["fields"]["name"] == "linux"
    [record] = script(other()).run("raw 0x80 3 --payload 01000000").records
    assert record["message"] is None
    assert record["fields"]["words"][:2] == ["0x00000001", "0x00000001"]
    with pytest.raises(UsageError, match="unknown message 'LMM_BOOTS'"):
        script(nxp()).run("raw 0x80 LMM_BOOTS")


def test_info_names_the_vendors_protocols_and_counts_their_things(script: Any) -> None:
    platform = script(nxp())
    [row] = platform.run("info").records
    assert (row["base"]["vendor"], row["base"]["sub_vendor"]) == ("NXP", "IMX")
    assert row["protocols"] == [
        {"name": "nxp-lmm", "version": "1.0", "count": 2, "id": LMM},
        {"name": "nxp-misc", "version": "1.0", "count": None, "id": MISC},
    ]
    asked = [key[:2] for key in platform.asked]
    assert asked.count((BASE, 0x3)) == asked.count((BASE, 0x4)) == 1
    [row] = script(other()).run("info").records
    assert [one["name"] for one in row["protocols"]] == ["vendor-0x80", "vendor-0x84"]


@pytest.mark.parametrize("answer", [-1, b"IMX", b"S32".ljust(16, b"\0")])
def test_without_its_sub_vendor_they_are_numbers(script: Any, answer: Any) -> None:
    [row] = script({**nxp(), (BASE, 0x4, None): answer}).run("info").records
    assert [one["name"] for one in row["protocols"]] == ["vendor-0x80", "vendor-0x84"]
    rows = script({**nxp(), (BASE, 0x4, None): answer}).run("base protocols").records
    assert [one["name"] for one in rows] == ["vendor-0x80", "vendor-0x84"]


def test_a_standard_command_asks_nobody_for_a_vendor(script: Any) -> None:
    platform = script(nxp())
    with pytest.raises(NotOffered):
        platform.run("clock list")
    assert {key[:2] for key in platform.asked} == {(0x14, 0x0)}


@pytest.fixture
def context(script: Any) -> Callable[..., Context]:
    def make(answers: dict[Any, Any], **more: Any) -> Context:
        agent = Agent(InProcess(script(answers)), **more)
        return Context(lambda: agent)

    return make


def test_a_verb_does_not_speak_a_vendors_protocol_to_another(context: Any) -> None:
    assert context(nxp()).discover(lmm.PROTOCOL).names == ["scmi", "linux"]
    with pytest.raises(NotOffered) as raised:
        context(other()).discover(lmm.PROTOCOL)
    assert raised.value.message == (
        "nxp-lmm is a protocol of the vendor NXP:IMX, the platform's is Arm:IMX"
    )
    assert raised.value.hint == "--vendor NXP:IMX takes the platform for one of them"
    with pytest.raises(NotOffered, match="the platform's is unknown"):
        context({**nxp(), (BASE, 0x3, None): -1}).require(lmm.Boot)
    assert context(other(), vendor=("NXP", None)).version(lmm.PROTOCOL) == 0x10000
    with pytest.raises(NotOffered, match="the platform's is ACME"):
        context(nxp(), vendor=("ACME", None)).version(lmm.PROTOCOL)


def test_notifications_of_the_vendor_are_watched_with_all_others(context: Any) -> None:
    names = [switch.event.SPEC for switch in switches_of(context(nxp()))]
    assert "CLOCK_RATE_CHANGED" in names
    assert "LMM_EVENT" in names
    assert "MISC_CONTROL_EVENT" not in names, "its request takes more than an id"
    assert "BBM_RTC_EVENT" not in names, "the platform does not list it"
    assert "LMM_EVENT" not in [s.event.SPEC for s in switches_of(context(other()))]
    assert switches_of(context({(BASE, 0x0, None): word(0x20000)}))


def test_a_subscription_switches_all_of_a_notification_on(script: Any) -> None:
    from scmictl.commands.subscription import subscribe

    platform = script(nxp())
    agent = Agent(InProcess(platform))
    output = subscribe(Context(lambda: agent), Arguments({"event": "LMM_EVENT", "ids": ["linux"]}))
    assert isinstance(output, Rows)
    assert platform.asked[-1] == (LMM, 0x9, word(1, 0xF))
    with pytest.raises(UsageError, match="MISC_CONTROL_NOTIFY, which switches") as raised:
        subscribe(Context(lambda: agent), Arguments({"event": "MISC_CONTROL_EVENT", "ids": []}))
    assert raised.value.hint == "call nxp-misc.MISC_CONTROL_NOTIFY sends it"


def test_a_notification_that_cannot_be_decoded_still_has_its_protocol(script: Any) -> None:
    agent = Agent(InProcess(script(nxp())), vendor=("NXP", "IMX"))
    head = bytes.fromhex("00030200")
    from scmictl.wire import header

    event = agent._transfers.event(header.unpack(int.from_bytes(head, "little")), b"\1", {})
    record = event_record(event)
    assert (record["protocol"], record["payload"]) == ("nxp-lmm", "01")
    assert "LMM_EVENT" in record["error"]


@pytest.mark.parametrize(("answers", "names"), [(nxp(), ["scmi", "linux"]), (other(), [])])
def test_completion_learns_names_of_the_platforms_own_vendor_only(
    script: Any, answers: dict[Any, Any], names: list[str]
) -> None:
    agent = Agent(InProcess(script(answers)))
    knowledge = Knowledge()
    learner = Learner(agent, knowledge)
    learner.want(["nxp-lmm"])
    while learner.busy:
        learner.step()
        agent.dispatch(agent.waiter.now())
    assert [item.name for item in knowledge.items.get("nxp-lmm", ())] == names
    assert agent.protocols.settled


# --- --vendor, and without a platform -------------------------------------------------------------


def said(*words: str) -> tuple[str, str]:
    streams = io.StringIO(), io.StringIO(), io.StringIO()
    with Session(Environment(*streams, {}), {"target": "sim:"}) as session:
        try:
            session.words(words)
        except StatusError:
            pass
    return streams[1].getvalue(), streams[2].getvalue()


def test_explain_takes_the_vendor_from_the_option() -> None:
    out, _ = said("explain", "04 00 06 00 02 00 00 00", "--vendor", "NXP:IMX")
    assert "nxp-lmm" in out
    assert 'fields   {"lm_id": 2}' in out
    for words in ([], ["--vendor", "Arm"], ["--vendor", "NXP:S32"]):
        out, _ = said("explain", "04 00 06 00 02 00 00 00", *words)
        assert "vendor-0x80" in out
        assert "0x00000002" in out


def test_explain_knows_vendors_messages_and_protocols_by_name() -> None:
    assert said("explain", "nxp-lmm")[0].startswith("NXP logical machine management protocol 0x80")
    assert said("explain", "LMM_BOOT")[0].startswith("LMM_BOOT: request 0x4 of the nxp-lmm")
    assert "BBM_RTC_EVENT" in said("explain", "nxp-bbm.RTC_EVENT")[0]


def test_in_a_session_explain_knows_what_the_connection_knows(
    console: Any, board: Callable[[str], str]
) -> None:
    one = console(board(IMX95))
    assert "vendor-0x80" in one.text("explain 0x00020004")
    one.fails("call nxp-lmm.LMM_BOOT lm_id=2")
    assert "nxp-lmm" in one.text("explain 0x00020004")


def test_the_option_replaces_asking(console: Any, board: Callable[[str], str]) -> None:
    one = console(board(IMX95))
    one.fails("raw 0x80 4 --vendor NXP")
    assert one.requests() == ["04 00 02 00"]
    # The next command asks, if it is not said again.
    one.fails("raw 0x80 4")
    assert [frame[:5] for frame in one.requests()] == ["04 00", "03 40", "04 40", "04 00"]


@pytest.mark.parametrize("text", ["", ":IMX", "NXP:", "N\x1bX"])
def test_a_vendor_that_cannot_be_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="expected VENDOR or VENDOR:SUB_VENDOR"):
        said("explain", "LMM_BOOT", "--vendor", text)


def test_a_trace_knows_the_vendor_that_the_agent_asked_for(board: Callable[[str], str]) -> None:
    _, err = said("-x", "-t", board(IMX95), "call", "nxp-lmm.LMM_BOOT", "lm_id=2")
    assert "> cmdq   LMM_BOOT #2 lm_id=2" in err.replace("nxp-lmm.", "")
    _, err = said("-x", "-t", board(""), "call", "nxp-lmm.LMM_BOOT", "lm_id=2")
    assert "vendor-0x80.0x4 #2 words=[0x00000002]" in err
    _, err = said("-x", "-t", board(""), "--vendor", "NXP", "call", "nxp-lmm.LMM_BOOT", "lm_id=2")
    assert "LMM_BOOT #0 lm_id=2" in err


def test_versions_of_vendors_protocols_can_be_fixed(board: Callable[[str], str]) -> None:
    for name in ("nxp-lmm=1.0", "0x80=1.0"):
        _, err = said("-x", "-t", board(""), "--vendor", "NXP", "--proto", name, "raw", "0x80", "4")
        assert "PROTOCOL_VERSION" not in err
    with pytest.raises(UsageError, match="unknown protocol '0x80'"):
        said("--proto", "0x80=1.0", "raw", "0x80", "4")


def test_permissions_are_given_by_the_names_of_vendors_protocols(script: Any) -> None:
    platform = script({**nxp(), (BASE, 0xA, None): b"", (BASE, 0x2, None): word(0)})
    output = platform.run("base perms protocol 1 7 nxp-misc allow")
    assert output.records[0]["protocol"] == "nxp-misc"
    assert platform.asked[-1] == (BASE, 0xA, word(1, 7, MISC, 1))
