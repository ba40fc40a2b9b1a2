"""Possible values, update intervals and moving values, by themselves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scmictl.platform.interval import Intervals, Span, rough, span
from scmictl.platform.steps import Round, Steps
from scmictl.platform.waveform import Waveform, wave

LISTS = st.lists(st.integers(1, 10_000), min_size=1, max_size=20, unique=True).map(sorted)
TRIPLETS = st.builds(
    lambda low, step, count: (low, low + step * count, step),
    st.integers(1, 1000),
    st.integers(1, 50),
    st.integers(0, 100),
)


def possible(steps: Steps) -> list[int]:
    if not steps.triplet:
        return list(steps.items)
    low, high, step = steps.items
    return list(range(low, high + 1, step))


@given(
    st.one_of(LISTS.map(Steps), TRIPLETS.map(lambda items: Steps(items, triplet=True))),
    st.integers(0, 12_000),
)
def test_rounding_gives_what_a_search_through_all_values_gives(steps: Steps, value: int) -> None:
    values = possible(steps)
    assert (steps.lowest, steps.highest) == (values[0], values[-1])
    assert steps.round(value, Round.DOWN) == max((v for v in values if v <= value), default=None)
    assert steps.round(value, Round.UP) == min((v for v in values if v >= value), default=None)
    nearest = steps.round(value, Round.NEAREST)
    assert nearest == min(values, key=lambda v: (abs(v - value), v))


def test_steps_divide_only_without_a_rest() -> None:
    divided = Steps([600, 800]).divided(4)
    assert divided is not None
    assert divided.items == (150, 200)
    assert Steps([600, 801]).divided(4) is None
    triplet = Steps([8, 24, 4], triplet=True).divided(4)
    assert triplet is not None
    assert (triplet.items, triplet.triplet) == ((2, 6, 1), True)


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        (Span(100, -3), Span(1, -1)),
        (Span(31, -3), Span(31, -3)),
        (Span(32, -3), Span(4, -2)),
        (Span(333, -3), Span(4, -1)),
        (Span(65535, 0), Span(7, 4)),
        (Span(250, -6), Span(25, -5)),
    ],
)
def test_version_1_says_an_interval_with_five_bits_and_never_too_short(
    exact: Span, expected: Span
) -> None:
    assert rough(exact) == expected
    assert rough(exact).ticks >= exact.ticks


def test_a_time_takes_larger_units_only_without_a_rest() -> None:
    assert span(Span(100, -3).ticks, -3) == (100, -3)
    assert span(Span(120_000, -3).ticks, -3) == (12_000, -2)
    assert span(Span(120_001, -3).ticks, -3) is None
    assert span(Span(1, -6).ticks, -3) is None
    assert Span(100, -3).seconds == 0.1


def test_intervals_that_the_wire_cannot_say_are_told() -> None:
    assert Intervals((Span(1, -3), Span(120, 0))).sayable()
    assert not Intervals((Span(1, -6), Span(1, 0), Span(1, -6)), triplet=True).sayable()
    assert Intervals((Span(1, -3), Span(1, 0), Span(1, -3)), triplet=True).sayable()
    assert not Intervals((Span(1, -9), Span(65537, 0))).sayable()


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_wave_is_nearly_a_sine(position: int, period: int) -> None:
    numerator, denominator = wave(position, period)
    turns = (position % period) / period
    assert abs(numerator / denominator - math.sin(2 * math.pi * turns)) < 0.002


@given(st.integers(0, 1 << 64), st.integers(0, 10**12), st.integers(0, 500), st.integers(0, 50))
def test_a_value_depends_on_seed_and_time_and_stays_near_its_base(
    seed: int, time: int, swing: int, noise: int
) -> None:
    def made() -> Waveform:
        return Waveform((seed, 3, 0), 1000, swing=swing, noise=noise, lowest=700, highest=1400)

    value = made().at(time)
    assert value == made().at(time)
    assert 1000 - swing - noise - 1 <= value <= 1000 + swing + noise
    assert 700 <= value <= 1400


def test_other_seeds_and_places_give_other_values() -> None:
    keys = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (-1, 0, 0)]
    made = [
        Waveform(key, 0, swing=10**6, noise=10**5, lowest=-(10**9), highest=10**9) for key in keys
    ]
    assert len({wave.at(5_000_000) for wave in made}) == len(keys)
