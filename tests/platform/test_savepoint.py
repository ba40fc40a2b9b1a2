"""Returning to a state: every kind of container, objects of all sorts, and a border."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from scmictl.platform.savepoint import Savepoint


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: Any) -> None:
        self.left = left


class Narrower(Slotted):
    __slots__ = ("more",)


class Plain:
    def __init__(self, value: Any) -> None:
        self.value = value

    def bump(self) -> None:
        self.value += 1


class Pair(NamedTuple):
    first: Any
    second: Any


def test_containers_get_their_contents_back_in_place() -> None:
    numbers, names, unique, queue = [1, 2], {"b": 1, "a": 2}, {1}, deque([1, 2])
    whole: dict[str, Any] = {"numbers": numbers, "rest": (names, [unique, queue])}
    saved = Savepoint([whole])
    numbers.append(3)
    del names["b"]
    names["c"] = 3
    unique.add(9)
    queue.popleft()
    whole["numbers"] = [0]
    saved.restore()
    assert whole["numbers"] is numbers
    assert numbers == [1, 2]
    assert list(names.items()) == [("b", 1), ("a", 2)]
    assert unique == {1}
    assert queue == deque([1, 2])


def test_attributes_and_slots_come_back_and_new_ones_go() -> None:
    plain: Any = Plain(1)
    slotted: Any = Narrower(1)
    saved = Savepoint([Pair(plain, frozenset({slotted}))])
    plain.value, slotted.left, slotted.right, slotted.more = 2, 2, 2, 2
    plain.other = 3
    saved.restore()
    assert vars(plain) == {"value": 1}
    assert slotted.left == 1
    assert not hasattr(slotted, "right")
    assert not hasattr(slotted, "more")


def test_what_only_an_action_knows_is_found_too() -> None:
    counters = [Plain(0) for _ in range(4)]
    first, second, third, fourth = counters

    def closure() -> None:
        first.bump()

    def empty() -> None:
        later.append(1)

    actions: list[Callable[[], None]] = [
        closure, second.bump, partial(lambda one: one.bump(), third),
        partial(lambda *, one: one.bump(), one=fourth), empty,
    ]  # fmt: skip
    saved = Savepoint([actions])
    later: list[int] = []
    for action in actions:
        action()
    assert [one.value for one in counters] == [1, 1, 1, 1]
    saved.restore()
    assert [one.value for one in counters] == [0, 0, 0, 0]


def test_a_circle_is_walked_once() -> None:
    one = Plain(None)
    one.value = [one]
    saved = Savepoint([one])
    one.value.append(1)
    saved.restore()
    assert one.value == [one]


def test_nothing_behind_the_border_is_kept_unless_it_is_a_root() -> None:
    outside, root = Plain(1), Plain(1)
    both = Plain([outside, root])
    saved = Savepoint([both, root], border=[outside, root])
    outside.value = root.value = 2
    saved.restore()
    assert (outside.value, root.value) == (2, 1)
