"""The messages that every protocol has (reference part A, section 2).

Each protocol subclasses them with its own number; their layouts are the same in all versions.
"""

from __future__ import annotations

from scmictl.wire import Bits, Effect, Request, Response, bits, u32, word


class Version(Bits):
    """A protocol version."""

    major = bits(31, 16)
    minor = bits(15, 0)


class ProtocolVersionResponse(Response):
    """The newest version the platform speaks."""

    version: Version = word(Version)


class ProtocolVersion(
    Request[ProtocolVersionResponse], id=0x0, spec="PROTOCOL_VERSION", section="A 2, 0x0"
):
    """Ask which version of this protocol the platform speaks."""


class MessageAttributesResponse(Response):
    """The message exists; its attributes are protocol specific, 0 where nothing is defined."""

    attributes: int = u32()


class MessageAttributes(
    Request[MessageAttributesResponse],
    id=0x2,
    spec="PROTOCOL_MESSAGE_ATTRIBUTES",
    section="A 2, 0x2",
):
    """Ask whether the platform implements a message of this protocol."""

    message_id: int = u32("a command id, never that of a notification")


class NegotiateProtocolVersionResponse(Response):
    """The platform follows the version asked for from now on."""


class NegotiateProtocolVersion(
    Request[NegotiateProtocolVersionResponse],
    id=0x10,
    spec="NEGOTIATE_PROTOCOL_VERSION",
    section="A 2, 0x10",
    effect=Effect.SUBSCRIBE,
):
    """Ask the platform to speak another version of this protocol to this agent."""

    version: Version = word(Version)


class NotifyEnable(Bits):
    """The switch of a notification."""

    enable = bits(0, 0, "1 = send the notification, 0 = stop")
