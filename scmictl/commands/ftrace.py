"""Linux's trace event `scmi_msg_dump`: frames as its SCMI driver saw them, without their headers.

Both print formats are understood, whatever prints them (trace_pipe, trace-cmd, perf):

    pt=15 t=CMND msg_id=06 seq=0000 s=0 pyld=0100000000000000
    id=0 ch=10 pt=15 t=RESP msg_id=06 seq=0000 s=0 pyld=3503000000000000

The second is that of all kernels which can have several SCMI platforms and a raw mode.

``t`` tells the kind of frame, in lower case where a user of the driver's raw mode sent it. The
status of an answer stands in ``s``, and not in the payload. A ``t`` with a ``!`` is a frame that
the driver did not take; of it only the header is known, and ``s`` says why.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scmictl.commands.notation import Damaged
from scmictl.values import shown
from scmictl.wire import header, status

EVENT = "scmi_msg_dump: "
_EVENT = re.compile(
    r"(?:\bid=(?P<instance>\d{1,10})\s+ch=[0-9a-fA-F]{2}\s+)?\bpt=(?P<protocol>[0-9a-fA-F]{2})\s+"
    r"t=(?P<tag>!?[A-Za-z]{3,5})\s+msg_id=(?P<message>[0-9a-fA-F]{2})\s+"
    r"seq=(?P<token>[0-9a-fA-F]{4})\s+s=(?P<status>-?\d{1,10})\s+pyld=(?P<payload>.*)"
)
_PAIRS = re.compile("(?:[0-9a-fA-F]{2})*")
_OTHER = re.compile(r"\b(?:scmi_(?!msg_dump)[a-z_]+): ")
_TYPES = {
    "CMND": (header.COMMAND, True),
    "RESP": (header.COMMAND, False),
    "DLYD": (header.DELAYED, False),
    "NOTI": (header.NOTIFICATION, False),
}
_REFUSED = {"RES": header.COMMAND, "DLY": header.DELAYED, "NOT": header.NOTIFICATION,
            "UNK": header.RESERVED}  # fmt: skip
# Older kernels keep four characters of such a tag.
_REASONS = {
    -1: "unexpected",
    -2: "invalid",
    -3: "unknown",
    -4: "no memory for it",
    -5: "a spurious interrupt of the mailbox",
}
_BLAMELESS = (-4, -5)
_NEAR = 16
"""How many frames after its response a request can still come."""
_KEPT = 4096
"""How many requests and responses are remembered, before all are forgotten."""


class Event(NamedTuple):
    """One line. ``refused`` says why the driver did not take the frame, which then is a header;
    ``blameless`` that the frame was not the reason.

    ``overwritten``: the payload of this request is that of its response.
    """

    frame: bytes
    outgoing: bool
    instance: int
    """Which of the SCMI devices of the machine it was."""
    refused: str | None = None
    blameless: bool = False
    overwritten: bool = False


class Trace:
    """Reads the lines of one trace in their order.

    Theory of operation. The driver writes the line of a request when it has sent it. The platform
    can be faster: then the line of the response comes first, and the request's shows the response's
    payload, because both share a buffer. So every response without a request is remembered for a
    few frames.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sent: set[tuple[int, int]] = set()
        self._early: dict[tuple[int, int], tuple[int, bytes]] = {}
        """By instance and header word: after how many frames a response came, and its payload."""

    def read(self, line: str) -> Event | None:
        """Return the frame of a line, or None for a line of something else.

        Raises Damaged for a line of this event that is.
        """
        match = _EVENT.search(line)
        if match is None:
            if EVENT in line:
                rest = shown(line.partition(EVENT)[2][:60].strip())
                raise Damaged(
                    f"found {rest!r}, an unknown format of scmi_msg_dump, "
                    "expected pt= t= msg_id= seq= s= pyld=",
                    b"",
                )
            return None
        instance = int(match["instance"] or 0)
        tag = match["tag"].upper()
        kind = _TYPES.get(tag)
        refused = _REFUSED.get(tag[1:4]) if tag.startswith("!") else None
        payload, fault = _payload(match["payload"])
        if kind is None and refused is None:
            raise Damaged(f"t={match['tag']}, expected CMND, RESP, DLYD or NOTI", payload)
        token, code = int(match["token"], 16), int(match["status"])
        if token >= header.TOKENS:
            raise Damaged(
                f"seq={match['token']}, expected at most {header.TOKENS - 1:04X}", payload
            )
        if not -(1 << 31) <= code < 1 << 31:
            raise Damaged(f"s={match['status']}, expected a status of 32 bits", payload)
        numbers = int(match["message"], 16), int(match["protocol"], 16)
        if kind is None:
            assert refused is not None
            data = header.frame(numbers[0], refused, numbers[1], token, payload)
            if fault is not None:
                raise Damaged(fault, data, known=True, outgoing=False)
            why = _REASONS.get(code, f"reason {code}")
            return Event(data, False, instance, refused=why, blameless=code in _BLAMELESS)
        type_, outgoing = kind
        word = header.pack(numbers[0], type_, numbers[1], token)
        lost = tag in ("CMND", "RESP") and self._order((instance, word), outgoing, payload)
        if tag in ("RESP", "DLYD"):
            payload = status.WORD.pack(code) + payload
        frame = header.WORD.pack(word) + payload
        if fault is not None:
            raise Damaged(fault, frame, known=True, outgoing=outgoing, hint="the line was cut")
        return Event(frame, outgoing, instance, overwritten=lost)

    def _order(self, key: tuple[int, int], outgoing: bool, payload: bytes) -> bool:
        """Note a request or response; return whether a request came too late to be believed."""
        self._count += 1
        if len(self._sent) + len(self._early) > _KEPT:
            self._sent.clear()
            self._early.clear()
        if not outgoing:
            if key in self._sent:
                self._sent.discard(key)
            else:
                self._early[key] = self._count, payload
            return False
        when, answer = self._early.pop(key, (-_NEAR, b""))
        if self._count - when > _NEAR:
            self._sent.add(key)
            return False
        return bool(payload and answer)


def is_event(line: str) -> bool:
    """Return whether a line is one of the driver's other trace events."""
    return _OTHER.search(line) is not None


def _payload(text: str) -> tuple[bytes, str | None]:
    """Return the bytes in hex digits, as far as there are any, and what is wrong behind them."""
    digits = "".join(text.split())
    match = _PAIRS.match(digits)
    assert match is not None
    whole = bytes.fromhex(match[0])
    # What follows is nothing of the kernel's: the end of a log line, say.
    rest = digits[match.end() :]
    if not rest:
        return whole, None
    found = f"and ends with {shown(rest[:60])!r}"
    return whole, f"pyld= has {len(digits)} characters {found}, expected pairs of hex digits"
