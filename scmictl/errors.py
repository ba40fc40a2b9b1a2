"""Every exception of scmictl: one tree, each class with its exit code.

An error's text is one line that says what was found and what was expected; ``hint`` says what
to do about it. *Local* means that we would have broken a rule, *remote* that the peer did.
"""

from __future__ import annotations


class ScmictlError(Exception):
    """The root of everything scmictl raises on purpose."""

    exit_code: int = 1
    name: str = "ERROR"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ScmictlError):
    """What was typed cannot be understood: syntax, names, options, files."""

    exit_code = 2
    name = "USAGE"


class BoardError(UsageError):
    """A board file is wrong; the text names file, key, what was found and what was expected."""

    name = "BOARD"


class NotOffered(ScmictlError):
    """The platform (or the connection) does not offer what was asked for."""

    exit_code = 7
    name = "NOT_OFFERED"


class Refused(ScmictlError):
    """scmictl itself declines: read-only, or a dangerous write that nobody confirmed."""

    exit_code = 9
    name = "REFUSED"


class ExpectationFailed(ScmictlError):
    """An ``expect``, ``assert``, ``wait`` or ``quiet`` did not hold."""

    exit_code = 6
    name = "EXPECTATION_FAILED"


class Partial(ScmictlError):
    """Some rows of a list could not be read; the others were printed."""

    exit_code = 8
    name = "PARTIAL"


class CriteriaNotMet(ScmictlError):
    """A watch, check or benchmark ended before what it was to reach."""

    exit_code = 10
    name = "CRITERIA_NOT_MET"


class OutputError(ScmictlError):
    """Standard output could not be written (a full disk, say)."""

    exit_code = 11
    name = "OUTPUT"


class StatusError(ScmictlError):
    """The platform answered with an SCMI status other than SUCCESS.

    ``status`` is the number on the wire, ``request`` the specification name of the message that
    was refused. The exit code is ``20 - status`` for -1 to -12 and 39 for every other status.
    """

    def __init__(
        self, message: str, *, status: int, name: str, request: str = "", hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request = request
        self.name = name
        self.exit_code = 20 - status if -12 <= status <= -1 else 39


class TransportError(ScmictlError):
    """The connection to the device, not what was said over it, is at fault."""

    exit_code = 3
    name = "TRANSPORT"


class ConnectError(TransportError):
    """The target cannot be reached, or the handshake failed."""

    name = "UNREACHABLE"


class DeviceGone(TransportError):
    """The device hung up, or its queue does not move any more."""

    exit_code = 12
    name = "DEVICE_GONE"


class TransferTimeout(ScmictlError):
    """No answer within the time given, from a device that is otherwise alive."""

    exit_code = 4
    name = "TIMEOUT"


class Interrupted(ScmictlError):
    """The person at the keyboard (or SIGTERM) asked to stop."""

    exit_code = 130
    name = "INTERRUPTED"

    def __init__(self, message: str = "interrupted", *, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ProtocolError(ScmictlError):
    """A rule of SCMI, virtio or vhost-user is broken."""

    exit_code = 5
    name = "PROTOCOL"


class LocalProtocolError(ProtocolError):
    """We would break a rule: a value does not fit its field, a call comes in the wrong state."""

    exit_code = 2
    name = "LOCAL_PROTOCOL"


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule.

    ``partial`` holds what could be read before the fault (a message object or a list), so that
    lists keep every good row; None where nothing could.
    """

    name = "REMOTE_PROTOCOL"

    def __init__(self, message: str, *, hint: str | None = None, partial: object = None) -> None:
        super().__init__(message, hint=hint)
        self.partial = partial


class QueueBroken(RemoteProtocolError):
    """The other end of a virtqueue broke its rules; the queue must not be used any more."""

    name = "QUEUE_BROKEN"
