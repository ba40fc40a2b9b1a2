"""The values that a setting can have: a list, or lowest, highest and the step between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scmictl.agent import Listing, Resource
from scmictl.commands.subject import Row
from scmictl.errors import RemoteProtocolError, StatusError
from scmictl.wire import Status


class Keys:
    """The keys that a record has for values called ``values`` (``rates``) in ``unit`` (``hz``)."""

    def __init__(self, values: str, unit: str, *, counted: bool = True) -> None:
        self.bounds = (f"lowest_{unit}", f"highest_{unit}", f"step_{unit}")
        self.values = f"{values}_{unit}"
        self.every = ("format", *self.bounds, *(("count",) if counted else ()), self.values)


def span_row(
    resource: Resource,
    listing: Listing,
    keys: Keys,
    values: Sequence[int | float],
    *,
    triplet: bool,
    absent: Collection[int] = (),
) -> Row:
    """Return the row of a resource from the list of its values.

    ``values`` are the list's in the unit of the keys; ``triplet`` is what its first part says. A
    status in ``absent`` says that there is no list.
    """
    row = Row(resource, **dict.fromkeys(keys.every))
    error = listing.error
    if listing.first is None and not values:
        status = error.status if isinstance(error, StatusError) else None
        if status == Status.OUT_OF_RANGE:  # the start of a list that has nothing in it
            row.record |= _listed(keys, [])
        elif status not in absent:
            row.fail(error)
        return row
    row.fail(error)
    if not triplet:
        row.record |= _listed(keys, values)
        return row
    row.record["format"] = "range"
    if len(values) == 3:
        row.record |= dict(zip(keys.bounds, values, strict=True))
    else:
        spec = listing.request.SPEC
        row.fail(RemoteProtocolError(f"{spec}: {len(values)} values of a range, expected 3"))
    return row


def _listed(keys: Keys, values: Sequence[int | float]) -> dict[str, object]:
    found: dict[str, object] = {"format": "list", keys.values: list(values)}
    if "count" in keys.every:
        found["count"] = len(values)
    if values:
        found |= dict(zip(keys.bounds[:2], (min(values), max(values)), strict=True))
    return found
