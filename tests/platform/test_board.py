"""Board files: what they make, and the one line that says what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform, built_in
from scmictl.protocols import clock, sensor

CLOCK = '[[clock]]\nname = "a"\nrate = "24MHz"\n'
SENSOR = '[[sensor]]\nname = "t"\ntype = "volts"\n'
FOLLOWER = CLOCK + '[[clock]]\nname = "b"\nparent = "a"\ndivider = 2\n'


def complaint(text: str) -> BoardError:
    with pytest.raises(BoardError) as caught:
        Platform.from_text(text, "b.toml")
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # unknown keys
        ("[[clocks]]\n", "clocks: found an unknown key, expected one of: platform, versions, "),
        ("[platform]\nvendr = 'x'\n",
         "platform.vendr: found an unknown key, expected one of: vend"),
        (CLOCK + "rat = 5\n", "clock[0].rat: found an unknown key"),
        (SENSOR + "unit = 'V'\n", "sensor[0].unit: found an unknown key"),
        (SENSOR.replace("type", "axis = [{name = 'X', colour = 1}]\n#"),
         "sensor[0].axis[0].colour: found an unknown key"),
        ("[[agent]]\nname = 'a'\nroot = true\n", "agent[0].root: found an unknown key"),
        ("[[device]]\nname = 'd'\nclocks = []\n", "device[0].clocks: found an unknown key"),
        ("[versions]\nvideo = '1.0'\n", "versions.video: found an unknown key"),
        ("[async]\nbase = 1\n", "async.base: found an unknown key"),
        ('"\\n" = 1\n', "'\\n': found an unknown key"),
        # wrong types
        ("platform = 3\n", "platform: found 3, expected a table"),
        ("clock = 3\n", "clock: found 3, expected tables, each under a [[clock]] of its own"),
        ("clock = [3]\n", "clock[0]: found 3, expected a table"),
        ("[[clock]]\nname = 3\n", "clock[0].name: found 3, expected a text of 1 to 63 printable"),
        ("[[clock]]\nname = ''\n", "clock[0].name: found '', expected a text"),
        ("[[clock]]\nname = 'é'\n", "clock[0].name: found 'é', expected a text"),
        ("[[clock]]\nrate = 1\n", "clock[0].name: found nothing, expected a text"),
        (CLOCK + "enabled = 1\n", "clock[0].enabled: found 1, expected true or false"),
        (SENSOR + "value = true\n", "sensor[0].value: found true, expected an integer from -922"),
        (SENSOR + "value = 1.5\n", "sensor[0].value: found 1.5, expected an integer"),
        (SENSOR + "value = [1]\n", "sensor[0].value: found a list of 1, expected an integer"),
        (SENSOR + "range = 5\n", "sensor[0].range: found 5, expected two integers"),
        (SENSOR + "range = [1]\n", "sensor[0].range: found a list of 1, expected two integers"),
        (SENSOR + "type = 'volts'\n", "found no TOML ("),
        # rates and times
        ("[[clock]]\nname = 'a'\n", "clock[0].rate: found nothing, expected a rate in whole Hz"),
        ("[[clock]]\nname = 'a'\nrate = 0\n", "clock[0].rate: found 0, expected a rate"),
        ("[[clock]]\nname = 'a'\nrate = '24mV'\n", "clock[0].rate: found '24mV', expected a rate"),
        ("[[clock]]\nname = 'a'\nrate = '1.5Hz'\n",
         "clock[0].rate: found '1.5Hz', expected a rate"),
        ("[[clock]]\nname = 'a'\nrate = 18446744073709551616\n",
         "clock[0].rate: found 0x10000000000000000, expected a rate"),
        (CLOCK + "latency = 5\n", "clock[0].latency: found 5, expected a time in s, ms, us or ns"),
        (CLOCK + "latency = '0ms'\n", "clock[0].latency: found '0ms', expected a time"),
        (CLOCK + "enable_delay = '9999s'\n",
         "clock[0].enable_delay: found '9999s', expected at mo"),
        (CLOCK.replace("rate", "rates = []\nrate"),
         "clock[0].rates: found a list of 0, expected 1"),
        (CLOCK.replace("rate", "rates = ['2MHz', '1MHz']\nrate"),
         "clock[0].rates[1]: found '1MHz', expected more than the rate before it"),
        (CLOCK.replace("rate", "rates = 5\nrate"),
         "clock[0].rates: found 5, expected a list, or lo"),
        (CLOCK.replace("rate", "rates = {lowest = 1, highest = 4, step = 2}\nrate"),
         "clock[0].rates.highest: found 4, expected lowest plus a whole number of steps"),
        (CLOCK.replace("rate", "rates = {lowest = 1, highest = 4, step = 0}\nrate"),
         "clock[0].rates.step: found 0, expected a rate"),
        (CLOCK.replace("rate", "rates = {lowest = 1, top = 4}\nrate"),
         "clock[0].rates.top: found an unknown key"),
        (CLOCK.replace("rate", "rates = ['1MHz', '2MHz']\nrate"),
         "clock[0].rate: found '24MHz', expected one of the clock's rates"),
        # out of range, choices
        ("[platform]\nvendor = 'sixteen letters!'\n",
         "platform.vendor: found 'sixteen letters!', expected a text of 1 to 15 printable"),
        ("[platform]\nimplementation_version = -1\n", "platform.implementation_version: found -1"),
        ("[versions]\nclock = '2.1'\n",
         "versions.clock: found '2.1', expected one of: 1.0, 2.0, 3"),
        ("[versions]\nclock = 3.0\n", "versions.clock: found 3.0, expected one of: 1.0, 2.0, 3.0"),
        ("[async]\nclock = 256\n" + CLOCK,
         "async.clock: found 256, expected an integer from 0 to 255"),
        (CLOCK + "duty_cycle = 101\n",
         "clock[0].duty_cycle: found 101, expected an integer from 0"),
        (SENSOR + "scale = -17\n",
         "sensor[0].scale: found -17, expected an integer from -16 to 15"),
        (SENSOR + "resolution = 0\n", "sensor[0].resolution: found 0, expected an integer from 1"),
        (SENSOR + "trip_points = 256\n",
         "sensor[0].trip_points: found 256, expected an integer fro"),
        (SENSOR + "range = [5, 4]\n", "sensor[0].range[1]: found 4, expected an integer from 5 to"),
        (SENSOR + "range = [0, 9]\nvalue = 10\n", "sensor[0].value: found 10, expected an integer"),
        (SENSOR.replace("volts", "volt"), "sensor[0].type: found 'volt', expected one of: none, "),
        # names
        (CLOCK + CLOCK, "clock[1].name: found 'a', which is also the name of number 0, expected a"),
        (SENSOR + SENSOR,
         "sensor[1].name: found 't', which is also the name of number 0, expected"),
        ("[[agent]]\nname = 'a'\n" * 2,
         "agent[1].name: found 'a', which is also the name of number"),
        ("[[device]]\nname = 'd'\n" * 2, "device[1].name: found 'd', which is also the name of"),
        ("[[device]]\nname = 'd'\nid = 1\n[[device]]\nname = 'e'\n",
         "device[1].id: found '1', which is also the name of number 0, expected a name of its own"),
        # parents
        (CLOCK + "parent = 'x'\n", "clock[0].parent: found 'x', expected the name of a clock"),
        (CLOCK + "parents = ['x']\n",
         "clock[0].parents[0]: found 'x', expected the name of a clock"),
        (CLOCK + "parent = 'a'\n", "clock[0].parent: found 'a', expected parents that do not lead"),
        (CLOCK + "parents = ['b']\n" + CLOCK.replace('"a"', '"b"') + "parent = 'a'\n",
         "clock[0].parents: found 'b', expected parents that do not lead back to the clock itself"),
        (FOLLOWER + "rate = 5\n",
         "clock[1].rate: found 5, expected no rate where there is a divider"),
        (FOLLOWER.replace("divider = 2", "divider = 7"),
         "clock[1].divider: found 7, expected a divider of every rate of a"),
        (CLOCK + "divider = 2\n",
         "clock[0].divider: found 2, expected a divider only where there is"),
        (FOLLOWER + "[[clock]]\nname = 'c'\nrate = 1\nparents = ['a', 'a']\n",
         "clock[2].parents: found a list of 2, expected at most 255 clocks, each only once"),
        (FOLLOWER + "[[clock]]\nname = 'c'\nrate = 1\nparents = ['a']\nparent = 'b'\n",
         "clock[2].parent: found 'b', expected one of the clock's parents"),
        (FOLLOWER + "[[clock]]\nname = 'c'\nrate = '25MHz'\nparents = ['a', 'b']\n",
         "clock[2].rate: found 25000000 Hz, expected at most the 24000000 Hz of a"),
        # agents
        (CLOCK + "restrict = { guest = ['rate'] }\n",
         "clock[0].restrict.guest: found 'guest', expected one of the agents: agent"),
        (CLOCK + "restrict = { agent = ['speed'] }\n",
         "clock[0].restrict.agent[0]: found 'speed', expected one of: state, parent, rate"),
        (CLOCK + "restrict = ['agent']\n",
         "clock[0].restrict: found a list of 1, expected a table"),
        (SENSOR + "restrict = ['x']\n",
         "sensor[0].restrict[0]: found 'x', expected one of the agen"),
        ("[[agent]]\nname = 'a'\ndenied = ['x']\n",
         "agent[0].denied[0]: found 'x', expected one of"),
        (CLOCK + "[[device]]\nname='d'\nowns=['clock:a']\n[[agent]]\nname='g'\ndenied=['d:x']\n",
         "agent[0].denied[0]: found 'd:x', expected a protocol of which d owns something"),
        # devices
        (CLOCK + "[[device]]\nname = 'd'\nowns = ['a']\n",
         "device[0].owns[0]: found 'a', expected \"PROTOCOL:NAME\" or \"PROTOCOL:*\" of this"),
        (CLOCK + "[[device]]\nname = 'd'\nowns = ['clock:b']\n",
         "device[0].owns[0]: found 'clock:b', expected"),
        (CLOCK + "[[device]]\nname = 'd'\nowns = ['sensor:*']\n",
         "device[0].owns[0]: found 'sensor:*', expected"),
        (CLOCK + "[[device]]\nname = 'd'\nowns = ['clock:a', 'clock:*']\n",
         "device[0].owns[1]: found 'clock:*', which 'd' owns, expected what no device owns yet"),
        # intervals and axes
        (SENSOR + "interval = '1s'\n",
         "sensor[0].interval: found '1s', expected an interval only wh"),
        (SENSOR + "continuous = true\n",
         "sensor[0].continuous: found true, expected continuous upda"),
        (SENSOR + "intervals = []\n", "sensor[0].intervals: found a list of 0, expected 1 to 4095"),
        (SENSOR + "intervals = ['1s', '1000ms']\n",
         "sensor[0].intervals[1]: found '1000ms', expected more than the interval before it"),
        (SENSOR + "intervals = ['1s']\ninterval = '2s'\n",
         "sensor[0].interval: found '2s', expected one of the sensor's intervals"),
        (SENSOR + "intervals = {lowest = '1us', highest = '1s', step = '1us'}\n",
         "sensor[0].intervals: found a table, expected times that fit 16 bits in their smallest"),
        (SENSOR + "intervals = {lowest = '2s', highest = '1s', step = '1s'}\n",
         "sensor[0].intervals.highest: found '1s', expected lowest plus a whole number of steps"),
        (SENSOR + "[[sensor.axis]]\nname = 'X'\ntype = 'volts'\n",
         "sensor[0].type: found 'volts', expected this key only in the axes of a sensor that has"),
        ("[[sensor]]\nname='t'\ntrip_points=1\n[[sensor.axis]]\nname='X'\ntype='volts'\n",
         "sensor[0].trip_points: found 1, expected trip points only for a sensor without axes"),
        ("[[sensor]]\nname='t'\n" + "[[sensor.axis]]\nname='X'\ntype='volts'\n" * 2,
         "sensor[0].axis[1].name: found 'X', which is also the name of number 0"),
        ("[[sensor]]\nname = 't'\n", "sensor[0].type: found nothing, expected one of: none"),
        # no TOML at all
        ("hello\n", "found no TOML (Expected '=' after a key in a key/value pair (at line 1"),
        ("a = [" * 5000, "found no TOML ("),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_what_was_found_and_what_expected(
    text: str, message: str
) -> None:
    assert complaint(text).message.startswith(f"b.toml: {message}")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[[clocks]]\n", "did you mean clock?"),
        (CLOCK + "enable_dealy = '1ms'\n", "did you mean enable_delay or enabled?"),
        (SENSOR.replace("volts", "vlots"), "did you mean volts?"),
        (CLOCK + "restrict = { agnet = ['rate'] }\n", "did you mean agent?"),
        (CLOCK.replace('"a"', '"uart0"') + "[[device]]\nname='d'\nowns=['clock:uatr0']\n",
         "did you mean uart0?"),
    ],
)  # fmt: skip
def test_what_was_probably_meant_is_the_hint(text: str, hint: str) -> None:
    assert complaint(text).hint == hint


def test_too_many_clocks_above_one_another_are_refused() -> None:
    text = CLOCK + "".join(
        f'[[clock]]\nname = "c{n}"\nparent = "{f"c{n - 1}" if n else "a"}"\ndivider = 1\n'
        for n in range(40)
    )
    assert "expected at most 32 clocks above one another" in complaint(text).message


def test_a_board_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(CLOCK)
    platform = Platform.from_board(str(path))
    assert [one.name for one in platform.behaviours[clock.ID].clocks] == ["a"]  # type: ignore[attr-defined]
    assert sensor.ID not in platform.behaviours


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(BoardError) as caught:
            Platform.from_board(str(path))
        assert caught.value.message.startswith(f"{path}: found no readable file (")
        assert caught.value.hint == "built-in boards: demo, imx95, tiny"
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(BoardError, match="byte 5: found 0xe9, expected UTF-8"):
        Platform.from_board(str(path))
    with pytest.raises(BoardError, match="found no readable file"):
        Platform.from_board("a\0b.toml")


def test_an_unknown_name_lists_the_built_in_boards() -> None:
    with pytest.raises(BoardError) as caught:
        Platform.from_board("dmeo")
    assert caught.value.message == (
        "unknown board 'dmeo', expected one of: demo, imx95, tiny, or a path to a FILE.toml"
    )
    assert caught.value.hint == "did you mean demo?"


def test_an_unknown_agent_lists_the_agents() -> None:
    platform = Platform.from_board("demo")
    with pytest.raises(UsageError) as caught:
        platform.attach("gust")
    assert caught.value.message == "unknown agent 'gust', expected one of: ospm, guest, bmc"
    assert caught.value.hint == "did you mean guest?"


def test_a_board_without_agents_has_one_that_is_trusted() -> None:
    platform = Platform.from_text("")
    assert platform.agents == ("agent",)
    assert platform.attach().agent == 1
    assert platform.by_agent[1].trusted


def test_a_protocol_is_there_if_the_board_has_its_things_or_chooses_its_version() -> None:
    assert sorted(Platform.from_text("").behaviours) == [0x10]
    assert sorted(Platform.from_text(CLOCK).behaviours) == [0x10, 0x14]
    empty = Platform.from_text("[versions]\nsensor = '3.0'\n").attach()
    answer = empty.handle(0, bytes.fromhex("01540000"), 24, 0.0)
    assert answer == bytes.fromhex("01540000") + bytes(20)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("24_000_000", 24_000_000),
        ('"24MHz"', 24_000_000),
        ('"1.2GHz"', 1_200_000_000),
        ('"32.768kHz"', 32_768),
        ('"50 Hz"', 50),
    ],
)
def test_rates_are_numbers_or_texts(written: str, rate: int) -> None:
    platform = Platform.from_text(f'[[clock]]\nname = "a"\nrate = {written}\n')
    assert platform.behaviours[clock.ID].clocks[0].rate == rate  # type: ignore[attr-defined]


def test_the_seed_of_the_caller_replaces_the_boards() -> None:
    def readings(seed: int | None) -> bytes:
        port = Platform.from_board("demo", seed=seed).attach()
        answers = [
            port.handle(0, bytes.fromhex("06540000") + bytes([id]) + bytes(7), 64, 3.0)
            for id in (0, 1, 4, 6)
        ]
        return b"".join(answer for answer in answers if answer is not None)

    assert readings(None) == readings(2024)
    assert readings(None) != readings(7)
    assert readings(7) == readings(7)


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_board_is_right(name: str) -> None:
    Platform.from_board(name)
