"""Every command against every kind of bad device: one line (or one object) and the right code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

COMMANDS = [
    ["info"],
    ["sensor", "list"],
    ["clock", "list"],
    ["clock", "get", "0"],
    ["raw", "0x10", "0x0"],
    ["call", "base.BASE_DISCOVER_VENDOR"],
]


def hang_up(device: Any) -> None:
    def command(asked: Any) -> None:
        raise device.Leave

    device.on_command = command


def speak_unasked(device: Any) -> None:
    device.on_command = lambda asked: device.socket.sendall(b"hello")


def jump(device: Any) -> None:
    def command(asked: Any) -> None:
        asked.ring.show(1000)
        asked.ring.signal()

    device.on_command = command


def name_a_stranger(device: Any) -> None:
    def command(asked: Any) -> None:
        asked.ring.put(0x1_0000, 12)
        asked.ring.signal()

    device.on_command = command


def return_nothing(device: Any) -> None:
    device.on_command = lambda asked: asked.give(b"")


def swap_tokens(device: Any) -> None:
    def command(asked: Any) -> None:
        word = int.from_bytes(asked.frame[:4], "little") ^ 1 << 27
        asked.give(word.to_bytes(4, "little") + bytes(28))

    device.on_command = command


def fall_silent(device: Any) -> None:
    device.on_command = lambda asked: None


def refuse_to_enable(device: Any) -> None:
    device.acks[18] = 1


def lack_version_1(device: Any) -> None:
    device.offered = 0x5000_0001


def leave_in_the_handshake(device: Any) -> None:
    device.replies[17] = b""


def answer_something_else(device: Any) -> None:
    device.replies[1] = bytes.fromhex("02000000 05000000 08000000") + bytes(8)


DEEDS: list[tuple[Callable[[Any], None], int, str]] = [
    (hang_up, 12, "DEVICE_GONE"),
    (speak_unasked, 5, "REMOTE_PROTOCOL"),
    (jump, 5, "QUEUE_BROKEN"),
    (name_a_stranger, 5, "QUEUE_BROKEN"),
    (return_nothing, 5, "REMOTE_PROTOCOL"),
    (swap_tokens, 5, "REMOTE_PROTOCOL"),
    (fall_silent, 12, "DEVICE_GONE"),
    (refuse_to_enable, 3, "UNREACHABLE"),
    (lack_version_1, 3, "UNREACHABLE"),
    (leave_in_the_handshake, 3, "UNREACHABLE"),
    (answer_something_else, 5, "REMOTE_PROTOCOL"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(("deed", "code", "name"), DEEDS, ids=[d.__name__ for d, _, _ in DEEDS])
def test_a_bad_device_ends_the_command_in_one_object(
    hand_device: Any,
    scmictl: Callable[..., Any],
    words: list[str],
    deed: Callable[[Any], None],
    code: int,
    name: str,
) -> None:
    deed(hand_device)
    found = scmictl("-t", hand_device.path, "-T", "100ms", "--json", *words)
    assert found.code == code, found.err
    (line,) = found.err.splitlines()
    error = json.loads(line)["error"]
    assert list(error) == ["code", "name", "scmi_status", "message", "hint"]
    assert (error["code"], error["name"], error["scmi_status"]) == (code, name, None)
    assert error["message"]
    assert found.out == ""


@pytest.mark.parametrize(
    ("deed", "code"), [(d, c) for d, c, _ in DEEDS], ids=[d.__name__ for d, _, _ in DEEDS]
)
def test_a_bad_device_ends_the_command_in_one_line(
    hand_device: Any, scmictl: Callable[..., Any], deed: Callable[[Any], None], code: int
) -> None:
    deed(hand_device)
    found = scmictl("-t", f"vhost-user:{hand_device.path}", "-T", "100ms", "raw", "0x10", "0")
    assert (found.code, found.out) == (code, "")
    (line,) = found.err.splitlines()
    assert line.startswith("scmictl: ")
    assert "expected" in line or code == 12 or "hung up" in line


def test_the_status_of_the_platform_is_the_exit_code(
    hand_device: Any, scmictl: Callable[..., Any]
) -> None:
    for status in range(-13, 0):
        hand_device.on_command = lambda asked, s=status: asked.answer(
            s.to_bytes(4, "little", signed=True)
        )
        found = scmictl(
            "-t", hand_device.path, "--json", "call", "clock.CLOCK_RATE_GET", "clock_id=0"
        )
        assert found.code == (20 - status if status >= -12 else 39)


def test_the_chosen_deadline_holds_while_the_device_is_being_reached(
    hand_device: Any, scmictl: Callable[..., Any]
) -> None:
    hand_device.replies[1] = None
    found = scmictl("-t", f"{hand_device.path}?wait=60s", "--deadline", "200ms", "info")
    assert found.code == 4
    assert found.err == "scmictl: the deadline of the whole run has passed\n"


def test_a_target_nobody_chose_is_mentioned_before_the_error(scmictl: Callable[..., Any]) -> None:
    found = scmictl("clock", "get", "nosuch")
    assert found.code == 2
    note, error = found.err.splitlines()
    assert note == "target: sim:demo (none chosen; see --target)"
    assert error.startswith("scmictl: unknown clock 'nosuch'")


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["--json"], {}),
        (["-o", "json"], {}),
        (["-ojsonl"], {}),
        (["--output=json"], {}),
        (["--output", "jsonl"], {}),
        ([], {"SCMICTL_OUTPUT": "json"}),
    ],
)
@pytest.mark.parametrize("wrong", [["nosuch"], ["clock"], ["clock", "get", "--nosuch"]])
def test_what_cannot_even_be_parsed_is_an_object_too_where_json_was_asked_for(
    scmictl: Callable[..., Any], words: list[str], variables: dict[str, str], wrong: list[str]
) -> None:
    found = scmictl(*words, *wrong, **variables)
    assert (found.code, found.out) == (2, "")
    (line,) = found.err.splitlines()
    assert json.loads(line)["error"]["code"] == 2


def test_a_device_that_dies_is_found_again_by_a_watch_that_may_reconnect(
    sensor_device: Any, background: Callable[..., Any]
) -> None:
    target = f"vhost-user:{sensor_device.path}?reconnect=20s"
    watch = background("-t", target, "-o", "jsonl", "watch", "SENSOR_UPDATE", "0", "-n", "2")
    sensor_device.wait(1)
    sensor_device.device.hang_up()
    sensor_device.wait(1, 1)
    sensor_device.update()
    assert json.loads(watch.line())["event"] == "reconnected"
    assert json.loads(watch.line())["event"] == "SENSOR_UPDATE"
    sensor_device.update()
    found = watch.finish()
    assert (found.code, found.err) == (0, "")
    assert sensor_device.switched == [1, 1, 0]
