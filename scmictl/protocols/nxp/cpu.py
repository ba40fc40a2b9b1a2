"""NXP's protocol for CPUs (0x82): start, stop, sleep and what wakes (reference part B, 8.3)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.nxp import STATUSES
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    Bits,
    Effect,
    Request,
    Response,
    Struct,
    array,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x82


class RunMode(IntEnum):
    """What a CPU does; it counts as started in RUN and SLEEP."""

    RUN = 0
    HOLD = 1
    STOP = 2
    SLEEP = 3


class SleepMode(IntEnum):
    """Where a CPU goes when it sleeps."""

    RUN = 0
    WAIT = 1
    STOP = 2
    SUSPEND = 3


class LpmSetting(IntEnum):
    """In which modes of the CPU something stays on."""

    NEVER = 0
    RUN = 1
    RUN_WAIT = 2
    RUN_WAIT_STOP = 3
    ALWAYS = 4


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the CPU protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's CPU protocol has."""

    num_cpus = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many CPUs there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 8.3, 0x1",
):
    """Ask how many CPUs there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the CPU protocol."""


class AttributesResponse(Response):
    """A CPU's name."""

    attributes: int = u32("reserved", default=0)
    name: str = text(16)


class Attributes(
    Request[AttributesResponse],
    protocol=ID,
    id=0x3,
    spec="CPU_ATTRIBUTES",
    section="B 8.3, 0x3",
):
    """Read the name of a CPU."""

    cpu_id: int = u32()


class StartResponse(Response):
    """The CPU starts."""


class Start(
    Request[StartResponse],
    protocol=ID,
    id=0x4,
    spec="CPU_START",
    section="B 8.3, 0x4",
    effect=Effect.WRITE,
):
    """Start a CPU."""

    cpu_id: int = u32()


class StopResponse(Response):
    """The CPU stops."""


class Stop(
    Request[StopResponse],
    protocol=ID,
    id=0x5,
    spec="CPU_STOP",
    section="B 8.3, 0x5",
    effect=Effect.HURTS,
):
    """Stop a CPU."""

    cpu_id: int = u32()


class VectorFlags(Bits):
    """Which vectors to set, and what the address is."""

    resume = flag(31, "set the resume vector")
    start = flag(30, "set the start vector")
    boot = flag(29, "set the boot vector")
    table = flag(0, "1 = base of a vector table")


class ResetVectorSetResponse(Response):
    """The vectors are set."""


class ResetVectorSet(
    Request[ResetVectorSetResponse],
    protocol=ID,
    id=0x6,
    spec="CPU_RESET_VECTOR_SET",
    section="B 8.3, 0x6",
    effect=Effect.WRITE,
):
    """Set where a CPU starts or goes on."""

    cpu_id: int = u32()
    flags: VectorFlags = word(VectorFlags)
    reset_vector: int = u64("address")


class SleepFlags(Bits):
    """What wakes a CPU, and what may sleep beside it."""

    lp_compute = flag(2, "the system may sleep while this CPU runs; only with mode run")
    platform_wake = flag(1, "wake with the platform or cluster")
    irq_mux = flag(0, "1 = the GIC wakes, 0 = the GPC")


class SleepModeSetResponse(Response):
    """The mode is set."""


class SleepModeSet(
    Request[SleepModeSetResponse],
    protocol=ID,
    id=0x7,
    spec="CPU_SLEEP_MODE_SET",
    section="B 8.3, 0x7",
    effect=Effect.WRITE,
):
    """Set where a CPU goes when it sleeps."""

    cpu_id: int = u32()
    flags: SleepFlags = word(SleepFlags, default=0)
    sleep_mode: int = u32(enum=SleepMode)


class IrqWakeSetResponse(Response):
    """The mask is set."""


class IrqWakeSet(
    Request[IrqWakeSetResponse],
    protocol=ID,
    id=0x8,
    spec="CPU_IRQ_WAKE_SET",
    section="B 8.3, 0x8",
    effect=Effect.WRITE,
):
    """Choose which interrupts wake a CPU."""

    cpu_id: int = u32()
    mask_idx: int = u32("first word of the mask to set", default=0)
    num_mask: int = u32("words that follow")
    mask: list[int] = array("u32", count="num_mask")


class NonIrqWakeSetResponse(Response):
    """The mask is set."""


class NonIrqWakeSet(
    Request[NonIrqWakeSetResponse],
    protocol=ID,
    id=0x9,
    spec="CPU_NON_IRQ_WAKE_SET",
    section="B 8.3, 0x9",
    effect=Effect.WRITE,
):
    """Choose what else wakes a CPU."""

    cpu_id: int = u32()
    mask_idx: int = u32("first word of the mask to set", default=0)
    num_mask: int = u32("words that follow")
    mask: list[int] = array("u32", count="num_mask")


class PdLpmConfig(Struct):
    """When a power domain stays on."""

    domain_id: int = u32()
    lpm_setting: int = u32(enum=LpmSetting)
    ret_mask: int = u32()


class PdLpmConfigSetResponse(Response):
    """The settings are made."""


class PdLpmConfigSet(
    Request[PdLpmConfigSetResponse],
    protocol=ID,
    id=0xA,
    spec="CPU_PD_LPM_CONFIG_SET",
    section="B 8.3, 0xA",
    effect=Effect.WRITE,
):
    """Choose in which modes of a CPU power domains stay on."""

    cpu_id: int = u32()
    num_configs: int = u32("settings that follow")
    configs: list[PdLpmConfig] = array(PdLpmConfig, count="num_configs")


class PerLpmConfig(Struct):
    """When a peripheral stays on."""

    per_id: int = u32()
    lpm_setting: int = u32(enum=LpmSetting)


class PerLpmConfigSetResponse(Response):
    """The settings are made."""


class PerLpmConfigSet(
    Request[PerLpmConfigSetResponse],
    protocol=ID,
    id=0xB,
    spec="CPU_PER_LPM_CONFIG_SET",
    section="B 8.3, 0xB",
    effect=Effect.WRITE,
):
    """Choose in which modes of a CPU peripherals stay on."""

    cpu_id: int = u32()
    num_configs: int = u32("settings that follow")
    configs: list[PerLpmConfig] = array(PerLpmConfig, count="num_configs")


class InfoGetResponse(Response):
    """What the CPU does and where it starts."""

    run_mode: int = u32(enum=RunMode)
    sleep_mode: int = u32(enum=SleepMode)
    reset_vector: int = u64("address")


class InfoGet(
    Request[InfoGetResponse],
    protocol=ID,
    id=0xC,
    spec="CPU_INFO_GET",
    section="B 8.3, 0xC",
):
    """Ask what a CPU does and where it starts."""

    cpu_id: int = u32()


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the CPU protocol to this agent."""


PROTOCOL = Protocol(
    "nxp-cpu",
    ID,
    title="NXP CPU",
    versions=(0x10000,),
    statuses=STATUSES,
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        Attributes,
        Start,
        Stop,
        ResetVectorSet,
        SleepModeSet,
        IrqWakeSet,
        NonIrqWakeSet,
        PdLpmConfigSet,
        PerLpmConfigSet,
        InfoGet,
        NegotiateProtocolVersion,
    ),
    resources=Resources(
        "CPU",
        count="attributes.num_cpus",
        describe=Attributes,
        id="cpu_id",
        name="name",
    ),
)
