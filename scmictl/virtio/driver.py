"""The driver end: puts commands and event buffers into the ring, takes back what is used.

Theory of operation: each slot of the plan is a request part, a response part, and descriptors
that never change but for the request's length; they are written once. ``submit`` copies a
frame into a free slot, ``publish`` shows all submitted ones to the device (and says whether
to kick), ``reap`` takes back the used ones in whatever order the device used them. A slot is
free again only when the device has returned it: a command that timed out keeps its slot.
``take_back`` ends it all and names the commands that never came back.

The device is hostile until checked. It can write anything into the region at any time, so
nothing in the region is ever read but used.idx, the used entries, used.flags, avail_event and
responses, each once; where a buffer lies and what is in flight is known privately.
"""

from __future__ import annotations

from scmictl.errors import LocalProtocolError, QueueBroken

from .layout import DESC_INDIRECT, DESC_NEXT, DESC_WRITE, DESCRIPTOR, QueuePlan, RingLayout
from .ring import IDX, RING, RingEnd

BLANK = bytes(8)
"""Over the header and status of a response part before the device gets it."""


class DriverEnd(RingEnd):
    """Slots, descriptors and the used ring: the mechanics of both driver queues.

    ``view``: the bytes of the region; ``plan``: this queue's part of it; ``base``: the guest
    address of the region's first byte. ``start``: the index both rings begin at, as said by
    SET_VRING_BASE. Writes the descriptors and clears both rings; the device must not run yet.
    """

    __slots__ = (
        "_buffers",
        "_fresh",
        "_memory",
        "_offset",
        "_pending",
        "_room",
        "_shift",
        "_stride",
        "_used",
    )

    def __init__(
        self,
        view: memoryview,
        plan: QueuePlan,
        base: int,
        *,
        event_idx: bool,
        start: int = 0,
        name: str,
    ) -> None:
        ring = RingLayout(plan.size)
        if view.readonly or view.format != "B" or view.nbytes < plan.end:
            raise LocalProtocolError(
                f"{name}: {view.nbytes} bytes of memory (format {view.format}, readonly "
                f"{view.readonly}), expected at least {plan.end} writable bytes"
            )
        end = plan.used + ring.used_size
        super().__init__(
            name,
            plan.size,
            (view[plan.avail : plan.avail + ring.avail_size], ring.used_event),
            (view[plan.used : end], ring.avail_event),
            event_idx=event_idx,
            seen=start,
            added=start,
        )
        self._memory = view[:]
        self._used = view[plan.used + 4 : plan.used + 4 + 8 * plan.size].cast("I")
        self._buffers = plan.buffers
        self._offset = plan.response_at(0) - plan.buffers
        self._stride = plan.stride
        self._room = plan.response_room
        # Two descriptors of the ring for each slot, or one: head = slot << shift.
        self._shift = 0 if plan.table or not plan.request_room else 1
        self._pending: dict[int, int] = {}
        """Cookie by head, in the order of submission."""
        self._fresh: list[int] = []
        """Heads the device was not shown yet."""
        view[plan.desc : end] = bytes(end - plan.desc)
        self._own[IDX] = self._seen
        self._peer[IDX] = self._seen
        self.disarm()
        _describe(view, plan, base)

    def publish(self) -> bool:
        """Show the device every chain added so far; True if it has to be kicked.

        Raises QueueBroken when the queue is broken, LocalProtocolError when it is closed.
        """
        self._fresh.clear()
        return super().publish()

    def close(self) -> None:
        """Stop using the queue and let go of its memory. Repeatable; never raises."""
        super().close()
        self._used.release()
        self._memory.release()

    def _offer(self, head: int, cookie: int, response: int) -> None:
        """Add the chain at ``head``, whose response part lies at offset ``response``."""
        # Whatever the device claims to have written, an older answer is not read as this one.
        self._memory[response : response + 8] = BLANK
        self._pending[head] = cookie
        self._fresh.append(head)
        entry = self._next
        self._own[RING + (entry & (self.size - 1))] = head
        self._next = (entry + 1) & 0xFFFF

    def _collect(self, done: list[tuple[int, bytes]], freed: list[int]) -> None:
        """Take back every chain used so far: (cookie, copy of what was written) and its head.

        On QueueBroken ``done`` holds what came before the fault.
        """
        if not self._open:
            self._refuse()
        idx = self._peer[IDX]
        seen = self._seen
        count = (idx - seen) & 0xFFFF
        if not count:
            return
        pending = self._pending
        fresh = self._fresh
        in_flight = len(pending) - len(fresh)
        if count > in_flight:
            raise self._break(
                f"used.idx went from {seen} to {idx}, expected {in_flight} or fewer more: "
                "only so many chains are in flight"
            )
        # The device writes the entry and the buffer, then idx: read them in the other order.
        self._fence.order()
        used = self._used
        memory = self._memory
        mask = self.size - 1
        shift = self._shift
        room = self._room
        first = self._buffers + self._offset
        for entry in range(seen, seen + count):
            place = (entry & mask) << 1
            head = used[place]
            length = used[place + 1]
            cookie = pending.get(head)
            if cookie is None or (fresh and head in fresh):
                raise self._stranger(entry & 0xFFFF, head)
            del pending[head]
            if length > room:
                length = room
            at = first + (head >> shift) * self._stride
            done.append((cookie, bytes(memory[at : at + length])))
            freed.append(head)
        self._seen = idx

    def _stranger(self, entry: int, head: int) -> QueueBroken:
        if head >= self.size:
            return self._break(
                f"used entry {entry} has id {head}, expected less than {self.size} (queue size)"
            )
        return self._break(
            f"used entry {entry} has id {head}, expected the head of a chain in flight"
        )


class DriverQueue(DriverEnd):
    """The cmdq of a driver: commands out, responses back, each with its cookie.

    ``capacity`` is how many commands can be in flight. See ``DriverEnd`` for the arguments.
    """

    __slots__ = ("_free", "_words", "capacity", "request_room")

    def __init__(
        self,
        view: memoryview,
        plan: QueuePlan,
        base: int,
        *,
        event_idx: bool,
        start: int = 0,
        name: str = "cmdq",
    ) -> None:
        super().__init__(view, plan, base, event_idx=event_idx, start=start, name=name)
        self.capacity = plan.slots
        self.request_room = plan.request_room
        self._free = [slot << self._shift for slot in reversed(range(plan.slots))]
        table = plan.table or plan.desc
        self._words = view[table : table + 32 * plan.slots].cast("I")

    @property
    def pending(self) -> list[int]:
        """The cookies submitted and not reaped, oldest first."""
        return list(self._pending.values())

    def submit(self, frame: bytes, cookie: int) -> bool:
        """Put a command into the ring; False if it is full (reap, then try again).

        ``cookie`` comes back with the response. The device sees the command after publish().
        Raises LocalProtocolError when the frame is empty, larger than ``request_room`` or the
        queue is closed, QueueBroken when it is broken.
        """
        if not self._open:
            self._refuse()
        length = len(frame)
        if not 0 < length <= self.request_room:
            raise LocalProtocolError(
                f"{self.name}: a frame of {length} bytes, expected 1 to {self.request_room}"
            )
        if not self._free:
            return False
        head = self._free.pop()
        slot = head >> self._shift
        at = self._buffers + slot * self._stride
        self._memory[at : at + length] = frame
        self._words[(slot << 3) + 2] = length
        self._offer(head, cookie, at + self._offset)
        return True

    def reap(self) -> list[tuple[int, bytes]]:
        """Take back every command used so far: its cookie and the bytes the device wrote.

        The bytes are a copy of exactly as many as the device says it wrote (none may be), at
        most the response room. Works without arm() and without being told: for polling.
        Raises QueueBroken (its ``partial``: the list up to the fault), LocalProtocolError.
        """
        done: list[tuple[int, bytes]] = []
        try:
            self._collect(done, self._free)
        except QueueBroken as fault:
            fault.partial = done
            raise
        return done

    def take_back(self) -> list[int]:
        """Close the queue and return the cookies that never came back, oldest first.

        Only after the device has stopped (or is gone): it may still write into the buffers.
        """
        cookies = self.pending
        self._pending.clear()
        self._fresh.clear()
        self.close()
        return cookies

    def close(self) -> None:
        """Stop using the queue and let go of its memory. Repeatable; never raises."""
        super().close()
        self._words.release()


class EventQueue(DriverEnd):
    """The eventq of a driver: every buffer is posted when made and again when read out.

    Both become visible with publish(): after making the queue, and after each reap(). See
    ``DriverEnd`` for the arguments.
    """

    __slots__ = ()

    def __init__(
        self,
        view: memoryview,
        plan: QueuePlan,
        base: int,
        *,
        event_idx: bool,
        start: int = 0,
        name: str = "eventq",
    ) -> None:
        super().__init__(view, plan, base, event_idx=event_idx, start=start, name=name)
        self._post(range(plan.slots))

    def reap(self) -> list[bytes]:
        """Take every event so far, a copy each, and post the buffers again.

        Raises QueueBroken (its ``partial``: the events up to the fault), LocalProtocolError.
        """
        done: list[tuple[int, bytes]] = []
        heads: list[int] = []
        try:
            self._collect(done, heads)
        except QueueBroken as fault:
            fault.partial = [data for _, data in done]
            raise
        self._post(heads)
        return [data for _, data in done]

    def _post(self, heads: list[int] | range) -> None:
        for head in heads:
            self._offer(head, head, self._buffers + head * self._stride)


def _describe(view: memoryview, plan: QueuePlan, base: int) -> None:
    """Write the descriptors of every slot: request then response, or the response alone."""
    pack = DESCRIPTOR.pack_into
    for slot in range(plan.slots):
        response = (base + plan.response_at(slot), plan.response_room, DESC_WRITE, 0)
        if not plan.request_room:
            pack(view, plan.desc + 16 * slot, *response)
            continue
        pair = (plan.table or plan.desc) + 32 * slot
        if plan.table:
            pack(view, plan.desc + 16 * slot, base + pair, 32, DESC_INDIRECT, 0)
        second = 1 if plan.table else 2 * slot + 1
        pack(view, pair, base + plan.request_at(slot), 0, DESC_NEXT, second)
        pack(view, pair + 16, *response)
