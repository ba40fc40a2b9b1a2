"""What a user's ``mypy --strict`` sees of the public API: declared types all the way through."""

from __future__ import annotations

from pathlib import Path

import pytest

import scmictl

api = pytest.importorskip("mypy.api", reason="mypy is in the dev extra, not in the test extra")

SNIPPET = """
from __future__ import annotations

import scmictl
from scmictl.agent import Agent
from scmictl.protocols import base, clock, sensor


def use(agent: Agent) -> None:
    reveal_type(agent.call(clock.RateGet(clock_id=3)).rate)
    reveal_type(agent.call(clock.Attributes(clock_id=3)).clock_enable_delay)
    reveal_type(agent.call(clock.Attributes(clock_id=3)).attributes.enabled)
    reveal_type(agent.call(clock.DescribeRates(clock_id=3, rate_index=0)).rates)
    reveal_type(agent.call(clock.RateSet(clock_id=3, rate=1)))
    reveal_type(agent.call(base.DiscoverVendor()).vendor_identifier)
    reveal_type(agent.call(sensor.DescriptionGet(desc_index=0)).desc[0].sensor_attributes_high)
    reveal_type(clock.RateSetFlags(async_=True).round_up)
    reveal_type(sensor.Interval(0x0C9D).exponent)


def connects() -> None:
    with scmictl.connect("sim:demo") as agent:
        reveal_type(agent.call(clock.RateGet(clock_id=3)).rate)
"""

REVEALED = [
    "int",
    "int | None",
    "bool",
    "list[int]",
    "clock.RateSetResponse",
    "str",
    "sensor.AttributesHigh",
    "bool",
    "int",
    "int",
]

MISUSES = {
    "clock.RateGet()": 'Missing named argument "clock_id"',
    "clock.RateGet(3)": "Too many positional arguments",
    "clock.RateGet(clock_id='cpu')": "has incompatible type",
    "clock.RateGet(clock=3)": 'Unexpected keyword argument "clock"',
    "agent.call(clock.RateGet(clock_id=3)).speed": 'has no attribute "speed"',
    "agent.call(clock.RateGetResponse(rate=3))": "has incompatible type",
}
"""What no user should get away with, and what mypy says to it."""


def check(path: Path, text: str) -> list[tuple[int, str]]:
    """Run ``mypy --strict`` as a user would; return what it says about each line of ``text``."""
    path.write_text(text)
    root = Path(scmictl.__file__).parents[1]
    with pytest.MonkeyPatch.context() as patch:
        if root.name != "site-packages":  # an installed scmictl is found, and must be, by py.typed
            patch.setenv("MYPYPATH", str(root))
        patch.chdir(path.parent)
        out, errors, _ = api.run(
            ["--strict", "--config-file=", "--follow-imports=silent", path.name]
        )
    assert not errors
    found = []
    for line in out.splitlines():
        file, _, rest = line.partition(":")
        if file == path.name:
            number, _, message = rest.partition(": ")
            found.append((int(number), message))
    return found


def test_a_users_strict_type_check_knows_the_type_of_every_field(tmp_path: Path) -> None:
    found = check(tmp_path / "user.py", SNIPPET)
    revealed = [message for _, message in found if "Revealed type" in message]
    assert [message for _, message in found if message.startswith("error")] == []
    assert [tidy(message) for message in revealed] == REVEALED


def tidy(message: str) -> str:
    """``Revealed type is "builtins.int | None"`` as ``int | None``, whatever the mypy."""
    text = message.partition('"')[2].rstrip('"')
    return (
        text.replace("builtins.", "")
        .replace("scmictl.protocols.", "")
        .replace("Union[int, None]", "int | None")
    )


def test_a_users_mistakes_are_found_before_anything_runs(tmp_path: Path) -> None:
    head = [
        "from scmictl.agent import Agent",
        "from scmictl.protocols import clock",
        "def use(agent: Agent) -> None:",
    ]
    lines = [*head, *(f"    {misuse}" for misuse in MISUSES)]
    found = dict(check(tmp_path / "user.py", "\n".join(lines) + "\n"))
    for number, (misuse, complaint) in enumerate(MISUSES.items(), start=len(head) + 1):
        assert complaint in found.get(number, ""), misuse
