"""The vhost-user control protocol on a Unix socket, both ends.

A *frontend* owns memory and the driver's end of the queues; a *backend* runs the device. They
talk over one stream socket: requests one way, replies the other, descriptors (memory files,
eventfds) alongside.

    messages    numbers, flag words, feature bits, payload layouts and their checks; no I/O
    connection  one message at a time over one socket, with the descriptors that belong to it
    notifier    eventfds: make one, signal it, clear it, judge one that came from a peer
    memory      shared memory: make it (frontend), check and map it (backend)
    frontend    the control side of a driver: connect, negotiate, set up, stop
    ring        what a frontend has said about one queue, and when that makes it run
    backend     one session with one frontend, as a state machine fed by its messages
    listener    the socket file a backend waits behind

May import: ``virtio`` (only ``memory``, ``ring`` and ``backend`` do) and ``errors``. This is the
only package that imports ``socket``. Linux only: eventfd, memfd, SCM_RIGHTS.

To add a request: its number and its row in ``messages.RULES`` (and a layout, if it is a new
one), then one method in ``backend.Backend`` and its line in ``backend.HANDLERS``; if it
depends on a protocol feature, the bit in ``messages`` and in ``backend.PROTOCOL_OFFER``.
"""
