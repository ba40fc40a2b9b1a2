"""Clocks of generated boards: an oscillator, PLLs, buses, and what divides them."""

from __future__ import annotations

from scmictl.platform.specimen import Draw, Specimen, named

WORDS = ("uart", "i2c", "spi", "emmc", "usb", "eth", "can", "pwm", "adc", "timer", "audio")
"""What clocks are called that nothing hangs on."""
BLOCK = 16
"""Clocks that hang on the same PLL."""
OSCILLATOR = "osc24m"


def name(number: int) -> str:
    block, place = divmod(number - 1, BLOCK)
    if number == 0:
        return OSCILLATOR
    if place == 0:
        return f"pll{block}"
    if place <= 2:
        return f"{'ahb' if place == 1 else 'apb'}{block}"
    return named(WORDS, number)


def clock(number: int, draw: Draw) -> str:
    """An oscillator; then blocks of a PLL, two buses that follow it, and clocks that divide it."""
    block, place = divmod(number - 1, BLOCK)
    if number == 0:
        return 'rate = "24MHz"\nenabled = true\ncritical = true\n'
    if place == 0:
        top = draw.of((1200, 1600, 2000))
        rates = f'["{top // 2}MHz", "{top * 3 // 4}MHz", "{top}MHz"]'
        return (
            f'parent = "{OSCILLATOR}"\nrates = {rates}\nrate = "{top}MHz"\nenabled = true\n'
            f'enable_delay = "{50 + draw.below(200)}us"\nlatency = "{1 + draw.below(5)}ms"\n'
        )
    if place == 1:
        return f'parent = "pll{block}"\ndivider = {draw.of((2, 4))}\nenabled = true\n'
    if place == 2:
        return f'parent = "ahb{block}"\ndivider = 2\nenabled = true\n'
    parents = draw.of((f'parent = "pll{block}"', f'parents = ["pll{block}", "{OSCILLATOR}"]'))
    form = draw.below(4)
    if form == 0:
        return f'{parents}\nrate = "{draw.of((12, 24, 48, 100, 125))}MHz"\n'
    if form == 1:
        step = draw.of((1, 10, 100))
        rates = f'{{ lowest = "1MHz", highest = "{100 + 50 * draw.below(4)}MHz", '
        rates += f'step = "{step}kHz" }}'
        return f'{parents}\nrates = {rates}\nrate = "{1 + draw.below(100)}MHz"\n'
    base = draw.of((6, 10, 12, 25))
    rates = ", ".join(f'"{base << power}MHz"' for power in range(2 + draw.below(4)))
    more = "enabled = true\n" if form == 2 else "duty_cycle = 50\n" if draw.below(8) == 0 else ""
    return f'{parents}\nrates = [{rates}]\nrate = "{base * 2}MHz"\n{more}'


SPECIMENS = (Specimen("clock", "clocks", "clocks", name, clock),)
