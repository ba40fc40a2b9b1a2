"""Pins of generated boards, groups of neighbours, and what groups can be switched to."""

from __future__ import annotations

from functools import partial

from scmictl.platform.specimen import Draw, Share, Specimen, named, quoted

PINS = ("gpio", "uart", "i2c", "spi", "sdio", "pwm")
GROUPS = ("uart-pins", "i2c-pins", "spi-pins", "sdio-pins", "pwm-pins")
FUNCTIONS = ("uart", "i2c", "spi", "sdio", "pwm", "can")
"""What all three are called."""
LARGEST_GROUP = 4
"""Pins of a group, where there are enough."""
SETTINGS = (
    'settings = { bias-pull-up = "10kohm", input-mode = true }\n',
    'settings = { drive-push-pull = true, drive-strength = "4mA" }\n',
    'settings = { bias-pull-down = "50kohm" }\n',
)


def pin(number: int, draw: Draw) -> str:
    """A pin, some of them with settings."""
    return draw.of(SETTINGS) if draw.below(4) == 0 else ""


def group(number: int, draw: Draw) -> str:
    """A group of neighbours."""
    pins, groups = draw.size.of("pin"), draw.size.of("group")
    width = max(1, min(LARGEST_GROUP, pins // groups))
    members = {named(PINS, (number * width + place) % pins) for place in range(width)}
    return f"pins = {quoted(sorted(members))}\n"


def function(number: int, draw: Draw) -> str:
    """A function of its share of the groups, or of the pins where there are none."""
    pins, groups, functions = (draw.size.of(kind) for kind in ("pin", "group", "function"))
    key, words, there = ("groups", GROUPS, groups) if groups else ("pins", PINS, pins)
    share = range(number, there, functions) or [number % there]
    return f"{key} = {quoted([named(words, one) for one in share])}\n"


SPECIMENS = (
    Specimen("pin", "pins", "pins", partial(named, PINS), pin),
    Specimen(
        "group", "groups", "groups of pins", partial(named, GROUPS), group,
        owned=False, made_of="pin", share=Share("pin", LARGEST_GROUP),
    ),
    Specimen(
        "function", "functions", "functions of pins", partial(named, FUNCTIONS), function,
        owned=False, made_of="pin", share=Share("group", 1),
    ),
)  # fmt: skip
