"""What a command works with: the connection, what the user allows, and how to say something.

The rules that hold for every command are here and nowhere else: read-only connections, confirming
what hurts, dry runs, and when a verb may use a message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scmictl import protocols, values
from scmictl.agent import Agent, Interrupt, Owner, Waiter
from scmictl.agent.discovery import Discovery, Resource, refused
from scmictl.agent.transfers import Raw, Transfer
from scmictl.commands.command import Record
from scmictl.errors import NotOffered, Refused, StatusError, UsageError
from scmictl.protocols import Protocol, Resources
from scmictl.wire import Effect, Request, Response, Status, codec, header

R = TypeVar("R", bound=Response)


class DryRun(Exception):
    """Ends a command whose write was only to be shown; ``records`` are the requests."""

    def __init__(self, records: list[Record]) -> None:
        super().__init__("dry run")
        self.records = records


class Context:
    """Everything a command's function may touch.

    ``connect`` makes the agent on first use. ``confirm`` asks a yes-or-no question and is None
    where nobody can answer. ``notice`` says one line that is not data; ``said`` remembers what
    has been said once in this session. ``uri`` is the target: at a control socket no agent is.
    """

    def __init__(
        self,
        connect: Callable[[], Agent],
        *,
        uri: str = "",
        confirm: Callable[[str], bool] | None = None,
        notice: Callable[[str], None] = lambda text: None,
        said: set[str] | None = None,
    ) -> None:
        self._connect = connect
        self.uri = uri
        self._agent: Agent | None = None
        self.confirm = confirm
        self.notice = notice
        self.said = said if said is not None else set()
        self.interrupt: Interrupt | None = None
        """Becomes readable when the user wants to stop, for commands that wait by themselves."""
        self.deadline: float | None = None
        """Monotonic seconds after which a command that waits by itself has to end."""
        self.versions: dict[int, int] = {}
        """What --proto says, for commands without a connection: the agent has its own."""
        self.waiter = Waiter()
        """Waits for what is no agent's."""
        self.timeout = 1.0
        self.remote: Any = None
        """The connection to a control socket, for commands that work by hand."""
        self.readonly = False
        self.yes = False
        self.dry_run = False
        self.interactive = False
        self.vendor: Owner | None = None
        """Whose the protocols from 0x80 are, for what needs no connection; None: nobody knows."""
        self.lasting = False
        """Whether the connection outlives this command (shell, batch, ``-c``)."""
        self.subscriptions: dict[tuple[str, int | None], Any] = {}

    @property
    def agent(self) -> Agent:
        if self._agent is None:
            self._agent = self._connect()
        return self._agent

    @property
    def connected(self) -> bool:
        return self._agent is not None

    # -- sending -----------------------------------------------------------------------------

    def call(self, request: Request[R], *, effect: Effect | None = None, what: str = "") -> R:
        """Send ``request`` if the user allows it, and return its response.

        ``effect`` is what it does here, where the verb knows better than the message; ``what`` says
        it in words for the confirmation. Raises Refused, DryRun, and what `Agent.call` raises.
        """
        self.allow(request, effect=effect, what=what)
        return self.send(request).result()

    def send(self, request: Request[R] | Raw) -> Transfer[R]:
        """Send what `allow` has let pass.

        Return the transfer once its response is there, whatever that is; if the request is
        asynchronous, ``agent.collect`` waits for the rest. Raises what ends a connection.
        """
        transfer = self.agent.submit(request)
        self.agent.wait_for_response(transfer)
        return transfer

    def allow(
        self, request: Request[Any] | Raw, *, effect: Effect | None = None, what: str = ""
    ) -> None:
        """Check that ``request`` may be sent; ask where it hurts.

        Raises Refused when it may not, DryRun when it would be a write and this is a dry run.
        """
        if effect is None:
            effect = Effect.WRITE if isinstance(request, Raw) else request.effect
        if effect <= Effect.SUBSCRIBE:
            return
        spec = "a raw message" if isinstance(request, Raw) else request.SPEC
        self.check_write(spec, lambda: self.preview(request))
        if effect == Effect.HURTS and not self.yes:
            question = what or f"{spec} can do harm"
            if self.confirm is None:
                raise Refused(f"{question}: not confirmed", hint="--yes confirms it")
            if not self.confirm(f"{question}. Go on?"):
                raise Refused(f"{question}: not confirmed")
        self.note_simulated()

    def check_write(self, what: str, preview: Callable[[], Record]) -> None:
        """Raise Refused where ``what`` may not change the platform, DryRun in a dry run."""
        if self.readonly:
            raise Refused(
                f"{what} changes the platform, and this connection is read-only",
                hint="--no-readonly allows it",
            )
        if self.dry_run:
            raise DryRun([preview()])

    def note_simulated(self) -> None:
        """Say once that a platform in this process does not outlive it."""
        if self.agent.link.kind == "sim" and "sim-write" not in self.said:
            self.said.add("sim-write")
            lasts = "session" if self.lasting else "command"
            self.notice(f"the simulated platform forgets this when the {lasts} ends")

    def preview(self, request: Request[Any] | Raw) -> Record:
        """Return the record that shows what would be sent, token 0."""
        if isinstance(request, Raw):
            data = header.frame(
                request.message_id, request.message_type, request.protocol_id, 0, request.payload
            )
            return {"message": "raw", "request": data.hex(" ")}
        version = self.layout_version(request)
        return {"message": request.SPEC, "request": codec.frame(request, version).hex(" ")}

    def layout_version(self, request: Request[Any]) -> int:
        """Return the version ``request`` is encoded in; asks only where layouts differ."""
        protocol = protocols.of(request)
        assert protocol is not None, f"no protocol lists {request.SPEC}"
        if request.changes():
            return self.agent.version(protocol)
        return protocol.newest

    # -- what the platform offers ------------------------------------------------------------

    def require(self, request: type[Request[Any]], *, why: str = "") -> None:
        """Raise NotOffered if the platform's version or the platform itself lacks a message."""
        protocol = protocols.of(request)
        assert protocol is not None, f"no protocol lists {request.SPEC}"
        version = self.version(protocol)
        if version < request.SINCE:
            raise NotOffered(
                f"{request.SPEC} exists from {protocol.name} "
                f"{protocols.version_text(request.SINCE)} on, the platform speaks "
                f"{protocols.version_text(version)}"
            )
        # A dry run sends nothing that it could do without.
        if not self.dry_run and not self.agent.implements(request):
            raise NotOffered(f"the platform does not implement {request.SPEC}{why}")

    def version(self, protocol: Protocol) -> int:
        """Return the protocol's version in force; NotOffered where the platform lacks it."""
        self._check_vendor(protocol)
        try:
            return self.agent.version(protocol)
        except StatusError as error:
            if error.status == Status.NOT_SUPPORTED:
                raise NotOffered(
                    f"the platform has no {protocol.name} protocol",
                    hint="`scmictl info` lists what it has",
                ) from error
            raise

    def _check_vendor(self, protocol: Protocol) -> None:
        """Raise NotOffered if the platform's vendor means something else by this number."""
        owner = protocols.whose(protocol)
        if owner is None or self.agent.protocols.by_id(protocol.id) is protocol:
            return
        vendor = ":".join(filter(None, owner))
        given = self.agent.protocols.given
        said = ":".join(filter(None, given)) if given else str(self.agent.protocols.identity())
        raise NotOffered(
            f"{protocol.name} is a protocol of the vendor {vendor}, the platform's is "
            f"{values.shown(said)}",
            hint=f"--vendor {vendor} takes the platform for one of them",
        )

    def discover(self, protocol: Protocol, how: Resources | None = None) -> Discovery:
        """Return the protocol's resources of a kind (None: the first), read once per connection."""
        self.version(protocol)
        found = self.agent.discovered(protocol, how)
        if found is None:
            found = self.agent.discover(protocol, how)
            self._note_names(found)
        return found

    def _note_names(self, found: Discovery) -> None:
        """Say what could not be read of them, and which names are therefore short."""
        noun = found.how.noun
        if found.fault is not None:
            self.notice(f"not every {noun} could be described ({found.fault.message})")
        if found.cut:
            number, error = next(iter(found.cut.items()))
            more = f", and {len(found.cut) - 1} more" if len(found.cut) > 1 else ""
            self.notice(f"{noun} {number} is shown with its short name ({error.message}){more}")

    # -- ids ---------------------------------------------------------------------------------

    def one(self, protocol: Protocol, word: str, how: Resources | None = None) -> Resource:
        """Return the resource that ``word`` (a number or a name) means.

        A number beyond the platform's count is passed on: the platform shall say NOT_FOUND. Raises
        UsageError for an unknown or ambiguous name, and for a glob that names several; where names
        could not be read, the reason for that instead.
        """
        found = self.several(protocol, [word], how)
        if len(found) != 1:
            raise UsageError(f"{word!r} names {len(found)} resources, expected one")
        return found[0]

    def several(
        self, protocol: Protocol, words: list[str], how: Resources | None = None
    ) -> list[Resource]:
        """Return the resources that ``words`` (numbers, names, globs, ``all``) mean, each once.

        ``how`` is their kind, where the protocol has several; None means the first.
        """
        how = how or protocol.resources
        assert how is not None
        if self.dry_run and "all" not in words:
            try:
                return [Resource(n) for word in words for n in values.select(word, ())]
            except UsageError:
                pass  # not a number: only the platform knows
        discovery = self.discover(protocol, how)
        numbers: dict[int, None] = {}
        for word in words:
            numbers.update(dict.fromkeys(self._select(word, discovery)))
        return [
            discovery.resources[n] if n < len(discovery.resources) else Resource(n) for n in numbers
        ]

    def _select(self, word: str, discovery: Discovery) -> list[int]:
        """Return the numbers that ``word`` means, as far as names are known."""
        try:
            return values.select(word, discovery.names, kind=discovery.how.noun)
        except UsageError:
            cut = (error for error in discovery.cut.values() if not refused(error))
            fault = discovery.fault or next(cut, None)
            if fault is not None:
                # It may well exist: its name could not be read.
                raise fault from None
            raise
