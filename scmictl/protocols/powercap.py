"""The power capping protocol (0x18): caps, limits, measured power (reference part B, section 5).

Version 3.0 is experimental. It renames the averaging interval (PAI) to measurement averaging
interval (MAI) and adds one for caps (CAI). What keeps its place and its meaning keeps its first
name here, so that a program need not ask for the version to read it.
"""

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
    Paging,
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

ID = 0x18

NO_PARENT = 0xFFFFFFFF
"""The parent_id of a root of the domain tree."""


class PowerUnit(IntEnum):
    """What the powers of a domain are counted in."""

    ABSTRACT_LINEAR_SCALE = 0
    MICROWATTS = 1
    MILLIWATTS = 2


class DoorbellWidth(IntEnum):
    """How wide the access to a doorbell register is."""

    BITS_8 = 0
    BITS_16 = 1
    BITS_32 = 2
    BITS_64 = 3


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the power capping protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's power capping protocol has."""

    num_domains = bits(15, 0)


class ProtocolAttributesResponse(Response):
    """How many power capping domains there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 5.3, 0x1",
):
    """Ask how many power capping domains there are."""


class MessageAttributesWord(Bits):
    """What a message can do besides being sent."""

    fastchannel = flag(0, "at least one domain has a FastChannel for it")


class MessageAttributesResponse(Response):
    """The message exists."""

    attributes: MessageAttributesWord = word(MessageAttributesWord)


class MessageAttributes(
    Request[MessageAttributesResponse],
    protocol=ID,
    id=0x2,
    spec="PROTOCOL_MESSAGE_ATTRIBUTES",
    section="B 5.3, 0x2",
):
    """Ask whether the platform implements a message of the power capping protocol."""

    message_id: int = u32("a command id, never that of a notification")


class DomainAttributesWord(Bits):
    """What a power capping domain can do."""

    cap_pai_change_notify = flag(31, "POWERCAP_CAP_CHANGED for cap and PAI", until=0x2FFFF)
    mai_change_notify = flag(31, since=0x30000)
    measurements_change_notify = flag(30)
    async_cap_set = flag(29, "asynchronous POWERCAP_CAP_SET supported")
    extended_name = flag(28, "POWERCAP_DOMAIN_NAME_GET has the whole name")
    cap_configurable = flag(27)
    monitoring = flag(26, "POWERCAP_MEASUREMENTS_GET works")
    pai_configurable = flag(25, until=0x2FFFF)
    mai_configurable = flag(25, since=0x30000)
    power_unit = bits(24, 23, enum=PowerUnit)
    fastchannel = flag(22, "at least one FastChannel")
    cap_change_notify = flag(21, "POWERCAP_CAP_CHANGED for the cap", since=0x30000)
    cai_configurable = flag(20, since=0x30000)
    cai_change_notify = flag(19, "POWERCAP_CAP_CHANGED for the CAI", since=0x30000)
    num_cpls = bits(18, 15, "concurrent power limits", since=0x30000)


class DomainAttributesResponse(Response):
    """A power capping domain's name, abilities and limits; powers in its power_unit."""

    attributes: DomainAttributesWord = word(DomainAttributesWord)
    name: str = text(16)
    min_pai: int = u32("not 0; from 3.0 min_mai", unit="us")
    max_pai: int = u32("not 0; from 3.0 max_mai", unit="us")
    pai_step: int = u32("not 0 where min and max differ; from 3.0 mai_step", unit="us")
    min_power_cap: int = u32("not 0")
    max_power_cap: int = u32("not 0")
    power_cap_step: int = u32("not 0 where min and max differ")
    sustainable_power: int = u32()
    accuracy: int = u32("of the measured power, in steps of 0.001 %")
    parent_id: int = u32("parent domain; 0xFFFFFFFF = a root")
    min_cai: int | None = u32(unit="us", since=0x30000, default=None)
    max_cai: int | None = u32(unit="us", since=0x30000, default=None)
    cai_step: int | None = u32(unit="us", since=0x30000, default=None)


class DomainAttributes(
    Request[DomainAttributesResponse],
    protocol=ID,
    id=0x3,
    spec="POWERCAP_DOMAIN_ATTRIBUTES",
    section="B 5.3, 0x3",
):
    """Describe a power capping domain."""

    domain_id: int = u32("16 significant bits")


class CapGetResponse(Response):
    """The power cap of the domain."""

    power_cap: int = u32("in the domain's power unit; from 2.0 0 = capping is off")


class CapGet(
    Request[CapGetResponse],
    protocol=ID,
    id=0x4,
    spec="POWERCAP_CAP_GET",
    section="B 5.3, 0x4",
):
    """Read the power cap of a domain."""

    domain_id: int = u32("16 significant bits")
    cpli: int | None = u32("concurrent power limit", since=0x30000, default=0)


class CapSetFlags(Bits):
    """How to set a power cap."""

    async_ = flag(1, "answer at once, set the cap later")
    ignore_delayed_response = flag(0, "with async: send no POWERCAP_CAP_SET_COMPLETE")


class CapSetResponse(Response):
    """The cap is set, or the asynchronous change is accepted."""


class CapSetComplete(
    Delayed,
    protocol=ID,
    id=0x5,
    spec="POWERCAP_CAP_SET_COMPLETE",
    section="B 5.3, delayed 0x5",
):
    """An asynchronous change of a power cap is done."""

    domain_id: int = u32()
    power_cap: int = u32("cap in force, in the domain's power unit")
    cpli: int | None = u32("concurrent power limit", since=0x30000, default=0)


class CapSet(
    AsyncRequest[CapSetResponse, CapSetComplete],
    protocol=ID,
    id=0x5,
    spec="POWERCAP_CAP_SET",
    section="B 5.3, 0x5",
    effect=Effect.WRITE,
    async_when=("flags.async_", "not flags.ignore_delayed_response"),
    orders={0x30000: ("domain_id", "cpli", "flags", "power_cap")},
):
    """Set the power cap of a domain; from 2.0, 0 withdraws the caller's cap."""

    domain_id: int = u32("16 significant bits")
    flags: CapSetFlags = word(CapSetFlags, default=0)
    power_cap: int = u32("in the domain's power unit; from 2.0 0 = withdraw the cap")
    cpli: int | None = u32("concurrent power limit", since=0x30000, default=0)


class PaiGetResponse(Response):
    """The averaging interval of the domain."""

    pai: int = u32("from 3.0 mai", unit="us")


class PaiGet(
    Request[PaiGetResponse],
    protocol=ID,
    id=0x6,
    spec="POWERCAP_PAI_GET",
    section="B 5.3, 0x6",
):
    """Read the averaging interval of a domain (3.0 calls this POWERCAP_MAI_GET)."""

    domain_id: int = u32("16 significant bits")


class PaiSetResponse(Response):
    """The averaging interval is set."""


class PaiSet(
    Request[PaiSetResponse],
    protocol=ID,
    id=0x7,
    spec="POWERCAP_PAI_SET",
    section="B 5.3, 0x7",
    effect=Effect.WRITE,
):
    """Set the averaging interval of a domain (3.0 calls this POWERCAP_MAI_SET)."""

    domain_id: int = u32("16 significant bits")
    flags: int = u32("reserved", default=0)
    pai: int = u32("from 3.0 mai", unit="us")


class DomainNameGetResponse(Response):
    """A power capping domain's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class DomainNameGet(
    Request[DomainNameGetResponse],
    protocol=ID,
    id=0x8,
    spec="POWERCAP_DOMAIN_NAME_GET",
    section="B 5.3, 0x8",
):
    """Read the whole name of a power capping domain whose name has more than 15 characters."""

    domain_id: int = u32("16 significant bits")


class MeasurementsGetResponse(Response):
    """The average power and the interval it was taken over."""

    power: int = u32("in the domain's power unit")
    pai: int = u32("from 3.0 mai", unit="us")


class MeasurementsGet(
    Request[MeasurementsGetResponse],
    protocol=ID,
    id=0x9,
    spec="POWERCAP_MEASUREMENTS_GET",
    section="B 5.3, 0x9",
):
    """Read the average power of a domain."""

    domain_id: int = u32("16 significant bits")


class CapChanged(
    Notification,
    protocol=ID,
    id=0x0,
    spec="POWERCAP_CAP_CHANGED",
    section="B 5.3, notification 0x0",
):
    """The power cap of a domain, or the interval that belongs to it, has changed."""

    agent_id: int = u32("agent that caused the change; 0 = platform")
    domain_id: int = u32()
    power_cap: int = u32("in the domain's power unit")
    pai: int | None = u32(unit="us", until=0x2FFFF, default=None)
    cai: int | None = u32(unit="us", since=0x30000, default=None)
    cpli: int | None = u32("concurrent power limit", since=0x30000, default=0)


class CapNotifyResponse(Response):
    """The setting is stored."""


class CapNotify(
    Request[CapNotifyResponse],
    protocol=ID,
    id=0xA,
    spec="POWERCAP_CAP_NOTIFY",
    section="B 5.3, 0xA",
    subscribes=CapChanged,
    # What a notification is about has bits of its own from 3.0 on.
    offered=(
        "attributes.cap_pai_change_notify",
        "attributes.cap_change_notify",
        "attributes.cai_change_notify",
    ),
):
    """Switch the notification of changes of a domain's power cap on or off."""

    domain_id: int = u32("16 significant bits")
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class MeasurementsChanged(
    Notification,
    protocol=ID,
    id=0x1,
    spec="POWERCAP_MEASUREMENTS_CHANGED",
    section="B 5.3, notification 0x1",
):
    """The average power of a domain has left the thresholds; from 3.0 also: its MAI has changed."""

    agent_id: int = u32("0 = platform")
    domain_id: int = u32()
    power: int = u32("average, in the domain's power unit")
    mai: int | None = u32(unit="us", since=0x30000, default=None)


class MeasurementsNotifyResponse(Response):
    """The setting is stored."""


class MeasurementsNotify(
    Request[MeasurementsNotifyResponse],
    protocol=ID,
    id=0xB,
    spec="POWERCAP_MEASUREMENTS_NOTIFY",
    section="B 5.3, 0xB",
    subscribes=MeasurementsChanged,
    offered=(
        "attributes.measurements_change_notify",
        "attributes.mai_change_notify",
    ),
):
    """Switch the notification of a domain's power leaving two thresholds on or off."""

    domain_id: int = u32("16 significant bits")
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)
    power_thresh_low: int = u32("in the domain's power unit", default=0)
    power_thresh_high: int = u32("in the domain's power unit", default=0)


class FastchannelAttributes(Bits):
    """The doorbell of a FastChannel."""

    doorbell_width = bits(2, 1, enum=DoorbellWidth)
    doorbell = flag(0, "there is a doorbell register")


class RateLimit(Bits):
    """How often a FastChannel may be used."""

    rate_limit = bits(19, 0, "microseconds between two requests at least; 0 = no limit")


class DescribeFastchannelResponse(Response):
    """Where the FastChannel of the message is."""

    attributes: FastchannelAttributes = word(FastchannelAttributes)
    rate_limit: RateLimit = word(RateLimit)
    chan_addr: int = u64("physical address")
    chan_size: int = u32(unit="B")
    doorbell_addr: int = u64("physical address")
    doorbell_set_mask: int = u64("bits to set in the doorbell")
    doorbell_preserve_mask: int = u64("bits to keep in the doorbell")


class DescribeFastchannel(
    Request[DescribeFastchannelResponse],
    protocol=ID,
    id=0xC,
    spec="POWERCAP_DESCRIBE_FASTCHANNEL",
    section="B 5.3, 0xC",
):
    """Ask for the FastChannel of a message (virtio excludes FastChannels)."""

    domain_id: int = u32("16 significant bits")
    message_id: int = u32("the message whose FastChannel is meant")
    cpli: int | None = u32("concurrent power limit", since=0x30000, default=0)


class NumCpl(Bits):
    """How many limits are here and how many are left."""

    remaining = bits(31, 16)
    returned = bits(15, 0)


class CplFlags(Bits):
    """What can be done with a limit."""

    cap_configurable = flag(0)


class CplDescription(Struct):
    """One concurrent power limit; powers in the domain's power unit."""

    cpli: int = u32()
    flags: CplFlags = word(CplFlags)
    min_power_cap: int = u32()
    max_power_cap: int = u32()
    power_cap_step: int = u32()
    min_cai: int = u32("0 = not reported", unit="us")
    max_cai: int = u32("0 = not reported", unit="us")
    cai_step: int = u32(unit="us")
    name: str = text(16)


class CpcAttributesResponse(Response):
    """Concurrent power limits, in ascending order."""

    num_cpl: NumCpl = word(NumCpl)
    desc: list[CplDescription] = array(CplDescription, count="num_cpl.returned")


class CpcAttributes(
    Request[CpcAttributesResponse],
    protocol=ID,
    id=0xD,
    spec="POWERCAP_CPC_ATTRIBUTES",
    since=0x30000,
    section="B 5.3, 0xD",
    paging=Paging("desc_index", "num_cpl.returned", "num_cpl.remaining", "desc"),
):
    """Describe the concurrent power limits of a domain."""

    domain_id: int = u32("16 significant bits")
    desc_index: int = u32("position of the first descriptor wanted")


class CaiGetResponse(Response):
    """The cap averaging interval."""

    cai: int = u32(unit="us")


class CaiGet(
    Request[CaiGetResponse],
    protocol=ID,
    id=0xE,
    spec="POWERCAP_CAI_GET",
    since=0x30000,
    section="B 5.3, 0xE",
):
    """Read the cap averaging interval of a domain."""

    domain_id: int = u32("16 significant bits")
    cpli: int = u32("concurrent power limit; 0 where there are none", default=0)


class CaiSetResponse(Response):
    """The cap averaging interval is set."""


class CaiSet(
    Request[CaiSetResponse],
    protocol=ID,
    id=0xF,
    spec="POWERCAP_CAI_SET",
    since=0x30000,
    section="B 5.3, 0xF",
    effect=Effect.WRITE,
):
    """Set the cap averaging interval of a domain."""

    domain_id: int = u32("16 significant bits")
    flags: int = u32("reserved", default=0)
    cai: int = u32(unit="us")
    cpli: int = u32("concurrent power limit; 0 where there are none", default=0)


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x20000):
    """Ask the platform to speak another version of the power capping protocol to this agent."""


PROTOCOL = Protocol(
    "powercap",
    ID,
    title="Power capping and monitoring",
    versions=(0x10000, 0x20000, 0x30000),
    experimental=(0x30000,),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DomainAttributes,
        CapGet,
        CapSet,
        PaiGet,
        PaiSet,
        DomainNameGet,
        MeasurementsGet,
        CapNotify,
        MeasurementsNotify,
        DescribeFastchannel,
        CpcAttributes,
        CaiGet,
        CaiSet,
        NegotiateProtocolVersion,
    ),
    notifications=(CapChanged, MeasurementsChanged),
    resources=Resources(
        "power capping domain",
        count="attributes.num_domains",
        describe=DomainAttributes,
        id="domain_id",
        name="name",
        extended="attributes.extended_name",
        name_get=DomainNameGet,
    ),
)
