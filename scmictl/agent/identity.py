"""Who a platform is, and so what its protocol numbers mean: those from 0x80 are its vendor's.

Theory of operation. The base protocol is asked for vendor and sub-vendor once per connection, when
a number from 0x80 is met for the first time. A platform may refuse to say (sub-vendors are
optional), not answer, or answer nonsense: then it has no vendor, or no sub-vendor, and what belongs
to one is not taken for it. Raw words are better than the wrong names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import protocols
from scmictl.agent.transfers import Transfer
from scmictl.errors import ScmictlError, StatusError, TransportError
from scmictl.protocols import VENDOR_FIRST, Protocol, base
from scmictl.wire import Request, Status

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent

Owner = tuple[str, str | None]
"""A vendor and a sub-vendor; None is any."""


class Identity(NamedTuple):
    """What the base protocol said; None is what it did not say, and ``errors`` are why."""

    vendor: str | None
    sub_vendor: str | None
    errors: tuple[ScmictlError, ...] = ()

    def __str__(self) -> str:
        if not self.vendor:
            return "unknown"
        return f"{self.vendor}:{self.sub_vendor}" if self.sub_vendor else self.vendor

    @property
    def lasting(self) -> bool:
        """Whether asking again would have no other answer."""
        return not any(isinstance(e, StatusError) and e.status == Status.BUSY for e in self.errors)


class Protocols:
    """The protocols of one platform by their numbers; ``given`` counts instead of what it says."""

    def __init__(self, agent: Agent, given: Owner | None = None) -> None:
        self.given = given
        self._agent = agent
        self._identity: Identity | None = None

    def by_id(self, number: int, *, ask: bool = True) -> Protocol | None:
        """Return the protocol that a number means here, None if we do not know it.

        Without ``ask`` nothing is sent; else it raises what :meth:`identity` does.
        """
        return protocols.by_id(number, *self._owner(number, ask))

    def id_name(self, number: int, *, ask: bool = True) -> str:
        """Return the name of a number here, as :func:`scmictl.protocols.id_name` does."""
        return protocols.id_name(number, *self._owner(number, ask))

    def ask(self, number: int) -> None:
        """See to it that the number can be understood from now on."""
        self._owner(number, True)

    @property
    def owner(self) -> tuple[str | None, str | None]:
        """Vendor and sub-vendor as far as they are known, without asking."""
        if self.given is not None:
            return self.given
        if self._identity is None:
            return None, None
        return self._identity.vendor, self._identity.sub_vendor or ""

    @property
    def settled(self) -> bool:
        """Whether nobody has to be asked any more."""
        return self.given is not None or self._identity is not None

    def identity(self) -> Identity:
        """Return what the platform says, asking it the first time.

        Raises only what ends a connection, and Interrupted.
        """
        if self._identity is not None:
            return self._identity
        asked = [self._agent.submit(question) for question in questions()]
        self._agent.collect(asked)
        return self.learn(*asked)

    def learn(self, vendor: Transfer[Any], sub_vendor: Transfer[Any]) -> Identity:
        """Take over the answers to :func:`questions`; raises TransportError for a lost connection.

        Those of a platform that was busy are not kept.
        """
        errors = tuple(t.error for t in (vendor, sub_vendor) if t.error is not None)
        for error in errors:
            if isinstance(error, TransportError):
                raise error
        said = [
            t.result().vendor_identifier if t.error is None else None for t in (vendor, sub_vendor)
        ]
        identity = Identity(said[0], said[1], errors)
        self._identity = identity if identity.lasting else None
        return identity

    def forget(self) -> None:
        """Ask anew the next time: it may be another platform."""
        self._identity = None

    def _owner(self, number: int, ask: bool) -> tuple[str | None, str | None]:
        if number < VENDOR_FIRST:
            return None, None
        if ask and not self.settled:
            identity = self.identity()
            return identity.vendor, identity.sub_vendor or ""
        return self.owner


def questions() -> tuple[Request[Any], Request[Any]]:
    """Return the requests whose transfers :meth:`Protocols.learn` takes."""
    return base.DiscoverVendor(), base.DiscoverSubVendor()
