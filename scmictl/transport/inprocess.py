"""``sim:``: the simulated platform in this process, behind the same two queue ends as any device.

The driver's queues and the device's lie in one bytearray; a dispatch publishes what is queued, lets
the pump serve it, and reaps. There is no socket, no thread and no descriptor to wait for: what the
platform does later it announces by ``next_deadline``.
"""

from __future__ import annotations

from scmictl.device.pump import Port, Pump, simulate
from scmictl.errors import DeviceGone
from scmictl.transport.base import EVENTS, Link, Received
from scmictl.transport.queues import (
    GUEST_BASE,
    OPTIONS,
    USER_BASE,
    Choices,
    Queues,
    feature_names,
)
from scmictl.transport.target import Target
from scmictl.virtio import layout
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.layout import QueuePlan
from scmictl.virtio.memory import MemoryMap, Region

DEFAULT_BOARD = "demo"
KNOWN = (*OPTIONS, "agent", "seed", "fault")


def open(target: Target, *, wake: int | None = None, limit: float | None = None) -> InProcess:
    """Build the board ``target.rest`` and attach to it; there is nothing to wait for or to stop.

    Raises BoardError for a bad board, UsageError for an unknown agent, option or fault.
    """
    target.allow(KNOWN)
    choices = Choices.of(target)
    seed = target.integer("seed", 0, low=0, high=1 << 63) if "seed" in target.options else None
    port = simulate(
        target.rest or DEFAULT_BOARD,
        agent=target.options.get("agent"),
        seed=seed,
        faults=target.options.get("fault"),
        events=bool(choices.wanted >> layout.F_P2A_CHANNELS & 1),
    )
    uri = target.text if target.rest else target.text.replace("sim:", f"sim:{DEFAULT_BOARD}", 1)
    return InProcess(port, uri=uri, choices=choices)


class InProcess:
    """A transport to a port of a platform in this process. It owns the port and closes it."""

    def __init__(
        self, port: Port, *, uri: str = "sim:", choices: Choices | None = None, offered: int = -1
    ) -> None:
        """``offered``: the virtio features of the device, as a mask; all that there are."""
        choices = choices or Choices()
        features = choices.wanted & offered | 1 << layout.F_VERSION_1
        self._queues = Queues(choices, features)
        self._memory = memoryview(bytearray(self._queues.plan.size))
        self._queues.build(self._memory)
        whole = Region(GUEST_BASE, USER_BASE, len(self._memory), self._memory)
        self._map = MemoryMap([whole])
        self._cmdq = self._device(self._queues.plan.cmdq, "cmdq")
        self._eventq = None
        if self._queues.plan.eventq is not None:
            self._eventq = self._device(self._queues.plan.eventq, "eventq")
        self._pump = Pump(port)
        self._reposted = False
        self._gone: DeviceGone | None = None
        self._closed = False
        self.link = Link(
            uri=uri,
            kind="sim",
            p2a=self._queues.p2a,
            message_size=choices.message_size,
            depth=self._queues.depth,
            facts={
                "features": feature_names(features),
                "queue_size": choices.queue_size,
                "event_buffers": choices.event_buffers if self._queues.p2a else 0,
            },
            platform=getattr(port, "platform", None),
        )

    def _device(self, plan: QueuePlan, name: str) -> DeviceQueue:
        rings = self._map.rings(
            plan.size, USER_BASE + plan.desc, USER_BASE + plan.avail, USER_BASE + plan.used
        )
        return DeviceQueue(
            self._map,
            plan.size,
            rings.desc,
            rings.avail,
            rings.used,
            event_idx=self._queues.event_idx,
            indirect=self._queues.indirect,
            reserved=rings.reserved,
            name=name,
        )

    def send(self, frame: bytes, cookie: int) -> bool:
        return self._queues.send(frame, cookie)

    def dispatch(self, now: float) -> list[Received]:
        if self._gone is not None:
            raise self._gone
        self._queues.publish()
        try:
            self._pump.process(self._cmdq, self._eventq, now)
        except DeviceGone as gone:
            # What it answered before it hung up still counts.
            self._gone = gone
        found = self._queues.reap()
        if not found and self._gone is not None:
            raise self._gone
        self._reposted = any(frame.queue == EVENTS for frame in found)
        return found

    def fileno(self) -> int | None:
        return None

    def next_deadline(self) -> float | None:
        # There may be more events than there were buffers for.
        return 0.0 if self._reposted or self._gone else self._pump.next_deadline()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._pump.close()
        self._cmdq.close()
        if self._eventq is not None:
            self._eventq.close()
        self._queues.close()
