"""The installed command against vhost-device-scmi: everything it offers, and its known oddities."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.interop


def test_info_shows_the_device_as_it_is(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "info", "--json")
    assert found.code == 0, found.err
    info = json.loads(found.out)
    assert info["base"]["vendor"] == "rust-vmm"
    assert info["base"]["agents"] == []
    assert info["base"]["version"] == "2.0"
    assert [(p["name"], p["version"], p["count"]) for p in info["protocols"]] == [
        ("sensor", "3.0", 1)
    ]
    assert {"p2a", "event-idx", "indirect", "version-1"} <= set(info["features"])


def test_sensor_list_names_the_fake_accelerometer(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "sensor", "list", "--json")
    assert found.code == 0, found.err
    (row,) = json.loads(found.out)
    assert {"id": 0, "name": "foo", "axes": 3, "enabled": False}.items() <= row.items()


def test_a_bare_socket_path_is_a_target(device: Any, scmictl: Any) -> None:
    scmictl("-t", device.target, "info")
    assert scmictl("-t", str(device.path), "sensor", "list").code == 0


def test_a_disabled_sensor_is_its_status_with_a_hint(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "sensor", "read", "foo")
    assert found.code == 22, "INVALID_PARAMETERS is what this device says"
    assert "INVALID_PARAMETERS" in found.err
    assert "--enable" in found.err
    assert found.err.count("\n") == 1


def test_reading_with_enable_gives_three_axes(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "sensor", "read", "foo", "--enable", "--json")
    assert found.code == 0, found.err
    record = json.loads(found.out)
    assert record["value"] is None
    assert [axis["raw"] for axis in record["axes"]] == [0, 100, 200]
    assert [axis["unit"] for axis in record["axes"]] == ["m/s²"] * 3


def test_axes_are_listed_although_the_device_gives_one_at_a_time(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "sensor", "axes", "foo", "--json")
    assert found.code == 0, found.err
    assert [axis["name"] for axis in json.loads(found.out)] == ["acc_X", "acc_Y", "acc_Z"]


def test_watch_prints_the_update_that_the_test_fires_and_leaves_nothing_behind(
    device: Any, background: Any, scmictl: Any
) -> None:
    # One buffer: the device fills every one there is as long as its sensor has news.
    target = f"{device.target}&event-buffers=1"
    watch = background(
        "-t", target, "sensor", "watch", "foo", "--enable", "-o", "jsonl", "--trace"
    )  # fmt: skip
    # The trace tells when the subscription is answered; only then is there anything to fire for.
    while line := watch.line("stderr"):
        if "SENSOR_CONTINUOUS_UPDATE_NOTIFY" in line and "SUCCESS" in line:
            break
    device.fire()
    first = json.loads(watch.line())
    # Quiet again before the watch leaves: news while nobody is attached breaks the next client.
    device.quiet()
    watch.process.send_signal(signal.SIGINT)
    done = watch.finish()
    assert done.code == 130, done.err
    assert first["event"] == "SENSOR_UPDATE"
    assert first["protocol"] == "sensor"
    assert first["agent_id"] == 0
    assert first["fields"]["sensor_id"] == 0
    assert len(first["fields"]["readings"]) == 3
    assert scmictl("-t", str(device.path), "sensor", "list").code == 0


def test_the_surplus_word_of_this_device_is_shown_and_is_no_failure(
    device: Any, scmictl: Any
) -> None:
    found = scmictl(
        "-t", device.target, "--json", "call", "sensor.SENSOR_CONTINUOUS_UPDATE_NOTIFY",
        "sensor_id=0", "notify_enable=1",
    )  # fmt: skip
    assert found.code == 0, found.err
    record = json.loads(found.out)
    assert (record["status"], record["surplus"]) == ("SUCCESS", "01000000")


def test_an_unknown_sensor_is_reported_as_the_device_reports_it(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "sensor", "read", "7", "--json")
    assert found.code == 22
    error = json.loads(found.err.splitlines()[0])["error"]
    assert (error["code"], error["name"], error["scmi_status"]) == (22, "INVALID_PARAMETERS", -2)


def test_a_protocol_the_device_lacks_is_not_offered(device: Any, scmictl: Any) -> None:
    found = scmictl("-t", device.target, "clock", "list")
    assert found.code == 7
    assert "no clock protocol" in found.err


def test_a_dead_queue_behind_a_living_socket_is_told_from_a_slow_device(
    device: Any, scmictl: Any
) -> None:
    # A malformed request stops this device's queue for good, without a word on the socket.
    found = scmictl("-t", device.target, "-T", "0.3s", "raw", "0x10", "0x6")
    assert found.code == 12
    assert "its command queue is dead" in found.err
    assert scmictl("-t", str(device.path), "sensor", "list").code == 0, "the next client is served"


def test_a_batch_file_runs_against_the_device(device: Any, scmictl: Any, tmp_path: Path) -> None:
    script = tmp_path / "fake.scmi"
    script.write_text(
        "# the fake accelerometer of vhost-device-scmi\n"
        "@ sensor list\n"
        "assert count == 1 and axes == 3\n"
        "expect INVALID_PARAMETERS: sensor read foo\n"
        "sensor read foo --enable\n"
        "assert axes[1].raw == 100\n"
        "expect NOT_SUPPORTED: call base.BASE_DISCOVER_SUB_VENDOR\n"
        "set vendor := call base.BASE_DISCOVER_VENDOR .fields.vendor_identifier\n"
        "echo the vendor is $vendor\n"
    )
    found = scmictl("-t", device.target, "batch", str(script))
    assert found.code == 0, found.err
    assert "the vendor is rust-vmm" in found.err + found.out


def test_a_batch_stops_at_its_first_failure_and_says_where(
    device: Any, scmictl: Any, tmp_path: Path
) -> None:
    script = tmp_path / "fails.scmi"
    script.write_text("sensor list\nexpect ok: sensor read foo\necho never\n")
    found = scmictl("-t", device.target, "batch", str(script))
    assert found.code == 6
    assert f"{script}:2: " in found.err
    assert "INVALID_PARAMETERS" in found.err
    assert "never" not in found.out + found.err


def test_a_watch_survives_the_death_of_the_device_when_told_to_reconnect(
    start_device: Any, background: Any
) -> None:
    first = start_device()
    watch = background(
        "-t", f"{first.target}&event-buffers=1&reconnect=20s", "sensor", "watch", "foo",
        "--enable", "-n", "2", "--for", "40s", "-o", "jsonl", "--trace",
    )  # fmt: skip

    def subscribed() -> None:
        while line := watch.line("stderr"):
            if "SENSOR_CONTINUOUS_UPDATE_NOTIFY" in line and "SUCCESS" in line:
                return
        raise AssertionError("the watch ended early")

    subscribed()
    first.stop()
    second = start_device()
    subscribed()
    second.fire()
    events = [json.loads(watch.line()), json.loads(watch.line())]
    second.quiet()
    assert [event["event"] for event in events] == ["reconnected", "SENSOR_UPDATE"]
    watch.process.send_signal(signal.SIGINT)
    watch.finish()


def test_a_device_that_dies_ends_a_command_with_one_clear_line(
    device: Any, background: Any
) -> None:
    watch = background("-t", device.target, "sensor", "watch", "foo", "--enable", "--trace")
    while line := watch.line("stderr"):
        if "SENSOR_CONTINUOUS_UPDATE_NOTIFY" in line and "SUCCESS" in line:
            break
    device.stop()
    done = watch.finish()
    assert done.code == 12
    assert "hung up" in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_ends_a_watch_and_switches_everything_off_again(
    device: Any, background: Any, scmictl: Any
) -> None:
    watch = background("-t", device.target, "sensor", "watch", "foo", "--enable", "--trace")
    while line := watch.line("stderr"):
        if "SENSOR_CONTINUOUS_UPDATE_NOTIFY" in line and "SUCCESS" in line:
            break
    watch.process.send_signal(signal.SIGINT)
    done = watch.finish()
    assert done.code == 130
    assert "notify_enable" in done.err, "the subscription is taken back"
    assert "SENSOR_CONFIG_SET" in done.err, "and the sensor put back as it was"
    assert "Traceback" not in done.err


def test_one_connection_serves_many_commands(device: Any, scmictl: Any) -> None:
    found = scmictl(
        "-t", device.target, "-c", "sensor list; sensor axes foo; sensor read foo --enable",
        "-o", "jsonl",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert len(found.out.splitlines()) == 5
