"""The device end: takes chains off any virtqueue and gives them back used.

Theory of operation: ``pop`` takes the next available chain, ``push`` gives it back with the
bytes for its writable part, at once or much later and in any order; ``publish`` shows what
was pushed (and says whether to signal). A chain counts as in flight from pop to push. When
the frontend sends another memory table, ``replace_memory`` moves the queue and every chain in
flight over. ``next_avail`` is what GET_VRING_BASE answers; a restarted ring is a new queue.

The driver is hostile until checked. A *ring fault* (an index, address or chain that breaks
the rules) breaks the queue. A *bad command* (no writable part, too little of it, an odd
request) is no fault of the ring: it is handed out, to be given back with what is legal.
"""

from __future__ import annotations

from scmictl.errors import LocalProtocolError, QueueBroken

from .chain import Chain, ChainReader
from .layout import RingLayout
from .memory import MemoryMap
from .ring import IDX, RING, RingEnd


class DeviceQueue(RingEnd):
    """The device end of one ring.

    ``memory`` translates the addresses in descriptors. ``desc``, ``avail``, ``used``: the
    bytes of the three parts; ``reserved``: their guest addresses, which no buffer may touch
    (``MemoryMap.rings`` gives all four). ``next_avail``: what SET_VRING_BASE said. Where to
    go on in the used ring is read from used.idx. Making a queue writes nothing.

    Raises LocalProtocolError for a bad size, a part too small for it, or a big-endian machine.
    """

    __slots__ = ("_entries", "_in_flight", "_indirect", "_offered", "_reader")

    def __init__(
        self,
        memory: MemoryMap,
        size: int,
        desc: memoryview,
        avail: memoryview,
        used: memoryview,
        *,
        next_avail: int = 0,
        event_idx: bool,
        indirect: bool,
        reserved: tuple[tuple[int, int], ...] = (),
        name: str = "queue",
    ) -> None:
        own, peer = _halves(name, size, desc, avail, used)
        super().__init__(name, size, own, peer, event_idx=event_idx, seen=next_avail, added=0)
        self._next = self._published = self._own[IDX]
        self._offered = self._seen
        """The avail.idx last read: entries up to it are taken without reading it again."""
        self._in_flight: dict[int, Chain] = {}
        self._indirect = indirect
        self._reader = ChainReader(memory, size, desc, indirect=indirect, reserved=reserved)
        self._entries = used[4 : 4 + 8 * size].cast("I")

    @property
    def next_avail(self) -> int:
        """The index of the next available entry to take (for GET_VRING_BASE)."""
        return self._seen

    @property
    def in_flight(self) -> int:
        """How many chains are popped and not pushed."""
        return len(self._in_flight)

    @property
    def taken(self) -> bool:
        """Whether the driver has said that it has taken every chain pushed.

        It says so by asking for a signal with the next one. Without EVENT_IDX nobody can know.
        """
        return self._open and self._event_idx and self._peer[self._peer_event] == self._next

    def pop(self) -> Chain | None:
        """Take the next available chain; None if there is none.

        Raises QueueBroken when the driver broke a rule of the ring, now or before;
        LocalProtocolError when the queue is closed.
        """
        if not self._open:
            self._refuse()
        seen = self._seen
        size = self.size
        if seen == self._offered:
            idx = self._peer[IDX]
            count = (idx - seen) & 0xFFFF
            if not count:
                return None
            if count > size:
                raise self._break(
                    f"avail.idx went from {seen} to {idx}, expected {size} (queue size) "
                    "or fewer more"
                )
            # The driver writes descriptors and entry, then idx: read them in the other order.
            self._fence.order()
            self._offered = idx
        head = self._peer[RING + (seen & (size - 1))]
        if head >= size:
            raise self._break(
                f"available entry {seen} has head {head}, expected less than {size} (queue size)"
            )
        if head in self._in_flight:
            raise self._break(
                f"available entry {seen} has head {head} again, expected one not in flight"
            )
        fault = None
        try:
            chain = self._reader.read(head)
        except QueueBroken as raised:
            # Raised anew outside: the traceback would keep views of the memory alive.
            fault = raised.message
        if fault is not None:
            raise self._break(f"chain {head}: {fault}")
        self._in_flight[head] = chain
        self._seen = (seen + 1) & 0xFFFF
        return chain

    def push(self, chain: Chain, data: bytes) -> int:
        """Give ``chain`` back with as much of ``data`` as it has room for; returns how much.

        The driver sees it after publish(). Raises LocalProtocolError when the chain is not in
        flight on this queue or the queue is closed, QueueBroken when it is broken.
        """
        if not self._open:
            self._refuse()
        head = chain.head
        if self._in_flight.get(head) is not chain:
            raise LocalProtocolError(
                f"{self.name}: chain {head} is given back, expected one that is in flight"
            )
        del self._in_flight[head]
        length = chain.write(data)
        entry = self._next
        place = (entry & (self.size - 1)) << 1
        self._entries[place] = head
        self._entries[place + 1] = length
        self._next = (entry + 1) & 0xFFFF
        return length

    def rearm(self) -> None:
        """Let the next publish() that shows anything ask for a signal unconditionally.

        For a call fd that was replaced. A new queue starts like that. Raises like ``push``.
        """
        if not self._open:
            self._refuse()
        self._first = True

    def replace_memory(
        self,
        memory: MemoryMap,
        views: tuple[memoryview, memoryview, memoryview],
        reserved: tuple[tuple[int, int], ...] = (),
    ) -> None:
        """Go over to another memory table; ``views`` are desc, avail, used in it.

        Chains in flight are translated again; afterwards nothing here refers to the old
        memory. Raises QueueBroken when a chain in flight lies outside the new table,
        LocalProtocolError when a part is too small or the queue is closed.
        """
        if not self._open:
            self._refuse()
        desc, avail, used = views
        own, peer = _halves(self.name, self.size, desc, avail, used)
        self._release()
        self._attach(own, peer)
        self._entries = used[4 : 4 + 8 * self.size].cast("I")
        self._reader = ChainReader(
            memory, self.size, desc, indirect=self._indirect, reserved=reserved
        )
        fault = None
        for chain in self._in_flight.values():
            try:
                chain.move(memory)
            except QueueBroken as raised:
                fault = f"chain {chain.head}, in flight: {raised.message}"
                break
        if fault is not None:
            raise self._break(fault)

    def close(self) -> None:
        """Stop using the queue, let go of its memory and of every chain in flight.

        Repeatable; never raises. ``next_avail`` stays readable.
        """
        self._open = False
        self._release()
        self._in_flight.clear()

    def _release(self) -> None:
        self._own.release()
        self._peer.release()
        self._entries.release()
        self._reader.release()
        for chain in self._in_flight.values():
            chain.release()


def _halves(
    name: str, size: int, desc: memoryview, avail: memoryview, used: memoryview
) -> tuple[tuple[memoryview, int], tuple[memoryview, int]]:
    """The used half (ours) and the available half (the driver's), each with its event."""
    layout = RingLayout(size)
    for part, view, expected in (
        ("descriptor table", desc, layout.desc_size),
        ("available ring", avail, layout.avail_size),
        ("used ring", used, layout.used_size),
    ):
        if view.nbytes < expected:
            raise LocalProtocolError(
                f"{name}: {part} of {view.nbytes} bytes, expected {expected} for {size} entries"
            )
    return (
        (used[: layout.used_size], layout.avail_event),
        (avail[: layout.avail_size], layout.used_event),
    )
