"""NXP's protocol for logical machines (0x80): boot, reset, suspend (reference part B, 8.1)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.nxp import STATUSES
from scmictl.protocols.nxp.reason import BootFlags, ShutdownFlags
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Request,
    Response,
    array,
    bits,
    flag,
    i32,
    text,
    u32,
    u64,
    word,
)

ID = 0x80
SELF = 0xFFFFFFFF
"""The machine id that means the caller's own in LMM_ATTRIBUTES."""


class State(IntEnum):
    """Whether a logical machine runs."""

    OFF = 0
    ON = 1
    SUSPENDED = 2


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the LMM protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's LMM protocol has."""

    num_lm = bits(4, 0, "logical machines, the platform's own included")


class ProtocolAttributesResponse(Response):
    """How many logical machines there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 8.1, 0x1",
):
    """Ask how many logical machines there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the LMM protocol."""


class AttributesWord(Bits):
    """What a logical machine has."""

    num_agents = bits(7, 0, "0 in older firmware")


class AttributesResponse(Response):
    """A logical machine's name and state."""

    lm_id: int = u32("the machine described")
    attributes: AttributesWord = word(AttributesWord)
    state: int = u32(enum=State)
    err_status: int = i32("last error")
    name: str = text(16)


class Attributes(
    Request[AttributesResponse],
    protocol=ID,
    id=0x3,
    spec="LMM_ATTRIBUTES",
    section="B 8.1, 0x3",
):
    """Describe a logical machine."""

    lm_id: int = u32("0xFFFFFFFF = the caller's own")


class BootResponse(Response):
    """The machine boots."""


class Boot(
    Request[BootResponse],
    protocol=ID,
    id=0x4,
    spec="LMM_BOOT",
    section="B 8.1, 0x4",
    effect=Effect.WRITE,
):
    """Boot a logical machine."""

    lm_id: int = u32()


class Graceful(Bits):
    """How to go about it."""

    graceful = flag(0, "1 = ask the machine, 0 = force")


class ResetResponse(Response):
    """The machine is reset, or asked to reset."""


class Reset(
    Request[ResetResponse],
    protocol=ID,
    id=0x5,
    spec="LMM_RESET",
    section="B 8.1, 0x5",
    effect=Effect.HURTS,
):
    """Reset a logical machine."""

    lm_id: int = u32()
    flags: Graceful = word(Graceful, default=0)


class ShutdownResponse(Response):
    """The machine is shut down, or asked to shut down."""


class Shutdown(
    Request[ShutdownResponse],
    protocol=ID,
    id=0x6,
    spec="LMM_SHUTDOWN",
    section="B 8.1, 0x6",
    effect=Effect.HURTS,
):
    """Shut down a logical machine."""

    lm_id: int = u32()
    flags: Graceful = word(Graceful, default=0)


class WakeResponse(Response):
    """The machine wakes."""


class Wake(
    Request[WakeResponse],
    protocol=ID,
    id=0x7,
    spec="LMM_WAKE",
    section="B 8.1, 0x7",
    effect=Effect.WRITE,
):
    """Wake a logical machine."""

    lm_id: int = u32()


class SuspendResponse(Response):
    """The machine is asked to suspend."""


class Suspend(
    Request[SuspendResponse],
    protocol=ID,
    id=0x8,
    spec="LMM_SUSPEND",
    section="B 8.1, 0x8",
    effect=Effect.HURTS,
):
    """Suspend a logical machine."""

    lm_id: int = u32()


class EventFlags(Bits):
    """What happens to a logical machine."""

    wake = flag(3)
    suspend = flag(2)
    shutdown = flag(1)
    boot = flag(0)


class Event(
    Notification,
    protocol=ID,
    id=0x0,
    spec="LMM_EVENT",
    section="B 8.1, notification 0x0",
    about="event_lm",
):
    """A logical machine booted, shut down, suspended or woke."""

    lm_id: int = u32("machine that caused it")
    event_lm: int = u32("machine it happened to")
    flags: EventFlags = word(EventFlags)


class NotifyResponse(Response):
    """The setting is stored."""


class Notify(
    Request[NotifyResponse],
    protocol=ID,
    id=0x9,
    spec="LMM_NOTIFY",
    section="B 8.1, 0x9",
    subscribes=Event,
    switch="flags",
):
    """Choose which events of a logical machine are notified."""

    lm_id: int = u32("0 = all that the agent may watch")
    flags: EventFlags = word(EventFlags)


class ResetReasonResponse(Response):
    """Why the machine booted and shut down last."""

    boot_flags: BootFlags = word(BootFlags)
    shutdown_flags: ShutdownFlags = word(ShutdownFlags)
    ext_info: list[int] = array("u32", count="shutdown_flags.ext_len")


class ResetReason(
    Request[ResetReasonResponse],
    protocol=ID,
    id=0xA,
    spec="LMM_RESET_REASON",
    section="B 8.1, 0xA",
):
    """Ask why a logical machine booted and shut down last."""

    lm_id: int = u32()


class PowerOnResponse(Response):
    """The machine has power."""


class PowerOn(
    Request[PowerOnResponse],
    protocol=ID,
    id=0xB,
    spec="LMM_POWER_ON",
    section="B 8.1, 0xB",
    effect=Effect.WRITE,
):
    """Power on a logical machine without booting it."""

    lm_id: int = u32()


class VectorFlags(Bits):
    """What the address is."""

    table = flag(0, "1 = base of a vector table")


class ResetVectorSetResponse(Response):
    """The reset vector is set."""


class ResetVectorSet(
    Request[ResetVectorSetResponse],
    protocol=ID,
    id=0xC,
    spec="LMM_RESET_VECTOR_SET",
    section="B 8.1, 0xC",
    effect=Effect.WRITE,
):
    """Set where a CPU of a logical machine starts."""

    lm_id: int = u32()
    cpu_id: int = u32()
    flags: VectorFlags = word(VectorFlags, default=0)
    reset_vector: int = u64("address")


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the LMM protocol to this agent."""


PROTOCOL = Protocol(
    "nxp-lmm",
    ID,
    title="NXP logical machine management",
    versions=(0x10000, 0x10001),
    statuses=STATUSES,
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        Attributes,
        Boot,
        Reset,
        Shutdown,
        Wake,
        Suspend,
        Notify,
        ResetReason,
        PowerOn,
        ResetVectorSet,
        NegotiateProtocolVersion,
    ),
    notifications=(Event,),
    resources=Resources(
        "logical machine",
        count="attributes.num_lm",
        describe=Attributes,
        id="lm_id",
        name="name",
    ),
)
