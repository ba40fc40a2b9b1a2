"""NXP's protocol for functional safety (0x83): faults and safety states (reference B, 8.4).

An F-EENV is the environment that runs the safety functions, an S-EENV one that it watches. Only
firmware built for functional safety has this protocol.
"""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.nxp import STATUSES
from scmictl.protocols.protocol import Protocol
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Request,
    Response,
    bits,
    flag,
    u32,
    word,
)

ID = 0x83
SELF = 0xFFFFFFFF
"""The S-EENV id that means the caller."""


class FeenvState(IntEnum):
    """How far the F-EENV is."""

    INIT = 0
    PRE_SAFETY = 1
    SAFETY_RUNTIME = 2
    SOC_TERMINATING = 3


class SeenvState(IntEnum):
    """How far an S-EENV is."""

    DISABLED = 0
    INIT = 1
    SAFETY_READY = 2
    SAFETY_RUNTIME = 3
    TERMINAL = 4


class FaultChange(IntEnum):
    """What to do with a fault, as NXP prints it (set and clear may be swapped)."""

    SET = 0
    CLEAR = 1
    RECOVERED = 2
    NOT_RECOVERABLE = 3


class FaultState(IntEnum):
    """What became of a fault."""

    RESOLVED = 0
    DETECTED = 1


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the FuSa protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's FuSa protocol has."""

    num_fault = bits(31, 16, "faults")
    num_seenv_id = bits(15, 8)
    num_seenv_lm = bits(7, 0)


class ProtocolAttributesResponse(Response):
    """How many faults and S-EENVs there are."""

    attributes1: ProtocolAttributesWord = word(ProtocolAttributesWord)
    attributes2: int = u32("reserved", default=0)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 8.4, 0x1",
):
    """Ask how many faults and S-EENVs there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the FuSa protocol."""


class FeenvStateGetResponse(Response):
    """The state of the F-EENV."""

    feenv_state: int = u32(enum=FeenvState)
    msel_mode: int = u32()


class FeenvStateGet(
    Request[FeenvStateGetResponse],
    protocol=ID,
    id=0x3,
    spec="FUSA_FEENV_STATE_GET",
    section="B 8.4, 0x3",
):
    """Read the state of the F-EENV."""


class FeenvStateEvent(
    Notification,
    protocol=ID,
    id=0x0,
    spec="FUSA_FEENV_STATE_EVENT",
    section="B 8.4, notification 0x0",
):
    """The F-EENV has another state."""

    feenv_state: int = u32(enum=FeenvState)
    msel_mode: int = u32()


class FeenvStateNotifyResponse(Response):
    """The setting is stored."""


class FeenvStateNotify(
    Request[FeenvStateNotifyResponse],
    protocol=ID,
    id=0x5,
    spec="FUSA_FEENV_STATE_NOTIFY",
    section="B 8.4, 0x5",
    subscribes=FeenvStateEvent,
):
    """Switch the notification of the F-EENV's state on or off."""

    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class SeenvStateGetResponse(Response):
    """The state of the S-EENV."""

    seenv_id: int = u32()
    lm_id: int = u32("its logical machine")
    seenv_state: int = u32(enum=SeenvState)


class SeenvStateGet(
    Request[SeenvStateGetResponse],
    protocol=ID,
    id=0x6,
    spec="FUSA_SEENV_STATE_GET",
    section="B 8.4, 0x6",
):
    """Read the state of an S-EENV."""

    seenv_id: int = u32("0xFFFFFFFF = the caller")


class SeenvStateSetResponse(Response):
    """The state is reported."""


class SeenvStateSet(
    Request[SeenvStateSetResponse],
    protocol=ID,
    id=0x7,
    spec="FUSA_SEENV_STATE_SET",
    section="B 8.4, 0x7",
    effect=Effect.WRITE,
):
    """Report the state of the caller's S-EENV."""

    seenv_state: int = u32(enum=SeenvState)
    ping_cookie: int = u32("that of the last FUSA_SEENV_STATE_REQ_EVENT")


class SeenvStateReqEvent(
    Notification,
    protocol=ID,
    id=0x1,
    spec="FUSA_SEENV_STATE_REQ_EVENT",
    section="B 8.4, notification 0x1",
):
    """The platform wants the state of every S-EENV, by FUSA_SEENV_STATE_SET."""

    ping_cookie: int = u32()


class FaultFlags(Bits):
    """Whether a fault is set."""

    set = flag(0)


class FaultGetResponse(Response):
    """Whether the fault is set."""

    flags: FaultFlags = word(FaultFlags)


class FaultGet(
    Request[FaultGetResponse],
    protocol=ID,
    id=0x8,
    spec="FUSA_FAULT_GET",
    section="B 8.4, 0x8",
):
    """Ask whether a fault is set."""

    fault_id: int = u32()


class FaultSetFlags(Bits):
    """What to do with a fault."""

    state = bits(1, 0, enum=FaultChange)


class FaultSetResponse(Response):
    """The fault is changed."""


class FaultSet(
    Request[FaultSetResponse],
    protocol=ID,
    id=0x9,
    spec="FUSA_FAULT_SET",
    section="B 8.4, 0x9",
    effect=Effect.HURTS,
):
    """Set or clear a fault."""

    fault_id: int = u32()
    flags: FaultSetFlags = word(FaultSetFlags)


class FaultEventFlags(Bits):
    """What became of the fault."""

    state = bits(0, 0, enum=FaultState)


class FaultEvent(
    Notification,
    protocol=ID,
    id=0x2,
    spec="FUSA_FAULT_EVENT",
    section="B 8.4, notification 0x2",
    about="fault_id",
):
    """A fault was detected or resolved."""

    fault_id: int = u32()
    flags: FaultEventFlags = word(FaultEventFlags)


class FaultGroupNotifyResponse(Response):
    """What is notified now."""

    fault_id_first: int = u32()
    notify_enabled: int = u32("bit n: fault fault_id_first + n is notified")


class FaultGroupNotify(
    Request[FaultGroupNotifyResponse],
    protocol=ID,
    id=0xA,
    spec="FUSA_FAULT_GROUP_NOTIFY",
    section="B 8.4, 0xA",
    subscribes=FaultEvent,
):
    """Switch the notifications of up to 32 faults on or off."""

    fault_id_first: int = u32()
    fault_mask: int = u32("bit n: change fault fault_id_first + n", default=0xFFFFFFFF)
    notify_enable: int = u32("bit n: send FUSA_FAULT_EVENT for it")


class ScheckEvntrigResponse(Response):
    """The event is triggered."""


class ScheckEvntrig(
    Request[ScheckEvntrigResponse],
    protocol=ID,
    id=0xB,
    spec="FUSA_SCHECK_EVNTRIG",
    section="B 8.4, 0xB",
    effect=Effect.HURTS,
):
    """Trigger the event of the safety checks."""


class ScheckTestExecResponse(Response):
    """The test is done."""


class ScheckTestExec(
    Request[ScheckTestExecResponse],
    protocol=ID,
    id=0xE,
    spec="FUSA_SCHECK_TEST_EXEC",
    section="B 8.4, 0xE",
    effect=Effect.HURTS,
):
    """Run a test of the safety checks."""

    target_test_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the FuSa protocol to this agent."""


PROTOCOL = Protocol(
    "nxp-fusa",
    ID,
    title="NXP functional safety",
    versions=(0x10000,),
    statuses=STATUSES,
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        FeenvStateGet,
        FeenvStateNotify,
        SeenvStateGet,
        SeenvStateSet,
        FaultGet,
        FaultSet,
        FaultGroupNotify,
        ScheckEvntrig,
        ScheckTestExec,
        NegotiateProtocolVersion,
    ),
    notifications=(FeenvStateEvent, SeenvStateReqEvent, FaultEvent),
)
