"""Kicks, signals and sleeping: nothing is missed whatever the device's manners are."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import DeviceGone

VERSION = "00400000"
"""BASE PROTOCOL_VERSION with token 0."""
ANSWER = "00000000 00000200"
UPDATE = "01570000 00000000 00000000 0100000000000000 0000000000000000"


def cookies(found: list[Any]) -> list[int]:
    return [frame.cookie for frame in found]


@pytest.mark.parametrize("extra", [0, 1 << 29], ids=["flags", "event-idx"])
def test_a_command_is_kicked_answered_and_signalled(
    hand_device: Any, attach: Callable[..., Any], extra: int
) -> None:
    hand_device.offered |= extra
    driver = attach()
    for number in range(300):
        driver.send(VERSION, first=number)
        (found,) = driver.receive(1)
        assert (found.cookie, found.queue) == (number, 0)
        assert found.data == bytes.fromhex(VERSION + ANSWER)


class Polite:
    """A device that keeps commands, answers when told, and signals only if it may."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.kept: list[Any] = []
        device.on_command = self.kept.append

    def has(self, number: int, driver: Any) -> None:
        """Let the driver go on until so many commands have been taken."""
        while self.device.do(lambda: len(self.kept)) < number:
            driver.look()

    def answer(self) -> None:
        def give() -> None:
            asked = self.kept.pop(0)
            asked.answer(bytes.fromhex(ANSWER), signal=False)
            if asked.ring.wants_signal:
                asked.ring.signal()

        self.device.do(give)


def test_who_waits_after_a_dispatch_that_found_something_does_not_miss_the_next_answer(
    hand_device: Any, attach: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, driver = Polite(hand_device), attach()
    queues = driver.transport._queues
    arm = queues.arm

    def interleaved() -> bool:
        armed = bool(arm())
        monkeypatch.setattr(queues, "arm", arm)
        device.answer()
        return armed

    driver.send(VERSION, VERSION, VERSION)
    # The first answer and its signal come in the middle of a dispatch, which takes both away.
    monkeypatch.setattr(queues, "arm", lambda: False)
    device.has(3, driver)
    driver.transport._armed = False
    monkeypatch.setattr(queues, "arm", interleaved)
    assert cookies(driver.look()) == [0]
    device.answer()
    driver.wait()
    assert cookies(driver.look()) == [1]
    driver.look()
    device.answer()
    driver.wait()
    assert cookies(driver.look()) == [2]


def test_what_the_device_wrote_before_it_hung_up_still_counts(
    hand_device: Any, attach: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, driver = Polite(hand_device), attach()
    driver.send(VERSION)
    device.has(1, driver)
    driver.look()
    reap = driver.transport._queues.reap
    looks = []

    def interleaved() -> list[Any]:
        found: list[Any] = reap()
        looks.append(found)
        if len(looks) == 1:
            device.answer()
            hand_device.hang_up()
        return found

    monkeypatch.setattr(driver.transport._queues, "reap", interleaved)
    assert cookies(driver.look()) == [0]
    with pytest.raises(DeviceGone, match="hung up"):
        driver.look()
    with pytest.raises(DeviceGone):
        driver.look()


def test_a_device_that_never_signals_is_only_slow(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    hand_device.on_command = lambda asked: asked.answer(bytes.fromhex(ANSWER), signal=False)
    driver = attach()
    for number in range(3):
        driver.send(VERSION, first=number)
        assert cookies(driver.receive(1)) == [number]


def test_events_of_a_device_that_never_signals_are_found_too(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()
    driver.look()

    def send() -> None:
        buffer = hand_device.rings[1].take()
        buffer.give(bytes.fromhex(UPDATE), signal=False)

    hand_device.do(send)
    driver.wait()
    (found,) = driver.receive(1)
    assert (found.queue, found.data) == (1, bytes.fromhex(UPDATE))


def test_signals_without_anything_to_find_do_not_keep_the_driver_busy(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    device, driver = Polite(hand_device), attach()
    driver.send(VERSION)
    device.has(1, driver)
    driver.look()
    wakes = 0
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        # The real device does this by itself, more than a million times a second.
        hand_device.do(hand_device.rings[0].signal)
        driver.wait(until)
        driver.look()
        wakes += 1
    assert wakes < 150
    device.answer()
    assert cookies(driver.receive(1)) == [0]


@pytest.mark.parametrize("queue", [0, 1])
def test_a_call_descriptor_that_the_device_made_blocking_blocks_nobody(
    hand_device: Any, attach: Callable[..., Any], queue: int
) -> None:
    driver = attach()
    driver.look()

    def steal() -> None:
        # The same open file at both ends: its flags are the device's as well.
        call = hand_device.rings[queue].call
        os.eventfd_write(call, 1)
        os.set_blocking(call, True)

    hand_device.do(steal)
    poll = select.select([driver.transport.fileno()], [], [], 20)
    assert poll[0]
    hand_device.do(lambda: os.eventfd_read(hand_device.rings[queue].call))
    driver.look()


def test_a_kick_descriptor_that_the_device_filled_up_and_made_blocking_blocks_nobody(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()
    driver.look()

    def fill() -> None:
        hand_device.rings[0].enabled = False
        kick = hand_device.rings[0].kick
        os.eventfd_write(kick, 0xFFFF_FFFF_FFFF_FFFE - 1)
        os.set_blocking(kick, True)

    hand_device.do(fill)
    driver.send(VERSION, VERSION)
    driver.look()
    driver.send(VERSION, first=2)
    driver.look()
