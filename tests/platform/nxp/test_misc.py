"""Controls and their events, reset reasons, the log, and what chip and firmware it is."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.protocols.nxp import lmm, misc
from scmictl.wire import Status

MISC = 0x84 << 10
PDM, CHIP = 0, 1 << 15
CHANGED = 0x4


def control(agent: Any, position: int) -> Any:
    return agent.platform.behaviours[misc.ID].controls[position]


def setting(id: int, *words: int) -> misc.ControlSet:
    return misc.ControlSet(ctrl_id=id, num_val=len(words), val=list(words))


def further(id: int, addr: int, *words: int, length: int | None = None) -> misc.ControlExtSet:
    return misc.ControlExtSet(
        ctrl_id=id,
        addr=addr,
        len=len(words) if length is None else length,
        num_val=len(words),
        val=list(words),
    )


def action(id: int, number: int, *words: int) -> misc.ControlAction:
    return misc.ControlAction(ctrl_id=id, action=number, num_arg=len(words), arg=list(words))


def heard(agent: Any) -> list[tuple[int, int]]:
    return [(event.ctrl_id, event.flags) for event in agent.events()]


def text(name: str) -> list[int]:
    data = name.encode().ljust(16, b"\0")
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, 16, 4)]


def test_controls_and_reasons_are_counted(linux: Any) -> None:
    assert linux.words(MISC | 1) == [MISC | 1, 0, 1 << 24 | 32 << 16 | 1]


# --- controls -------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [1, 2, CHIP | 1, 0xFFFF, 0x10000, 0xFFFFFFFF])
def test_a_control_that_is_not_there_is_not_found(linux: Any, id: int) -> None:
    for request in (
        setting(id, *[0] * 30),
        misc.ControlGet(ctrl_id=id),
        action(id, 99),
        misc.ControlNotify(ctrl_id=id, flags=0xFF),
        further(id, 0, 1, length=9),
        misc.ControlExtGet(ctrl_id=id, addr=0, len=99),
    ):
        assert linux.status(request) is Status.NOT_FOUND


def test_a_control_is_set_and_read(linux: Any, rtos: Any) -> None:
    assert rtos.words(MISC | 4, PDM) == [MISC | 4, 0, 2, 1, 2]
    assert linux.words(MISC | 3, PDM, 1, 9) == [MISC | 3, 0]
    assert rtos.words(MISC | 4, PDM) == [MISC | 4, 0, 2, 9, 2]
    assert linux.words(MISC | 3, CHIP, 1, 0xABCD) == [MISC | 3, 0]
    assert linux.words(MISC | 4, CHIP) == [MISC | 4, 0, 1, 0xABCD]
    assert linux.status(setting(PDM, 1, 2, 3)) is Status.INVALID_PARAMETERS
    assert control(linux, 0).words == [9, 2]


def test_controls_take_rights(linux: Any, rtos: Any, spy: Any) -> None:
    assert spy.status(misc.ControlGet(ctrl_id=PDM)) is Status.DENIED
    assert rtos.status(setting(PDM, 5)) is Status.DENIED
    assert rtos.status(setting(PDM, 5, 5, 5)) is Status.INVALID_PARAMETERS
    assert rtos.status(action(CHIP, 1)) is Status.DENIED
    assert rtos.status(further(CHIP, 0, 1)) is Status.DENIED
    assert rtos.status(misc.ControlNotify(ctrl_id=PDM, flags=0)) is Status.DENIED
    assert rtos.ask(misc.ControlExtGet(ctrl_id=CHIP, addr=0, len=1)).val == [0]
    assert (control(linux, 0).words, control(linux, 1).action) == ([1, 2], None)


def test_an_action_returns_what_the_board_says(linux: Any, state: Any) -> None:
    assert linux.words(MISC | 5, CHIP, 1, 2, 7, 8) == [MISC | 5, 0, 1, 0xA5]
    assert state(misc.ID, "chip")["action"] == {"action": 1, "arg": [7, 8]}
    assert linux.words(MISC | 5, CHIP, 2, 0) == [MISC | 5, 0, 0]
    assert linux.status(action(CHIP, 3)) is Status.NOT_SUPPORTED
    assert linux.status(action(PDM, 1)) is Status.NOT_SUPPORTED
    assert linux.status(action(CHIP, 1, *[0] * 23)) is Status.INVALID_PARAMETERS
    linux.ask(action(CHIP, 1, *[0] * 22))


def test_an_action_whose_answer_does_not_fit_is_not_done(linux: Any) -> None:
    assert linux.status(action(CHIP, 1), 15) is Status.PROTOCOL_ERROR
    assert control(linux, 1).action is None
    assert linux.ask(action(CHIP, 1), 16).rtn == [0xA5]
    assert linux.ask(action(CHIP, 2), 12).rtn == []


def test_further_words_are_set_and_read_in_part(linux: Any) -> None:
    assert linux.words(MISC | 0x20, CHIP, 28, 2, 2, 5, 6) == [MISC | 0x20, 0]
    assert linux.words(MISC | 0x21, CHIP, 27, 3) == [MISC | 0x21, 0, 3, 0, 5, 6]
    assert control(linux, 1).extended[27:] == [0, 5, 6]


def test_further_words_that_are_not_there_are_refused(linux: Any) -> None:
    for request in (
        further(CHIP, 0, 1, 2, length=1),
        further(CHIP, 29, 1, 2),
        further(CHIP, 0xFFFFFFFF, 1),
        further(CHIP, 0, *[0] * 22),
        misc.ControlExtGet(ctrl_id=CHIP, addr=29, len=2),
        misc.ControlExtGet(ctrl_id=CHIP, addr=0, len=24),
        misc.ControlExtGet(ctrl_id=CHIP, addr=0xFFFFFFFF, len=1),
    ):
        assert linux.status(request) is Status.INVALID_PARAMETERS
    for request in (further(PDM, 0, 1), misc.ControlExtGet(ctrl_id=PDM, addr=0, len=1)):
        assert linux.status(request) is Status.NOT_SUPPORTED
    assert control(linux, 1).extended == [0] * 30
    assert len(linux.ask(misc.ControlExtGet(ctrl_id=CHIP, addr=0, len=23)).val) == 23


def test_events_of_a_control_go_to_who_wants_them(linux: Any, rtos: Any, hand: Any) -> None:
    linux.ask(misc.ControlNotify(ctrl_id=CHIP, flags=0x1))
    rtos.ask(misc.ControlNotify(ctrl_id=CHIP, flags=0x6))
    hand(misc.ID, "chip", "event", "0x3")
    assert [frame.hex(" ", 4) for frame in linux.poll()] == ["00130200 00800000 03000000"]
    assert heard(rtos) == [(CHIP, 3)]
    linux.ask(misc.ControlNotify(ctrl_id=CHIP, flags=0))
    hand(misc.ID, "chip", "event", "0x2")
    assert heard(linux) == []
    assert heard(rtos) == [(CHIP, 2)]


def test_setting_a_control_can_be_an_event(linux: Any, rtos: Any) -> None:
    rtos.ask(misc.ControlNotify(ctrl_id=CHIP, flags=CHANGED))
    linux.ask(misc.ControlNotify(ctrl_id=CHIP, flags=CHANGED))
    linux.ask(setting(CHIP, 5))
    linux.ask(further(CHIP, 3, 5))
    linux.ask(setting(PDM, 5))
    assert heard(linux) == heard(rtos) == [(CHIP, CHANGED)] * 2


def test_flags_that_a_control_does_not_have_are_refused(connect: Any, linux: Any) -> None:
    for id, flags in ((CHIP, 8), (PDM, 1)):
        request = misc.ControlNotify(ctrl_id=id, flags=flags)
        assert linux.status(request) is Status.INVALID_PARAMETERS
    deaf = connect(linux.platform, "linux", events=False)
    request = misc.ControlNotify(ctrl_id=CHIP, flags=1)
    assert deaf.status(request) is Status.NOT_SUPPORTED
    assert deaf.status(misc.MessageAttributes(message_id=8)) is Status.NOT_FOUND


def test_resetting_an_agent_puts_back_the_controls_it_has_set(linux: Any, rtos: Any) -> None:
    rtos.ask(misc.ControlNotify(ctrl_id=CHIP, flags=CHANGED))
    linux.ask(setting(PDM, 8, 8))
    linux.ask(further(CHIP, 0, 8))
    rtos.poll()
    linux.platform.reset_agent(3, linux.now, permissions=False)
    assert control(linux, 0).words == [8, 8]
    linux.platform.reset_agent(1, linux.now, permissions=False)
    assert (control(linux, 0).words, control(linux, 1).extended[0]) == ([1, 2], 0)


# --- reasons and the log --------------------------------------------------------------------------


def test_reasons_have_names(linux: Any) -> None:
    assert linux.words(MISC | 9, 16) == [MISC | 9, 0, 0, *text("sw")]
    assert linux.ask(misc.ReasonAttributes(reason_id=31)).name == "por"
    assert linux.ask(misc.ReasonAttributes(reason_id=0)).name == "cm33_lockup"
    assert linux.status(misc.ReasonAttributes(reason_id=32)) is Status.NOT_FOUND


def test_the_systems_reason_is_what_the_board_says(linux: Any) -> None:
    # wdog3 is 10; valid is bit 31, two words of extended information bits 30:29.
    assert linux.words(MISC | 0xA, 1) == [
        MISC | 0xA, 0, 1 << 31 | 10, 1 << 31 | 2 << 29 | 10, 0xA, 0xB,
    ]  # fmt: skip
    wrong = misc.ResetReason(flags=misc.ResetReasonFlags(2))
    assert linux.status(wrong) is Status.INVALID_PARAMETERS


def test_the_callers_reason_is_its_machines(linux: Any, rtos: Any, spy: Any) -> None:
    assert rtos.ask(misc.ResetReason()).boot_flags.reason == 10
    assert spy.words(MISC | 0xA, 0) == [MISC | 0xA, 0, 0, 0], "it has never booted"
    linux.ask(lmm.Reset(lm_id=2))
    boot = 1 << 31 | 1 << 28 | 1 << 24 | 16
    assert rtos.words(MISC | 0xA, 0) == [MISC | 0xA, 0, boot, boot]
    assert rtos.ask(misc.ResetReason(flags=misc.ResetReasonFlags(1))).boot_flags.reason == 10


def test_without_machines_the_reason_is_the_systems(connect: Any) -> None:
    agent = connect("[nxp-misc]\n")
    assert agent.words(MISC | 0xA, 0) == [MISC | 0xA, 0, 1 << 31 | 31, 0]


def test_the_log_comes_in_pieces(linux: Any) -> None:
    # Remaining is in bits 31:20.
    assert linux.words(MISC | 0xD, 0, 0) == [MISC | 0xD, 0, 5, 1, 2, 3, 4, 5]
    page = linux.ask(misc.Syslog(log_index=0), 20)
    assert (page.num_log_flags, page.syslog) == (3 << 20 | 2, [1, 2])
    assert linux.every(misc.Syslog(log_index=0), 16) == [1, 2, 3, 4, 5]
    assert linux.status(misc.Syslog(log_index=0), 12) is Status.PROTOCOL_ERROR
    for index in (5, 6, 0xFFFFFFFF):
        assert linux.words(MISC | 0xD, 0xFF, index) == [MISC | 0xD, 0, 0]


# --- what it is -----------------------------------------------------------------------------------


def test_firmware_chip_and_board_are_told(linux: Any) -> None:
    assert linux.words(MISC | 6) == [
        MISC | 6, 0, 7, 0xDEADBEEF, *text("Jan 01 2026"), *text("12:00:00"),
    ]  # fmt: skip
    assert linux.words(MISC | 0xB) == [MISC | 0xB, 0, 0x9500, 0xB0, 95, *text("i.MX95 B0")]
    assert linux.words(MISC | 0xC) == [MISC | 0xC, 0, 2, *text("mx95evk")]
    assert linux.words(MISC | 0xE) == [MISC | 0xE, 0, 0, *text("i.MX95 EVK")]
    assert linux.words(MISC | 7) == [MISC | 7, 0, 2, 0x11, 0x22]


def test_regions_of_memory_are_told(linux: Any) -> None:
    # ecc, two regions, 16 << 1 bits, LPDDR5
    assert linux.words(MISC | 0x22, 0) == [
        MISC | 0x22, 0, 1 << 31 | 2 << 16 | 1 << 8, 6400, 0x80000000, 0, 0x7FFFFFFF, 8,
    ]  # fmt: skip
    assert linux.words(MISC | 0x22, 1)[2] == 2 << 16 | 3
    assert linux.status(misc.DdrInfoGet(ddr_rgd_id=2)) is Status.NOT_FOUND


# --- by hand --------------------------------------------------------------------------------------


def test_a_hand_sets_words_and_those_who_listen_are_told(linux: Any, hand: Any, state: Any) -> None:
    linux.ask(misc.ControlNotify(ctrl_id=CHIP, flags=CHANGED))
    hand(misc.ID, "pdm", "value", "0x10,3")
    assert linux.ask(misc.ControlGet(ctrl_id=PDM)).val == [16, 3]
    hand(misc.ID, "chip", "extended", "4:7,8")
    hand(misc.ID, "chip", "extended", "9")
    assert state(misc.ID, "chip") == {
        "ctrl_id": CHIP,
        "value": ["0x00000000"],
        "extended": {"0x0": "0x00000009", "0x4": "0x00000007", "0x5": "0x00000008"},
        "events": "0x7",
        "action": None,
    }
    assert heard(linux) == [(CHIP, CHANGED)] * 2


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("pdm", "value", "1,2,3", "value has 2 words, found 3"),
        ("pdm", "value", "1,x", "found 'x', expected a number"),
        ("pdm", "extended", "0:1", "extended has 0 words, found 1"),
        ("chip", "extended", "30:1", "extended has 30 words, found 31"),
        ("chip", "event", "8", "event is 8, expected some of the bits 0x7"),
        ("chip", "event", "0", "event is 0, expected some of the bits 0x7"),
        ("chip", "state", "on", "unknown key 'state', expected one of: value, extended, event"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    linux: Any, hand: Any, name: str, key: str, value: str, message: str
) -> None:
    before = [linux.platform.behaviours[misc.ID].state(id) for id in range(2)]
    with pytest.raises(UsageError, match=message):
        hand(misc.ID, name, key, value)
    assert [linux.platform.behaviours[misc.ID].state(id) for id in range(2)] == before
