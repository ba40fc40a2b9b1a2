"""What an agent knows of the platform it talks to: versions, messages, resources.

Each is asked for the first time that it matters, and forgotten with the connection. Nothing here is
ever used to decide what may be sent: the platform has the last word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scmictl import protocols
from scmictl.agent.discovery import Discovery
from scmictl.errors import LocalProtocolError, StatusError
from scmictl.protocols import Protocol, Resources, common
from scmictl.wire import Request, Status

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent


class Facts:
    """The facts of one connection after another; ``fixed`` are versions that are never asked for.

    ``versions`` are the layouts in force and ``reported`` what PROTOCOL_VERSION answered, both by
    protocol id.
    """

    def __init__(self, agent: Agent, fixed: dict[int, int]) -> None:
        self.versions = dict(fixed)
        self.reported: dict[int, int] = {}
        self._agent = agent
        self._fixed = fixed
        self._implemented: dict[tuple[int, int], bool] = {}
        self._discoveries: dict[Resources, Discovery] = {}

    def forget(self) -> None:
        """Know nothing but what is fixed: the connection is a new one."""
        self.versions = dict(self._fixed)
        self.reported.clear()
        self._implemented.clear()
        self._discoveries.clear()

    def negotiated(self, request: common.NegotiateProtocolVersion) -> None:
        """Take note of a version that the platform has agreed to."""
        self.versions[request.PROTOCOL_ID] = int(request.version)
        self._implemented.clear()

    def version(self, protocol: Protocol) -> int:
        """As `Agent.version`."""
        known = self.versions.get(protocol.id)
        if known is not None:
            return known
        reported = int(self._agent.call(protocol.by_id[0x0]()).version)
        self.reported[protocol.id] = reported
        version = protocol.layout_version(reported)
        if version != reported:
            ask = protocol.by_id[0x10](version=protocol.newest)
            try:
                self._agent.call(ask)
                version = protocol.newest
            except StatusError:
                pass  # best effort with our newest layouts, as the reference has it
        self.versions[protocol.id] = version
        return version

    def layout(self, request: Request[Any]) -> int:
        """Return the version to encode ``request`` in; asks only where it makes a difference."""
        protocol = protocols.of(request)
        if protocol is None:
            return self.versions.get(request.PROTOCOL_ID, 0)
        varies = bool(request.changes() or request.RESPONSE.changes())
        if request.DELAYED is not None:
            varies = varies or bool(request.DELAYED.changes())
        if varies:
            return self.version(protocol)
        return self.versions.get(protocol.id, protocol.newest)

    def implements(self, request: type[Request[Any]]) -> bool:
        """As `Agent.implements`."""
        key = (request.PROTOCOL_ID, request.MESSAGE_ID)
        if key not in self._implemented:
            protocol = protocols.of(request)
            assert protocol is not None, f"no protocol lists {request.SPEC}"
            ask = protocol.by_id[0x2](message_id=request.MESSAGE_ID)
            try:
                self._agent.call(ask)
                self._implemented[key] = True
            except StatusError as error:
                if error.status not in (Status.NOT_FOUND, Status.NOT_SUPPORTED):
                    raise
                self._implemented[key] = False
        return self._implemented[key]

    def discover(self, protocol: Protocol, how: Resources | None) -> Discovery:
        """As `Agent.discover`."""
        how = how or protocol.resources
        if how is None:
            raise LocalProtocolError(f"the {protocol.name} protocol has nothing to list")
        found = self._discoveries.get(how)
        if found is None:
            found = self._discoveries[how] = Discovery.read(self._agent, protocol, how)
        return found

    def discovered(self, protocol: Protocol, how: Resources | None) -> Discovery | None:
        """As `Agent.discovered`."""
        how = how or protocol.resources
        return None if how is None else self._discoveries.get(how)
