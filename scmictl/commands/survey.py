"""What a platform says of itself: identity, agents, protocols and messages, each read in bulk.

The facts behind `info`, `base info` and the `info` of every group. What a platform does not have is
None; what could not be read for another reason is None too, and the first such reason is kept in
:attr:`Survey.error`, so that the record can say that it is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scmictl.agent import Raw, Transfer, status_error
from scmictl.agent.discovery import FAILED
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.errors import RemoteProtocolError, ScmictlError, StatusError
from scmictl.protocols import Protocol, base, version_text
from scmictl.wire import Request, Status, follow
from scmictl.wire.record import record as plain

ABSENT = (Status.NOT_SUPPORTED, Status.NOT_FOUND)
"""What platforms answer for a message that they do not have."""


class Survey:
    """Reads facts for one record; they are not remembered beyond it."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.agent = ctx.agent
        self.error: ScmictlError | None = None
        """Why the record is not complete, if it is not."""

    def finish(self, record: Record) -> Record:
        """Return ``record``, marked with the first error if something is missing in it."""
        if self.error is not None:
            record["error"] = self.error.name
        return record

    # -- the base protocol -------------------------------------------------------------------

    def identity(self) -> Record:
        """Return who the platform is: vendor, sub-vendor, version and implementation version."""
        self.ctx.version(base.PROTOCOL)
        identity = self.agent.protocols.identity()
        for error in identity.errors:
            self._note_unless_absent(error)
        [implementation] = self._submit(base.DiscoverImplementationVersion())
        return {
            "vendor": identity.vendor,
            "sub_vendor": identity.sub_vendor,
            "version": self.reported(base.PROTOCOL),
            "implementation_version": self._value(implementation, "implementation_version"),
        }

    def attributes(self) -> base.ProtocolAttributesWord:
        """Return how many agents and protocols there are."""
        return self.agent.call(base.ProtocolAttributes()).attributes

    def protocols(self, attributes: base.ProtocolAttributesWord) -> list[Record]:
        """Return id, name and version of the protocols this agent can use, base left out."""
        versions = self.versions(self.protocol_ids(attributes.num_protocols))
        return [
            self._row(
                {
                    "id": n,
                    "name": self.agent.protocols.id_name(n),
                    "version": version,
                    **self.experimental(n, version),
                },
                "version",
            )
            for n, version in versions.items()
        ]

    def agents(self, count: int) -> list[Record]:
        """Return the agents 1 to ``count`` by id and name, and which of them we are.

        ``self`` is None where the platform does not tell.
        """
        if not count:
            return []
        asks: list[Request[Any]] = [base.DiscoverAgent(agent_id=n + 1) for n in range(count)]
        if self.ctx.version(base.PROTOCOL) >= 0x20000:
            asks.append(base.DiscoverAgent(agent_id=base.SELF))
        transfers = self._submit(*asks)
        we = self._value(transfers[count], "agent_id") if len(transfers) > count else None
        return [
            self._row(
                {
                    "id": number,
                    "name": self._value(transfer, "name"),
                    "self": None if we is None else number == we,
                },
                "name",
                "self",
            )
            for number, transfer in enumerate(transfers[:count], 1)
        ]

    def protocol_ids(self, count: int) -> list[int]:
        """Return the ids of the protocols this agent can use, base left out.

        ``count`` is what PROTOCOL_ATTRIBUTES said: platforms differ in what they answer past the
        end, so that is not asked for.
        """
        found: list[int] = []
        while len(found) < count:
            try:
                part = self.agent.call(base.DiscoverListProtocols(skip=len(found))).protocols
            except RemoteProtocolError as error:
                self._note(error)
                return [*found, *filter(None, getattr(error.partial, "protocols", []))]
            if not part:
                break
            found += part
        if len(found) != count:
            self._note(
                RemoteProtocolError(
                    f"{base.DiscoverListProtocols.SPEC}: {len(found)} protocols listed, expected "
                    f"the {count} of PROTOCOL_ATTRIBUTES"
                )
            )
        return found

    # -- every protocol ----------------------------------------------------------------------

    def reported(self, protocol: Protocol) -> str:
        """Return the version the platform reports (or --proto replaces) as text."""
        known = self.ctx.version(protocol)
        return version_text(self.agent.reported.get(protocol.id, known))

    def versions(self, ids: Iterable[int]) -> dict[int, str | None]:
        """Return the version each protocol reports, of unknown protocols too."""
        transfers = {number: self.agent.submit(self._ask_version(number)) for number in ids}
        self.agent.collect(transfers.values())
        return {number: self._version(transfer) for number, transfer in transfers.items()}

    def experimental(self, number: int, version: str | None) -> Record:
        """Return the mark of a protocol whose reported version may still change, else nothing."""
        protocol = self.agent.protocols.by_id(number)
        versions = () if protocol is None else map(version_text, protocol.experimental)
        return {"experimental": True} if version in versions else {}

    def _ask_version(self, number: int) -> Request[Any] | Raw:
        protocol = self.agent.protocols.by_id(number)
        if protocol is None:
            return Raw(number, base.ProtocolVersion.MESSAGE_ID, b"")
        request: Request[Any] = protocol.by_id[base.ProtocolVersion.MESSAGE_ID]()
        return request

    def _version(self, transfer: Transfer[Any]) -> str | None:
        if not isinstance(transfer.request, Raw):
            version = self._value(transfer, "version")
            return None if version is None else version_text(version)
        error = transfer.error
        if error is None and transfer.status:
            error = status_error(transfer.status, transfer.spec)
        if error is None and len(transfer.payload) < 8:
            error = RemoteProtocolError(
                f"{transfer.spec}: {len(transfer.payload)} bytes, expected 8: status and version"
            )
        if error is not None:
            self._note(error)
            return None
        return version_text(int.from_bytes(transfer.payload[4:8], "little"))

    def counts(self, ids: Iterable[int]) -> dict[int, int | None]:
        """Return how many clocks, sensors and so on each protocol has; None of unknown ones."""
        known = {number: self.agent.protocols.by_id(number) for number in ids}
        transfers = {
            number: self.agent.submit(protocol.by_id[0x1]())
            for number, protocol in known.items()
            if protocol is not None and protocol.resources is not None
        }
        self.agent.collect(transfers.values())
        counts: dict[int, int | None] = dict.fromkeys(known)
        for number, transfer in transfers.items():
            protocol = known[number]
            assert protocol is not None and protocol.resources is not None
            counts[number] = self._value(transfer, protocol.resources.count)
        return counts

    def protocol(self, protocol: Protocol) -> Record:
        """Return number, version and attributes of one protocol, and which messages it has."""
        version = self.ctx.version(protocol)
        attributes = self.agent.call(protocol.by_id[0x1]())
        return {
            "name": protocol.name,
            "id": protocol.id,
            "version": self.reported(protocol),
            "in_use": version_text(version),
            **({"experimental": True} if version in protocol.experimental else {}),
            **plain(attributes, version),
            "messages": self.messages(protocol),
        }

    def messages(self, protocol: Protocol) -> dict[str, bool | None]:
        """Return for every message of a protocol whether the platform implements it.

        A message of a newer version than the platform's is not asked for: its number can have
        another meaning there (reference part A, 0xB).
        """
        version = self.ctx.version(protocol)
        asked = [request for request in protocol.requests if version >= request.SINCE]
        ask = protocol.by_id[0x2]
        transfers = self._submit(*(ask(message_id=request.MESSAGE_ID) for request in asked))
        there: dict[str, bool | None] = {request.SPEC: False for request in protocol.requests}
        for request, transfer in zip(asked, transfers, strict=True):
            there[request.SPEC] = self._implemented(transfer)
        return there

    def _implemented(self, transfer: Transfer[Any]) -> bool | None:
        error = transfer.error
        # Agents take a message that is refused for absent, whatever the reason; but a platform that
        # was busy or failed has not refused it.
        if error is None or (isinstance(error, StatusError) and error.status not in FAILED):
            return error is None
        self._note(error)
        return None

    # -- reading -----------------------------------------------------------------------------

    def _submit(self, *requests: Request[Any]) -> list[Transfer[Any]]:
        transfers = [self.agent.submit(request) for request in requests]
        self.agent.collect(transfers)
        return transfers

    def _value(self, transfer: Transfer[Any], path: str) -> Any:
        if transfer.error is None:
            return follow(transfer.response, path)
        self._note_unless_absent(transfer.error)
        return None

    def _note_unless_absent(self, error: ScmictlError) -> None:
        if not isinstance(error, StatusError) or error.status not in ABSENT:
            self._note(error)

    def _row(self, record: Record, *keys: str) -> Record:
        """Return the record of a list's row, marked if one of ``keys`` could not be read."""
        if self.error is not None and any(record[key] is None for key in keys):
            record["error"] = self.error.name
        return record

    def _note(self, error: ScmictlError) -> None:
        self.error = self.error or error
