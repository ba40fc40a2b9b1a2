"""What a protocol does on the platform: the base class of all behaviours, and the one call.

Theory of operation: a behaviour is made once for a platform, from the board's table of its name.
Its ``handlers`` say which method answers which message. A method gets the decoded request, whose
size is right and whose sender may use the protocol, and checks the rest in this order: identifier
(NOT_FOUND), values (INVALID_PARAMETERS, OUT_OF_RANGE), support (NOT_SUPPORTED), permission
(DENIED), occupation (BUSY). It raises :class:`Refusal` or returns the response; None stands for a
response of SUCCESS and nothing else, :data:`LATER` for one that it has the port hold back. A method
that refuses has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from scmictl import values
from scmictl.platform.board import SHORT
from scmictl.protocols import common
from scmictl.protocols.protocol import Protocol, version_text
from scmictl.wire import Bits, Notification, Request, Response, Status, follow

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

Message = type[Request[Any]]
Handler = Callable[["Call", Any], Response | None]
B = TypeVar("B", bound=Bits)

NEGOTIATE = 0x10
"""The one message that exists by the version the platform reports, not by the one in force."""
COUNT_BITS = 0xFFF
"""The most elements that most lists can say they return."""


LATER: Final = Response()
"""What a method returns whose response comes later: see :meth:`Port.hold`."""


class Refusal(Exception):
    """A command is answered with ``status``; it never leaves the platform."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


class Malformed(Refusal):
    """The command breaks the protocol itself: its size, its type, or no room for the answer."""

    def __init__(self) -> None:
        super().__init__(Status.PROTOCOL_ERROR)


class Call:
    """One command on its way: who sends it, when, and what the answer has to fit into.

    ``word`` is the header as it came, ``room`` the whole frame's; ``version`` is in force;
    ``cookie`` tells the port's caller which command a late response belongs to.
    """

    __slots__ = ("agent", "cookie", "now", "platform", "port", "room", "version", "word")

    def __init__(
        self, port: Port, cookie: int, word: int, version: int, room: int, now: float
    ) -> None:
        self.cookie = cookie
        self.platform = port.platform
        self.port = port
        self.agent = port.agent
        self.word = word
        self.version = version
        self.room = room
        self.now = now

    def fit(self, entry: int, head: int = 4) -> int:
        """Return how many list entries of ``entry`` bytes fit after ``head`` bytes of fields.

        Raises Malformed if not even one does.
        """
        count = (self.room - 8 - head) // entry
        if count < 1:
            raise Malformed
        return count

    def known(self, word: B) -> B:
        """Return ``word`` without the bits that the version in force does not have."""
        return type(word)(word & type(word).at(self.version).KNOWN)


class Behaviour:
    """What the platform does for one protocol; subclass it, with ``PROTOCOL`` and ``handlers``.

    ``names`` are the names of its resources by id; ``version`` is what the platform reports;
    ``max_async`` is how many commands each connection may have outstanding.
    """

    PROTOCOL: ClassVar[Protocol]
    ID_BITS: ClassVar[int] = 0xFFFFFFFF
    """The bits of an identifier that count."""
    NO_LONG_NAME: ClassVar[Status] = Status.NOT_FOUND
    """What is answered to a request for a name that its description has in full."""

    def __init__(self, platform: Platform, board: Table) -> None:
        name = self.PROTOCOL.name
        self.platform = platform
        versions = {version_text(version): version for version in self.PROTOCOL.versions}
        newest = version_text(self.PROTOCOL.newest)
        self.version = versions[board.table("versions").choice(name, tuple(versions), newest)]
        self.max_async = board.table("async").integer(name, 0, 255, 8)
        self.names: list[str] = []
        self._touched: dict[int, dict[int, None]] = {}
        common_handlers: dict[int, Handler] = {
            common.ProtocolVersion.MESSAGE_ID: self.protocol_version,
            common.MessageAttributes.MESSAGE_ID: self.message_attributes,
            common.NegotiateProtocolVersion.MESSAGE_ID: self.negotiate,
        }
        self._methods: dict[int, tuple[Message, Handler]] = {
            request.MESSAGE_ID: (request, common_handlers[request.MESSAGE_ID])
            for request in self.PROTOCOL.requests
            if request.MESSAGE_ID in common_handlers
        }
        for how in self.PROTOCOL.kinds:
            if how.name_get is not None:
                self._methods[how.name_get.MESSAGE_ID] = how.name_get, self.long_name
        for request, handler in self.handlers().items():
            self._methods[request.MESSAGE_ID] = request, handler

    # --- for subclasses ---------------------------------------------------------------------------

    def handlers(self) -> Mapping[Message, Handler]:
        """Return the method for every message but the three that all protocols have.

        Requests for long names need none, unless things are numbered by kinds.
        """
        return {}

    def needed(self) -> Mapping[Message, bool]:
        """Return for conditional messages whether this board needs them; asked once.

        Those for long names are left out where all names are short.
        """
        return {}

    def implements(self, message: Message) -> bool:
        """Return whether this board needs the message; a conditional one may be left out."""
        return message not in self._absent

    @cached_property
    def _absent(self) -> frozenset[Message]:
        long = any(len(name) > SHORT for name in self.names)
        needed = {how.name_get: long for how in self.PROTOCOL.kinds if how.name_get is not None}
        needed |= self.needed()
        return frozenset(message for message, need in needed.items() if not need)

    def offers(self, message: Message, port: Port) -> bool:
        """Return whether to tell an agent that the message exists.

        Without a channel to the agent, no message is offered that is only good with one.
        """
        return message.SUBSCRIBES is None or port.events

    def subscribed(self, event: type[Notification], resource: int, now: float) -> None:
        """Be told that somebody began or ceased to listen to ``event`` of ``resource``."""

    def reset(self, agent: int, now: float) -> None:
        """Put back everything the agent has set; its subscriptions are gone already."""

    def reset_permissions(self, agent: int) -> None:
        """Put back the permissions of the agent that are the protocol's own."""

    def state(self, resource: int) -> dict[str, Any]:
        """Return what a resource is like now, whoever may see it; units are in the keys' names."""
        return {}

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Change one thing of a resource by hand, as the hardware itself would.

        The caller is the platform (agent 0): whoever listens is told, no permission counts. Raises
        UsageError for a key or value that the resource cannot have; then nothing has changed.
        """
        raise values.unknown("key", key, ())

    def behind(self, resource: int) -> Iterable[object]:
        """Return the objects that adjusting a resource can change, or that lead to them.

        That is all of the protocol, unless a behaviour with very many resources knows better.
        """
        return (self,)

    def subject(self, event: Notification) -> int:
        """Return the resource under which a notification is subscribed to, 0 if it has none."""
        if event.ABOUT is not None:
            return int(follow(event, event.ABOUT))
        for request in self.PROTOCOL.requests:
            if request.SUBSCRIBES is type(event):
                own = [field.name for field in request.FIELDS if field.name != request.SWITCH]
                return int(getattr(event, own[0], 0)) if own else 0
        return 0

    @property
    def counts(self) -> dict[str, int]:
        """How many things of each kind there are, by what `Protocol.label` calls the kind."""
        return {self.PROTOCOL.name: len(self.names)} if self.PROTOCOL.kinds else {}

    # --- for dispatch and the platform ------------------------------------------------------------

    def method(self, message_id: int, version: int) -> tuple[Message, Handler] | None:
        """Return the message and its method, or None if the version in force has none."""
        found = self._methods.get(message_id)
        if found is None:
            return None
        message = found[0]
        since = self.version if message_id == NEGOTIATE else version
        return found if since >= message.SINCE and self.implements(message) else None

    # --- what all protocols have ------------------------------------------------------------------

    def protocol_version(
        self, call: Call, request: common.ProtocolVersion
    ) -> common.ProtocolVersionResponse:
        return common.ProtocolVersionResponse(version=common.Version(self.version))

    def message_attributes(
        self, call: Call, request: common.MessageAttributes
    ) -> common.MessageAttributesResponse:
        found = self.method(request.message_id, call.version)
        if found is None or not self.offers(found[0], call.port):
            raise Refusal(Status.NOT_FOUND)
        return common.MessageAttributesResponse(attributes=0)

    def negotiate(self, call: Call, request: common.NegotiateProtocolVersion) -> None:
        if request.version not in self.PROTOCOL.versions or request.version > self.version:
            raise Refusal(Status.NOT_SUPPORTED)
        call.port.versions[self.PROTOCOL.id] = int(request.version)

    def long_name(self, call: Call, request: Request[Any]) -> Response:
        """Answer with the whole name of a thing, if its description has only the beginning."""
        how = next(how for how in self.PROTOCOL.kinds if how.name_get is type(request))
        name = self.names[self.resolve(call, getattr(request, how.id))]
        require(len(name) > SHORT, self.NO_LONG_NAME)
        return request.RESPONSE(name=name)

    # --- what many messages share -----------------------------------------------------------------

    def check(self, call: Call, resource: int, count: int) -> None:
        """Raise NOT_FOUND unless the resource exists for the calling agent."""
        if not 0 <= resource < count or not self.visible(call.agent, resource):
            raise Refusal(Status.NOT_FOUND)

    def resolve(self, call: Call, id: int) -> int:
        """Return which resource an identifier means; raises NOT_FOUND as :meth:`check`."""
        number = id & self.ID_BITS
        self.check(call, number, len(self.names))
        return number

    def visible(self, agent: int, resource: int) -> bool:
        """Return whether the resource exists for the agent."""
        return self.platform.permissions.allows(agent, self.PROTOCOL.id, resource)

    def remember(self, agent: int, resource: int) -> None:
        """Remember that the agent has set something of the resource."""
        self._touched.setdefault(agent, {})[resource] = None

    def forget(self, agent: int) -> Iterable[int]:
        """Return of what the agent has set something, and forget it: it is being put back."""
        return self._touched.pop(agent, {})

    def switch(self, call: Call, request: Request[Any], resource: int, supported: bool) -> None:
        """Do what a message that switches a notification says."""
        word = getattr(request, request.SWITCH)
        if word.reserved:
            raise Refusal(Status.INVALID_PARAMETERS)
        if not supported or not call.port.events:
            raise Refusal(Status.NOT_SUPPORTED)
        event = request.SUBSCRIBES
        assert event is not None
        self.platform.subscribe(call.port, event, resource, bool(word.enable))


def require(condition: object, status: Status = Status.INVALID_PARAMETERS) -> None:
    """Refuse with ``status`` unless ``condition`` holds."""
    if not condition:
        raise Refusal(status)
