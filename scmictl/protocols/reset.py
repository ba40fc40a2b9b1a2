"""The reset domain protocol (0x16): assert, deassert, pulse (reference part A, section 8)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    AsyncRequest,
    Bits,
    Delayed,
    Effect,
    Notification,
    Request,
    Response,
    bits,
    flag,
    text,
    u32,
    word,
)

ID = 0x16
COLD_RESET = 0x00000000
"""The one architectural reset state."""
OLD_COLD_RESET = 0x80000001
"""What Linux before 5.10 sends for a cold reset."""
UNKNOWN_LATENCY = 0xFFFFFFFF
"""The latency that means not given."""


class Signal(IntEnum):
    """What RESET does to the reset signal when it is not autonomous."""

    DEASSERT = 0
    ASSERT = 1


class ResetType(IntEnum):
    """Who defines a reset state."""

    ARCHITECTURAL = 0
    IMPLEMENTATION_DEFINED = 1


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the reset domain protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's reset domain protocol has."""

    num_reset_domains = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many reset domains there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 8, 0x1",
):
    """Ask how many reset domains there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the reset domain protocol."""


class AttributesWord(Bits):
    """What a reset domain can do."""

    async_supported = flag(31, "RESET can be asynchronous")
    notifications_supported = flag(30)
    extended_name = flag(29, "RESET_DOMAIN_NAME_GET has the whole name", since=0x30000)


class DomainAttributesResponse(Response):
    """A reset domain's name and abilities."""

    attributes: AttributesWord = word(AttributesWord)
    latency: int = u32("the most a reset takes; 0xFFFFFFFF = not given", unit="us")
    name: str = text(16)


class DomainAttributes(
    Request[DomainAttributesResponse],
    protocol=ID,
    id=0x3,
    spec="RESET_DOMAIN_ATTRIBUTES",
    section="A 8, 0x3",
):
    """Describe a reset domain."""

    domain_id: int = u32()


class Flags(Bits):
    """How to reset: 0 deasserts, 1 is a whole reset cycle, 2 asserts, 5 is 1 asynchronously."""

    async_ = flag(2, "answer at once, reset later; only together with autonomous")
    explicit = bits(1, 1, "the signal; ignored with autonomous", enum=Signal)
    autonomous = flag(0, "the platform does the whole cycle")


class ResetState(Bits):
    """A kind of reset; 0x0 is the architectural cold reset."""

    reset_type = bits(31, 31, enum=ResetType)
    reset_id = bits(30, 0, "0 if architectural")


class ResetResponse(Response):
    """The reset is done, or the asynchronous reset is accepted."""


class Complete(Delayed, protocol=ID, id=0x4, spec="RESET_COMPLETE", section="A 8, delayed 0x4"):
    """An asynchronous reset is done."""

    domain_id: int = u32()


class Reset(
    AsyncRequest[ResetResponse, Complete],
    protocol=ID,
    id=0x4,
    spec="RESET",
    section="A 8, 0x4",
    effect=Effect.WRITE,
    # Only a deassertion, which has no flag set, does no harm.
    hurts=("flags",),
    async_when=("flags.async_",),
):
    """Reset a domain, or assert or deassert its reset signal."""

    domain_id: int = u32()
    flags: Flags = word(Flags)
    reset_state: ResetState = word(ResetState, default=COLD_RESET)


class Issued(
    Notification,
    protocol=ID,
    id=0x0,
    spec="RESET_ISSUED",
    section="A 8, notification 0x0",
):
    """A domain was reset."""

    agent_id: int = u32("agent that caused the reset; 0 = platform")
    domain_id: int = u32()
    reset_state: ResetState = word(ResetState)


class NotifyResponse(Response):
    """The setting is stored."""


class Notify(
    Request[NotifyResponse],
    protocol=ID,
    id=0x5,
    spec="RESET_NOTIFY",
    section="A 8, 0x5",
    subscribes=Issued,
    offered=("attributes.notifications_supported",),
):
    """Switch the notification of a domain's resets on or off."""

    domain_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class DomainNameGetResponse(Response):
    """A reset domain's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class DomainNameGet(
    Request[DomainNameGetResponse],
    protocol=ID,
    id=0x6,
    spec="RESET_DOMAIN_NAME_GET",
    since=0x30000,
    section="A 8, 0x6",
):
    """Read the whole name of a reset domain whose name has more than 15 characters."""

    domain_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x30001):
    """Ask the platform to speak another version of the reset domain protocol to this agent."""


PROTOCOL = Protocol(
    "reset",
    ID,
    title="Reset domain management",
    versions=(0x10000, 0x30000, 0x30001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DomainAttributes,
        Reset,
        Notify,
        DomainNameGet,
        NegotiateProtocolVersion,
    ),
    notifications=(Issued,),
    resources=Resources(
        "reset domain",
        count="attributes.num_reset_domains",
        describe=DomainAttributes,
        id="domain_id",
        name="name",
        extended="attributes.extended_name",
        name_get=DomainNameGet,
    ),
)
