"""The power domain protocol (0x11): states of power domains (reference part A, section 4)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Request,
    Response,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x11
ON = 0x00000000
"""The power state of a device domain that is on: zero is on, not off."""
OFF = 0x40000000
"""The power state of a device domain that is off: its context is lost."""


class StateType(IntEnum):
    """What becomes of the context of a domain in a power state."""

    CONTEXT_PRESERVED = 0
    CONTEXT_LOST = 1


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the power domain protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's power domain protocol has."""

    num_power_domains = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many power domains there are, and where their statistics are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)
    statistics_address: int = u64("physical address; meaningless if statistics_len is 0", default=0)
    statistics_len: int = u32("0 = no statistics region", unit="B", default=0)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 4, 0x1",
):
    """Ask how many power domains there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the power domain protocol."""


class AttributesWord(Bits):
    """What a power domain can do; one without state_set_async and _sync cannot be set."""

    state_change_notifications = flag(31)
    state_set_async = flag(30, "POWER_STATE_SET can answer before the transition")
    state_set_sync = flag(29, "POWER_STATE_SET can answer after the transition")
    state_change_requested_notifications = flag(28, since=0x30000)
    extended_name = flag(27, "POWER_DOMAIN_NAME_GET has the whole name", since=0x30000)


class DomainAttributesResponse(Response):
    """A power domain's name and abilities."""

    attributes: AttributesWord = word(AttributesWord)
    name: str = text(16)


class DomainAttributes(
    Request[DomainAttributesResponse],
    protocol=ID,
    id=0x3,
    spec="POWER_DOMAIN_ATTRIBUTES",
    section="A 4, 0x3",
):
    """Describe a power domain."""

    domain_id: int = u32("16 bits wide, the upper half is 0")


class PowerState(Bits):
    """A power state; of a device 0x0 is on and 0x40000000 is off, others are the platform's own."""

    state_type = bits(30, 30, enum=StateType)
    state_id = bits(27, 0)


class StateSetFlags(Bits):
    """How to change a power state."""

    async_ = flag(0, "answer at once, change later; there is no delayed response")


class StateSetResponse(Response):
    """The state is reached, or the asynchronous change is accepted."""


class StateSet(
    Request[StateSetResponse],
    protocol=ID,
    id=0x4,
    spec="POWER_STATE_SET",
    section="A 4, 0x4",
    effect=Effect.WRITE,
    # Off, and every other state that costs the domain its context.
    hurts=("power_state.state_type",),
):
    """Set the power state of a domain."""

    flags: StateSetFlags = word(StateSetFlags, default=0)
    domain_id: int = u32()
    power_state: PowerState = word(PowerState)


class StateGetResponse(Response):
    """The current state, not one that was only asked for."""

    power_state: PowerState = word(PowerState)


class StateGet(
    Request[StateGetResponse], protocol=ID, id=0x5, spec="POWER_STATE_GET", section="A 4, 0x5"
):
    """Read the power state of a domain."""

    domain_id: int = u32()


class StateChanged(
    Notification,
    protocol=ID,
    id=0x0,
    spec="POWER_STATE_CHANGED",
    section="A 4, notification 0x0",
):
    """A power domain is in another state now."""

    agent_id: int = u32("agent that caused the transition; 0 = platform")
    domain_id: int = u32()
    power_state: PowerState = word(PowerState)


class StateChangeRequested(
    Notification,
    protocol=ID,
    id=0x1,
    spec="POWER_STATE_CHANGE_REQUESTED",
    since=0x20000,
    section="A 4, notification 0x1",
):
    """Another agent asked for a power state, which the platform may or may not grant."""

    agent_id: int = u32("agent that asked")
    domain_id: int = u32()
    power_state: PowerState = word(PowerState, "requested state")


class StateNotifyResponse(Response):
    """The setting is stored."""


class StateNotify(
    Request[StateNotifyResponse],
    protocol=ID,
    id=0x6,
    spec="POWER_STATE_NOTIFY",
    section="A 4, 0x6",
    subscribes=StateChanged,
    offered=("attributes.state_change_notifications",),
):
    """Switch the notification of a domain's power state changes on or off."""

    domain_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class StateChangeRequestedNotifyResponse(Response):
    """The setting is stored."""


class StateChangeRequestedNotify(
    Request[StateChangeRequestedNotifyResponse],
    protocol=ID,
    id=0x7,
    spec="POWER_STATE_CHANGE_REQUESTED_NOTIFY",
    since=0x20000,
    section="A 4, 0x7",
    subscribes=StateChangeRequested,
    offered=("attributes.state_change_requested_notifications",),
):
    """Switch the notification of other agents' requests for a power state on or off."""

    domain_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class DomainNameGetResponse(Response):
    """A power domain's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class DomainNameGet(
    Request[DomainNameGetResponse],
    protocol=ID,
    id=0x8,
    spec="POWER_DOMAIN_NAME_GET",
    since=0x30000,
    section="A 4, 0x8",
):
    """Read the whole name of a power domain whose name has more than 15 characters."""

    domain_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x30001):
    """Ask the platform to speak another version of the power domain protocol to this agent."""


PROTOCOL = Protocol(
    "power",
    ID,
    title="Power domain management",
    versions=(0x10000, 0x20000, 0x30000, 0x30001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DomainAttributes,
        StateSet,
        StateGet,
        StateNotify,
        StateChangeRequestedNotify,
        DomainNameGet,
        NegotiateProtocolVersion,
    ),
    notifications=(StateChanged, StateChangeRequested),
    resources=Resources(
        "power domain",
        count="attributes.num_power_domains",
        describe=DomainAttributes,
        id="domain_id",
        name="name",
        extended="attributes.extended_name",
        name_get=DomainNameGet,
    ),
)
