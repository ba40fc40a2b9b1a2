"""Reset domain protocol: resets, signals that are held, delayed responses and notifications."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, reset
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = """
[async]
reset = 2
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[device]]
name = "serial"
owns = ["reset:usb"]
[[reset]]                       # 0
name = "pcie"
latency = "10us"
[[reset]]                       # 1
name = "usb"
latency = "5ms"
states = [0, 0x80000001, 0x80000020]
restrict = ["guest"]
[[reset]]                       # 2
name = "gpu-with-its-memory"
async = false
explicit = false
notify = false
latency = "1500ns"
[[reset]]                       # 3
name = "video"
asserted = true
exclusive = true
[[reset]]                       # 4
name = "broken"
faulty = true
states = [0x80000002]
"""
PCIE, USB, GPU, VIDEO, BROKEN = range(5)
DEASSERT, PULSE, ASSERT, ASYNC = 0, 1, 2, 5


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def do(id: int, flags: int, state: int = 0) -> reset.Reset:
    return reset.Reset(domain_id=id, flags=reset.Flags(flags), reset_state=reset.ResetState(state))


def listen(id: int, on: int = 1) -> reset.Notify:
    return reset.Notify(domain_id=id, notify_enable=NotifyEnable(on))


def state(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[reset.ID].state(id)


def signals(agent: Any) -> list[str]:
    return [state(agent, id)["state"] for id in range(5)]


def issued(agent_id: int, id: int, kind: int = 0) -> reset.Issued:
    return reset.Issued(agent_id=agent_id, domain_id=id, reset_state=reset.ResetState(kind))


# --- descriptions ---------------------------------------------------------------------------------


def test_the_count_is_that_of_the_board(boss: Any) -> None:
    assert boss.words(0x5801) == [0x5801, 0, 5]


def test_a_domain_is_described_by_its_bits_its_latency_and_its_name(boss: Any) -> None:
    # The bits are those of the reference: 31 async, 30 notifications, 29 extended name.
    assert boss.words(0x5803, PCIE) == [0x5803, 0, 3 << 30, 10, 0x65696370, 0, 0, 0]
    gpu = boss.ask(reset.DomainAttributes(domain_id=GPU))
    assert (int(gpu.attributes), gpu.name) == (1 << 29, "gpu-with-its-me")
    assert gpu.latency == 2  # 1500 ns, rounded up
    assert boss.ask(reset.DomainAttributes(domain_id=VIDEO)).latency == 0xFFFFFFFF


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    answer = boss.ask(reset.DomainNameGet(domain_id=GPU))
    assert (answer.flags, answer.name) == (0, "gpu-with-its-memory")
    assert len(boss.send(reset.DomainNameGet(domain_id=GPU))) == 4 + 72
    assert boss.status(reset.DomainNameGet(domain_id=PCIE)) is Status.NOT_SUPPORTED


@pytest.mark.parametrize("id", [5, 0x10000, 0xFFFFFFFF])
def test_a_domain_that_is_not_there_is_not_found_whatever_else_is_wrong(boss: Any, id: int) -> None:
    for request in (
        reset.DomainAttributes(domain_id=id),
        reset.DomainNameGet(domain_id=id),
        do(id, 0xFFFFFFFF, 1),
        listen(id, 2),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_a_denied_domain_keeps_its_number_and_is_not_found(boss: Any, guest: Any) -> None:
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.ask(reset.ProtocolAttributes()).attributes.num_reset_domains == 5
    assert guest.status(reset.DomainAttributes(domain_id=USB)) is Status.NOT_FOUND
    assert guest.status(do(USB, PULSE)) is Status.NOT_FOUND
    assert guest.ask(reset.DomainAttributes(domain_id=GPU)).name == "gpu-with-its-me"


# --- resets ---------------------------------------------------------------------------------------


def test_an_autonomous_reset_is_counted_and_leaves_the_signal_deasserted(boss: Any) -> None:
    assert boss.words(0x5804, PCIE, PULSE, 0) == [0x5804, 0]
    assert state(boss, PCIE) == {
        "state": "deasserted", "held_by": None, "resets": 1, "last_reset_state": 0, "faulty": False,
    }  # fmt: skip


def test_the_reset_of_the_reference_is_answered_with_success(connect: Any) -> None:
    board = "".join(f'[[reset]]\nname = "r{id}"\n' for id in range(5))
    agent = connect(board)
    asked = agent.raw("04 58 2c 00  04 00 00 00  01 00 00 00  00 00 00 00")
    assert asked == "04582c00 00000000"
    assert state(agent, 4)["resets"] == 1


def test_an_asserted_signal_stays_until_it_is_deasserted(boss: Any, guest: Any) -> None:
    boss.ask(do(PCIE, ASSERT))
    assert (signals(boss)[PCIE], state(boss, PCIE)["held_by"]) == ("asserted", "boss")
    boss.ask(do(PCIE, ASSERT))
    assert state(boss, PCIE)["resets"] == 1  # it was in reset already
    guest.ask(do(PCIE, DEASSERT))
    assert (signals(boss)[PCIE], state(boss, PCIE)["held_by"]) == ("deasserted", None)
    assert state(boss, PCIE)["resets"] == 1


def test_a_whole_cycle_ends_an_assertion(boss: Any) -> None:
    boss.ask(do(PCIE, ASSERT))
    boss.ask(do(PCIE, PULSE))
    assert (signals(boss)[PCIE], state(boss, PCIE)["resets"]) == ("deasserted", 2)


@pytest.mark.parametrize("flags", [3, 7])
def test_with_autonomous_the_signal_bit_does_not_count(boss: Any, flags: int) -> None:
    boss.ask(do(PCIE, flags))
    boss.events(boss.now + 1)
    assert (signals(boss)[PCIE], state(boss, PCIE)["resets"]) == ("deasserted", 1)


@pytest.mark.parametrize("flags", [4, 6, 8, 9, 0x80000001])
def test_async_without_autonomous_and_reserved_bits_are_invalid(boss: Any, flags: int) -> None:
    assert boss.status(do(PCIE, flags)) is Status.INVALID_PARAMETERS
    assert state(boss, PCIE)["resets"] == 0


@pytest.mark.parametrize(
    ("id", "kind"), [(PCIE, 1), (PCIE, 0x7FFFFFFF), (PCIE, 0x80000000), (PCIE, 0x80000020),
                     (USB, 0x80000002), (BROKEN, 0), (BROKEN, 0x80000001)]
)  # fmt: skip
def test_a_reset_state_that_the_domain_does_not_have_is_invalid(
    boss: Any, id: int, kind: int
) -> None:
    for flags in (PULSE, ASSERT, ASYNC):
        assert boss.status(do(id, flags, kind)) is Status.INVALID_PARAMETERS
    assert signals(boss)[id] == "deasserted"


def test_the_boards_own_reset_states_are_taken_and_told(boss: Any) -> None:
    boss.ask(listen(USB))
    for kind in (0x80000020, 0x80000001, 0):
        boss.ask(do(USB, PULSE, kind))
    assert boss.events() == [issued(1, USB, k) for k in (0x80000020, 0x80000001, 0)]
    assert state(boss, USB)["last_reset_state"] == 0


def test_the_cold_reset_of_old_linux_drivers_is_one_where_it_means_nothing_else(boss: Any) -> None:
    boss.ask(listen(PCIE))
    boss.ask(do(PCIE, PULSE, 0x80000001))
    assert boss.events() == [issued(1, PCIE, 0)]


def test_a_domain_without_a_signal_to_set_has_only_whole_cycles(boss: Any) -> None:
    for flags in (ASSERT, DEASSERT):
        assert boss.status(do(GPU, flags)) is Status.NOT_SUPPORTED
    boss.ask(do(GPU, PULSE))
    assert state(boss, GPU)["resets"] == 1


def test_values_come_before_support_and_support_before_permission(boss: Any, guest: Any) -> None:
    assert boss.status(do(GPU, ASSERT, 1)) is Status.INVALID_PARAMETERS
    assert boss.status(do(GPU, ASYNC | 8)) is Status.INVALID_PARAMETERS
    assert guest.status(do(USB, 8)) is Status.INVALID_PARAMETERS
    guest.port.events = False
    assert guest.status(do(USB, ASYNC)) is Status.NOT_SUPPORTED


def test_an_agent_that_may_not_reset_is_denied_and_may_listen(boss: Any, guest: Any) -> None:
    for flags in (DEASSERT, PULSE, ASSERT, ASYNC):
        assert guest.status(do(USB, flags)) is Status.DENIED
    assert state(boss, USB)["resets"] == 0
    guest.ask(listen(USB))
    boss.ask(do(USB, PULSE))
    assert guest.events() == [issued(1, USB)]


def test_an_exclusive_domain_is_let_go_only_by_who_holds_it(boss: Any, guest: Any) -> None:
    assert (signals(boss)[VIDEO], state(boss, VIDEO)["held_by"]) == ("asserted", "platform")
    guest.ask(do(VIDEO, DEASSERT))  # what the board asserts is nobody's
    guest.ask(do(VIDEO, ASSERT))
    for flags in (DEASSERT, PULSE, ASSERT, ASYNC):
        assert boss.status(do(VIDEO, flags)) is Status.DENIED
    assert state(boss, VIDEO)["held_by"] == "guest"
    guest.ask(do(VIDEO, DEASSERT))
    boss.ask(do(VIDEO, PULSE))
    assert state(boss, VIDEO)["resets"] == 2


def test_a_broken_domain_fails_in_hardware_and_at_last(boss: Any) -> None:
    for flags in (DEASSERT, PULSE, ASSERT):
        assert boss.status(do(BROKEN, flags, 0x80000002)) is Status.HARDWARE_ERROR
    boss.ask(do(BROKEN, ASYNC, 0x80000002))
    assert boss.events(boss.now + 1) == [Status.HARDWARE_ERROR]
    assert state(boss, BROKEN)["resets"] == 0


# --- asynchronous resets --------------------------------------------------------------------------


def test_an_asynchronous_reset_is_done_after_the_latency(boss: Any, guest: Any) -> None:
    guest.ask(listen(USB))
    assert boss.words(0x5804 | 9 << 18, USB, ASYNC, 0) == [0x5804 | 9 << 18, 0]
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.005)
    assert boss.poll(boss.now + 0.004) == []
    assert state(boss, USB)["resets"] == 0
    # type 2, message and token as in the command; then status and domain
    assert [frame.hex(" ", 4) for frame in boss.poll(boss.now + 0.002)] == [
        "045a2400 00000000 01000000"
    ]
    assert state(boss, USB)["resets"] == 1
    assert guest.events() == [issued(1, USB)]


def test_where_asynchronous_resets_are_not_supported_nothing_happens(boss: Any) -> None:
    assert boss.status(do(GPU, ASYNC)) is Status.NOT_SUPPORTED
    assert boss.port.next_deadline() is None
    assert state(boss, GPU)["resets"] == 0


def test_more_asynchronous_resets_than_the_board_allows_are_busy(boss: Any, guest: Any) -> None:
    boss.ask(do(PCIE, ASYNC))
    boss.ask(do(USB, ASYNC))
    assert boss.status(do(PCIE, ASYNC)) is Status.BUSY
    boss.ask(do(PCIE, PULSE))  # a synchronous one does not wait
    guest.ask(do(PCIE, ASYNC))
    assert [event.domain_id for event in boss.events(boss.now + 1)] == [PCIE, USB]
    assert state(boss, PCIE)["resets"] == 3


def test_a_reset_that_becomes_impossible_fails_in_the_delayed_response(
    boss: Any, guest: Any
) -> None:
    boss.ask(do(VIDEO, ASYNC))
    guest.ask(do(VIDEO, ASSERT))
    boss.ask(do(USB, ASYNC))
    boss.ask(base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(0)))
    assert boss.events(boss.now + 1) == [Status.GENERIC_ERROR, Status.NOT_FOUND]
    assert signals(boss)[VIDEO] == "asserted"
    assert state(boss, USB)["resets"] == 0


def test_an_accepted_reset_outlives_the_connection(boss: Any, guest: Any) -> None:
    boss.ask(do(PCIE, ASYNC))
    boss.port.close()
    guest.poll(guest.now + 1)
    assert state(guest, PCIE)["resets"] == 1


# --- notifications --------------------------------------------------------------------------------


def test_everybody_who_subscribed_hears_of_a_reset_the_causing_agent_too(
    boss: Any, guest: Any
) -> None:
    for agent in (boss, guest):
        agent.ask(listen(PCIE))
        agent.ask(listen(PCIE))
    guest.ask(do(PCIE, PULSE))
    for agent in (boss, guest):
        # header 0x00005b00: type 3, protocol 0x16, message 0; then agent, domain, reset state
        assert [frame.hex(" ", 4) for frame in agent.poll()] == [
            "005b0000 02000000 00000000 00000000"
        ]
    guest.ask(listen(PCIE, 0))
    boss.ask(do(PCIE, ASSERT))
    assert (boss.events(), guest.events()) == ([issued(1, PCIE)], [])


def test_only_what_puts_a_domain_into_reset_is_told(boss: Any) -> None:
    boss.ask(listen(PCIE))
    boss.ask(do(PCIE, DEASSERT))
    assert boss.poll() == []
    boss.ask(do(PCIE, ASSERT))
    boss.ask(do(PCIE, ASSERT))
    boss.ask(do(PCIE, DEASSERT))
    assert boss.events() == [issued(1, PCIE)]
    boss.status(do(PCIE, PULSE, 1))
    assert boss.poll() == []


def test_subscribing_needs_a_domain_that_notifies_and_clean_bits(boss: Any) -> None:
    assert boss.status(listen(GPU)) is Status.NOT_SUPPORTED
    for bits in (2, 0x80000001):
        assert boss.status(listen(PCIE, bits)) is Status.INVALID_PARAMETERS
        assert boss.status(listen(GPU, bits)) is Status.INVALID_PARAMETERS


def test_without_a_channel_nothing_is_offered_that_needs_one(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    assert int(agent.ask(reset.DomainAttributes(domain_id=PCIE)).attributes) == 0
    assert agent.words(0x5802, 5) == [0x5802, 0xFFFFFFFC]
    assert agent.status(listen(PCIE)) is Status.NOT_SUPPORTED
    assert agent.status(do(PCIE, ASYNC)) is Status.NOT_SUPPORTED
    agent.ask(do(PCIE, PULSE))
    assert state(agent, PCIE)["resets"] == 1


# --- an agent that starts anew --------------------------------------------------------------------


def test_resetting_an_agent_lets_go_of_what_it_holds_and_nothing_else(
    boss: Any, guest: Any
) -> None:
    guest.ask(do(PCIE, ASSERT))
    guest.ask(do(VIDEO, DEASSERT))
    boss.ask(do(USB, ASSERT))
    guest.ask(do(PCIE, ASYNC))
    boss.ask(listen(VIDEO))
    boss.ask(base.ResetAgentConfiguration(agent_id=2))
    assert signals(boss) == ["deasserted", "asserted", "deasserted", "asserted", "deasserted"]
    assert state(boss, VIDEO)["held_by"] == "platform"
    assert boss.events(boss.now + 1) == [issued(0, VIDEO)]
    assert state(boss, PCIE)["resets"] == 1  # the asynchronous one is dropped


# --- by hand --------------------------------------------------------------------------------------


def test_a_hand_sets_the_signal_and_whoever_listens_is_told(boss: Any) -> None:
    resets = boss.platform.behaviours[reset.ID]
    boss.ask(listen(USB))
    resets.adjust(USB, "state", "asserted", boss.now)
    assert (signals(boss)[USB], state(boss, USB)["held_by"]) == ("asserted", "platform")
    resets.adjust(USB, "state", "deasserted", boss.now)
    resets.adjust(USB, "pulse", "0x80000020", boss.now)
    resets.adjust(USB, "pulse", "cold", boss.now)
    assert boss.events() == [issued(0, USB), issued(0, USB, 0x80000020), issued(0, USB)]
    assert (signals(boss)[USB], state(boss, USB)["resets"]) == ("deasserted", 3)
    resets.adjust(BROKEN, "faulty", "off", boss.now)
    boss.ask(do(BROKEN, PULSE, 0x80000002))


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("state", "on", "asserted, deasserted"),
        ("pulse", "0x80000002", "cold, 0x80000001, 0x80000020"),
        ("pulse", "warm", "a number"),
        ("faulty", "maybe", "on, off"),
        ("latency", "5ms", "state, pulse, faulty"),
    ],
)
def test_what_a_hand_cannot_do_is_said_with_what_it_can(
    boss: Any, key: str, text: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        boss.platform.behaviours[reset.ID].adjust(USB, key, text, boss.now)
    assert state(boss, USB)["resets"] == 0


# --- versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "number", "messages"),
    [
        ("1.0", 0x10000, [0, 1, 2, 3, 4, 5]),
        ("3.0", 0x30000, [0, 1, 2, 3, 4, 5, 6]),
        ("3.1", 0x30001, [0, 1, 2, 3, 4, 5, 6, 0x10]),
    ],
)
def test_every_version_has_its_messages_and_its_bits(
    connect: Any, version: str, number: int, messages: list[int]
) -> None:
    agent = connect(f'[versions]\nreset = "{version}"\n' + BOARD)
    assert agent.words(0x5800) == [0x5800, 0, number]
    assert [id for id in range(0x20) if agent.words(0x5802, id)[1] == 0] == messages
    gpu = agent.ask(reset.DomainAttributes(domain_id=GPU))
    assert int(gpu.attributes) == (1 << 29 if number > 0x10000 else 0)
    agent.ask(do(PCIE, ASYNC))
    assert agent.events(agent.now + 1) == [reset.Complete(domain_id=PCIE)]


def test_messages_that_no_domain_needs_are_not_there(connect: Any) -> None:
    agent = connect('[[reset]]\nname = "r"\nnotify = false\n')
    for id in (5, 6):
        assert agent.words(0x5802, id) == [0x5802, 0xFFFFFFFC]
    assert agent.words(0x5805, 0, 1) == [0x5805, 0xFFFFFFFC]
    assert agent.words(0x5806, 0) == [0x5806, 0xFFFFFFFC]


# --- boards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", "reset[0].name", "a text"),
        ('name = "r"\nlevel = 1', "reset[0].level", "unknown key"),
        ('name = "r"\nlatency = "0s"', "reset[0].latency", "a time"),
        ('name = "r"\nlatency = "5000s"', "reset[0].latency", "at most 4294967294 us"),
        ('name = "r"\nstates = []', "reset[0].states", "at least one"),
        ('name = "r"\nstates = [1]', "reset[0].states[0]", "0x80000000 and more"),
        ('name = "r"\nstates = [0, 0]', "reset[0].states[1]", "each reset state once"),
        ('name = "r"\nstates = [0x100000000]', "reset[0].states[0]", "an integer from 0"),
        ('name = "r"\nasync = 1', "reset[0].async", "true or false"),
        ('name = "r"\nrestrict = ["nobody"]', "reset[0].restrict[0]", "one of the agents"),
        ('name = "r"\n[[reset]]\nname = "r"', "reset[1].name", "a name of its own"),
    ],
)
def test_a_wrong_board_is_one_line_with_the_place(text: str, place: str, expected: str) -> None:
    with pytest.raises(BoardError) as raised:
        Platform.from_text("[[reset]]\n" + text, "test.toml")
    assert raised.value.message.startswith(f"test.toml: {place}: found ")
    assert expected in raised.value.message
    assert "\n" not in raised.value.message


def test_a_board_with_more_domains_than_can_be_counted_is_refused() -> None:
    most = "".join(f'[[reset]]\nname = "r{id}"\n' for id in range(0x10000))
    with pytest.raises(BoardError, match="at most 65535 reset domains"):
        Platform.from_text(most, "test.toml")
