"""Boards of NXP's: whose they have to be, what is wrong with them, and the built-in one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import protocols
from scmictl.errors import BoardError
from scmictl.platform import Platform
from scmictl.platform.platform import VENDOR_BEHAVIOURS
from scmictl.protocols import base
from scmictl.wire import Status

IDENTITY = '[platform]\nvendor = "NXP"\nsub_vendor = "IMX"\n'
ONE = '[[nxp-lmm]]\nname = "sm"\n[[nxp-lmm]]\nname = "ap"\nagents = ["agent"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[platform]\nvendor = "Arm"\nsub_vendor = "IMX"\n' + ONE,
            "platform.vendor: found 'Arm', expected 'NXP', whose protocol nxp-lmm is",
        ),
        (
            '[platform]\nvendor = "NXP"\nsub_vendor = "S32"\n[nxp-bbm]\ngpr = 1',
            "platform.sub_vendor: found 'S32', expected 'IMX', whose protocol nxp-bbm is",
        ),
        (
            '[platform]\nvendor = "Arm"\n[versions]\nnxp-misc = "1.0"',
            "platform.vendor: found 'Arm', expected 'NXP', whose protocol nxp-misc is",
        ),
        ('[versions]\nnxp-lmm = "2.0"\n' + ONE, "versions.nxp-lmm: found '2.0', expected one of"),
        ('[[nxp-lmm]]\nname = "sm"', "nxp-lmm: found the agent 'agent' in no machine, expected"),
        (
            ONE + '[[nxp-lmm]]\nname = "b"\nagents = ["agent"]',
            "nxp-lmm: found the agent 'agent' in ap and b, expected every agent in one machine",
        ),
        (
            '[[nxp-lmm]]\nname = "sm"\nagents = ["agent"]',
            "nxp-lmm[0].agents: found a list of 1, expected no agents in the first machine",
        ),
        (
            '[[nxp-lmm]]\nname = "sm"\nstate = "off"',
            "nxp-lmm[0].state: found 'off', expected 'on': the first machine",
        ),
        (
            ONE + "rights = { boss = 'get' }",
            "nxp-lmm[1].rights.boss: found 'boss', expected one of the agents: agent",
        ),
        (
            ONE + "rights = { agent = 'root' }",
            "nxp-lmm[1].rights.agent: found 'root', expected one of: none, get, notify, set",
        ),
        ("".join(ONE for _ in range(9)), "nxp-lmm: found 18, expected 1 to 16 machines"),
        (
            '[[nxp-cpu]]\nname = "a"\nmachine = "ap"',
            "nxp-cpu[0].machine: found 'ap', expected this key only on a board with [[nxp-lmm]]",
        ),
        (ONE + '[[nxp-cpu]]\nname = "a"', "nxp-cpu[0].machine: found nothing, expected one of"),
        (
            '[[nxp-cpu]]\nname = "a"\nrun_mode = "idle"',
            "nxp-cpu[0].run_mode: found 'idle', expected one of: run, hold, stop, sleep",
        ),
        (
            '[[nxp-bbm.rtc]]\nname = "r"\nsec_width = 8\ntime = 256',
            "nxp-bbm.rtc[0].time: found 256, expected an integer from 0 to 255",
        ),
        (
            '[[nxp-bbm.rtc]]\nname = "r"\ntick_width = 4\nticks = 17',
            "nxp-bbm.rtc[0].ticks: found 17, expected an integer from 1 to 16",
        ),
        ("[nxp-bbm]\ngprs = 4", "nxp-bbm.gprs: found an unknown key, expected one of: rtc, gpr"),
        (
            '[[nxp-bbm.rtc]]\nname = "r"\n[[nxp-bbm.rtc]]\nname = "r"',
            "nxp-bbm.rtc[1].name: found 'r', which is also the name of number 0",
        ),
        (
            '[[nxp-fusa.seenv]]\nagent = "rtos"',
            "nxp-fusa.seenv[0].agent: found 'rtos', expected one of the agents: agent",
        ),
        (
            '[[nxp-fusa.fault]]\nname = "feenv"',
            "nxp-fusa.fault[0].name: found 'feenv', expected a name that is not that of",
        ),
        (
            '[[nxp-misc.control]]\nname = "c"\nchanged = 1',
            "nxp-misc.control[0].changed: found 1, expected some of the events 0x0",
        ),
        (
            '[[nxp-misc.control]]\nname = "c"\nactions = { go = [] }',
            "nxp-misc.control[0].actions.go: found 'go', expected the number of an action",
        ),
        (
            f'[[nxp-misc.control]]\nname = "c"\nvalues = {[0] * 24}',
            "nxp-misc.control[0].values: found a list of 24, expected a list of up to 23 words",
        ),
        (
            "[nxp-misc]\next_info = [1]",
            "nxp-misc.ext_info: found a list of 1, expected a list of up to 3 words, and none of",
        ),
        (
            "[nxp-misc]\nbuild = { number = 1 }",
            "nxp-misc.build.commit: found nothing, expected an integer from 0",
        ),
        (
            "[[nxp-misc.ddr]]\nwidth = 48\nmts = 1\nstart = 0\nend = 1",
            "nxp-misc.ddr[0].width: found 48, expected 16 bits, or that doubled",
        ),
        (
            "[[nxp-misc.ddr]]\nmts = 1\nstart = 5\nend = 4",
            "nxp-misc.ddr[0].end: found 4, expected an integer from 5",
        ),
    ],
)
def test_what_is_wrong_is_one_line(text: str, message: str) -> None:
    with pytest.raises(BoardError) as raised:
        Platform.from_text(text, "test.toml")
    assert raised.value.message.startswith(f"test.toml: {message}")
    assert "\n" not in raised.value.message


def test_the_vendor_of_a_board_with_such_a_table_is_nxp() -> None:
    platform = Platform.from_text(ONE, "test.toml")
    assert (platform.vendor, platform.sub_vendor) == ("NXP", "IMX")
    assert sorted(platform.behaviours) == [0x10, 0x80]


@pytest.fixture(scope="module")
def imx95() -> Platform:
    return Platform.from_board("imx95")


def every_request() -> list[tuple[Any, int]]:
    return [
        (request, version)
        for name in VENDOR_BEHAVIOURS
        for request in protocols.by_name(name).requests
        for version in protocols.by_name(name).versions
        if version >= request.SINCE
    ]


@pytest.mark.parametrize(("request_class", "version"), every_request())
def test_every_command_has_exactly_its_size(
    imx95: Platform, request_class: Any, version: int
) -> None:
    port = imx95.attach()
    protocol = request_class.PROTOCOL_ID
    port.versions[protocol] = version
    word = (protocol << 10 | request_class.MESSAGE_ID).to_bytes(4, "little")
    size = sum(field.size for field in request_class.layout(version))
    for wrong in {0, 4, 8, 12, 16, 20, size - 1, size + 1, size + 4} - {size, -1}:
        answer = port.handle(0, word + b"\xff" * wrong, 8192, 0.0)
        assert answer == word + b"\xf6\xff\xff\xff"
    answer = port.handle(0, word + bytes(size), 8192, 0.0)
    assert answer is not None
    assert answer[4:8] != b"\xf6\xff\xff\xff"


@pytest.mark.parametrize(("request_class", "version"), every_request())
def test_every_message_says_of_itself_that_it_exists(
    connect: Any, request_class: Any, version: int
) -> None:
    agent = connect(Platform.from_board("imx95"))
    agent.port.versions[request_class.PROTOCOL_ID] = version
    asking = request_class.PROTOCOL.by_id[0x2]
    assert agent.ask(asking(message_id=request_class.MESSAGE_ID)).attributes == 0


def test_what_a_board_does_not_have_has_no_messages(connect: Any) -> None:
    from scmictl.protocols.nxp import bbm, misc

    agent = connect('[versions]\nnxp-bbm = "1.0"\nnxp-misc = "1.1"\n')
    for request in (bbm.GprGet(index=0), bbm.RtcState(rtc_id=0), bbm.ButtonGet()):
        assert agent.status(request) is Status.NOT_FOUND
    for absent in (misc.ControlGet(ctrl_id=0), misc.DdrInfoGet(ddr_rgd_id=0)):
        assert agent.status(absent) is Status.NOT_FOUND
        code = misc.MessageAttributes(message_id=absent.MESSAGE_ID)
        assert agent.status(code) is Status.NOT_FOUND
    for missing in (misc.DiscoverBuildInfo(), misc.CfgInfo(), misc.BoardInfo()):
        assert agent.status(missing) is Status.NOT_SUPPORTED
    assert agent.status(misc.Syslog(log_index=0)) is Status.NOT_SUPPORTED
    assert agent.status(misc.RomPassoverGet()) is Status.NOT_SUPPORTED
    assert agent.ask(misc.SiInfo()).si_name == "i.MX95"


@pytest.mark.parametrize("name", ["nxp-lmm", "nxp-misc"])
def test_an_older_version_is_reported_and_has_fewer_messages(connect: Any, name: str) -> None:
    agent = connect(f'{IDENTITY}[versions]\n{name} = "1.0"\n{ONE}')
    protocol = protocols.by_name(name)
    version = protocol.by_id[0]
    assert agent.ask(version()).version == 0x10000
    ahead = protocol.by_id[0x10]
    assert agent.status(ahead(version=0x10001)) is Status.NOT_SUPPORTED
    if name == "nxp-misc":
        assert agent.words(protocol.id << 10 | 0x22, 0) == [protocol.id << 10 | 0x22, 0xFFFFFFFC]


def test_a_platform_lists_the_vendors_protocols(connect: Any) -> None:
    agent = connect(Platform.from_board("imx95"))
    listed = agent.every(base.DiscoverListProtocols(skip=0), 8192)
    assert listed[-5:] == [0x80, 0x81, 0x82, 0x83, 0x84]


def test_a_denied_machine_and_its_clock_are_not_there(connect: Any) -> None:
    from scmictl.protocols.nxp import bbm, lmm

    agent = connect(
        IDENTITY
        + ONE
        + """
[nxp-bbm]
gpr = 2
button = true
[[agent]]
name = "agent"
denied = ["secret"]
[[device]]
name = "secret"
owns = ["nxp-lmm:sm", "nxp-bbm:gpr1", "nxp-bbm:button"]
"""
    )
    assert agent.status(lmm.Attributes(lm_id=0)) is Status.NOT_FOUND
    assert agent.ask(lmm.Attributes(lm_id=1)).name == "ap"
    assert agent.ask(bbm.GprGet(index=0)).value == 0
    assert agent.status(bbm.GprGet(index=1)) is Status.NOT_FOUND
    assert agent.status(bbm.ButtonGet()) is Status.NOT_FOUND
    flags = bbm.ButtonNotifyFlags(enable=1)
    assert agent.status(bbm.ButtonNotify(flags=flags)) is Status.NOT_FOUND


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0x80, 0x84),
    st.integers(0, 0x23),
    st.lists(st.integers(0, 7) | st.integers(0, 0xFFFFFFFF), max_size=8),
    st.sampled_from(["AP-NS", "M7"]),
    st.integers(8, 136),
)
def test_arbitrary_words_get_a_legal_answer(
    imx95: Platform, protocol: int, message: int, words: list[int], agent: str, room: int
) -> None:
    port = imx95.attach(agent)
    frame = b"".join(word.to_bytes(4, "little") for word in (protocol << 10 | message, *words))
    answer = port.handle(0, frame, room, imx95.now + 0.01)
    assert answer is not None
    assert answer[:4] == frame[:4]
    assert 8 <= len(answer) <= room
    status = int.from_bytes(answer[4:8], "little", signed=True)
    assert -12 <= status <= 0
    assert status == 0 or len(answer) == 8
    for _, notification in port.poll(imx95.now):
        assert notification[1] & 3 == 3
    port.close()
