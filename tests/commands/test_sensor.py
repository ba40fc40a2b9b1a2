"""`sensor`: readings, axes, intervals, configuration and trip points."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.commands import Rows
from scmictl.errors import NotOffered, Partial, Refused, StatusError, UsageError

TEMP = {"value": 45.5, "unit": "°C", "raw": 45500, "timestamp": None, "axes": []}
ACC_AXES = [
    ("acc_X", 0.5, 500),
    ("acc_Y", -0.25, -250),
    ("acc_Z_with_a_name_that_is_long", 9.807, 9807),
]

Sensors = Callable[..., Any]


@pytest.fixture
def sensors(console: Callable[..., Any], board: Callable[[str], str]) -> Sensors:
    """Return a function that makes consoles on the board in sensors.toml."""
    text = (Path(__file__).parent / "sensors.toml").read_text()

    def make(version: str = "3.1", *, query: str = "", **more: Any) -> Any:
        return console(board(f'[versions]\nsensor = "{version}"\n{text}') + query, **more)

    return make


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


# --- list and show --------------------------------------------------------------------------------


def test_list_has_the_keys_of_the_contract_in_their_order(sensors: Sensors) -> None:
    rows = sensors().json("sensor list")
    assert list(rows[0].items()) == [
        ("id", 0), ("name", "temp"), ("type", "degrees_celsius"), ("unit", "°C"), ("scale", -3),
        ("axes", 0), ("enabled", True),
    ]  # fmt: skip
    assert rows[2] == {
        "id": 2, "name": "acc", "type": "meters_per_second_squared", "unit": "m/s²", "scale": -3,
        "axes": 3, "enabled": False,
    }  # fmt: skip
    assert rows[4]["name"] == "light-behind-the-glass"


def test_list_takes_patterns_and_stays_an_array(sensors: Sensors) -> None:
    console = sensors()
    assert [row["id"] for row in console.json("sensor list f* 0")] == [3, 0]
    with pytest.raises(UsageError, match="light-behind-the-glass"):
        console.text("sensor list nothing")


def test_a_version_without_configuration_leaves_enabled_open(sensors: Sensors) -> None:
    rows = sensors("1.0").json("sensor list")
    assert [row["enabled"] for row in rows] == [None] * 5
    assert rows[2]["axes"] == 0, "axes came with version 2.0"
    assert (rows[2]["type"], rows[2]["scale"]) == ("meters_per_second_squared", -3)


def test_a_denied_sensor_is_a_row_with_its_status(sensors: Sensors) -> None:
    error, rows = sensors(query="?agent=guest").fails("sensor list")
    assert isinstance(error, Partial)
    assert rows[2] == {
        "id": 2, "name": "", "type": "none", "unit": "", "scale": 0, "axes": 0, "enabled": None,
        "error": "NOT_FOUND",
    }  # fmt: skip


def test_configurations_are_asked_for_together(sensors: Sensors) -> None:
    console = sensors()
    console.text("sensor list")
    sent = [frame.outgoing for frame in console.frames]
    together = max(len(run) for run in "".join("><"[not out] for out in sent).split("<"))
    assert together == 5


def test_show_knows_everything_of_a_scalar_sensor(sensors: Sensors) -> None:
    assert sensors().json("sensor show temp") == {
        "id": 0, "name": "temp", "type": "degrees_celsius", "unit": "°C", "scale": -3, "axes": 0,
        "enabled": True, "interval_s": 0.002, "timestamps": False,
        "intervals": {"format": "list", "lowest_s": 0.002, "highest_s": 1, "step_s": None,
                      "intervals_s": [0.002, 0.1, 1]},
        "reading": {"status": "SUCCESS", "value": 45.5, "raw": 45500, "timestamp": None,
                    "axes": []},
        "async_read": True, "continuous_update": True, "trip_points": 2, "timestamp_exponent": -6,
        "power_uw": 150, "resolution": 0.001, "min": -40, "max": 125, "axis_list": [],
    }  # fmt: skip


def test_show_says_why_there_is_no_reading(sensors: Sensors) -> None:
    record = sensors().json("sensor show acc")
    assert record["reading"] == {"status": "PROTOCOL_ERROR"}
    assert record["intervals"]["step_s"] == 0.001
    assert [axis["name"] for axis in record["axis_list"]] == [name for name, *_ in ACC_AXES]
    assert sensors().json("sensor show fan")["reading"] == {"status": "HARDWARE_ERROR"}


def test_show_of_version_1_takes_the_interval_from_the_descriptor(sensors: Sensors) -> None:
    record = sensors("1.0").json("sensor show temp")
    assert (record["interval_s"], record["intervals"], record["min"]) == (0.002, None, None)


def test_an_id_beyond_the_count_is_the_platforms_to_refuse(sensors: Sensors) -> None:
    for verb in ("show 9", "read 9", "intervals 9", "axes 9", "config get 9", "trip clear 9 0"):
        with pytest.raises(StatusError, match="NOT_FOUND"):
            sensors().text(f"sensor {verb}")
    with pytest.raises(StatusError, match="NOT_FOUND"):
        sensors("1.0").text("sensor show 9")


# --- read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0", "3.1"])
def test_a_scalar_sensor_reads_alike_in_every_version(sensors: Sensors, version: str) -> None:
    assert sensors(version).json("sensor read temp") == {"id": 0, "name": "temp", **TEMP}


def test_values_are_printed_as_exact_decimals(sensors: Sensors) -> None:
    text = sensors().text("sensor read temp rail light* -o jsonl")
    assert '"value": 45.5,' in text
    assert '"value": 0.85,' in text
    assert '"value": 320,' in text


def test_several_sensors_a_glob_and_all_are_arrays(sensors: Sensors) -> None:
    console = sensors()
    for line in ("sensor read temp rail", "sensor read te*", "sensor read 0 0"):
        assert isinstance(console.json(line), list)
    assert isinstance(console.json("sensor read TEMP"), dict)


def test_a_row_that_cannot_be_read_stays_with_its_status(sensors: Sensors) -> None:
    console = sensors()
    error, rows = console.fails("sensor read all")
    assert (error.exit_code, error.message) == (8, "2 of 5 rows could not be read in full")
    assert [row.get("error") for row in rows] == [
        None, None, "PROTOCOL_ERROR", "HARDWARE_ERROR", None,
    ]  # fmt: skip
    assert rows[3] == {
        "id": 3, "name": "fan", "value": None, "unit": None, "raw": None, "timestamp": None,
        "axes": None, "error": "HARDWARE_ERROR",
    }  # fmt: skip
    assert "1 sensor is disabled; --enable" in console.said


def test_a_disabled_sensor_is_its_status_with_a_hint(sensors: Sensors) -> None:
    error, _ = sensors().fails("sensor read acc")
    assert (error.exit_code, error.name) == (30, "PROTOCOL_ERROR")
    assert error.hint is not None
    assert "--enable" in error.hint


def test_a_faulty_sensor_has_no_such_hint(sensors: Sensors) -> None:
    error, _ = sensors().fails("sensor read fan")
    assert (error.name, error.hint) == ("HARDWARE_ERROR", None)


def test_enable_is_put_back_after_the_reading(sensors: Sensors) -> None:
    console = sensors()
    record = console.json("sensor read acc --enable")
    assert (record["value"], record["unit"], record["raw"]) == (None, "m/s²", None)
    assert [(a["name"], a["value"], a["raw"]) for a in record["axes"]] == ACC_AXES
    assert record["axes"][0] == {
        "id": 0, "name": "acc_X", "value": 0.5, "raw": 500, "unit": "m/s²", "timestamp": None,
    }  # fmt: skip
    assert console.json("sensor config get acc")["enabled"] is False


def test_enable_leaves_a_sensor_alone_that_is_on(sensors: Sensors) -> None:
    console = sensors()
    console.text("sensor read temp --enable")
    assert not [frame for frame in console.requests() if frame.startswith("0a 54")]


def test_enable_means_nothing_to_version_1(sensors: Sensors) -> None:
    assert sensors("1.0").json("sensor read acc --enable")["raw"] == 500


def test_enable_needs_the_permission_to_write(sensors: Sensors) -> None:
    with pytest.raises(Refused, match="SENSOR_CONFIG_SET"):
        sensors().text("sensor read acc --enable -r")


def test_a_dry_run_shows_what_enable_would_send(sensors: Sensors) -> None:
    console = sensors()
    assert console.json("sensor read acc --enable --dry-run") == [
        {"message": "SENSOR_CONFIG_SET", "request": "0a 54 00 00 02 00 00 00 01 00 00 00"}
    ]
    assert console.json("sensor config get acc")["enabled"] is False


def test_timestamps_are_seconds_once_they_are_on(sensors: Sensors) -> None:
    console = sensors()
    console.text("sensor config set temp enable --timestamps on")
    # Microseconds since the platform's start, which was a moment ago.
    assert 0 < console.json("sensor read temp")["timestamp"] < 60


def test_an_asynchronous_reading_is_accepted_and_then_there(sensors: Sensors) -> None:
    accepted, record = sensors().lines("sensor read temp --async")
    assert (accepted["id"], accepted["name"], accepted["accepted"]) == (0, "temp", True)
    assert record == {"id": 0, "name": "temp", **TEMP}


def test_asynchronous_readings_of_all_respect_the_room_there_is(sensors: Sensors) -> None:
    error, rows = sensors().fails("sensor read all --async")
    assert isinstance(error, Partial)
    done = [row for row in rows if "accepted" not in row]
    assert [row.get("error") for row in done] == [None, None, *["NOT_SUPPORTED"] * 3]
    assert [row["value"] for row in done[:2]] == [45.5, 0.85]


def test_async_of_a_sensor_without_it_is_not_offered(sensors: Sensors) -> None:
    with pytest.raises(NotOffered, match=r"sensor 3 \(fan\) has no asynchronous readings"):
        sensors().text("sensor read fan --async")


def test_async_needs_the_event_queue(sensors: Sensors) -> None:
    with pytest.raises(NotOffered):
        sensors(query="?features=-p2a").text("sensor read temp --async")


# --- axes, intervals, configuration ---------------------------------------------------------------


def test_axes_have_units_and_ranges_and_their_whole_names(sensors: Sensors) -> None:
    rows = sensors().json("sensor axes acc")
    assert rows[0] == {
        "id": 0, "name": "acc_X", "type": "meters_per_second_squared", "unit": "m/s²", "scale": -3,
        "resolution": 0.001, "min": -39.227, "max": 39.227,
    }  # fmt: skip
    assert rows[2]["name"] == "acc_Z_with_a_name_that_is_long"
    assert (rows[1]["resolution"], rows[1]["min"], rows[1]["max"]) == (None, None, None)


def test_long_axis_names_exist_from_3_0(sensors: Sensors) -> None:
    assert sensors("2.0").json("sensor axes acc")[2]["name"] == "acc_Z_with_a_na"


def test_a_scalar_sensor_has_no_axes(sensors: Sensors) -> None:
    with pytest.raises(NotOffered, match=r"sensor 0 \(temp\) is scalar"):
        sensors().text("sensor axes temp")
    with pytest.raises(NotOffered, match=r"exists from sensor 2\.0 on"):
        sensors("1.0").text("sensor axes temp")


def test_intervals_are_a_list_or_a_range(sensors: Sensors) -> None:
    console = sensors()
    assert console.json("sensor intervals temp") == {
        "id": 0, "name": "temp", "format": "list", "lowest_s": 0.002, "highest_s": 1,
        "step_s": None, "intervals_s": [0.002, 0.1, 1],
    }  # fmt: skip
    assert console.json("sensor intervals acc") == {
        "id": 2, "name": "acc", "format": "range", "lowest_s": 0.001, "highest_s": 1,
        "step_s": 0.001, "intervals_s": None,
    }  # fmt: skip


def test_of_several_sensors_some_may_have_no_interval(sensors: Sensors) -> None:
    console = sensors()
    rows = console.json("sensor intervals all")
    assert [row["format"] for row in rows] == ["list", None, "range", None, None]
    with pytest.raises(StatusError, match="NOT_SUPPORTED"):
        console.text("sensor intervals rail")


def test_config_set_sends_what_the_reference_shows(sensors: Sensors) -> None:
    console = sensors()
    record = console.json("sensor config set temp enable --interval 100ms")
    assert record == {
        "id": 0, "name": "temp", "enabled": True, "interval_s": 0.1, "timestamps": False,
    }  # fmt: skip
    sent = [frame for frame in console.requests() if frame.startswith("0a 54")]
    # Reference B 3.6: enable, 100 ms, platform-chosen rounding is 0064EC01.
    assert sent == ["0a 54 00 00 00 00 00 00 01 ec 64 00"]


def test_config_set_leaves_alone_what_is_not_given(sensors: Sensors) -> None:
    console = sensors()
    console.text("sensor config set temp enable --timestamps on --interval 1s")
    record = console.json("sensor config set temp disable")
    assert (record["enabled"], record["interval_s"], record["timestamps"]) == (False, 1, True)
    record = console.json("sensor config set temp enable --timestamps off")
    assert (record["enabled"], record["interval_s"], record["timestamps"]) == (True, 1, False)


def test_config_set_of_all_marks_those_that_refuse(sensors: Sensors) -> None:
    error, rows = sensors().fails("sensor config set all enable --interval 1s")
    assert error.exit_code == 8
    assert [row.get("error") for row in rows] == [
        None, "NOT_SUPPORTED", None, "NOT_SUPPORTED", "NOT_SUPPORTED",
    ]  # fmt: skip
    assert rows[2]["interval_s"] == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1", 0x0001_0000),
        ("65535s", 0xFFFF_0000),
        ("1500ms", 0x05DC_E800),
        ("10us", 0x000A_D000),
        ("0.5", 0x01F4_E800),
        ("2min", 0x0078_0000),
        ("100000", 0x2710_0800),
        # Not to be said exactly: the nearest is 1234568 ms cut to 16 bits, 12346 * 10^-1 s.
        ("1234.568", 0x303A_F800),
    ],
)
def test_intervals_are_said_as_exactly_as_the_word_allows(
    sensors: Sensors, text: str, word: int
) -> None:
    console = sensors()
    request = console.json(
        f"sensor config set 0 enable --interval {text} --timestamps off --dry-run"
    )
    sent = int.from_bytes(bytes.fromhex(request[0]["request"])[8:12], "little")
    assert sent & 0xFFFFF800 == word


@pytest.mark.parametrize("text", ["0", "0ms", "-1s", "1V", "soon", "1e9"])
def test_an_interval_that_cannot_be_is_a_usage_error(sensors: Sensors, text: str) -> None:
    with pytest.raises(UsageError):
        sensors().text(f"sensor config set temp enable --interval {text}")


def test_config_needs_version_2(sensors: Sensors) -> None:
    for verb in ("config get temp", "config set temp enable", "intervals temp"):
        with pytest.raises(NotOffered, match=r"exists from sensor 2\.0 on"):
            sensors("1.0").text(f"sensor {verb}")


# --- trip points ----------------------------------------------------------------------------------


def test_trip_set_sends_what_the_reference_shows(sensors: Sensors) -> None:
    console = sensors()
    record = console.json("sensor trip set temp 1 95C --rising")
    assert record == {
        "id": 0, "name": "temp", "trip_point": 1, "event": "rising", "value": 95, "unit": "°C",
        "raw": 95000,
    }  # fmt: skip
    # Reference B 3.6: 00000000 00000011 00017318 00000000.
    assert console.requests()[-1] == ("05 54 00 00 00 00 00 00 11 00 00 00 18 73 01 00 00 00 00 00")


@pytest.mark.parametrize(
    ("line", "raw", "event"),
    [
        ("temp 0 95", 95000, "both"),
        ("temp 0 -12.5C --falling", -12500, "falling"),
        ("rail 0 850mV --both", 850, "both"),
        ("rail 0 0.9V", 900, "both"),
    ],
)
def test_a_trip_value_is_in_the_sensors_unit(
    sensors: Sensors, line: str, raw: int, event: str
) -> None:
    record = sensors().json(f"sensor trip set {line}")
    assert (record["raw"], record["event"]) == (raw, event)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("temp 0 95V", "expected °C"),
        ("temp 0 95.0001", "a multiple of the sensor's step"),
        ("temp 0 1e30", "found"),
        ("temp 0 99999999999999999999", "fits 64 bits"),
        ("temp 256 95", "expected 0 to 255"),
        ("temp one 95", "expected a number"),
        ("temp 0 95 --rising --falling", "exclude each other"),
        ("temp 0 hot", "expected a number"),
    ],
)
def test_a_trip_point_that_cannot_be_is_a_usage_error(
    sensors: Sensors, line: str, found: str
) -> None:
    with pytest.raises(UsageError, match=found):
        sensors().text(f"sensor trip set {line}")


def test_a_trip_point_beyond_the_last_is_the_platforms_to_refuse(sensors: Sensors) -> None:
    with pytest.raises(StatusError, match="INVALID_PARAMETERS"):
        sensors().text("sensor trip set temp 2 95C")


def test_a_sensor_without_trip_points_does_not_offer_them(sensors: Sensors) -> None:
    with pytest.raises(NotOffered, match=r"sensor 3 \(fan\) has no trip points"):
        sensors().text("sensor trip set fan 0 2400")


def test_trip_clear_disables_with_a_value_in_range(sensors: Sensors) -> None:
    console = sensors()
    record = console.json("sensor trip clear temp 1")
    assert (record["event"], record["value"], record["raw"]) == ("disable", None, None)
    assert console.requests()[-1] == ("05 54 00 00 00 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00")


# --- what platforms do ----------------------------------------------------------------------------

VHOST = {
    (0x15, 0x0, None): words(0x30000),
    (0x15, 0x1, None): words(1, 0, 0, 0),
    (0x15, 0x3, None): words(1, 0, 1 << 30, 0x30100) + b"foo" + bytes(13),
    (0x15, 0x6, None): -2,
    (0x15, 0x9, words(0)): words(0),
    (0x15, 0x9, words(7)): -2,
    (0x15, 0x2, None): words(0),
    (0x15, 0x7, None): -2,
}
"""What vhost-device-scmi answers while its sensor is off."""


def test_the_hint_also_comes_where_disabled_is_invalid_parameters(script: Any) -> None:
    with pytest.raises(StatusError) as raised:
        script(VHOST).run("sensor read foo")
    assert raised.value.exit_code == 22
    assert "--enable" in str(raised.value.hint)


def test_an_unknown_id_of_that_device_has_no_such_hint(script: Any) -> None:
    with pytest.raises(StatusError) as raised:
        script(VHOST).run("sensor read 7")
    assert (raised.value.exit_code, raised.value.hint) == (22, None)


def test_axes_that_cannot_be_read_leave_the_readings_without_names(script: Any) -> None:
    one, two = words(500, 0, 0, 0), words(0xFFFFFF06, 0xFFFFFFFF, 0, 0)
    output = script({**VHOST, (0x15, 0x6, None): one + two + one}).run("sensor read foo")
    assert isinstance(output, Rows)
    assert json.loads(json.dumps(output.records[0]["axes"])) == [
        {"id": 0, "name": None, "value": 500, "raw": 500, "unit": "", "timestamp": None},
        {"id": 1, "name": None, "value": -250, "raw": -250, "unit": "", "timestamp": None},
        {"id": 2, "name": None, "value": 500, "raw": 500, "unit": "", "timestamp": None},
    ]


def test_the_reading_of_the_reference_reads_45_5_degrees_at_1_second(script: Any) -> None:
    # Reference B 3.6, words as printed there.
    described = words(
        0x00010001, 0, 0x00006B02, 0x0000E802, 0x2D636F73, 0x706D6574, 0, 0, 0x96, 0xE8000001,
        0xFFFF63C0, 0xFFFFFFFF, 0x0001E848, 0,
    )  # fmt: skip
    answers = {
        (0x15, 0x0, None): words(0x20000),
        (0x15, 0x1, None): words(1, 0, 0, 0),
        (0x15, 0x3, None): words(1) + described[4:],
        (0x15, 0x6, words(0, 0)): words(0xB1BC, 0, 0xF4240, 0),
    }
    output = script(answers).run("sensor read soc-temp")
    assert isinstance(output, Rows)
    assert list(output.records) == [
        {"id": 0, "name": "soc-temp", "value": 45.5, "unit": "°C", "raw": 45500, "timestamp": 1,
         "axes": []}
    ]  # fmt: skip


def test_an_odd_range_of_intervals_is_told_and_the_rest_kept(script: Any) -> None:
    answers = {**VHOST, (0x15, 0x8, None): words(0x1002, 0xC9D, 0xC9D)}
    output = script(answers).run("sensor intervals foo")
    assert isinstance(output, Rows)
    assert output.records[0]["format"] == "range"
    assert output.records[0]["error"] == "REMOTE_PROTOCOL"


def test_a_unit_nobody_knows_is_shown_as_its_code(script: Any) -> None:
    described = words(1, 0, 0, 0xF0) + b"odd" + bytes(13)
    answers = {**VHOST, (0x15, 0x3, None): described, (0x15, 0x6, None): words(5, 0, 0, 0)}
    output = script(answers).run("sensor read odd")
    assert isinstance(output, Rows)
    assert (output.records[0]["value"], output.records[0]["unit"]) == (5, "type-0xf0")
