"""Split virtqueues over a plain buffer, both ends: how frames cross shared memory.

The driver end (``driver``: cmdq and eventq) and the device end (``device``: any queue) know
neither sockets nor file descriptors nor the clock. They read and write memory and *return*
what the caller has to do: kick or signal the other side, look again, give up. ``memory`` is
where each side thinks a byte lies, ``layout`` where everything goes, ``ring`` what both ends
have in common (publish, arm, disarm), ``fence`` the memory barriers.

May import: nothing of scmictl but ``errors``.

To extend: a new ring feature is a flag number in ``layout`` and a keyword of the ends; its
test goes through both ends in ``tests/virtio/test_ends.py`` and gets a hostile twin in
``test_hostility.py``. Whatever the other side can write is read once into private memory,
checked there, and a broken rule is a ``QueueBroken`` that says found and expected.
"""
