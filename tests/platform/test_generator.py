"""Generated boards: of any size and seed they load, and are what was asked for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import protocols
from scmictl.platform import Platform, generator
from scmictl.platform.board import SHORT
from scmictl.platform.specimen import Size

EVERY = tuple(one.kind for one in generator.TABLES.values())
SOME = dict.fromkeys((*EVERY, "device"), 100)


def text(counts: dict[str, int], *, seed: int = 0, system: bool = False) -> str:
    return "".join(generator.generate(Size(counts, system=system, seed=seed)))


def made(counts: dict[str, int], *, seed: int = 0, system: bool = False) -> Platform:
    return Platform.from_text(text(counts, seed=seed, system=system))


COUNTS = st.fixed_dictionaries(
    {},
    optional={kind: st.integers(0, 70) for kind in (*EVERY, "device")}
    | {"agent": st.integers(0, 5)},
)


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, pins=st.integers(1, 70), seed=st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_board_of_any_size_and_seed_loads_and_has_what_was_asked_for(
    counts: dict[str, int], pins: int, seed: int
) -> None:
    platform = made({**counts, "pin": pins}, seed=seed)
    found: dict[str, int] = {}
    for behaviour in platform.behaviours.values():
        found |= behaviour.counts
    for table, one in generator.TABLES.items():
        label = "pinctrl" if one.kind == "pin" else table
        assert found.get(label, 0) == {**counts, "pin": pins}.get(one.kind, 0)
    assert len(platform.permissions.devices) == counts.get("device", 0)
    assert len(platform.agents) == max(1, counts.get("agent", 0))
    assert platform.seed == seed


def test_the_same_size_and_seed_give_the_same_text_and_another_seed_another_one() -> None:
    assert text(SOME) == text(SOME)
    assert text(SOME) != text(SOME, seed=1)


def test_a_board_that_is_larger_begins_as_the_smaller_one() -> None:
    few = text({"sensor": 30})
    assert text({"sensor": 60}).startswith(few)


def test_some_of_every_kind_have_names_that_are_longer_than_their_short_field() -> None:
    for behaviour in made(SOME).behaviours.values():
        if behaviour.PROTOCOL.resources is not None:
            longer = [name for name in behaviour.names if len(name) > SHORT]
            assert 0 < len(longer) < len(behaviour.names) / 2


def test_every_message_that_can_be_there_is_there() -> None:
    # Nothing that a protocol can do is left out for want of a thing that needs it.
    platform = made({**SOME, "agent": 2}, system=True)
    port = platform.attach()
    for behaviour in platform.behaviours.values():
        for request in behaviour.PROTOCOL.requests:
            there = behaviour.method(request.MESSAGE_ID, behaviour.version) is not None
            if behaviour.version >= request.SINCE and behaviour.offers(request, port):
                # That one is there where a board asks for it by its name.
                assert there or request.SPEC == "PINCTRL_SET_PERMISSIONS", request.SPEC


def test_every_thing_belongs_to_one_device_and_one_agent_lacks_one() -> None:
    platform = made({**SOME, "agent": 4})
    owned = [
        (protocol, resource)
        for device in platform.permissions.devices
        for protocol, resources in device.owns.items()
        for resource in resources
    ]
    assert len(owned) == len(set(owned)) == 100 * len(generator.PROTOCOLS)
    clock = protocols.by_name("clock").id
    allowed = [
        sum(platform.permissions.allows(agent, clock, n) for n in range(100)) for agent in (1, 2)
    ]
    assert allowed == [100, 99]


def test_groups_are_neighbours_and_every_group_has_a_function() -> None:
    pinctrl = made({"pin": 12, "group": 3, "function": 2}).behaviours[0x19]
    groups = pinctrl.pads.groups  # type: ignore[attr-defined]
    assert [[pin.id for pin in group.pins] for group in groups] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11],
    ]  # fmt: skip
    assert all(group.functions for group in groups)
