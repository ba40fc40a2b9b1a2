"""The voltage domain protocol (0x17): levels, on and off (reference part B, section 4)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, Resources
from scmictl.wire import (
    AsyncRequest,
    Bits,
    Delayed,
    Effect,
    Paging,
    Request,
    Response,
    array,
    bits,
    flag,
    i32,
    text,
    u32,
    word,
)

ID = 0x17


class LevelFormat(IntEnum):
    """How VOLTAGE_DESCRIBE_LEVELS describes the levels."""

    LIST = 0
    TRIPLET = 1


class ModeType(IntEnum):
    """Who defines what a mode id means."""

    ARCHITECTURAL = 0
    IMPLEMENTATION_DEFINED = 1


class Mode(IntEnum):
    """The architectural modes; 8 to 15 are implementation defined, the others reserved."""

    OFF = 0x0
    ON = 0x7


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the voltage domain protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """What the platform's voltage domain protocol has."""

    num_domains = bits(15, 0, "voltage domains visible to the calling agent")


class ProtocolAttributesResponse(Response):
    """How many voltage domains there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="B 4.2, 0x1",
):
    """Ask how many voltage domains there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the voltage domain protocol."""


class DomainAttributesWord(Bits):
    """What a voltage domain can do."""

    async_level_set = flag(31, "asynchronous VOLTAGE_LEVEL_SET supported", since=0x20000)
    extended_name = flag(30, "VOLTAGE_DOMAIN_NAME_GET has the whole name", since=0x20000)


class DomainAttributesResponse(Response):
    """A voltage domain's name and abilities."""

    attributes: DomainAttributesWord = word(DomainAttributesWord)
    name: str = text(16)


class DomainAttributes(
    Request[DomainAttributesResponse],
    protocol=ID,
    id=0x3,
    spec="VOLTAGE_DOMAIN_ATTRIBUTES",
    section="B 4.2, 0x3",
):
    """Describe a voltage domain."""

    domain_id: int = u32("16 significant bits")


class LevelsFlags(Bits):
    """How many levels are here and how many are left."""

    remaining = bits(31, 16, "0 for a triplet")
    format = bits(12, 12, "list, or triplet lowest, highest, step", enum=LevelFormat)
    returned = bits(11, 0, "levels in this response; 3 for a triplet")


class DescribeLevelsResponse(Response):
    """Levels in ascending order, or lowest, highest, step."""

    flags: LevelsFlags = word(LevelsFlags)
    voltage: list[int] = array("i32", count="flags.returned", unit="uV")


class DescribeLevels(
    Request[DescribeLevelsResponse],
    protocol=ID,
    id=0x4,
    spec="VOLTAGE_DESCRIBE_LEVELS",
    section="B 4.2, 0x4",
    paging=Paging("level_index", "flags.returned", "flags.remaining", "voltage"),
):
    """List the levels a voltage domain can have."""

    domain_id: int = u32("16 significant bits")
    level_index: int = u32("first level wanted; 0 for a triplet")


class ConfigSetWord(Bits):
    """The mode to put a voltage domain into."""

    mode_type = bits(3, 3, enum=ModeType)
    mode_id = bits(2, 0, "architectural: off or on, the others are reserved", enum=Mode)


class ConfigSetResponse(Response):
    """The mode is set."""


class ConfigSet(
    Request[ConfigSetResponse],
    protocol=ID,
    id=0x5,
    spec="VOLTAGE_CONFIG_SET",
    section="B 4.2, 0x5",
    effect=Effect.WRITE,
):
    """Switch a voltage domain on or off."""

    domain_id: int = u32("16 significant bits")
    config: ConfigSetWord = word(ConfigSetWord)


class ConfigWord(Bits):
    """The mode a voltage domain is in."""

    mode = bits(3, 0, "0x8 to 0xF are implementation defined", enum=Mode)


class ConfigGetResponse(Response):
    """The mode of the voltage domain."""

    config: ConfigWord = word(ConfigWord)


class ConfigGet(
    Request[ConfigGetResponse],
    protocol=ID,
    id=0x6,
    spec="VOLTAGE_CONFIG_GET",
    section="B 4.2, 0x6",
):
    """Ask whether a voltage domain is on."""

    domain_id: int = u32("16 significant bits")


class LevelSetFlags(Bits):
    """How to set a level."""

    async_ = flag(0, "answer at once, set the level later", since=0x20000)


class LevelSetResponse(Response):
    """The level is set, or the asynchronous change is accepted."""


class LevelSetComplete(
    Delayed,
    protocol=ID,
    id=0x7,
    spec="VOLTAGE_LEVEL_SET_COMPLETE",
    since=0x20000,
    section="B 4.2, delayed 0x7",
):
    """An asynchronous level change is done."""

    domain_id: int = u32()
    voltage_level: int = i32("level in force now", unit="uV")


class LevelSet(
    AsyncRequest[LevelSetResponse, LevelSetComplete],
    protocol=ID,
    id=0x7,
    spec="VOLTAGE_LEVEL_SET",
    section="B 4.2, 0x7",
    effect=Effect.WRITE,
    async_when=("flags.async_",),
):
    """Set the level of a voltage domain."""

    domain_id: int = u32("16 significant bits")
    flags: LevelSetFlags = word(LevelSetFlags, default=0)
    voltage_level: int = i32(unit="uV")


class LevelGetResponse(Response):
    """The level of the voltage domain."""

    voltage_level: int = i32(unit="uV")


class LevelGet(
    Request[LevelGetResponse],
    protocol=ID,
    id=0x8,
    spec="VOLTAGE_LEVEL_GET",
    section="B 4.2, 0x8",
):
    """Read the level of a voltage domain."""

    domain_id: int = u32("16 significant bits")


class DomainNameGetResponse(Response):
    """A voltage domain's whole name."""

    flags: int = u32("reserved", default=0)
    name: str = text(64)


class DomainNameGet(
    Request[DomainNameGetResponse],
    protocol=ID,
    id=0x9,
    spec="VOLTAGE_DOMAIN_NAME_GET",
    since=0x20000,
    section="B 4.2, 0x9",
):
    """Read the whole name of a voltage domain whose name has more than 15 characters."""

    domain_id: int = u32("16 significant bits")


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x20001):
    """Ask the platform to speak another version of the voltage domain protocol to this agent."""


PROTOCOL = Protocol(
    "voltage",
    ID,
    title="Voltage domain management",
    versions=(0x10000, 0x20000, 0x20001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DomainAttributes,
        DescribeLevels,
        ConfigSet,
        ConfigGet,
        LevelSet,
        LevelGet,
        DomainNameGet,
        NegotiateProtocolVersion,
    ),
    resources=Resources(
        "voltage domain",
        count="attributes.num_domains",
        describe=DomainAttributes,
        id="domain_id",
        name="name",
        extended="attributes.extended_name",
        name_get=DomainNameGet,
    ),
)
