"""Resources below their parents: the order and the depth in which a tree shows them."""

from __future__ import annotations

from collections.abc import Sequence

from scmictl.commands.command import Record


def tree(rows: Sequence[Record]) -> list[Record]:
    """Return the records in the order of a tree, each with its ``depth`` below the root.

    A row has an ``id`` and the id of its ``parent``, or None. One whose parent is not among them is
    a root; so is the first of those that are each other's parents, which a platform should not have
    but can say.
    """
    children: dict[int | None, list[Record]] = {}
    numbers = {row["id"] for row in rows}
    for row in rows:
        parent = row["parent"] if row["parent"] in numbers else None
        children.setdefault(parent, []).append(row)
    placed: dict[int, Record] = {}
    for root in [*children.get(None, ()), *rows]:
        waiting = [(root, 0)]
        while waiting:
            row, depth = waiting.pop()
            if row["id"] in placed:
                continue
            placed[row["id"]] = {**row, "depth": depth}
            waiting += [(child, depth + 1) for child in reversed(children.get(row["id"], ()))]
    return list(placed.values())
