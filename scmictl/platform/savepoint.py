"""A state of the platform that can be returned to, so that a change is made as a whole or not.

Theory of operation: a platform is plain Python objects without files, threads or clocks behind
them. A savepoint walks everything that can be reached from what it is given and keeps a shallow
copy of what each holds; :meth:`Savepoint.restore` puts these contents back into the very same
objects, so that whatever refers to them (timers' actions among others) goes on to be right. It
costs time in proportion to what is reached, so there is a border that it does not cross.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

_PLAIN = (int, float, str, bytes, bool, type(None), type, range)


class Savepoint:
    """The contents of ``roots``, and of everything that they lead to, as they are now.

    Nothing in ``border`` is entered, unless it is a root itself.
    """

    def __init__(self, roots: Iterable[object], border: Iterable[object] = ()) -> None:
        self._contents: list[tuple[Any, Any]] = []
        waiting: list[Any] = list(roots)
        inside = {id(one) for one in waiting}
        seen = {id(one) for one in border if id(one) not in inside}
        while waiting:
            one = waiting.pop()
            if isinstance(one, _PLAIN) or id(one) in seen:
                continue
            seen.add(id(one))
            waiting += self._keep(one)

    def _keep(self, one: Any) -> Iterable[Any]:
        """Note what ``one`` holds, and return the objects in it."""
        if isinstance(one, dict):
            self._contents.append((one, dict(one)))
            return [*one, *one.values()]
        if isinstance(one, list | deque):
            self._contents.append((one, list(one)))
            return list(one)
        if isinstance(one, set):
            self._contents.append((one, set(one)))
            return list(one)
        if isinstance(one, tuple | frozenset):
            return one
        if isinstance(one, FunctionType):
            # Actions of timers know of things in no other way than this.
            return [cell.cell_contents for cell in one.__closure__ or () if _filled(cell)]
        if isinstance(one, MethodType):
            return [one.__self__]
        if isinstance(one, partial):
            return [one.func, *one.args, *one.keywords.values()]
        if not type(one).__module__.startswith("builtins"):
            held = {name: getattr(one, name) for name in _slots(type(one)) if hasattr(one, name)}
            attributes = getattr(one, "__dict__", None)
            self._contents.append((one, held))
            return [*held.values(), *([attributes] if attributes is not None else ())]
        return ()

    def restore(self) -> None:
        """Give every object what it held."""
        for one, held in self._contents:
            if isinstance(one, dict | set):
                one.clear()
                one.update(held)
            elif isinstance(one, list):
                one[:] = held
            elif isinstance(one, deque):
                one.clear()
                one.extend(held)
            else:
                for name in _slots(type(one)):
                    if name in held:
                        setattr(one, name, held[name])
                    elif hasattr(one, name):
                        delattr(one, name)


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises where there is nothing yet
    except ValueError:
        return False
    return True


def _slots(kind: type) -> list[str]:
    """Return the names of the slots that objects of this class have."""
    found: list[str] = []
    for parent in kind.__mro__:
        own = parent.__dict__.get("__slots__", ())
        names = (own,) if isinstance(own, str) else own
        found += [name for name in names if name not in ("__dict__", "__weakref__")]
    return found
