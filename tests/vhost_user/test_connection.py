"""Framing and descriptors, against a plain socket at the other end."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from scmictl.errors import Interrupted, RemoteProtocolError, TransportError
from scmictl.vhost_user.connection import MAX_FDS, Connection
from scmictl.vhost_user.messages import Header

Pair = tuple[socket.socket, socket.socket]

GET_FEATURES = bytes.fromhex("01000000 01000000 00000000")
SET_OWNER = bytes.fromhex("03000000 01000000 00000000")
SET_FEATURES = bytes.fromhex("02000000 01000000 08000000 0000007001000000")


def anything(header: Header) -> None:
    """Accept every header."""


@pytest.fixture
def connection(pair: Pair) -> Iterator[Connection]:
    made = Connection(pair[0], half_message=2.0)
    yield made
    made.close()


@pytest.fixture
def far(pair: Pair) -> socket.socket:
    return pair[1]


def test_a_message_is_sent_whole(connection: Connection, far: socket.socket) -> None:
    connection.send(2, bytes.fromhex("0000007001000000"))
    assert far.recv(4096) == SET_FEATURES


def test_descriptors_ride_on_the_first_byte_and_stay_the_senders(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    fds = [eventfd(), eventfd()]
    connection.send(12, bytes(8), fds=fds)
    data, received, _, _ = socket.recv_fds(far, 1, 8)
    assert data == b"\x0c"
    assert len(received) == 2
    os.eventfd_write(fds[1], 7)
    assert os.eventfd_read(received[1]) == 7
    for fd in received:
        os.close(fd)


def test_a_received_message_owns_its_descriptors_until_they_are_taken(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES], [eventfd(), eventfd()])
    message = connection.read(0.0, anything)
    assert message is not None
    assert (message.request, message.flags) == (2, 1)
    assert message.payload == bytes.fromhex("0000007001000000")
    assert message.fds == 2
    fds = message.take()
    assert message.fds == 0
    assert [os.get_inheritable(fd) for fd in fds] == [False, False]
    for fd in fds:
        os.close(fd)


def test_descriptors_nobody_takes_are_closed(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES], [eventfd(), eventfd()])
    message = connection.read(0.0, anything)
    assert message is not None
    message.close()


def test_a_message_may_come_byte_by_byte(connection: Connection, far: socket.socket) -> None:
    for byte in SET_FEATURES[:-1]:
        far.send(bytes([byte]))
        assert connection.read(0.0, anything) is None
    far.send(SET_FEATURES[-1:])
    message = connection.read(0.0, anything)
    assert message is not None
    assert message.payload == SET_FEATURES[12:]


def test_messages_that_come_together_are_kept_apart_with_their_descriptors(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    far.send(SET_FEATURES + GET_FEATURES)
    socket.send_fds(far, [SET_OWNER], [eventfd()])
    found = []
    while (message := connection.read(0.0, anything)) is not None:
        found.append((message.request, message.fds))
        message.close()
    assert found == [(2, 0), (1, 0), (3, 1)]


def test_the_end_between_messages_is_a_hang_up(connection: Connection, far: socket.socket) -> None:
    far.send(GET_FEATURES)
    far.close()
    assert connection.read(0.0, anything) is not None
    with pytest.raises(ConnectionError):
        connection.read(0.0, anything)


def test_a_peer_that_closes_with_something_unread_has_hung_up_too(
    connection: Connection, far: socket.socket
) -> None:
    connection.send(1)
    far.close()
    with pytest.raises(ConnectionError):
        connection.read(0.0, anything)


@pytest.mark.parametrize(
    ("size", "text"),
    [(1, "1 of 12 header bytes"), (12, "SET_FEATURES: 0 of 8 payload"), (19, "7 of 8 payload")],
)
def test_the_end_inside_a_message_breaks_the_protocol(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int], size: int, text: str
) -> None:
    socket.send_fds(far, [SET_FEATURES[:size]], [eventfd()])
    far.close()
    with pytest.raises(RemoteProtocolError, match=f"{text}.* and then the end"):
        connection.read(0.0, anything)


def test_half_a_message_has_a_time_limit_that_more_bytes_do_not_extend(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES[:13]], [eventfd()])
    assert connection.read(100.0, anything) is None
    assert connection.deadline == 102.0
    far.send(SET_FEATURES[13:14])
    assert connection.read(101.9, anything) is None
    assert connection.deadline == 102.0
    with pytest.raises(RemoteProtocolError, match="2 of 8 payload bytes and then nothing for 2 s"):
        connection.read(102.0, anything)


def test_a_whole_message_ends_the_time_limit(connection: Connection, far: socket.socket) -> None:
    far.send(SET_FEATURES[:13])
    assert connection.read(100.0, anything) is None
    far.send(SET_FEATURES[13:])
    assert connection.read(200.0, anything) is not None
    assert connection.deadline is None


def test_a_header_is_judged_before_its_payload_is_waited_for(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    def refuse(header: Header) -> None:
        raise RemoteProtocolError(f"{header.size} bytes")

    socket.send_fds(far, [bytes.fromhex("02000000 01000000 ffffffff")], [eventfd()])
    with pytest.raises(RemoteProtocolError, match="4294967295 bytes"):
        connection.read(0.0, refuse)


def test_as_many_descriptors_as_there_is_room_for_are_taken(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES], [eventfd()] * MAX_FDS)
    message = connection.read(0.0, anything)
    assert message is not None
    assert message.fds == 32
    message.close()


def test_more_descriptors_than_that_are_an_error_and_closed(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES], [eventfd()] * (MAX_FDS + 2))
    with pytest.raises(RemoteProtocolError, match="expected at most 32"):
        connection.read(0.0, anything)


def test_descriptors_this_process_has_no_room_for_are_missed(
    connection: Connection,
    far: socket.socket,
    eventfd: Callable[[], int],
    exhausted: Callable[[], None],
) -> None:
    socket.send_fds(far, [SET_FEATURES], [eventfd(), eventfd()])
    exhausted()
    with pytest.raises(TransportError, match="this process may open no more"):
        connection.read(0.0, anything)


def test_descriptors_in_the_middle_of_a_message_are_an_error_and_closed(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    far.send(SET_FEATURES[:12])
    assert connection.read(0.0, anything) is None
    socket.send_fds(far, [SET_FEATURES[12:]], [eventfd()])
    with pytest.raises(RemoteProtocolError, match="expected them with the first byte"):
        connection.read(0.0, anything)


def test_closing_closes_the_descriptors_of_half_a_message(
    connection: Connection, far: socket.socket, eventfd: Callable[[], int]
) -> None:
    socket.send_fds(far, [SET_FEATURES[:5]], [eventfd()])
    assert connection.read(0.0, anything) is None
    connection.close()
    connection.close()
    assert connection.fileno() == -1


def test_sending_to_a_peer_that_is_gone_is_a_connection_error(
    connection: Connection, far: socket.socket
) -> None:
    far.close()
    with pytest.raises(ConnectionError):
        connection.send(1)


def test_sending_to_a_peer_that_does_not_read_does_not_block(connection: Connection) -> None:
    with pytest.raises(TimeoutError):
        for _ in range(100_000):
            connection.send(5, bytes(1032))


def test_waiting_for_a_message_has_a_time_limit(connection: Connection) -> None:
    with pytest.raises(TimeoutError):
        connection.receive(anything, deadline=0.0)


def test_waiting_for_the_rest_of_a_message_has_a_time_limit(pair: Pair) -> None:
    connection = Connection(pair[0], half_message=0.01)
    pair[1].send(SET_FEATURES[:13])
    with pytest.raises(RemoteProtocolError, match="1 of 8 payload bytes and then nothing"):
        connection.receive(anything, deadline=float("1e9"))
    connection.close()


def test_a_wake_up_ends_the_wait(pair: Pair, eventfd: Callable[[], int]) -> None:
    wake = eventfd()
    connection = Connection(pair[0], wake=wake)
    os.eventfd_write(wake, 1)
    with pytest.raises(Interrupted):
        connection.receive(anything, deadline=float("1e9"))
    # It is the owner's to clear.
    assert os.eventfd_read(wake) == 1
    connection.close()


def test_idle_sees_messages_and_hang_ups_without_taking_anything(
    connection: Connection, far: socket.socket
) -> None:
    assert connection.idle()
    far.send(GET_FEATURES)
    assert not connection.idle()
    assert connection.read(0.0, anything) is not None
    far.close()
    with pytest.raises(ConnectionError):
        connection.idle()


def test_other_ancillary_data_is_not_taken_for_descriptors(
    connection: Connection, pair: Pair
) -> None:
    near, far = pair
    near.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    fds = array.array("i")
    far.sendmsg([GET_FEATURES], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    message = connection.read(0.0, anything)
    assert message is not None
    assert message.fds == 0
