"""Prints every message as it goes by, decoded, on stderr: the sink of --trace.

A line has the time since the first frame, the direction (``>`` to the platform, ``<`` from it,
``!`` unasked), the queue, the message with its token, and the fields in the notation of `call`:

    +0.000000 > cmdq   CLOCK_RATE_GET #3 clock_id=3
    +0.000041 < cmdq   CLOCK_RATE_GET #3 SUCCESS rate=24000000 (41 us)

Flags that are not set are left out. With JSON output each line is an object instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from scmictl.console import report
from scmictl.console.environment import Environment
from scmictl.console.terminal import safe
from scmictl.console.view import View
from scmictl.protocols.decoding import Decoder, Record

QUEUES = ("cmdq", "eventq")


class Frame(Protocol):
    """What has to be known of a frame: that is what a capture of a transport hands out."""

    @property
    def data(self) -> bytes: ...
    @property
    def outgoing(self) -> bool: ...
    @property
    def queue(self) -> int: ...
    @property
    def time(self) -> float:
        """Seconds of any clock that only goes forward."""


class Trace:
    """Takes the frames of one connection in their order. Call it with each.

    ``versions`` fixes the versions of protocols by their id, ``owner`` vendor and sub-vendor; what
    is not given is learned from the frames.
    """

    def __init__(
        self,
        versions: Mapping[int, int],
        environment: Environment,
        view: View | None = None,
        owner: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self.environment = environment
        self.view = view or View()
        self._decoder = Decoder(versions, *owner)
        self._start: float | None = None
        self._sent: dict[int, float] = {}
        """When the last request with a token left."""

    def __call__(self, frame: Frame) -> None:
        """Print one frame; never raises, whatever it holds and whether or not stderr is open."""
        if self._start is None:
            self._start = frame.time
        # What answers what has to be looked up before the decoder sees a token used again.
        answers = not frame.outgoing and self._decoder.request_of(frame.data) is not None
        record = self._decoder.decode(frame.data, outgoing=frame.outgoing)
        token = record["token"]
        latency = None
        if record["type"] == "request":
            self._sent[token] = frame.time
        elif answers:
            latency = max(frame.time - self._sent[token], 0.0) * 1e6
        at = max(frame.time - self._start, 0.0)
        if self.view.json_errors:
            report.event("trace", _object(frame, record, at, latency), self.environment)
        else:
            report.notice(_line(frame, record, at, latency), self.view, self.environment)


def _object(frame: Frame, record: Record, at: float, latency: float | None) -> Record:
    return {
        "time_us": round(at * 1e6),
        "outgoing": frame.outgoing,
        "queue": QUEUES[frame.queue],
        **record,
        "latency_us": None if latency is None else round(latency),
        "frame": frame.data.hex(),
    }


def _line(frame: Frame, record: Record, at: float, latency: float | None) -> str:
    sign = ">" if frame.outgoing else "!" if record["type"] == "notification" else "<"
    words = [f"+{at:.6f}", sign, f"{QUEUES[frame.queue]:6}"]
    if record["message"] is not None:
        words.append(_title(record))
    if record["type"] != "notification" and record["token"] is not None:
        words.append(f"#{record['token']}")
    if record["status"] is not None:
        words.append(record["status"])
    if record["error"] is not None:
        words.append(f"undecodable ({record['error']}): {frame.data.hex(' ')}")
    else:
        words += assignments(record["fields"])
        if record["surplus"]:
            words.append(f"surplus={record['surplus']}")
    if record.get("reserved"):
        words.append(f"header.reserved={record['reserved']}")
    if latency is not None:
        words.append(f"({latency:.0f} us)")
    return " ".join(words)


def _title(record: Record) -> str:
    """Return the message's name, with its protocol where the name alone does not tell it."""
    protocol, message = record["protocol"], record["message"]
    return message if message.startswith(protocol.upper()) else f"{protocol}.{message}"


def assignments(fields: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield fields in the notation of `call`: ``rate=24000000``, ``flags.async=true``."""
    for name, value in fields.items():
        yield from _assignment(prefix + name, value)


def _assignment(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        there = {key: part for key, part in value.items() if part is not False}
        if there:
            yield from assignments(there, f"{name}.")
        else:
            yield f"{name}=0"
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _assignment(f"{name}[{index}]", item)
    elif isinstance(value, list):
        yield f"{name}=[{','.join(map(_scalar, value))}]"
    else:
        yield f"{name}={_scalar(value)}"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    plain = value and not any(sign.isspace() or sign in "\"'\\=" for sign in value)
    return safe(value) if plain else f"'{safe(value)}'"
