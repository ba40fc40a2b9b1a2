"""NXP's protocol called MISC (0x84): controls, build, chip, board, log (reference B, 8.5)."""

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
    Paging,
    Request,
    Response,
    array,
    bits,
    flag,
    text,
    u32,
    u64,
    word,
)

ID = 0x84
BOARD_CONTROL = 1 << 15
"""Set in the number of a control that belongs to the board and not to the device."""


class DdrType(IntEnum):
    """Kinds of memory."""

    LPDDR5 = 0
    LPDDR5X = 1
    LPDDR4 = 2
    LPDDR4X = 3


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the MISC protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's MISC protocol has."""

    num_brd_ctrl = bits(31, 24, "controls of the board")
    num_reason = bits(23, 16, "reasons for a reset")
    num_dev_ctrl = bits(15, 0, "controls of the device")


class ProtocolAttributesResponse(Response):
    """How many controls and reasons there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 8.5, 0x1",
):
    """Ask how many controls and reset reasons there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the MISC protocol."""


class ControlSetResponse(Response):
    """The control is set."""


class ControlSet(
    Request[ControlSetResponse],
    protocol=ID,
    id=0x3,
    spec="MISC_CONTROL_SET",
    section="B 8.5, 0x3",
    effect=Effect.WRITE,
):
    """Set a control."""

    ctrl_id: int = u32("bit 15: of the board")
    num_val: int = u32("words that follow")
    val: list[int] = array("u32", count="num_val")


class ControlGetResponse(Response):
    """The value of the control."""

    num_val: int = u32("words that follow")
    val: list[int] = array("u32", count="num_val")


class ControlGet(
    Request[ControlGetResponse],
    protocol=ID,
    id=0x4,
    spec="MISC_CONTROL_GET",
    section="B 8.5, 0x4",
):
    """Read a control."""

    ctrl_id: int = u32("bit 15: of the board")


class ControlActionResponse(Response):
    """What the action returned."""

    num_rtn: int = u32("words that follow")
    rtn: list[int] = array("u32", count="num_rtn")


class ControlAction(
    Request[ControlActionResponse],
    protocol=ID,
    id=0x5,
    spec="MISC_CONTROL_ACTION",
    section="B 8.5, 0x5",
    effect=Effect.WRITE,
):
    """Let a control do something."""

    ctrl_id: int = u32("bit 15: of the board")
    action: int = u32()
    num_arg: int = u32("words that follow")
    arg: list[int] = array("u32", count="num_arg")


class DiscoverBuildInfoResponse(Response):
    """Which firmware it is."""

    build_num: int = u32()
    build_commit: int = u32("first 32 bits of the commit's hash")
    build_date: str = text(16)
    build_time: str = text(16)


class DiscoverBuildInfo(
    Request[DiscoverBuildInfoResponse],
    protocol=ID,
    id=0x6,
    spec="MISC_DISCOVER_BUILD_INFO",
    section="B 8.5, 0x6",
):
    """Ask which firmware the platform runs."""


class RomPassoverGetResponse(Response):
    """What the boot ROM left."""

    num_passover: int = u32("words that follow")
    passover: list[int] = array("u32", count="num_passover")


class RomPassoverGet(
    Request[RomPassoverGetResponse],
    protocol=ID,
    id=0x7,
    spec="MISC_ROM_PASSOVER_GET",
    section="B 8.5, 0x7",
):
    """Read what the boot ROM left for the firmware."""


class ControlEvent(
    Notification, protocol=ID, id=0x0, spec="MISC_CONTROL_EVENT", section="B 8.5, notification 0x0"
):
    """Something happened at a control."""

    ctrl_id: int = u32("bit 15: of the board")
    flags: int = u32("control specific")


class ControlNotifyResponse(Response):
    """The setting is stored."""


class ControlNotify(
    Request[ControlNotifyResponse],
    protocol=ID,
    id=0x8,
    spec="MISC_CONTROL_NOTIFY",
    section="B 8.5, 0x8",
    subscribes=ControlEvent,
    switch="flags",
):
    """Choose which events of a control are notified."""

    ctrl_id: int = u32("bit 15: of the board")
    flags: int = u32("control specific; 0 = none")


class ReasonAttributesResponse(Response):
    """The name of a reset reason."""

    attributes: int = u32("reserved", default=0)
    name: str = text(16)


class ReasonAttributes(
    Request[ReasonAttributesResponse],
    protocol=ID,
    id=0x9,
    spec="MISC_REASON_ATTRIBUTES",
    section="B 8.5, 0x9",
):
    """Read the name of a reset reason."""

    reason_id: int = u32()


class ResetReasonFlags(Bits):
    """Whose reset is meant."""

    system = flag(0, "1 = the system's, 0 = that of the caller's logical machine")


class ResetReasonResponse(Response):
    """Why the system or machine booted and shut down last."""

    boot_flags: BootFlags = word(BootFlags)
    shutdown_flags: ShutdownFlags = word(ShutdownFlags)
    ext_info: list[int] = array("u32", count="shutdown_flags.ext_len")


class ResetReason(
    Request[ResetReasonResponse],
    protocol=ID,
    id=0xA,
    spec="MISC_RESET_REASON",
    section="B 8.5, 0xA",
):
    """Ask why the system, or the caller's machine, booted and shut down last."""

    flags: ResetReasonFlags = word(ResetReasonFlags, default=0)


class SiInfoResponse(Response):
    """Which chip it is."""

    device_id: int = u32()
    si_rev: int = u32()
    part_num: int = u32()
    si_name: str = text(16)


class SiInfo(
    Request[SiInfoResponse],
    protocol=ID,
    id=0xB,
    spec="MISC_SI_INFO",
    section="B 8.5, 0xB",
):
    """Ask which chip it is."""


class CfgInfoResponse(Response):
    """Which configuration the firmware runs with."""

    msel: int = u32()
    cfg_name: str = text(16)


class CfgInfo(
    Request[CfgInfoResponse],
    protocol=ID,
    id=0xC,
    spec="MISC_CFG_INFO",
    section="B 8.5, 0xC",
):
    """Ask which configuration the firmware runs with."""


class NumLogFlags(Bits):
    """How many words are here and how many are left."""

    remaining = bits(31, 20, "meaningless when nothing is returned")
    returned = bits(11, 0)


class SyslogResponse(Response):
    """Words of the log."""

    num_log_flags: NumLogFlags = word(NumLogFlags)
    syslog: list[int] = array("u32", count="num_log_flags.returned")


class Syslog(
    Request[SyslogResponse],
    protocol=ID,
    id=0xD,
    spec="MISC_SYSLOG",
    section="B 8.5, 0xD",
    paging=Paging("log_index", "num_log_flags.returned", "num_log_flags.remaining", "syslog"),
):
    """Read the system log."""

    flags: int = u32("device specific", default=0)
    log_index: int = u32("first word wanted")


class BoardInfoResponse(Response):
    """Which board it is."""

    attributes: int = u32("board specific", default=0)
    brd_name: str = text(16)


class BoardInfo(
    Request[BoardInfoResponse],
    protocol=ID,
    id=0xE,
    spec="MISC_BOARD_INFO",
    section="B 8.5, 0xE",
):
    """Ask which board it is."""


class ControlExtSetResponse(Response):
    """The control is set."""


class ControlExtSet(
    Request[ControlExtSetResponse],
    protocol=ID,
    id=0x20,
    spec="MISC_CONTROL_EXT_SET",
    since=0x10001,
    section="B 8.5, 0x20",
    effect=Effect.WRITE,
):
    """Set a part of a control."""

    ctrl_id: int = u32("bit 15: of the board")
    addr: int = u32()
    len: int = u32("the same as num_val")
    num_val: int = u32("words that follow")
    val: list[int] = array("u32", count="num_val")


class ControlExtGetResponse(Response):
    """The part of the control."""

    num_val: int = u32("words that follow")
    val: list[int] = array("u32", count="num_val")


class ControlExtGet(
    Request[ControlExtGetResponse],
    protocol=ID,
    id=0x21,
    spec="MISC_CONTROL_EXT_GET",
    since=0x10001,
    section="B 8.5, 0x21",
):
    """Read a part of a control."""

    ctrl_id: int = u32("bit 15: of the board")
    addr: int = u32()
    len: int = u32("words wanted")


class DdrAttributes(Bits):
    """What kind of memory it is."""

    ecc = flag(31)
    num_regions = bits(17, 16)
    width = bits(10, 8, "the bus has 16 << width bits")
    type = bits(4, 0, enum=DdrType)


class DdrInfoGetResponse(Response):
    """A region of memory."""

    attributes: DdrAttributes = word(DdrAttributes)
    mts: int = u32("megatransfers a second")
    start: int = u64("address")
    end: int = u64("address")


class DdrInfoGet(
    Request[DdrInfoGetResponse],
    protocol=ID,
    id=0x22,
    spec="MISC_DDR_INFO_GET",
    since=0x10001,
    section="B 8.5, 0x22",
):
    """Describe a region of memory."""

    ddr_rgd_id: int = u32("number of the region")


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x10000):
    """Ask the platform to speak another version of the MISC protocol to this agent."""


PROTOCOL = Protocol(
    "nxp-misc",
    ID,
    title="NXP miscellaneous control",
    versions=(0x10000, 0x10001),
    statuses=STATUSES,
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        ControlSet,
        ControlGet,
        ControlAction,
        DiscoverBuildInfo,
        RomPassoverGet,
        ControlNotify,
        ReasonAttributes,
        ResetReason,
        SiInfo,
        CfgInfo,
        Syslog,
        BoardInfo,
        NegotiateProtocolVersion,
        ControlExtSet,
        ControlExtGet,
        DdrInfoGet,
    ),
    notifications=(ControlEvent,),
    resources=Resources(
        "reset reason",
        count="attributes.num_reason",
        describe=ReasonAttributes,
        id="reason_id",
        name="name",
    ),
)
