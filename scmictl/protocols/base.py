"""The base protocol (0x10): who the platform is, what it offers and to whom (reference A, 3)."""

from __future__ import annotations

from enum import IntEnum

from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol
from scmictl.wire import (
    Bits,
    Effect,
    Notification,
    Paging,
    Request,
    Response,
    Struct,
    array,
    bits,
    flag,
    i32,
    packed,
    text,
    u32,
    word,
)

ID = 0x10
SELF = 0xFFFFFFFF
"""The agent id that means the calling agent in BASE_DISCOVER_AGENT."""


class Access(IntEnum):
    """What a permission command does."""

    DENY = 0
    ALLOW = 1


class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask which version of the base protocol the platform speaks."""


class ProtocolAttributesWord(Bits):
    """Counts of agents and protocols."""

    num_agents = bits(15, 8, "agents without the platform; 0 = agent discovery not supported")
    num_protocols = bits(7, 0, "protocols this agent can use, base excluded")


class ProtocolAttributesResponse(Response):
    """How many agents and protocols there are."""

    attributes: ProtocolAttributesWord = word(ProtocolAttributesWord)


class ProtocolAttributes(
    Request[ProtocolAttributesResponse],
    protocol=ID,
    id=0x1,
    spec="PROTOCOL_ATTRIBUTES",
    section="A 3, 0x1",
):
    """Ask how many agents and protocols there are."""


class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask whether the platform implements a message of the base protocol."""


class DiscoverVendorResponse(Response):
    """The vendor's name."""

    vendor_identifier: str = text(16)


class DiscoverVendor(
    Request[DiscoverVendorResponse],
    protocol=ID,
    id=0x3,
    spec="BASE_DISCOVER_VENDOR",
    section="A 3, 0x3",
):
    """Read the name of the platform's vendor."""


class DiscoverSubVendorResponse(Response):
    """The sub-vendor's name."""

    vendor_identifier: str = text(16)


class DiscoverSubVendor(
    Request[DiscoverSubVendorResponse],
    protocol=ID,
    id=0x4,
    spec="BASE_DISCOVER_SUB_VENDOR",
    section="A 3, 0x4",
):
    """Read the name of the platform's sub-vendor."""


class DiscoverImplementationVersionResponse(Response):
    """The firmware's version, in the vendor's own format."""

    implementation_version: int = u32("vendor defined; increases with every release")


class DiscoverImplementationVersion(
    Request[DiscoverImplementationVersionResponse],
    protocol=ID,
    id=0x5,
    spec="BASE_DISCOVER_IMPLEMENTATION_VERSION",
    section="A 3, 0x5",
):
    """Read the version of the platform's firmware."""


class DiscoverListProtocolsResponse(Response):
    """Protocol ids, base left out, in ascending order."""

    num_protocols: int = u32("ids in this response")
    protocols: list[int] = packed("ids, four to a word", count="num_protocols")


class DiscoverListProtocols(
    Request[DiscoverListProtocolsResponse],
    protocol=ID,
    id=0x6,
    spec="BASE_DISCOVER_LIST_PROTOCOLS",
    section="A 3, 0x6",
    paging=Paging("skip", "num_protocols", None, "protocols"),
):
    """List the protocols this agent can use."""

    skip: int = u32("number of leading entries to leave out")


class DiscoverAgentResponse(Response):
    """An agent's id and name."""

    agent_id: int | None = u32("for a self query the caller's own id", since=0x20000, default=None)
    name: str = text(16)


class DiscoverAgent(
    Request[DiscoverAgentResponse],
    protocol=ID,
    id=0x7,
    spec="BASE_DISCOVER_AGENT",
    section="A 3, 0x7",
):
    """Read the name of an agent."""

    agent_id: int = u32("0 = the platform, 0xFFFFFFFF = the caller (from 2.0)")


class ErrorReport(Struct):
    """One command that went wrong."""

    message_header: int = u32()
    status: int = i32()


class ErrorStatus(Bits):
    """How bad it is, and how many reports follow."""

    fatal = flag(31)
    cmd_count = bits(9, 0, "number of reports")


class ErrorEvent(
    Notification, protocol=ID, id=0x0, spec="BASE_ERROR_EVENT", section="A 3, notification 0x0"
):
    """Commands of an agent failed in the platform."""

    agent_id: int = u32("agent whose commands caused the error")
    error_status: ErrorStatus = word(ErrorStatus)
    msg_reports: list[ErrorReport] = array(ErrorReport, count="error_status.cmd_count")


class NotifyErrorsResponse(Response):
    """The setting is stored."""


class NotifyErrors(
    Request[NotifyErrorsResponse],
    protocol=ID,
    id=0x8,
    spec="BASE_NOTIFY_ERRORS",
    section="A 3, 0x8",
    subscribes=ErrorEvent,
):
    """Switch the notification of errors on or off."""

    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


class AccessFlags(Bits):
    """Allow or deny."""

    access_type = bits(0, 0, enum=Access)


class SetDevicePermissionsResponse(Response):
    """The permission is changed."""


class SetDevicePermissions(
    Request[SetDevicePermissionsResponse],
    protocol=ID,
    id=0x9,
    spec="BASE_SET_DEVICE_PERMISSIONS",
    since=0x20000,
    section="A 3, 0x9",
    effect=Effect.WRITE,
    hurts=("not flags.access_type",),
):
    """Allow or deny an agent the use of a device."""

    agent_id: int = u32()
    device_id: int = u32("platform-wide number of the device, from firmware tables")
    flags: AccessFlags = word(AccessFlags)


class CommandId(Bits):
    """The protocol a permission is about."""

    protocol_id = bits(7, 0)


class SetProtocolPermissionsResponse(Response):
    """The permission is changed."""


class SetProtocolPermissions(
    Request[SetProtocolPermissionsResponse],
    protocol=ID,
    id=0xA,
    spec="BASE_SET_PROTOCOL_PERMISSIONS",
    since=0x20000,
    section="A 3, 0xA",
    effect=Effect.WRITE,
    hurts=("not flags.access_type",),
):
    """Allow or deny an agent one protocol of a device."""

    agent_id: int = u32()
    device_id: int = u32("platform-wide number of the device, from firmware tables")
    command_id: CommandId = word(CommandId)
    flags: AccessFlags = word(AccessFlags)


class ResetFlags(Bits):
    """What to do about permissions."""

    permissions_reset = flag(0, "1 = also restore the agent's default permissions")


class ResetAgentConfigurationResponse(Response):
    """The configuration is reset."""


class ResetAgentConfiguration(
    Request[ResetAgentConfigurationResponse],
    protocol=ID,
    id=0xB,
    spec="BASE_RESET_AGENT_CONFIGURATION",
    since=0x20000,
    section="A 3, 0xB",
    effect=Effect.HURTS,
):
    """Put back everything an agent has configured."""

    agent_id: int = u32()
    flags: ResetFlags = word(ResetFlags, default=0)


class NegotiateProtocolVersion(common.NegotiateProtocolVersion, protocol=ID, since=0x20001):
    """Ask the platform to speak another version of the base protocol to this agent."""


PROTOCOL = Protocol(
    "base",
    ID,
    title="Base",
    versions=(0x10000, 0x20000, 0x20001),
    requests=(
        ProtocolVersion,
        ProtocolAttributes,
        MessageAttributes,
        DiscoverVendor,
        DiscoverSubVendor,
        DiscoverImplementationVersion,
        DiscoverListProtocols,
        DiscoverAgent,
        NotifyErrors,
        SetDevicePermissions,
        SetProtocolPermissions,
        ResetAgentConfiguration,
        NegotiateProtocolVersion,
    ),
    notifications=(ErrorEvent,),
)
