"""The driver's two queues over one region of memory: what every virtio transport is made of.

It plans the memory, queues and reaps frames, and knows nothing of sockets or of who is on the other
side. A transport adds the memory itself, the kicks and the waiting.
"""

from __future__ import annotations

from typing import NamedTuple

from scmictl.errors import DeviceGone, LocalProtocolError, QueueBroken, UsageError
from scmictl.transport.base import COMMANDS, EVENTS, Received
from scmictl.transport.target import Target
from scmictl.virtio import layout
from scmictl.virtio.driver import DriverQueue, EventQueue

GUEST_BASE = 0x1_0000_0000
"""Where the region lies for the device: not 0, which counts as unset in places."""
USER_BASE = 0x7F00_0000_0000
"""Where it lies in ring addresses: something else, so that a mix-up shows."""

FEATURES = {
    "p2a": layout.F_P2A_CHANNELS,
    "indirect": layout.F_INDIRECT_DESC,
    "event-idx": layout.F_EVENT_IDX,
}
"""Features that can be left out, by the name used in ``features=-NAME``."""


EVERY_FEATURE = sum(1 << bit for bit in FEATURES.values())


class Choices(NamedTuple):
    """What the target's options say about the queues."""

    queue_size: int = 256
    event_buffers: int = 64
    message_size: int = 8192
    wanted: int = EVERY_FEATURE

    @classmethod
    def of(cls, target: Target) -> Choices:
        """Read the options; raises UsageError for values that make no queue."""
        size = target.integer("queue-size", 256, low=2, high=32768)
        if size & (size - 1):
            raise UsageError(f"queue-size is {size}, expected a power of two")
        return cls(
            queue_size=size,
            event_buffers=target.integer("event-buffers", min(64, size), low=1, high=size),
            message_size=target.integer("message-size", 8192, low=16, high=1 << 20),
            wanted=_features(target.options.get("features", "")),
        )


OPTIONS = ("queue-size", "event-buffers", "message-size", "features")


def _features(text: str) -> int:
    wanted = set(FEATURES)
    for word in filter(None, (part.strip() for part in text.split(","))):
        name = word.lstrip("+-")
        if name not in FEATURES:
            raise UsageError(f"unknown feature {name!r}, expected: {', '.join(FEATURES)}")
        if word.startswith("-"):
            wanted.discard(name)
        else:
            wanted.add(name)
    return sum(1 << FEATURES[name] for name in wanted)


def feature_names(features: int) -> list[str]:
    """Return the names of the features in use, VERSION_1 included."""
    names = {**FEATURES, "version-1": layout.F_VERSION_1}
    return [name for name, bit in names.items() if features >> bit & 1]


class Queues:
    """cmdq, and eventq where there is one, in one region that starts at GUEST_BASE."""

    def __init__(self, choices: Choices, features: int) -> None:
        self.choices = choices
        self.p2a = bool(features >> layout.F_P2A_CHANNELS & 1)
        self.event_idx = bool(features >> layout.F_EVENT_IDX & 1)
        self.indirect = bool(features >> layout.F_INDIRECT_DESC & 1)
        self.plan = layout.plan(
            choices.queue_size,
            choices.queue_size if self.p2a else 0,
            event_buffers=choices.event_buffers,
            request_room=choices.message_size,
            response_room=choices.message_size,
            indirect=self.indirect,
        )
        self.cmdq: DriverQueue | None = None
        self.eventq: EventQueue | None = None
        self._fault: QueueBroken | None = None

    def build(self, view: memoryview) -> None:
        """Lay the queues out in ``view``; the device must not be looking yet."""
        self.cmdq = DriverQueue(view, self.plan.cmdq, GUEST_BASE, event_idx=self.event_idx)
        if self.plan.eventq is not None:
            self.eventq = EventQueue(view, self.plan.eventq, GUEST_BASE, event_idx=self.event_idx)

    @property
    def depth(self) -> int:
        return self.plan.cmdq.slots

    @property
    def outstanding(self) -> int:
        """Commands that the device has not given back."""
        return len(self.cmdq.pending) if self.cmdq is not None else 0

    def send(self, frame: bytes, cookie: int) -> bool:
        """Queue ``frame``; False when all slots are taken."""
        if self.cmdq is None:
            raise DeviceGone("the connection is closed")
        if len(frame) > self.choices.message_size:
            raise LocalProtocolError(
                f"a request of {len(frame)} bytes, expected at most {self.choices.message_size}",
                hint="message-size= in the target makes room",
            )
        return self.cmdq.submit(frame, cookie)

    def publish(self) -> tuple[bool, bool]:
        """Show the device what is queued; return whether to kick cmdq and eventq."""
        if self._fault is not None:
            return False, False
        return (
            self.cmdq is not None and self.cmdq.publish(),
            self.eventq is not None and self.eventq.publish(),
        )

    def reap(self) -> list[Received]:
        """Take everything that has come, events last.

        A fault of the device is raised only after what came before it has been handed out.
        """
        if self._fault is not None:
            raise self._fault
        found: list[Received] = []
        try:
            if self.cmdq is not None:
                found += [Received(data, COMMANDS, cookie) for cookie, data in self.cmdq.reap()]
            if self.eventq is not None:
                found += [Received(data, EVENTS, None) for data in self.eventq.reap()]
        except QueueBroken as fault:
            self._fault = fault
            for item in fault.partial if isinstance(fault.partial, list) else ():
                if isinstance(item, tuple):
                    found.append(Received(item[1], COMMANDS, item[0]))
                else:
                    found.append(Received(item, EVENTS, None))
            if not found:
                raise
        return found

    def disarm(self) -> None:
        """Ask the device not to signal: the queues are about to be drained."""
        if self._fault is None:
            for queue in (self.cmdq, self.eventq):
                if queue is not None:
                    queue.disarm()

    def arm(self) -> bool:
        """Ask to be signalled; True if something came meanwhile (reap, arm again)."""
        if self._fault is not None:
            return True
        again = self.cmdq is not None and self.cmdq.arm()
        return (self.eventq is not None and self.eventq.arm()) or again

    def close(self) -> None:
        """Let go of the memory; what is in flight never comes back."""
        for queue in (self.cmdq, self.eventq):
            if queue is not None:
                queue.close()
        self.cmdq = self.eventq = None
