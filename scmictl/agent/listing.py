"""Lists that do not fit into one message, read to their end.

The peer's counts are not believed: a list that claims to go on but brings nothing, whose remainder
does not fall, or that grows past every limit ends with an error, and keeps the rows read so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scmictl.errors import LocalProtocolError, RemoteProtocolError, ScmictlError
from scmictl.wire import Request, Response, follow

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent
    from scmictl.agent.transfers import Transfer

LONGEST = 1 << 17
"""More elements than any SCMI list can have (16 bits count what remains)."""


class Listing:
    """A list as far as it could be read: its ``items``, and the ``error`` that ended it, if any.

    ``first`` is the first response, for what it says besides its items (a triplet flag, say).
    """

    def __init__(self, request: Request[Any]) -> None:
        self.request = request
        self.items: list[Any] = []
        self.first: Response | None = None
        self.error: ScmictlError | None = None
        self._remaining: int | None = None
        self._start = follow(request, _paging(request).start)

    def all(self) -> list[Any]:
        """Return the items; raises the error if the list could not be read to its end."""
        if self.error is not None:
            raise self.error
        return self.items

    def next_request(self) -> Request[Any] | None:
        """Return the request for the next part, or None at the end."""
        if self.error is not None:
            return None
        if self.first is None:
            return self.request
        if not self._remaining:
            return None
        try:
            return self.request.starting_at(self._start + len(self.items))
        except LocalProtocolError as error:
            # PINCTRL_SETTINGS_GET has 8 bits for the position, and as many for what remains.
            self.error = RemoteProtocolError(
                f"{self.request.SPEC}: {self._remaining} elements remain after {len(self.items)}, "
                f"more than can be asked for ({error.message})"
            )
            return None

    def take(self, transfer: Transfer[Any]) -> None:
        """Add the part that ``transfer`` brought."""
        paging = _paging(self.request)
        try:
            response = transfer.result()
        except RemoteProtocolError as error:
            partial = error.partial
            if isinstance(partial, Response) and hasattr(partial, paging.items):
                # What comes before the items is there too, such as how to understand them.
                self.first = self.first or partial
                self.items += getattr(partial, paging.items)
            self.error = error
            return
        except ScmictlError as error:
            self.error = error
            return
        if self.first is None:
            self.first = response
        items = getattr(response, paging.items)
        returned = follow(response, paging.returned)
        self.items += items
        spec = self.request.SPEC
        if paging.remaining is None:
            # Without a count of what remains, the list ends with the first empty part.
            self._remaining = returned
            if len(self.items) > LONGEST:
                self.error = RemoteProtocolError(
                    f"{spec}: the list has no end ({len(self.items)} elements so far)"
                )
            return
        remaining = follow(response, paging.remaining)
        if remaining and not returned:
            self.error = RemoteProtocolError(
                f"{spec}: 0 elements returned although {remaining} remain, expected at least 1"
            )
        elif self._remaining is not None and remaining != self._remaining - returned:
            self.error = RemoteProtocolError(
                f"{spec}: {remaining} elements remain after {returned} more, expected "
                f"{self._remaining - returned}"
            )
        self._remaining = remaining


def _paging(request: Request[Any]) -> Any:
    paging = request.PAGING
    assert paging is not None, request.SPEC
    return paging


def read_lists(agent: Agent, requests: Sequence[Request[Any]]) -> list[Listing]:
    """Read several lists in step, their messages sharing the ring."""
    listings = [Listing(request) for request in requests]
    active = listings
    while active:
        sent = []
        for listing in active:
            request = listing.next_request()
            if request is not None:
                sent.append((listing, agent.submit(request)))
        agent.collect([transfer for _, transfer in sent])
        for listing, transfer in sent:
            listing.take(transfer)
        active = [listing for listing, _ in sent]
    return listings
