"""Timers: in order, once, and without leaving anything behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scmictl.platform.timer import Action, Timer, Timers


def test_what_is_due_runs_in_order_and_once() -> None:
    timers = Timers()
    seen: list[str] = []
    timers.add(2.0, lambda now: seen.append(f"late at {now}"))
    timers.add(1.0, lambda now: seen.append("first"))
    timers.add(1.0, lambda now: seen.append("second"))
    timers.add(9.0, lambda now: seen.append("never"))
    assert timers.next_due() == 1.0
    timers.run(0.99)
    assert seen == []
    timers.run(5.0)
    assert seen == ["first", "second", "late at 5.0"]
    timers.run(5.0)
    assert (len(seen), len(timers), timers.next_due()) == (3, 1, 9.0)


def test_a_cancelled_timer_does_not_run_even_from_another_one() -> None:
    timers = Timers()
    seen: list[str] = []
    second: list[Timer] = []
    timers.add(1.0, lambda now: timers.cancel(second[0]))
    second.append(timers.add(2.0, lambda now: seen.append("second")))
    timers.run(3.0)
    assert (seen, len(timers), timers.next_due()) == ([], 0, None)
    timers.cancel(second[0])
    assert len(timers) == 0


def test_a_run_ends_although_its_actions_add_what_is_due_already() -> None:
    timers = Timers()
    seen: list[float] = []

    def again(now: float) -> None:
        seen.append(now)
        timers.add(0.0, again)

    timers.add(0.0, again)
    timers.run(1.0)
    timers.run(2.0)
    assert seen == [1.0, 2.0]


def test_setting_and_cancelling_for_ever_costs_no_memory() -> None:
    timers = Timers()
    timers.add(1.0, lambda now: None)
    for n in range(10_000):
        timers.cancel(timers.add(100.0 + n, lambda now: None))
        assert len(timers._heap) < 8
    assert len(timers) == 1


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=40), st.integers(0, 50))
def test_exactly_what_is_due_and_not_cancelled_runs(plan: list[tuple[int, bool]], now: int) -> None:
    timers = Timers()
    seen: list[int] = []

    def note(number: int) -> Action:
        return lambda now: seen.append(number)

    made = [timers.add(due, note(number)) for number, (due, _) in enumerate(plan)]
    for timer, (_, keep) in zip(made, plan, strict=True):
        if not keep:
            timers.cancel(timer)
    timers.run(now)
    kept = [(due, number) for number, (due, keep) in enumerate(plan) if keep]
    assert seen == [number for due, number in sorted(kept) if due <= now]
    left = [due for due, _ in kept if due > now]
    assert timers.next_due() == min(left, default=None)
    assert len(timers) == len(left)


def test_what_waits_for_the_next_run_can_be_cancelled_in_this_one() -> None:
    timers = Timers()
    added = []
    # The first action adds one that is due at once; the second cancels it before it has its turn.
    timers.add(1.0, lambda now: added.append(timers.add(1.5, lambda now: None)))
    timers.add(2.0, lambda now: timers.cancel(added[0]))
    timers.run(3.0)
    assert (len(timers), timers.next_due()) == (0, None)
    timers.add(4.0, lambda now: None)
    assert len(timers) == 1
