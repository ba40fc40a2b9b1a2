"""Linux's own SCMI drivers agree with the served platform: what they show, set and hear."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scmictl.protocols import clock, perf, pinctrl, power, powercap, reset, sensor, system, voltage
from scmictl.wire import header, status

pytestmark = pytest.mark.guest

HERE = Path(__file__).parent
FILE = HERE.parent / "vectors" / "linux-6.12.toml"
STANDARD = range(0x10, 0x1A)


# --- what is there --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probed(guests: Any) -> Any:
    """A guest that only probes and prints what it found."""
    return guests.boot()


def test_no_driver_has_an_error_to_tell(probed: Any) -> None:
    assert probed.completed
    assert probed.errors == []


def test_a_driver_is_bound_for_every_protocol(probed: Any) -> None:
    assert set(probed.sections["drivers"]) >= {
        "scmi-clocks", "scmi-hwmon", "scmi-perf-domain", "scmi-pinctrl", "scmi-power-domain",
        "scmi-powercap", "scmi-regulator", "scmi-reset", "scmi-sensor-iiodev", "scmi-system-power",
    }  # fmt: skip
    asked = {header.unpack(int.from_bytes(f.request[:4], "little")) for f in probed.platform.frames}
    assert {head.protocol_id for head in asked} == set(STANDARD)


def test_the_kernel_took_every_response_for_what_it_was(probed: Any) -> None:
    counters = dict(re.findall(r"counters/(\w+): (\d+)", probed.section("counters")))
    assert counters["sent_ok"] == counters["response_ok"]
    for kind in ("err_msg_invalid", "err_msg_nomem", "err_msg_unexpected"):
        assert counters[kind] == "0"


def test_only_what_a_sensor_does_not_have_is_refused(probed: Any) -> None:
    refused = set()
    for frame in probed.platform.frames:
        if frame.response is not None and frame.response[4:8] != bytes(4):
            head = header.unpack(int.from_bytes(frame.request[:4], "little"))
            code = status.WORD.unpack_from(frame.response, 4)[0]
            refused.add((head.protocol_id, head.message_id, code))
    # No update intervals (NOT_SUPPORTED), and a sensor that is broken (HARDWARE_ERROR).
    assert refused <= {(sensor.ID, 0x8, -1), (sensor.ID, 0x6, -9)}


def test_no_driver_has_an_error_to_tell_of_a_generated_board(guests: Any, tmp_path: Path) -> None:
    counts = "--clocks 40 --sensors 70 --powercap 34 --power 12 --perf 12 --reset 12 --voltage 12 "
    more = "--pins 12 --groups 12 --functions 12 --system"
    command = [sys.executable, "-m", "scmictl", "board", "generate", *f"{counts}{more}".split()]
    board = tmp_path / "board.toml"
    board.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    boot = guests.boot(str(board))
    assert boot.completed
    assert boot.errors == []
    names = boot.platform.behaviours[clock.ID].names
    assert len(names) == 40
    assert {*names} <= {*" ".join(boot.sections["clocks"]).split()}


def test_clk_summary_shows_our_clocks_their_rates_and_parents(probed: Any) -> None:
    shown = {}
    for line in probed.sections["clocks"]:
        found = re.match(r" ( *)([\w-]+) +\d+ +\d+ +\d+ +(\d+) ", line)
        if found:
            shown[found[2]] = int(found[3])
    ours = probed.platform.behaviours[clock.ID].clocks
    assert {one.name: one.rate for one in ours}.items() <= shown.items()
    lines = [line.split()[:1] for line in probed.sections["clocks"]]
    assert lines.index(["pll-sys"]) < lines.index(["ahb"]) < lines.index(["apb"])


def test_hwmon_shows_our_sensors_by_name_and_in_range(probed: Any) -> None:
    text = probed.section("hwmon")
    labels = dict(re.findall(r"hwmon0/(\w+)_label: (\S+)", text))
    values = dict(re.findall(r"hwmon0/(\w+)_input: (\S+)", text))
    assert set(labels.values()) == {
        "soc-temp", "cpu-big-temp", "cpu-little-temp", "ddr-temp", "vdd-cpu", "cpu-current",
        "soc-power",
    }  # fmt: skip
    shown = {label: int(values[key]) for key, label in labels.items() if key in values}
    assert 40_000 < shown["soc-temp"] < 55_000  # millidegrees
    assert 700 < shown["vdd-cpu"] < 1000  # millivolts
    assert 2_000_000 < shown["soc-power"] < 7_000_000  # microwatts
    assert "ddr-temp" not in shown  # it is broken


def test_iio_shows_the_axes_of_our_accelerometer_and_gyroscope(probed: Any) -> None:
    text = probed.section("iio")
    assert set(re.findall(r"/name: (\S+)", text)) == {"acc0", "gyro0"}
    gravity = re.search(r"in_accel_z_raw: (\d+)", text)
    assert gravity is not None
    assert 9_500 < int(gravity[1]) < 10_100
    assert "in_accel_z_scale: 0.001000000" in text
    assert "in_anglvel_x_scale: 0.000100000" in text


def test_regulators_have_our_names_and_levels(probed: Any) -> None:
    shown = dict(re.findall(r"^ ([\w-]+) .*? unknown +(\d+)mV", probed.section("regulators"), re.M))
    assert shown["vdd-cpu"] == "850"
    assert shown["vdd-gpu"] == "800"


def test_powercap_zones_have_our_names_caps_and_tree(probed: Any) -> None:
    text = probed.section("powercap")
    names = dict(re.findall(r"powercap/(arm-scmi\S*)/name: (\S+)", text))
    assert names == {
        "arm-scmi:0": "soc", "arm-scmi:0:0": "cpu", "arm-scmi:0:1": "gpu",
        "arm-scmi:0:2": "memory-subsystem",
    }  # fmt: skip
    limits = dict(re.findall(r"powercap/(arm-scmi\S*)/constraint_0_power_limit_uw: (\d+)", text))
    assert limits["arm-scmi:0"] == "15000000"
    assert limits["arm-scmi:0:1"] == "6000000"


def test_power_domains_have_our_names(probed: Any) -> None:
    names = [line.split()[0] for line in probed.sections["power"] if line[:1].isalpha()]
    ours = probed.platform.behaviours[power.ID].names
    assert set(ours) <= set(names)
    # Nobody uses them, so the kernel has switched off those that were on.
    assert [probed.platform.state("power", id)["state"] for id in range(3)] == ["off"] * 3


def test_pins_groups_and_functions_have_our_names(probed: Any) -> None:
    text = probed.section("pinctrl")
    pins = re.findall(r"^pin \d+ \(([\w-]+)\) ", text, re.M)
    assert pins == probed.platform.behaviours[pinctrl.ID].names[: len(pins)]
    assert pins[4:6] == ["uart0_tx", "uart0_rx"]
    assert re.findall(r"^group: (\w+)", text, re.M) == ["uart0", "i2c0", "spi0", "emmc"]
    assert re.findall(r"^function \d: (\w+)", text, re.M) == [
        "uart0", "i2c0", "spi0", "emmc", "gpio",
    ]  # fmt: skip


# --- what it sets ---------------------------------------------------------------------------------


class Look:
    """The state of the platform at each line ``AT …`` that the guest printed."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def at(self, line: str) -> Any:
        def look(platform: Any) -> None:
            uart0 = platform.behaviours[clock.ID].clocks[1]
            self.seen[line] = {
                "power": platform.state("power")["state"],
                "rate": uart0.rate,
                "enabled": uart0.enabled,
                "voltage": platform.state("voltage"),
                "level": platform.state("perf")["level"],
                "cap": platform.state("powercap")["cap"],
                "reset": platform.state("reset", 1)["state"],
                "pin": platform.state("pinctrl", 6),
            }

        return look


LINES = (
    "AT rest",
    "AT power-on active",
    "AT power-off suspended",
    "AT voltage",
    "AT slow 600000",
    "AT fast 1500000",
    "AT cap 4000000",
)


@pytest.fixture(scope="module")
def consumed(guests: Any) -> Any:
    """A guest whose devices use what the platform offers; ``seen`` is the platform at each line."""
    look = Look()
    boot = guests.boot(
        script=(HERE / "consumers.sh").read_text(),
        tree=(HERE / "consumers.dtsi").read_text(),
        at={line: look.at(line) for line in LINES},
    )
    boot.seen = look.seen
    return boot


def test_the_consumers_come_to_their_end_without_an_error(consumed: Any) -> None:
    assert consumed.completed
    assert consumed.errors == []
    assert list(consumed.seen) == list(LINES)


def test_a_consumers_clock_has_the_rate_that_the_kernel_set(consumed: Any) -> None:
    assert consumed.seen["AT rest"]["rate"] == 50_000_000
    assert [one.rate for one in consumed.requests(clock.RateSet)] == [50_000_000]
    assert "50000000" in consumed.sections["test"]


def test_runtime_power_management_switches_domain_and_clock(consumed: Any) -> None:
    on, off = consumed.seen["AT power-on active"], consumed.seen["AT power-off suspended"]
    assert (on["power"], on["enabled"]) == ("on", True)
    assert (off["power"], off["enabled"]) == ("off", False)


def test_a_regulator_takes_the_level_that_its_user_needs(consumed: Any) -> None:
    assert consumed.seen["AT voltage"]["voltage"]["level_uv"] == 900_000
    assert consumed.seen["AT voltage"]["voltage"]["enabled"]
    assert consumed.requests(voltage.LevelSet)[-1].voltage_level == 900_000


def test_cpufreq_sets_the_level_of_the_performance_domain(consumed: Any) -> None:
    assert consumed.seen["AT slow 600000"]["level"] == 600_000
    assert consumed.seen["AT fast 1500000"]["level"] == 1_500_000
    assert [one.performance_level for one in consumed.requests(perf.LevelSet)][-2:] == [
        600_000, 1_500_000,
    ]  # fmt: skip


def test_a_powercap_zone_takes_its_limit(consumed: Any) -> None:
    assert consumed.seen["AT cap 4000000"]["cap"] == 4000
    assert consumed.requests(powercap.CapSet)[-1].power_cap == 4000


def test_a_device_is_let_out_of_reset_before_it_is_probed(consumed: Any) -> None:
    assert consumed.requests(reset.Reset)[0].domain_id == 1
    assert consumed.seen["AT rest"]["reset"] == "deasserted"


def test_pins_are_claimed_selected_and_configured(consumed: Any) -> None:
    pin = consumed.seen["AT rest"]["pin"]
    assert (pin["function"], pin["owner"]) == ("i2c0", "ospm")
    assert pin["settings"]["bias_pull_up_ohm"] == 1000
    assert pin["settings"]["drive_strength_ma"] == 8
    assert "function i2c0 group i2c0" in consumed.section("test")


# --- what it hears --------------------------------------------------------------------------------


def test_updates_of_our_accelerometer_fill_the_buffer_of_iio(guests: Any) -> None:
    script = """
        device=/sys/bus/iio/devices/iio:device0
        for axis in x y z; do echo 1 >$device/scan_elements/in_accel_${axis}_en; done
        echo 1 >$device/buffer/enable
        timeout 10 dd if=/dev/iio:device0 bs=24 count=3 2>/dev/null | od -A n -t d8
        echo 0 >$device/buffer/enable
        cat /sys/kernel/debug/scmi/0/transport/counters/notification_ok
    """
    boot = guests.boot(script=script)
    assert boot.completed
    assert boot.errors == []
    lines = boot.sections["test"][1:]
    samples = [int(word) for line in lines[:-1] for word in line.split()]
    assert len(samples) == 9
    assert all(9_500 < z < 10_100 for z in samples[2::3])
    assert int(lines[-1]) >= 3
    assert boot.requests(sensor.ContinuousUpdateNotify)[-2].notify_enable.enable


def test_a_graceful_shutdown_of_ours_makes_the_guest_power_off(guests: Any) -> None:
    def shut_down(platform: Any) -> None:
        behaviour = platform.behaviours[system.ID]
        behaviour.adjust(0, "graceful", "shutdown", platform.advance(time.monotonic()))

    boot = guests.boot(script="echo AT work; sleep 60", at={"AT work": shut_down})
    assert "powering off" in boot.sections["test"]
    assert "status 0" not in boot.log  # it did not get to its own end
    # SYSTEM_POWER_STATE_NOTIFIER of the platform: graceful, shutdown, 10 s.
    words = [int(word) for word in struct.unpack("<5I", boot.platform.events[-1])]
    assert words == [3 << 8 | 0x12 << 10, 0, 1, 0, 10_000]


# --- the installed command ------------------------------------------------------------------------


def test_the_installed_command_serves_a_guest_as_any_other_frontend(guests: Any) -> None:
    socket = guests.socket()
    command = Path(sys.executable).parent / "scmictl"
    server = subprocess.Popen(
        [command, "serve", "demo", "--socket", socket], stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        assert "serving demo" in server.stderr.readline()
        guest = guests.start(socket)
        log = guest.communicate()[0].decode(errors="replace")
        assert "SCMI Protocol v2.1 'scmictl:demo'" in log
        assert "status 0" in log
        assert "display-pixel-clock" in log
    finally:
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=20)[1]
    assert "the frontend has left" in said
    assert server.returncode == 130


# --- the frames -----------------------------------------------------------------------------------


def test_the_commands_of_the_kernel_are_those_on_file(probed: Any, consumed: Any) -> None:
    """The file is made by this very test: SCMICTL_WRITE_VECTORS=1 makes it anew."""
    seen: dict[str, int] = {}
    for frame in [*probed.platform.frames, *consumed.platform.frames]:
        word = int.from_bytes(frame.request[:4], "little") & 0x3FFFF  # whatever the token was
        seen[word.to_bytes(4, "little").hex() + frame.request[4:].hex()] = frame.room
    if os.environ.get("SCMICTL_WRITE_VECTORS") == "1":
        release = re.search(r"Linux version (\S+)", probed.log)
        assert release is not None
        lines = [
            f"# Every command that Linux {release[1]} sent to the demo board, probing it and",
            "# driving what tests/guest/consumers.dtsi has users for, as it was on the command",
            "# queue, with token 0; and how many bytes the kernel left for the response.",
            "# Made by tests/guest/test_linux.py.",
            "",
            "[frames]",
            *(f'"{frame}" = {room}' for frame, room in sorted(seen.items())),
        ]
        FILE.write_text("\n".join(lines) + "\n")
    on_file = tomllib.loads(FILE.read_text())["frames"]
    assert {frame: room for frame, room in seen.items() if on_file.get(frame) != room} == {}
