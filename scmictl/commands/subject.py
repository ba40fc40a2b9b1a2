"""The resources a command line names, what is read of each, and how writes to several of them go.

One resource named by its number or name is a single object, and an error of its is the command's.
Of several (a glob, ``all``) every one that could be read or written stays, and the others say why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from scmictl import values
from scmictl.agent import Resource, Transfer
from scmictl.commands.command import Asked, Column, Glimpse, Record, Rows, Stream
from scmictl.commands.context import Context, DryRun
from scmictl.errors import Partial, RemoteProtocolError, ScmictlError, StatusError
from scmictl.protocols import Protocol, Resources
from scmictl.wire import Effect, Request, follow

K = TypeVar("K")


class Row:
    """The record of one resource in the making.

    What cannot be read is None in it, and the first reason for that is its ``error``.
    """

    def __init__(self, resource: Resource, **more: Any) -> None:
        self.resource = resource
        self.record: Record = {"id": resource.id, "name": resource.name, **more}
        self.error: ScmictlError | None = None

    def read(
        self, transfer: Transfer[Any] | None, path: str, *, absent: Collection[int] = ()
    ) -> Any:
        """Return what ``path`` names in the response; None for no transfer and for an error.

        A status in ``absent`` only says that the resource has no such thing.
        """
        if transfer is None:
            return None
        error = transfer.error
        if error is None:
            return follow(transfer.response, path)
        if not isinstance(error, StatusError) or error.status not in absent:
            self.fail(error)
        return None

    def fail(self, error: ScmictlError | None) -> None:
        """Note why something is missing; the first reason stays."""
        self.error = self.error or error

    def finish(self) -> Record:
        """Return the record, marked if it is not complete."""
        return self.record if self.error is None else {**self.record, "error": self.error.name}

    @property
    def empty(self) -> bool:
        """Whether nothing is known but what the resource is called."""
        return not any(v for k, v in self.record.items() if k not in ("id", "kind", "name"))


class Wanted(NamedTuple):
    """A request that a command wants to send; ``effect`` and ``what`` as in `Context.allow`."""

    request: Request[Any]
    effect: Effect | None = None
    what: str = ""


class Subjects:
    """The resources that ``words`` name, of the kind ``how`` where the protocol has several.

    ``fresh`` says that their descriptions have been read for this very command, ``many`` that the
    words could have named any number. Raises what `Context.several` raises.
    """

    def __init__(
        self, ctx: Context, protocol: Protocol, words: list[str], how: Resources | None = None
    ) -> None:
        self.ctx = ctx
        self.how = how or protocol.resources
        self.fresh = ctx.agent.discovered(protocol, how) is None
        self.resources = ctx.several(protocol, words, how)
        self.many = len(words) != 1 or _is_pattern(words[0], self.resources)
        self._refused = 0
        """How many resources the platform refused to change."""

    def output(
        self,
        rows: Sequence[Row],
        columns: tuple[Column, ...],
        *,
        partial: bool = False,
        failed: Mapping[int, ScmictlError] | None = None,
    ) -> Rows:
        """Return the rows to print.

        The error of a single resource is raised; with ``partial`` only if there is nothing else.
        Of what is read back, ``failed`` are the writes that were refused: rows say so by id.
        """
        for row in rows if failed else ():
            row.error = (failed or {}).get(row.resource.id, row.error)
        if not self.many:
            for row in rows:
                if row.error is not None and (row.empty or not partial):
                    raise row.error
        refused = f"{self._refused} of {len(rows)} rows could not be changed"
        error = Partial(refused) if self._refused else None
        return finished(rows, columns, many=self.many, error=error)

    def write(self, wanted: Sequence[Sequence[Wanted]]) -> dict[int, ScmictlError]:
        """Send what is ``wanted`` for each resource, and return what the platform refused, by id.

        Raises what :meth:`allow` raises, and for a single resource the StatusError.
        """
        failed: dict[int, ScmictlError] = {}
        for resource, requests in zip(self.resources, self.allow(wanted), strict=True):
            try:
                for request in requests:
                    self.ctx.send(request).result()
            except StatusError as error:
                if not self.many:
                    raise
                failed[resource.id] = error
        self._refused = len(failed)
        return failed

    def allow(self, wanted: Sequence[Sequence[Wanted]]) -> list[list[Request[Any]]]:
        """Check that all of ``wanted`` may be sent, before any of it is; return the requests.

        Raises Refused; in a dry run DryRun with all of them.
        """
        previews: list[Record] = []
        for one in (one for each in wanted for one in each):
            try:
                self.ctx.allow(one.request, effect=one.effect, what=one.what)
            except DryRun as dry:
                previews += dry.records
        if previews:
            raise DryRun(previews)
        return [[one.request for one in each] for each in wanted]

    def write_later(
        self,
        wanted: Sequence[Wanted],
        columns: tuple[Column, ...],
        read: Callable[[Context, list[Resource]], list[Row]],
        failing: str,
    ) -> Stream:
        """Begin an asynchronous write of each resource; stream what becomes of them.

        That is first every acceptance, then every record when it is done. ``read`` reads what
        ``columns`` show; ``failing`` is what could not be done to some. Raises what :meth:`allow`
        raises and the error of a single resource; the stream that too, and Partial where some of
        several failed.
        """
        transfers = [self.ctx.send(request) for [request] in self.allow([[w] for w in wanted])]
        if not self.many:
            transfers[0].result()
        return Stream(self._completions(transfers, columns, read, failing), accepted(columns))

    def _completions(
        self,
        transfers: Sequence[Transfer[Any]],
        columns: tuple[Column, ...],
        read: Callable[[Context, list[Resource]], list[Row]],
        failing: str,
    ) -> Iterator[Record]:
        for resource, transfer in zip(self.resources, transfers, strict=True):
            if transfer.awaiting or transfer.delayed is not None:
                yield acceptance(resource, columns)
        failures = 0
        for resource, transfer in zip(self.resources, transfers, strict=True):
            self.ctx.agent.collect([transfer])
            [row] = read(self.ctx, [resource])
            row.error = transfer.error or row.error
            if row.error is not None and not self.many:
                raise row.error
            failures += row.error is not None
            yield row.finish()
        if failures:
            raise Partial(f"{failures} of {len(transfers)} {failing}")


def finished(
    rows: Sequence[Row],
    columns: tuple[Column, ...],
    *,
    many: bool = True,
    error: ScmictlError | None = None,
) -> Rows:
    """Return rows to print.

    Where the platform broke a rule (or the list itself ended with an ``error``), the command says
    what was found and expected, and not only that something is missing.
    """
    bad = [row.error for row in rows if row.error is not None]
    broken = next((one for one in bad if isinstance(one, RemoteProtocolError)), None)
    if broken is not None:
        error = broken
        if many:
            error = Partial(
                f"{len(bad)} of {len(rows)} rows could not be read in full: {broken.message}"
            )
    return Rows([row.finish() for row in rows], columns, many=many, error=error)


def accepted(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns for acceptances and the records that follow: id and name come first."""
    return (*columns[:2], Column("accepted", "ACCEPTED"), *columns[2:])


def acceptance(resource: Resource, columns: tuple[Column, ...]) -> Record:
    """Return the record which says that something asynchronous has begun."""
    # All keys of the record that follows, so that a csv file has one heading for both.
    later = dict.fromkeys(column.key for column in columns)
    return {**later, "id": resource.id, "name": resource.name, "accepted": True}


def called(noun: str, resource: Resource) -> str:
    """Return a resource for people: ``clock 3 (uart0)``."""
    return f"{noun} {resource.id}" + (f" ({values.shown(resource.name)})" if resource.name else "")


def ask(ctx: Context, requests: Mapping[K, Request[Any]]) -> dict[K, Transfer[Any]]:
    """Send all ``requests`` together and return their transfers, done, under the same keys."""
    transfers = {key: ctx.agent.submit(request) for key, request in requests.items()}
    ctx.agent.collect(transfers.values())
    return transfers


# --- at a glance ----------------------------------------------------------------------------------


def glimpse(request: type[Request[Any]], show: Callable[[Resource, Any], str]) -> Glimpse:
    """Return what tells of each thing what ``show`` makes of the response to ``request``."""

    def ask_each(how: Resources, resources: Sequence[Resource]) -> Asked:
        found = yield [request(**{**how.given, how.id: r.id}) for r in resources]
        return [brief(r, transfer, show) for r, transfer in zip(resources, found, strict=True)]

    return ask_each


def brief(resource: Resource, transfer: Transfer[Any], show: Callable[[Resource, Any], str]) -> str:
    """Return what a response says, or the name of the error it was."""
    if transfer.error is not None or transfer.response is None:
        return transfer.error.name if transfer.error is not None else ""
    return show(resource, transfer.response)


def _is_pattern(word: str, found: Sequence[Resource]) -> bool:
    """Return whether ``word`` could have named several; a name may look like a glob."""
    if word == "all" or len(found) != 1:
        return True
    name = found[0].name
    literal = name is not None and name.casefold() == word.casefold()
    return any(sign in word for sign in "*?[") and not literal
