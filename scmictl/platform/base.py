"""Base protocol behaviour: who is who, who may use what, and the report of broken commands.

What the reference leaves open is decided like this: past the end of the protocol list is
INVALID_PARAMETERS and its very end an empty list; base cannot be denied (NOT_FOUND, as Arm's test
suite wants it); resetting agent 0, the platform, succeeds and does nothing; an agent that is not
trusted may reset its own configuration, but not its permissions. BASE_ERROR_EVENT is raised, one
report each and never fatal, for commands that break the protocol itself: another message type, a
wrong size, or no room for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.permission import Device
from scmictl.protocols import base
from scmictl.wire import Status

PLATFORM = "platform"
"""The name of agent 0."""


class Base(Behaviour):
    """The base protocol, which every agent can always use."""

    PROTOCOL = base.PROTOCOL

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            base.ProtocolAttributes: self.protocol_attributes,
            base.DiscoverVendor: self.discover_vendor,
            base.DiscoverSubVendor: self.discover_sub_vendor,
            base.DiscoverImplementationVersion: self.discover_implementation_version,
            base.DiscoverListProtocols: self.discover_list_protocols,
            base.DiscoverAgent: self.discover_agent,
            base.NotifyErrors: self.notify_errors,
            base.SetDevicePermissions: self.set_device_permissions,
            base.SetProtocolPermissions: self.set_protocol_permissions,
            base.ResetAgentConfiguration: self.reset_agent_configuration,
        }

    def state(self, resource: int) -> dict[str, Any]:
        platform = self.platform
        return {
            "vendor": platform.vendor,
            "sub_vendor": platform.sub_vendor,
            "implementation_version": platform.implementation_version,
            "uptime_us": platform.uptime_us(platform.now),
            "connections": [
                {
                    "agent": platform.by_agent[port.agent].name,
                    "events": port.events,
                    "readonly": port.readonly,
                    "subscriptions": len(port.subscriptions),
                    "dropped": port.dropped,
                }
                for port in platform.ports
            ],
        }

    # --- discovery --------------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: base.ProtocolAttributes
    ) -> base.ProtocolAttributesResponse:
        return base.ProtocolAttributesResponse(
            attributes=base.ProtocolAttributesWord(
                num_agents=len(self.platform.by_agent), num_protocols=len(self.listed(call.agent))
            )
        )

    def discover_vendor(
        self, call: Call, request: base.DiscoverVendor
    ) -> base.DiscoverVendorResponse:
        return base.DiscoverVendorResponse(vendor_identifier=self.platform.vendor)

    def discover_sub_vendor(
        self, call: Call, request: base.DiscoverSubVendor
    ) -> base.DiscoverSubVendorResponse:
        return base.DiscoverSubVendorResponse(vendor_identifier=self.platform.sub_vendor)

    def discover_implementation_version(
        self, call: Call, request: base.DiscoverImplementationVersion
    ) -> base.DiscoverImplementationVersionResponse:
        return base.DiscoverImplementationVersionResponse(
            implementation_version=self.platform.implementation_version
        )

    def discover_list_protocols(
        self, call: Call, request: base.DiscoverListProtocols
    ) -> base.DiscoverListProtocolsResponse:
        listed = self.listed(call.agent)
        require(request.skip <= len(listed))
        left = listed[request.skip :]
        if left:
            left = left[: 4 * call.fit(4)]
        return base.DiscoverListProtocolsResponse(num_protocols=len(left), protocols=left)

    def discover_agent(self, call: Call, request: base.DiscoverAgent) -> base.DiscoverAgentResponse:
        id = request.agent_id
        if id == base.SELF and call.version >= 0x20000:
            id = call.agent
        if id == 0:
            return base.DiscoverAgentResponse(agent_id=0, name=PLATFORM)
        require(id in self.platform.by_agent, Status.NOT_FOUND)
        return base.DiscoverAgentResponse(agent_id=id, name=self.platform.by_agent[id].name)

    def listed(self, agent: int) -> list[int]:
        """Return the protocols the agent can use, without base, in ascending order."""
        return [
            id
            for id in sorted(self.platform.behaviours)
            if id != self.PROTOCOL.id and not self.platform.permissions.revoked(agent, id)
        ]

    # --- errors -----------------------------------------------------------------------------------

    def notify_errors(self, call: Call, request: base.NotifyErrors) -> None:
        self.switch(call, request, 0, True)

    # --- permissions ------------------------------------------------------------------------------

    def set_device_permissions(self, call: Call, request: base.SetDevicePermissions) -> None:
        device = self.target(request.agent_id, request.device_id)
        allow = request.flags.access_type == base.Access.ALLOW
        may_use = self.platform.permissions.may_use(request.agent_id, device)
        # Arm's test suite: what the agent cannot use cannot be taken from it.
        require(allow or may_use, Status.NOT_FOUND)
        require(not request.flags.reserved)
        require(self.trusted(call.agent), Status.DENIED)
        self.platform.permissions.change(request.agent_id, device, device.owns, allow)

    def set_protocol_permissions(self, call: Call, request: base.SetProtocolPermissions) -> None:
        device = self.target(request.agent_id, request.device_id)
        protocol = request.command_id.protocol_id
        require(protocol in device.owns, Status.NOT_FOUND)
        require(not request.command_id.reserved and not request.flags.reserved)
        require(self.trusted(call.agent), Status.DENIED)
        allow = request.flags.access_type == base.Access.ALLOW
        self.platform.permissions.change(request.agent_id, device, (protocol,), allow)

    def reset_agent_configuration(self, call: Call, request: base.ResetAgentConfiguration) -> None:
        id = request.agent_id
        require(id == 0 or id in self.platform.by_agent, Status.NOT_FOUND)
        require(not request.flags.reserved)
        own = id == call.agent and not request.flags.permissions_reset
        require(own or self.trusted(call.agent), Status.DENIED)
        if id:
            self.platform.reset_agent(id, call.now, permissions=request.flags.permissions_reset)

    def trusted(self, agent: int) -> bool:
        """Return whether the agent may change permissions and reset others."""
        return self.platform.by_agent[agent].trusted

    def target(self, agent: int, device_id: int) -> Device:
        """Return the device of a permission; raises NOT_FOUND if it or the agent is unknown."""
        device = self.platform.permissions.device(device_id)
        require(agent in self.platform.by_agent and device is not None, Status.NOT_FOUND)
        assert device is not None
        return device


BEHAVIOUR = Base
