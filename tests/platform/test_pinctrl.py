"""Pin control: descriptions, associations, settings and functions; claims are in test_claims.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, pinctrl
from scmictl.protocols.pinctrl import ConfigType, Selector
from scmictl.wire import Status

BOARD = Path(__file__).with_name("pins.toml").read_text()
TX, RX, CLK, LONG, LOCKED, HIDDEN = range(6)
UART, WIDE, HIDDEN_GROUP = range(3)
SERIAL, GPIO, HIDDEN_FUNCTION = range(3)
PIN, GROUP, FUNCTION = Selector


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def flags(selector: int) -> pinctrl.SelectorFlags:
    return pinctrl.SelectorFlags(selector=selector)


def described(selector: int, id: int) -> pinctrl.Attributes:
    return pinctrl.Attributes(identifier=id, flags=flags(selector))


def associated(selector: int, id: int, index: int = 0) -> pinctrl.ListAssociations:
    return pinctrl.ListAssociations(identifier=id, flags=flags(selector), index=index)


def one(selector: int, id: int, kind: int) -> pinctrl.SettingsGet:
    word = pinctrl.SettingsGetAttributes(config_flag=0, selector=selector, config_type=kind)
    return pinctrl.SettingsGet(identifier=id, attributes=word)


def configure(
    selector: int, id: int, *configs: tuple[int, int], function: int | None = None
) -> pinctrl.SettingsConfigure:
    return pinctrl.SettingsConfigure(
        identifier=id,
        function_id=pinctrl.NO_FUNCTION if function is None else function,
        attributes=pinctrl.SettingsConfigureAttributes(
            function_valid=function is not None, num_configs=len(configs), selector=selector
        ),
        configs=[pinctrl.PinConfig(type=kind, value=value) for kind, value in configs],
    )


def settings(agent: Any, selector: int, id: int) -> list[tuple[int, int]]:
    response = agent.ask(pinctrl.settings_of(selector, id))
    return [(config.type, config.value) for config in response.configs]


def selected(agent: Any, selector: int, id: int) -> int:
    response = agent.ask(pinctrl.function_of(selector, id))
    assert response.configs == []
    number: int = response.function_selected
    return number


def pads(agent: Any) -> Any:
    return agent.platform.behaviours[pinctrl.ID].pads


# --- descriptions ---------------------------------------------------------------------------------


def test_the_counts_are_those_of_the_board(boss: Any) -> None:
    assert boss.words(0x6401) == [0x6401, 0, 3 << 16 | 6, 3]


def test_each_kind_has_its_own_numbers_names_and_bits(boss: Any) -> None:
    # The bits are those of the reference: 31 long name, 17 GPIO, 16 for pins, 15:0 elements.
    assert boss.words(0x6403, TX, 0) == [0x6403, 0, 1, 0x7874, 0, 0, 0]
    uart = int.from_bytes(b"uart", "little")
    assert boss.words(0x6403, UART, 1) == [0x6403, 0, 2, uart, 0, 0, 0]
    gpio = int.from_bytes(b"gpio", "little")
    assert boss.words(0x6403, GPIO, 2) == [0x6403, 0, 1 << 17 | 1 << 16 | 6, gpio, 0, 0, 0]
    serial = boss.ask(described(FUNCTION, SERIAL))
    assert (int(serial.attributes), serial.name) == (2, "serial")


def test_a_long_name_is_cut_and_there_as_a_whole(boss: Any) -> None:
    short = boss.ask(described(PIN, LONG))
    assert (int(short.attributes), short.name) == (1 << 31 | 1, "a-pin-with-a-lo")
    whole = boss.ask(pinctrl.NameGet(identifier=LONG, flags=flags(PIN)))
    assert (whole.flags, whole.name) == (0, "a-pin-with-a-long-name")
    assert boss.status(pinctrl.NameGet(identifier=TX, flags=flags(PIN))) is Status.NOT_FOUND


def test_the_upper_half_of_an_identifier_is_ignored(boss: Any) -> None:
    assert boss.ask(described(PIN, 0xABCD0000 | RX)).name == "rx"


@pytest.mark.parametrize(
    ("selector", "id"), [(PIN, 6), (GROUP, 3), (FUNCTION, 3), (PIN, 0xFFFF), (3, 0)]
)
def test_what_is_not_there_is_not_found(boss: Any, selector: int, id: int) -> None:
    assert boss.status(described(selector, id)) is Status.NOT_FOUND
    assert boss.status(associated(selector, id)) is Status.NOT_FOUND
    name = pinctrl.NameGet(identifier=id, flags=flags(selector))
    assert boss.status(name) is Status.NOT_FOUND
    if selector in (PIN, GROUP):
        for request in (
            pinctrl.settings_of(selector, id),
            configure(selector, id, (ConfigType.BIAS_DISABLE, 1)),
            pinctrl.Request(identifier=id, flags=flags(selector)),
            pinctrl.Release(identifier=id, flags=flags(selector)),
        ):
            assert boss.status(request) is Status.NOT_FOUND


@pytest.mark.parametrize("selector", [FUNCTION, 3])
def test_only_pins_and_groups_have_settings_and_claims(boss: Any, selector: int) -> None:
    for request in (
        pinctrl.settings_of(selector, 0),
        configure(selector, 0, (ConfigType.BIAS_DISABLE, 1)),
        pinctrl.Request(identifier=0, flags=flags(selector)),
        pinctrl.Release(identifier=0, flags=flags(selector)),
        pinctrl.SetPermissions(
            agent_id=2, identifier=0, flags=pinctrl.PermissionFlags(selector=selector)
        ),
    ):
        assert boss.status(request) is Status.INVALID_PARAMETERS


@pytest.mark.parametrize("reserved", [0x4, 0x80000000])
def test_reserved_bits_are_invalid(boss: Any, reserved: int) -> None:
    word = pinctrl.SelectorFlags(reserved | PIN)
    for request in (
        pinctrl.Attributes(identifier=TX, flags=word),
        pinctrl.NameGet(identifier=LONG, flags=word),
        pinctrl.Request(identifier=TX, flags=word),
        pinctrl.Release(identifier=TX, flags=word),
    ):
        assert boss.status(request) is Status.INVALID_PARAMETERS
    listing = associated(GROUP, UART)
    listing.flags = pinctrl.SelectorFlags(reserved | GROUP)
    assert boss.status(listing) is Status.INVALID_PARAMETERS
    assert pads(boss).pins[TX].owner is None


# --- associations ---------------------------------------------------------------------------------


def test_a_group_lists_its_pins_and_a_function_its_groups_or_pins(boss: Any) -> None:
    # The numbers are packed, two to a word, in ascending order; the last word may be half.
    assert boss.words(0x6404, UART, 1, 0) == [0x6404, 0, 2, RX << 16 | TX]
    assert boss.send(associated(GROUP, WIDE))[8:] == bytes([3, 0, 0, 0, TX, 0, CLK, 0, LOCKED, 0])
    assert boss.ask(associated(FUNCTION, SERIAL)).array_ == [UART, WIDE]
    assert boss.ask(associated(FUNCTION, GPIO)).array_ == [0, 1, 2, 3, 4, 5]


def test_associations_come_in_as_many_messages_as_the_room_demands(boss: Any) -> None:
    page = boss.ask(associated(FUNCTION, GPIO, 1), 16)
    assert (page.array_, int(page.flags)) == ([1, 2], 3 << 16 | 2)
    for room in (14, 15, 16, 19, 136):
        assert boss.every(associated(FUNCTION, GPIO), room) == [0, 1, 2, 3, 4, 5]
    assert boss.status(associated(FUNCTION, GPIO), 13) is Status.PROTOCOL_ERROR


def test_a_pin_has_no_associations_and_an_index_past_the_end_is_invalid(boss: Any) -> None:
    assert boss.status(associated(PIN, TX)) is Status.NOT_SUPPORTED
    for index in (2, 0xFFFFFFFF):
        assert boss.status(associated(GROUP, UART, index)) is Status.INVALID_PARAMETERS


def test_a_platform_of_pins_alone_has_no_associations_and_no_names(connect: Any) -> None:
    agent = connect('[[pinctrl.pin]]\nname = "a"\n')
    for message in (pinctrl.ListAssociations, pinctrl.NameGet, pinctrl.SetPermissions):
        ask = pinctrl.MessageAttributes(message_id=message.MESSAGE_ID)
        assert agent.status(ask) is Status.NOT_FOUND
    assert agent.status(associated(GROUP, 0)) is Status.NOT_FOUND


def test_a_list_longer_than_twelve_bits_can_count_is_split(connect: Any) -> None:
    pins = "".join(f'[[pinctrl.pin]]\nname = "p{n}"\n' for n in range(5000))
    agent = connect(pins + '[[pinctrl.group]]\nname = "all"\npins = ["*"]\n')
    page = agent.ask(associated(GROUP, 0), 65536)
    assert (page.flags.returned, page.flags.remaining) == (4095, 905)
    assert agent.every(associated(GROUP, 0), 136) == list(range(5000))


# --- reading settings -----------------------------------------------------------------------------


def test_settings_are_listed_in_the_order_of_their_types_with_the_function(boss: Any) -> None:
    # Bits 19:18 = 1 means all; pull-up is 4, drive strength 10.
    assert boss.words(0x6405, TX, 1 << 18) == [0x6405, 0, SERIAL, 2, 4, 10000, 10, 4]


def test_one_setting_is_read_by_its_type(boss: Any) -> None:
    assert boss.words(0x6405, TX, 10) == [0x6405, 0, SERIAL, 1, 10, 4]
    assert boss.words(0x6405, RX, 0xC1) == [0x6405, 0, SERIAL, 1, 0xC1, 7]
    # What is not set is 0: Linux always reads a pair, whose type it compares.
    assert boss.words(0x6405, CLK, 10) == [0x6405, 0, 0xFFFFFFFF, 1, 10, 0]


def test_the_function_can_be_read_alone(boss: Any) -> None:
    assert boss.words(0x6405, TX, 2 << 18) == [0x6405, 0, SERIAL, 0]
    assert boss.words(0x6405, UART, 2 << 18 | 1 << 16) == [0x6405, 0, SERIAL, 0]
    assert selected(boss, PIN, LONG) == GPIO
    assert selected(boss, PIN, CLK) == pinctrl.NO_FUNCTION


def test_settings_come_in_as_many_messages_as_the_room_demands(boss: Any) -> None:
    page = boss.ask(pinctrl.settings_of(PIN, TX), 24)
    assert (page.num_configs.returned, page.num_configs.remaining) == (1, 1)
    assert boss.words(0x6405, TX, 1 << 18 | 1 << 8) == [0x6405, 0, SERIAL, 1, 10, 4]
    assert boss.words(0x6405, TX, 1 << 18 | 2 << 8) == [0x6405, 0, SERIAL, 0]
    assert boss.status(pinctrl.settings_of(PIN, TX), 23) is Status.PROTOCOL_ERROR
    assert len(boss.send(pinctrl.settings_of(PIN, CLK), 16)) == 16


@pytest.mark.parametrize("word", [3 << 18, 1 << 20, 1 << 31, 1 << 18 | 3 << 8])
def test_a_flag_that_means_nothing_and_too_many_skipped_are_invalid(boss: Any, word: int) -> None:
    assert boss.words(0x6405, TX, word) == [0x6405, 0xFFFFFFFE]


@pytest.mark.parametrize("kind", [ConfigType.DEFAULT, ConfigType.DRIVE_STRENGTH, 21, 0xC1])
def test_a_type_that_the_pin_does_not_have_is_not_supported(boss: Any, kind: int) -> None:
    assert boss.status(one(PIN, LONG, kind)) is Status.NOT_SUPPORTED


def test_a_group_has_what_all_its_pins_have_alike(boss: Any) -> None:
    assert settings(boss, GROUP, UART) == [(ConfigType.BIAS_PULL_UP, 10000)]
    assert boss.ask(one(GROUP, UART, ConfigType.DRIVE_STRENGTH)).configs[0].value == 0
    assert boss.status(one(GROUP, UART, 0xC1)) is Status.NOT_SUPPORTED
    # One pin of it has the function serial, the others have none.
    assert selected(boss, GROUP, WIDE) == pinctrl.NO_FUNCTION


# --- configuring ----------------------------------------------------------------------------------


def test_the_example_of_the_reference_sets_pull_up_and_drive_strength(connect: Any) -> None:
    pins = "".join(f'[[pinctrl.pin]]\nname = "p{n}"\n' for n in range(18))
    agent = connect(pins)
    words = [0x11, 0xFFFFFFFF, 0x8, 0x4, 0x2710, 0xA, 0x4]
    assert agent.words(0x6406, *words) == [0x6406, 0]
    assert pads(agent).pins[17].settings == [(4, 10000), (10, 4)]
    assert pads(agent).pins[17].function is None


def test_settings_may_come_in_any_order(boss: Any) -> None:
    boss.ask(configure(PIN, CLK, (ConfigType.SLEW_RATE, 2), (ConfigType.INPUT_DEBOUNCE, 50)))
    assert pads(boss).pins[CLK].settings == [
        (ConfigType.INPUT_DEBOUNCE, 50),
        (ConfigType.SLEW_RATE, 2),
    ]


def test_a_bias_replaces_a_bias_and_a_drive_a_drive(boss: Any) -> None:
    boss.ask(configure(PIN, CLK, (4, 10000), (ConfigType.DRIVE_OPEN_DRAIN, 1)))
    boss.ask(configure(PIN, CLK, (6, 50000), (ConfigType.DRIVE_PUSH_PULL, 1)))
    assert pads(boss).pins[CLK].settings == [(6, 50000), (ConfigType.DRIVE_PUSH_PULL, 1)]


def test_the_default_puts_back_what_the_pin_started_with(boss: Any) -> None:
    boss.ask(configure(PIN, TX, (ConfigType.BIAS_DISABLE, 1), (ConfigType.SLEW_RATE, 1)))
    boss.ask(configure(PIN, TX, (ConfigType.DEFAULT, 0)))
    assert pads(boss).pins[TX].settings == [(4, 10000), (10, 4)]


def test_a_group_is_configured_on_all_its_pins(boss: Any) -> None:
    boss.ask(configure(GROUP, UART, (ConfigType.DRIVE_STRENGTH, 12)))
    assert pads(boss).pins[TX].value(10) == pads(boss).pins[RX].value(10) == 12
    assert settings(boss, GROUP, UART) == [(4, 10000), (10, 12)]


def test_a_function_is_selected_with_settings_in_one_message(boss: Any) -> None:
    boss.ask(configure(PIN, CLK, (ConfigType.OUTPUT_MODE, 1), function=GPIO))
    assert pads(boss).pins[CLK].function is pads(boss).functions[GPIO]
    assert settings(boss, PIN, CLK) == [(ConfigType.OUTPUT_MODE, 1)]
    boss.ask(configure(PIN, CLK, function=pinctrl.NO_FUNCTION))
    assert pads(boss).pins[CLK].function is None


def test_a_pin_taken_out_of_its_group_ends_the_groups_function(boss: Any) -> None:
    boss.ask(configure(PIN, TX, function=GPIO))
    assert selected(boss, GROUP, UART) == pinctrl.NO_FUNCTION
    assert selected(boss, PIN, RX) == SERIAL
    boss.ask(configure(GROUP, UART, function=SERIAL))
    assert selected(boss, PIN, TX) == selected(boss, GROUP, UART) == SERIAL


def test_the_function_id_counts_only_with_its_bit(boss: Any) -> None:
    request = configure(PIN, CLK, (ConfigType.SLEW_RATE, 1))
    request.function_id = 99
    boss.ask(request)
    assert pads(boss).pins[CLK].function is None


@pytest.mark.parametrize(
    ("request_message", "status"),
    [
        (configure(PIN, CLK, (10, 1), function=9), Status.NOT_FOUND),
        (configure(PIN, CLK), Status.INVALID_PARAMETERS),
        (configure(PIN, CLK, (10, 1), (0x100 | 4, 1)), Status.INVALID_PARAMETERS),
        (configure(PIN, CLK, (10, 1), function=SERIAL), Status.NOT_SUPPORTED),
        (configure(GROUP, WIDE, (10, 1), function=GPIO), Status.NOT_SUPPORTED),
        (configure(PIN, CLK, (10, 1), (0xC0, 1)), Status.NOT_SUPPORTED),
        (configure(PIN, CLK, (10, 1), (21, 1)), Status.NOT_SUPPORTED),
    ],
)
def test_a_refused_configuration_changes_nothing(
    boss: Any, request_message: Any, status: Status
) -> None:
    assert boss.status(request_message) is status
    for pin in pads(boss).pins:
        assert (pin.set, pin.function) == (pin.set_at_start, pin.function_at_start)


def test_reserved_bits_of_a_configuration_are_invalid(boss: Any) -> None:
    request = configure(PIN, CLK, (10, 1))
    request.attributes = pinctrl.SettingsConfigureAttributes(int(request.attributes) | 1 << 11)
    assert boss.status(request) is Status.INVALID_PARAMETERS
    assert pads(boss).pins[CLK].settings == []


@pytest.mark.parametrize("count", [0, 2, 255])
def test_a_message_of_another_length_than_its_count_is_malformed(boss: Any, count: int) -> None:
    words = [CLK, 0xFFFFFFFF, count << 2, 10, 1]
    assert boss.words(0x6406, *words) == [0x6406, 0xFFFFFFF6]
    assert pads(boss).pins[CLK].settings == []


# --- Linux, and hostile bytes ---------------------------------------------------------------------


def test_a_linux_driver_probes_and_takes_a_group_in_its_order(boss: Any) -> None:
    """What Linux 6.12 asks, with the room it gives; a hog then claims pin by pin."""
    boss.ask(pinctrl.ProtocolVersion(), 12)
    low = boss.ask(pinctrl.ProtocolAttributes(), 16).attributes_low
    for id in range(low.num_pins):
        if boss.ask(described(PIN, id), 28).attributes.extended_name:
            boss.ask(pinctrl.NameGet(identifier=id, flags=flags(PIN)), 76)
    boss.ask(described(FUNCTION, SERIAL), 28)
    for id in boss.every(associated(FUNCTION, SERIAL), 136):
        boss.ask(described(GROUP, id), 28)
    pins = boss.every(associated(GROUP, UART), 136)
    for id in pins:
        boss.ask(pinctrl.Request(identifier=id, flags=flags(PIN)), 8)
    boss.ask(configure(GROUP, UART, function=SERIAL), 8)
    # Not in the order of their types.
    boss.ask(configure(GROUP, UART, (ConfigType.DRIVE_STRENGTH, 8), (4, 1000)), 8)
    for id in pins:
        assert boss.ask(one(PIN, id, ConfigType.DRIVE_STRENGTH), 136).configs[0].value == 8
        assert pads(boss).pins[id].owner == 1


@pytest.fixture(scope="module")
def ports() -> list[Any]:
    platform = Platform.from_text(BOARD)
    return [platform.attach(name) for name in ("boss", "guest", "other")]


@settings_of_hypothesis(max_examples=400, deadline=None)
@given(
    message=st.integers(0, 0x11),
    words=st.lists(st.one_of(st.integers(0, 16), st.integers(0, 0xFFFFFFFF)), max_size=6),
    room=st.sampled_from([8, 12, 16, 24, 136, 8192]),
    which=st.integers(0, 2),
)
def test_whatever_comes_the_answer_is_legal(
    ports: list[Any], message: int, words: list[int], room: int, which: int
) -> None:
    head = (pinctrl.ID << 10 | message).to_bytes(4, "little")
    frame = head + b"".join(value.to_bytes(4, "little") for value in words)
    answer = ports[which].handle(0, frame, room, 0.0)
    assert answer[:4] == head
    assert 8 <= len(answer) <= room
    status = Status(int.from_bytes(answer[4:8], "little", signed=True))
    assert status is Status.SUCCESS or len(answer) == 8
    for pin in ports[0].platform.behaviours[pinctrl.ID].pads.pins:
        assert (pin.owner is None) == (not pin.held)
        assert all(pin in target.pins for target in pin.held)


# --- by hand --------------------------------------------------------------------------------------


@pytest.fixture
def hand(boss: Any) -> Any:
    behaviour = boss.platform.behaviours[pinctrl.ID]
    numbers = {name: number for number, name in enumerate(behaviour.names)}

    class Hand:
        def state(self, name: str) -> Any:
            return behaviour.state(numbers[name])

        def set(self, name: str, key: str, text: str) -> None:
            behaviour.adjust(numbers[name], key, text, boss.now)

    return Hand()


def test_the_state_names_function_owner_and_settings(boss: Any, hand: Any) -> None:
    boss.ask(pinctrl.Request(identifier=UART, flags=flags(GROUP)))
    assert hand.state("tx") == {
        "function": "serial",
        "owner": "boss",
        "held_by": ["group/uart"],
        "settings": {"bias_pull_up_ohm": 10000, "drive_strength_ma": 4},
    }
    assert hand.state("rx")["settings"] == {"bias_pull_up_ohm": 10000, "vendor_0xc1": 7}
    assert hand.state("group/uart")["owner"] == "boss"
    assert hand.state("function/gpio") == {"selected_on": ["a-pin-with-a-long-name"]}


def test_hands_change_settings_functions_and_owners(boss: Any, guest: Any, hand: Any) -> None:
    hand.set("tx", "bias-pull-down", "50kohm")
    hand.set("tx", "drive_strength", "none")
    assert settings(boss, PIN, TX) == [(6, 50000)]
    hand.set("clk", "input-value", "on")
    assert settings(boss, PIN, CLK) == [(ConfigType.INPUT_VALUE, 1)]
    hand.set("tx", "function", "gpio")
    hand.set("group/uart", "function", "none")
    assert selected(boss, PIN, RX) == pinctrl.NO_FUNCTION
    hand.set("group/uart", "owner", "guest")
    request = pinctrl.Request(identifier=TX, flags=flags(PIN))
    assert boss.status(request) is Status.IN_USE
    hand.set("tx", "owner", "none")
    boss.ask(request)
    assert hand.state("tx")["owner"] == "boss"


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("tx", "function", "serial"),
        ("tx", "owner", "nobody"),
        ("tx", "level", "1"),
        ("tx", "drive-strength", "4V"),
        ("a-pin-with-a-long-name", "drive-strength", "4"),
        ("function/gpio", "function", "none"),
    ],
)
def test_a_key_or_value_that_cannot_be_changes_nothing(
    boss: Any, hand: Any, name: str, key: str, text: str
) -> None:
    with pytest.raises(UsageError, match="expected"):
        hand.set(name, key, text)
    assert settings(boss, PIN, TX) == [(4, 10000), (10, 4)]
    assert pads(boss).pins[TX].owner is None


# --- the board ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[pinctrl]\npins = 3\n', "pinctrl.pins: found an unknown key"),
        ('[[pinctrl.pin]]\nname = "a"\n[[pinctrl.pin]]\nname = "a"\n', "a name of its own"),
        ('[[pinctrl.pin]]\nname = "a"\nsettings = { pull = 1 }\n', "one of: bias-bus-hold"),
        ('[[pinctrl.pin]]\nname = "a"\nsettings = { default = 1 }\n', "found 'default'"),
        ('[[pinctrl.pin]]\nname = "a"\nsettings = { "0x20" = 1 }\n', "a vendor's from 0xc0"),
        ('[[pinctrl.pin]]\nname = "a"\nsettings = { drive-strength = "4V" }\n', "a value in mA"),
        (
            '[[pinctrl.pin]]\nname = "a"\nsettings = { bias-pull-up = 1, bias-pull-down = 1 }\n',
            "do not exclude each other",
        ),
        (
            '[[pinctrl.pin]]\nname = "a"\nsupports = []\nsettings = { bias-pull-up = 1 }\n',
            "only settings that the pin supports",
        ),
        ('[[pinctrl.pin]]\nname = "a"\nfunction = "x"\n', "pinctrl.pin[0].function: found 'x'"),
        ('[[pinctrl.group]]\nname = "g"\npins = ["a"]\n', "found 'a', expected the name of one"),
        ('[[pinctrl.group]]\nname = "g"\n', "pinctrl.group[0].pins: found nothing"),
        ('[[pinctrl.function]]\nname = "f"\n', "either groups or pins"),
        ('[[pinctrl.pin]]\nname = "a"\nrestrict = ["x"]\n', "one of the agents: agent"),
        (
            '[[pinctrl.pin]]\nname = "group/g"\n[[pinctrl.group]]\nname = "g"\npins = ["*"]\n',
            "no pin that is called like group/NAME",
        ),
    ],
)  # fmt: skip
def test_a_wrong_board_is_one_line(text: str, message: str) -> None:
    with pytest.raises(BoardError) as raised:
        Platform.from_text(text, "board.toml")
    assert message in raised.value.message
    assert raised.value.message.startswith("board.toml: ")
    assert "\n" not in raised.value.message


def test_a_version_alone_makes_a_platform_without_pins(connect: Any) -> None:
    agent = connect('[versions]\npinctrl = "1.0"\n')
    assert agent.words(0x6400) == [0x6400, 0, 0x10000]
    assert agent.words(0x6401) == [0x6401, 0, 0, 0]
    assert base.PROTOCOL.id not in agent.ask(base.DiscoverListProtocols(skip=0)).protocols
