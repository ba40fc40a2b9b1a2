"""The system power protocol (0x12): shut down, reset, suspend (reference part A, section 5)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol
from scmictl.wire import Bits, Effect, Notification, Request, Response, flag, u32, word

ID = 0x12


class SystemState(IntEnum):
    """States of the whole system; those from 0x80000000 up belong to the vendor."""

    SHUTDOWN = 0
    COLD_RESET = 1
    WARM_RESET = 2
    POWER_UP = 3
    SUSPEND = 4


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the system power protocol the platform speaks."""


class ProtocolAttributesResponse(Response):
    """Nothing: all bits are reserved."""

    attributes: int = u32("reserved", default=0)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 5, 0x1",
):
    """Ask for the attributes of the system power protocol, which has none."""


class MessageAttributesWord(Bits):
    """What SYSTEM_POWER_STATE_SET can do; of other messages all bits are reserved."""

    warm_reset = flag(31, "the state warm_reset is supported")
    suspend = flag(30, "the state suspend is supported")


class MessageAttributesResponse(Response):
    """The message exists; its attributes mean something for SYSTEM_POWER_STATE_SET only."""

    attributes: MessageAttributesWord = word(MessageAttributesWord)


class MessageAttributes(
    Request[MessageAttributesResponse],
    protocol=ID,
    id=0x2,
    spec="PROTOCOL_MESSAGE_ATTRIBUTES",
    section="A 2, 0x2",
):
    """Ask whether the platform implements a message of the system power protocol."""

    message_id: int = u32("a command id, never that of a notification")


class Flags(Bits):
    """How the system goes into another state."""

    graceful = flag(0, "the agents are told first; 0 = forceful")


class PowerStateSetResponse(Response):
    """The request is accepted; a platform that does it at once may never answer."""


class PowerStateSet(
    Request[PowerStateSetResponse],
    protocol=ID,
    id=0x3,
    spec="SYSTEM_POWER_STATE_SET",
    section="A 5, 0x3",
    effect=Effect.HURTS,
):
    """Shut down, reset, suspend or power up the system."""

    flags: Flags = word(Flags, "ignored for power_up", default=0)
    system_state: int = u32("from 0x80000000 up the vendor's own", enum=SystemState)


class PowerStateGetResponse(Response):
    """The state of the system."""

    system_state: int = u32("shutdown, power_up, suspend or the vendor's own", enum=SystemState)


class PowerStateGet(
    Request[PowerStateGetResponse],
    protocol=ID,
    id=0x4,
    spec="SYSTEM_POWER_STATE_GET",
    section="A 5, 0x4",
):
    """Read the state of the system."""


class PowerStateNotifier(
    Notification,
    protocol=ID,
    id=0x0,
    spec="SYSTEM_POWER_STATE_NOTIFIER",
    section="A 5, notification 0x0",
):
    """The system is going into another state."""

    agent_id: int = u32("agent that asked for the transition; 0 = platform")
    flags: Flags = word(Flags)
    system_state: int = u32("from 0x80000000 up the vendor's own", enum=SystemState)
    timeout: int | None = u32(
        "time the agent has before a graceful shutdown goes on; else 0",
        unit="ms",
        since=0x20000,
        default=0,
    )


class PowerStateNotifyResponse(Response):
    """The setting is stored."""


class PowerStateNotify(
    Request[PowerStateNotifyResponse],
    protocol=ID,
    id=0x5,
    spec="SYSTEM_POWER_STATE_NOTIFY",
    section="A 5, 0x5",
    subscribes=PowerStateNotifier,
):
    """Switch the notification of the system's transitions on or off."""

    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x20001):
    """Ask the platform to speak another version of the system power protocol to this agent."""


PROTOCOL = Protocol(
    "system",
    ID,
    title="System power management",
    versions=(0x10000, 0x20000, 0x20001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        PowerStateSet,
        PowerStateGet,
        PowerStateNotify,
        NegotiateProtocolVersion,
    ),
    notifications=(PowerStateNotifier,),
)
