"""NXP's protocols from the command line, on the built-in board imx95."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from scmictl.errors import StatusError

BASE, LMM = 0x10, 0x80


def fields(one: Any, line: str) -> Any:
    found = one.json(f"call {line}")
    assert found["status"] == "SUCCESS"
    return found["fields"]


@pytest.fixture
def imx95(console: Any) -> Any:
    return console("sim:imx95")


def test_a_message_of_each_protocol_is_called_by_name(imx95: Any) -> None:
    assert fields(imx95, "nxp-bbm.BBM_RTC_TIME_GET rtc_id=0 flags=0") == {"time": 1767225600}
    assert fields(imx95, "nxp-lmm.LMM_ATTRIBUTES lm_id=0xffffffff") == {
        "lm_id": 2,
        "attributes": {"num_agents": 2},
        "state": "on",
        "err_status": 0,
        "name": "AP",
    }
    assert fields(imx95, "CPU_INFO_GET cpu_id=2") == {
        "run_mode": "run", "sleep_mode": "run", "reset_vector": 0x8A200000,
    }  # fmt: skip
    assert fields(imx95, "MISC_BOARD_INFO")["brd_name"] == "i.MX95 EVK"
    assert fields(imx95, "nxp-misc.SYSLOG log_index=2")["syslog"] == [0, 7]
    assert fields(imx95, "MISC_DDR_INFO_GET ddr_rgd_id=0")["attributes"]["type"] == "lpddr5"


def test_functional_safety_is_for_who_is_watched(console: Any, imx95: Any) -> None:
    error, _ = imx95.fails("call FUSA_FEENV_STATE_GET")
    assert (error.name, error.exit_code) == ("NOT_SUPPORTED", 21)
    watched = console("sim:imx95?agent=M7")
    assert fields(watched, "FUSA_FEENV_STATE_GET") == {"feenv_state": "pre_safety", "msel_mode": 0}


def test_writes_are_kept_for_the_session(imx95: Any) -> None:
    fields(imx95, "BBM_GPR_SET index=1 value=0xcafe")
    assert fields(imx95, "BBM_GPR_GET index=1") == {"value": 0xCAFE}
    fields(imx95, "CPU_RESET_VECTOR_SET cpu_id=3 flags.start=1 reset_vector=0x1_0000_0000")
    fields(imx95, "nxp-cpu.CPU_STOP cpu_id=3 -y")
    fields(imx95, "CPU_START cpu_id=3")
    assert fields(imx95, "CPU_INFO_GET cpu_id=3")["reset_vector"] == 1 << 32
    fields(imx95, "MISC_CONTROL_SET ctrl_id=0x8003 num_val=1 val[0]=7")
    assert fields(imx95, "MISC_CONTROL_GET ctrl_id=0x8003") == {"num_val": 1, "val": [7]}


def test_what_hurts_is_refused_unasked(imx95: Any) -> None:
    error, _ = imx95.fails("call LMM_SHUTDOWN lm_id=1")
    assert error.exit_code == 9
    assert fields(imx95, "LMM_ATTRIBUTES lm_id=1")["state"] == "on"
    assert fields(imx95, "LMM_SHUTDOWN lm_id=1 -y") == {}
    assert fields(imx95, "LMM_ATTRIBUTES lm_id=1")["state"] == "off"


def test_a_machine_is_watched_by_its_name(imx95: Any) -> None:
    imx95.text("call LMM_RESET lm_id=1 flags.graceful=1 -y")
    found = imx95.lines("watch LMM_EVENT M7 -n 2 --for 5")
    assert [(event["id"], event["name"], event["agent_id"]) for event in found] == [
        (1, "M7", None)
    ] * 2
    assert [event["fields"] for event in found] == [
        {
            "lm_id": 2,
            "event_lm": 1,
            "flags": {"boot": boot, "shutdown": not boot, "suspend": False, "wake": False},
        }
        for boot in (False, True)
    ]


def test_everything_is_watched_but_what_this_agent_may_not_hear(imx95: Any) -> None:
    # AP-NS is no safety environment, which only the refusal tells.
    imx95.fails("watch -n 1 --for 1ms")
    assert "FUSA_FEENV_STATE_EVENT" in imx95.said
    error, _ = imx95.fails("watch FUSA_FEENV_STATE_EVENT -n 1 --for 1ms")
    assert error.name == "NOT_SUPPORTED"


def test_a_clock_is_watched_by_its_name(imx95: Any) -> None:
    imx95.text("call BBM_RTC_ALARM_SET rtc_id=0 flags.enable=1 time=1767225601")
    found = imx95.lines("watch BBM_RTC_EVENT bbnsm -n 1 --for 5")
    assert [(event["id"], event["name"]) for event in found] == [(0, "bbnsm")]
    assert found[0]["fields"] == {
        "flags": {"alarm": True, "rollover": False, "updated": False, "rtc_id": 0}
    }


def test_info_counts_what_there_is(imx95: Any) -> None:
    found = imx95.json("info")
    assert (found["base"]["vendor"], found["base"]["sub_vendor"]) == ("NXP", "IMX")
    counts = {one["name"]: (one["version"], one["count"]) for one in found["protocols"]}
    assert counts["nxp-lmm"] == ("1.1", 3)
    assert counts["nxp-bbm"] == ("1.0", 1)
    assert counts["nxp-cpu"] == ("1.0", 9)
    assert counts["nxp-fusa"] == ("1.0", None)
    assert counts["nxp-misc"] == ("1.1", 32)
    assert counts["power"] == ("3.1", 23)


def test_a_status_of_nxps_own_is_explained(script: Any) -> None:
    platform = script(
        {
            (BASE, 0x3, None): b"NXP".ljust(16, b"\0"),
            (BASE, 0x4, None): b"IMX".ljust(16, b"\0"),
            (LMM, 0x0, None): struct.pack("<I", 0x10000),
            (LMM, 0x4, None): -130,
        }
    )
    for line in ("call LMM_BOOT lm_id=2", "raw 0x80 0x4 --payload 02000000"):
        output = platform.run(line)
        assert output.records[0]["status"] == "VENDOR(-130)"
        assert isinstance(output.error, StatusError)
        assert output.error.message == "LMM_BOOT: VENDOR(-130) (-130): missing parameters"
        assert output.error.exit_code == 39
