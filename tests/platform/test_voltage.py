"""Voltage domain protocol: levels and modes, set at once and later, in every version."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, voltage
from scmictl.wire import Status

BOARD = """
[async]
voltage = 2
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[device]]
name = "gpu"
owns = ["voltage:vdd-gpu"]
[[voltage]]                     # 0
name = "vdd-cpu"
levels = { lowest = "700mV", highest = "1.1V", step = "12500uV" }
level = "850mV"
enabled = true
latency = "5ms"
restrict = { guest = ["level"] }
[[voltage]]                     # 1
name = "vdd-gpu"
levels = [700_000, "0.8V", 850_000, 900_000, 1_000_000]
latency = "20ms"
restrict = { guest = ["state", "level"] }
[[voltage]]                     # 2
name = "vdd-io"
level = "1.8V"
modes = ["on"]
[[voltage]]                     # 3
name = "bias-behind-the-back-gate"
levels = { lowest = "-1.2V", highest = "300mV", step = "50mV" }
level = "-850mV"
modes = ["off", 0x8, "on", 0xF]
mode = 0x8
async = false
"""
CPU, GPU, IO, BIAS = range(4)
OFF, ON = 0, 7


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def level(id: int, uv: int, flags: int = 0) -> voltage.LevelSet:
    return voltage.LevelSet(domain_id=id, flags=voltage.LevelSetFlags(flags), voltage_level=uv)


def mode(id: int, word: int) -> voltage.ConfigSet:
    return voltage.ConfigSet(domain_id=id, config=voltage.ConfigSetWord(word))


def state(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[voltage.ID].state(id)


def levels(id: int, index: int = 0) -> voltage.DescribeLevels:
    return voltage.DescribeLevels(domain_id=id, level_index=index)


# --- descriptions ---------------------------------------------------------------------------------


def test_the_count_is_that_of_the_board(boss: Any) -> None:
    assert boss.words(0x5C01) == [0x5C01, 0, 4]


def test_a_domain_is_described_by_its_bits_and_its_name(boss: Any) -> None:
    # The bits are those of the reference: 31 asynchronous level set, 30 extended name.
    assert boss.words(0x5C03, CPU) == [0x5C03, 0, 1 << 31, 0x2D646476, 0x757063, 0, 0]
    assert int(boss.ask(voltage.DomainAttributes(domain_id=IO)).attributes) == 0
    bias = boss.ask(voltage.DomainAttributes(domain_id=BIAS))
    assert (int(bias.attributes), bias.name) == (1 << 30, "bias-behind-the")


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    answer = boss.ask(voltage.DomainNameGet(domain_id=BIAS))
    assert (answer.flags, answer.name) == (0, "bias-behind-the-back-gate")
    assert len(boss.send(voltage.DomainNameGet(domain_id=BIAS))) == 4 + 72
    assert boss.status(voltage.DomainNameGet(domain_id=CPU)) is Status.NOT_FOUND


@pytest.mark.parametrize("id", [4, 0xFFFF, 0xFFFFFFFF])
def test_a_domain_that_is_not_there_is_not_found_whatever_else_is_wrong(boss: Any, id: int) -> None:
    for request in (
        voltage.DomainAttributes(domain_id=id),
        levels(id, 0xFFFFFFFF),
        mode(id, 0xFFFFFFFF),
        voltage.ConfigGet(domain_id=id),
        level(id, 1, 0xFFFFFFFF),
        voltage.LevelGet(domain_id=id),
        voltage.DomainNameGet(domain_id=id),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_the_upper_half_of_an_id_does_not_count(boss: Any) -> None:
    assert boss.ask(voltage.LevelGet(domain_id=0xABCD0003)).voltage_level == -850_000
    long = boss.ask(voltage.DomainNameGet(domain_id=0x10000 + BIAS))
    assert long.name == "bias-behind-the-back-gate"
    boss.ask(level(0x10000 + CPU, 900_000, 1))
    assert boss.events(boss.now + 1) == [
        voltage.LevelSetComplete(domain_id=CPU, voltage_level=900_000)
    ]


def test_a_denied_domain_keeps_its_number_and_is_not_found(boss: Any, guest: Any) -> None:
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.ask(voltage.ProtocolAttributes()).attributes.num_domains == 4
    assert guest.status(voltage.DomainAttributes(domain_id=GPU)) is Status.NOT_FOUND
    assert guest.status(level(GPU, 800_000)) is Status.NOT_FOUND
    assert guest.ask(voltage.DomainAttributes(domain_id=IO)).name == "vdd-io"


# --- levels there are -----------------------------------------------------------------------------


def test_a_triplet_is_answered_as_in_the_reference(boss: Any) -> None:
    # Part B, section 4.3: status, flags, lowest, highest, step.
    words = [0x00000000, 0x00001003, 0x000AAE60, 0x0010C8E0, 0x000030D4]
    assert boss.words(0x5C04, CPU, 0) == [0x5C04, *words]
    assert boss.words(0x5C04, CPU, 0xFFFFFFFF) == [0x5C04, *words]  # its index does not count
    assert len(boss.send(levels(CPU), 24)) == 24
    for less in range(8, 24):
        assert boss.status(levels(CPU), less) is Status.PROTOCOL_ERROR


def test_two_of_five_levels_from_the_second_are_flagged_as_in_the_reference(boss: Any) -> None:
    page = boss.ask(levels(GPU, 1), 20)
    assert (int(page.flags), page.voltage) == (0x00020002, [800_000, 850_000])


def test_a_list_has_as_many_levels_as_fit_and_at_least_one(boss: Any) -> None:
    whole = [700_000, 800_000, 850_000, 900_000, 1_000_000]
    for room in (16, 17, 19, 20, 136):
        assert boss.every(levels(GPU), room) == whole
    assert boss.ask(levels(GPU), 16).voltage == [700_000]
    assert boss.status(levels(GPU), 15) is Status.PROTOCOL_ERROR
    for index in (5, 0xFFFFFFFF):
        assert boss.status(levels(GPU, index)) is Status.OUT_OF_RANGE


def test_a_fixed_level_is_a_list_of_one(boss: Any) -> None:
    assert boss.words(0x5C04, IO, 0) == [0x5C04, 0, 1, 1_800_000]
    assert boss.status(levels(IO, 1)) is Status.OUT_OF_RANGE


def test_negative_levels_are_signed_words(boss: Any) -> None:
    found = boss.words(0x5C04, BIAS, 0)
    assert found == [0x5C04, 0, 0x1003, 0xFFEDB080, 300_000, 50_000]
    assert boss.words(0x5C08, BIAS) == [0x5C08, 0, 0xFFF307B0]


def test_more_levels_than_a_message_can_count_come_in_several(connect: Any) -> None:
    agent = connect(f'[[voltage]]\nname = "v"\nlevels = {list(range(-2, 5000))}\n')
    page = agent.ask(levels(0), 65536)
    assert (page.flags.returned, page.flags.remaining) == (4095, 907)
    assert agent.every(levels(0), 65536) == list(range(-2, 5000))


# --- setting levels -------------------------------------------------------------------------------


def test_a_level_is_set_whether_the_domain_is_on_or_not(boss: Any) -> None:
    assert boss.words(0x5C07, CPU, 0, 1_012_500) == [0x5C07, 0]
    assert boss.words(0x5C08, CPU) == [0x5C08, 0, 1_012_500]
    boss.ask(level(GPU, 1_000_000))
    assert state(boss, GPU) == {"enabled": False, "mode": "off", "level_uv": 1_000_000}
    boss.ask(level(BIAS, -1_200_000))
    assert state(boss, BIAS)["level_uv"] == -1_200_000


@pytest.mark.parametrize(
    ("id", "uv"),
    [(CPU, 699_999), (CPU, 1_112_500), (CPU, 850_001), (CPU, -850_000), (GPU, 750_000),
     (GPU, -2147483648), (BIAS, -1_250_000), (BIAS, -850_001), (BIAS, 2147483647),
     (IO, 1_200_000)],
)  # fmt: skip
def test_a_level_that_the_domain_does_not_have_is_invalid(boss: Any, id: int, uv: int) -> None:
    before = state(boss, id)
    for flags in (0, 1):
        assert boss.status(level(id, uv, flags)) is Status.INVALID_PARAMETERS
    assert state(boss, id) == before
    assert boss.port.next_deadline() is None


def test_a_fixed_level_cannot_be_set(boss: Any) -> None:
    for flags in (0, 1):
        assert boss.status(level(IO, 1_800_000, flags)) is Status.NOT_SUPPORTED


@pytest.mark.parametrize("flags", [2, 3, 0x80000000])
def test_reserved_flags_are_invalid(boss: Any, flags: int) -> None:
    assert boss.status(level(CPU, 900_000, flags)) is Status.INVALID_PARAMETERS
    assert boss.status(level(IO, 1_800_000, flags)) is Status.INVALID_PARAMETERS


def test_an_agent_that_may_not_set_a_level_is_denied_and_may_read(boss: Any, guest: Any) -> None:
    for flags in (0, 1):
        assert guest.status(level(CPU, 900_000, flags)) is Status.DENIED
    assert guest.status(level(CPU, 1)) is Status.INVALID_PARAMETERS
    assert guest.ask(voltage.LevelGet(domain_id=CPU)).voltage_level == 850_000
    guest.ask(mode(CPU, OFF))
    assert state(boss, CPU) == {"enabled": False, "mode": "off", "level_uv": 850_000}


# --- asynchronous levels --------------------------------------------------------------------------


def test_an_asynchronous_level_is_in_force_after_the_latency(boss: Any) -> None:
    assert boss.words(0x5C07 | 9 << 18, GPU, 1, 900_000) == [0x5C07 | 9 << 18, 0]
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.02)
    assert boss.poll(boss.now + 0.019) == []
    assert state(boss, GPU)["level_uv"] == 700_000
    # type 2, message and token as in the command; then status, domain, level
    assert [frame.hex(" ", 4) for frame in boss.poll(boss.now + 0.002)] == [
        "075e2400 00000000 01000000 a0bb0d00"
    ]
    assert state(boss, GPU)["level_uv"] == 900_000


def test_where_asynchronous_levels_are_not_supported_nothing_happens(boss: Any) -> None:
    assert boss.status(level(BIAS, 0, 1)) is Status.NOT_SUPPORTED
    assert boss.port.next_deadline() is None
    assert state(boss, BIAS)["level_uv"] == -850_000


def test_more_asynchronous_levels_than_the_board_allows_are_busy(boss: Any) -> None:
    boss.ask(level(CPU, 900_000, 1))
    boss.ask(level(GPU, 900_000, 1))
    assert boss.status(level(CPU, 950_000, 1)) is Status.BUSY
    boss.ask(level(CPU, 800_000))  # a synchronous one does not wait
    assert state(boss, CPU)["level_uv"] == 800_000
    boss.events(boss.now + 1)
    assert state(boss, CPU)["level_uv"] == 900_000


def test_a_domain_that_is_taken_away_meanwhile_is_not_found(boss: Any) -> None:
    boss.ask(level(GPU, 900_000, 1))
    boss.ask(base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(0)))
    assert boss.events(boss.now + 1) == [Status.NOT_FOUND]
    assert state(boss, GPU)["level_uv"] == 700_000


def test_without_a_channel_no_level_is_set_asynchronously(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    assert int(agent.ask(voltage.DomainAttributes(domain_id=CPU)).attributes) == 0
    assert agent.status(level(CPU, 900_000, 1)) is Status.NOT_SUPPORTED
    agent.ask(level(CPU, 900_000))
    assert state(agent, CPU)["level_uv"] == 900_000


# --- modes ----------------------------------------------------------------------------------------


def test_a_domain_is_on_off_or_in_a_mode_of_its_own(boss: Any) -> None:
    assert boss.words(0x5C06, CPU) == [0x5C06, 0, 7]
    assert boss.words(0x5C05, CPU, 0) == [0x5C05, 0]
    assert boss.words(0x5C06, CPU) == [0x5C06, 0, 0]
    assert state(boss, CPU)["enabled"] is False
    assert boss.words(0x5C06, BIAS) == [0x5C06, 0, 8]
    boss.ask(mode(BIAS, 0xF))
    assert state(boss, BIAS) == {"enabled": True, "mode": "0xf", "level_uv": -850_000}
    boss.ask(mode(BIAS, ON))
    assert state(boss, BIAS)["mode"] == "on"


@pytest.mark.parametrize("word", [1, 6, 8, 0xF, 0x10, 0x17, 0x80000007])
def test_reserved_modes_and_those_of_other_domains_are_invalid(boss: Any, word: int) -> None:
    assert boss.status(mode(CPU, word)) is Status.INVALID_PARAMETERS
    assert state(boss, CPU)["mode"] == "on"


def test_a_domain_without_off_is_always_on(boss: Any) -> None:
    assert boss.status(mode(IO, OFF)) is Status.INVALID_PARAMETERS
    boss.ask(mode(IO, ON))
    assert state(boss, IO)["enabled"] is True


def test_an_agent_that_may_not_switch_is_denied(boss: Any, guest: Any) -> None:
    assert guest.status(mode(GPU, ON)) is Status.DENIED
    assert guest.status(mode(GPU, 1)) is Status.INVALID_PARAMETERS
    assert guest.ask(voltage.ConfigGet(domain_id=GPU)).config.mode == OFF
    assert state(boss, GPU)["enabled"] is False


# --- an agent that starts anew --------------------------------------------------------------------


def test_resetting_an_agent_puts_back_what_it_has_set_and_nothing_else(
    boss: Any, guest: Any
) -> None:
    guest.ask(mode(CPU, OFF))
    guest.ask(level(BIAS, 0))
    guest.ask(mode(BIAS, OFF))
    boss.ask(mode(BIAS, ON))
    boss.ask(level(CPU, 900_000))
    boss.ask(base.ResetAgentConfiguration(agent_id=2))
    assert state(boss, CPU) == {"enabled": True, "mode": "on", "level_uv": 900_000}
    assert state(boss, BIAS) == {"enabled": True, "mode": "on", "level_uv": -850_000}
    boss.ask(level(GPU, 900_000, 1))
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert state(boss, CPU)["level_uv"] == 850_000
    assert state(boss, BIAS)["mode"] == "0x8"
    assert boss.events(boss.now + 1) == []  # the asynchronous one is dropped
    assert state(boss, GPU)["level_uv"] == 700_000


# --- by hand --------------------------------------------------------------------------------------


def test_a_hand_sets_level_and_mode_whatever_agents_may(boss: Any) -> None:
    voltages = boss.platform.behaviours[voltage.ID]
    voltages.adjust(CPU, "level", "900mV", boss.now)
    voltages.adjust(CPU, "enabled", "off", boss.now)
    voltages.adjust(BIAS, "mode", "0xf", boss.now)
    voltages.adjust(BIAS, "level", "-0.1V", boss.now)
    assert state(boss, CPU) == {"enabled": False, "mode": "off", "level_uv": 900_000}
    assert state(boss, BIAS) == {"enabled": True, "mode": "0xf", "level_uv": -100_000}
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert state(boss, CPU)["level_uv"] == 900_000  # no agent has set it


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("level", "901mV", "one of the domain's levels"),
        ("level", "900mA", "expected uV or V"),
        ("enabled", "0x9", "one of: off, on"),
        ("enabled", "maybe", "off, on"),
        ("mode", "3", "one of: off, on"),
        ("rate", "3", "level, enabled, mode"),
    ],
)
def test_what_a_hand_cannot_do_is_said_with_what_it_can(
    boss: Any, key: str, text: str, expected: str
) -> None:
    before = state(boss, CPU)
    with pytest.raises(UsageError, match=expected):
        boss.platform.behaviours[voltage.ID].adjust(CPU, key, text, boss.now)
    assert state(boss, CPU) == before


# --- versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "number", "messages"),
    [
        ("1.0", 0x10000, [*range(9)]),
        ("2.0", 0x20000, [*range(10)]),
        ("2.1", 0x20001, [*range(10), 0x10]),
    ],
)
def test_every_version_has_its_messages(
    connect: Any, version: str, number: int, messages: list[int]
) -> None:
    agent = connect(f'[versions]\nvoltage = "{version}"\n' + BOARD)
    assert agent.words(0x5C00) == [0x5C00, 0, number]
    assert [id for id in range(0x20) if agent.words(0x5C02, id)[1] == 0] == messages


def test_version_1_has_no_attributes_and_no_flags(connect: Any) -> None:
    agent = connect('[versions]\nvoltage = "1.0"\n' + BOARD)
    for id in (CPU, BIAS):
        assert int(agent.ask(voltage.DomainAttributes(domain_id=id)).attributes) == 0
    assert agent.words(0x5C07, CPU, 1, 900_000) == [0x5C07, 0xFFFFFFFE]
    assert agent.port.next_deadline() is None
    assert agent.words(0x5C07, CPU, 0, 900_000) == [0x5C07, 0]
    assert state(agent, CPU)["level_uv"] == 900_000


def test_without_long_names_there_is_no_message_for_them(connect: Any) -> None:
    agent = connect('[[voltage]]\nname = "v"\nlevel = 1\n')
    assert agent.words(0x5C02, 9) == [0x5C02, 0xFFFFFFFC]
    assert agent.words(0x5C09, 0) == [0x5C09, 0xFFFFFFFC]


# --- boards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", "voltage[0].name", "a text"),
        ('name = "v"', "voltage[0].level", "a level from -2147483648 to 2147483647"),
        ('name = "v"\nlevel = "1A"', "voltage[0].level", 'such as "850mV"'),
        ('name = "v"\nlevel = true', "voltage[0].level", "in whole uV"),
        ('name = "v"\nlevel = 0x80000000', "voltage[0].level", "a level from"),
        ('name = "v"\nlevels = []', "voltage[0].levels", "1 to 65535 levels"),
        ('name = "v"\nlevels = [2, 2]', "voltage[0].levels[1]", "more than the level before it"),
        ('name = "v"\nlevels = [2, 3]\nlevel = 4', "voltage[0].level", "one of the domain's"),
        ('name = "v"\nlevels = {lowest=0, highest=5, step=2}', "voltage[0].levels.highest",
         "a whole number of steps"),
        ('name = "v"\nlevels = {lowest=0, highest=5, step=0}', "voltage[0].levels.step",
         "at least 1 uV"),
        ('name = "v"\nlevel = 1\nmodes = []', "voltage[0].modes", "at least one mode"),
        ('name = "v"\nlevel = 1\nmodes = [7]', "voltage[0].modes[0]", "from 8 to 15"),
        ('name = "v"\nlevel = 1\nmodes = ["on", "on"]', "voltage[0].modes[1]", "each mode once"),
        ('name = "v"\nlevel = 1\nmodes = ["low"]', "voltage[0].modes[0]", "one of: off, on"),
        ('name = "v"\nlevel = 1\nmode = 9', "voltage[0].mode", "one of: off, on"),
        ('name = "v"\nlevel = 1\nmode = "standby"', "voltage[0].mode", "one of: off, on"),
        ('name = "v"\nlevel = 1\nmode = false', "voltage[0].mode", "one of: off, on"),
        ('name = "v"\nlevel = 1\nmode = "on"\nenabled = true', "voltage[0].enabled",
         "either enabled or mode"),
        ('name = "v"\nlevel = 1\nmodes = ["on"]\nenabled = false', "voltage[0].enabled",
         "a mode that the domain has: on"),
        ('name = "v"\nlevel = 1\nrestrict = { agent = ["rate"] }', "voltage[0].restrict.agent[0]",
         "one of: state, level"),
        ('name = "v"\nlevel = 1\n[[voltage]]\nname = "v"\nlevel = 1', "voltage[1].name",
         "a name of its own"),
    ],
)  # fmt: skip
def test_a_wrong_board_is_one_line_with_the_place(text: str, place: str, expected: str) -> None:
    with pytest.raises(BoardError) as raised:
        Platform.from_text("[[voltage]]\n" + text, "test.toml")
    assert raised.value.message.startswith(f"test.toml: {place}: found ")
    assert expected in raised.value.message
    assert "\n" not in raised.value.message


def test_a_board_with_more_domains_than_can_be_counted_is_refused() -> None:
    most = "".join(f'[[voltage]]\nname = "v{id}"\nlevel = 1\n' for id in range(0x10000))
    with pytest.raises(BoardError, match="at most 65535 voltage domains"):
        Platform.from_text(most, "test.toml")
