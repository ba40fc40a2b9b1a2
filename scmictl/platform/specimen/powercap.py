"""Power capping domains of generated boards: packages, clusters and zones."""

from __future__ import annotations

from scmictl.platform.specimen import Draw, Specimen, named

FAMILY = 32
"""Domains below the same root, itself included."""
CLUSTER = 8
"""Those of them below the same child of the root."""


def name(number: int) -> str:
    """Return what the domain with this number is called."""
    family, place = divmod(number, FAMILY)
    if place == 0:
        return f"package{family}"
    if place % CLUSTER == 0:
        return f"cluster{family}-{place // CLUSTER}"
    return named(("zone",), number)


def powercap(number: int, draw: Draw) -> str:
    """A power capping domain: packages at the top, clusters below them, zones at the bottom."""
    family, place = divmod(number, FAMILY)
    if place == 0:
        text, watts = "", 60
    elif place % CLUSTER == 0 or place < CLUSTER:
        text, watts = f'parent = "package{family}"\n', 20
    else:
        text, watts = f'parent = "cluster{family}-{place // CLUSTER}"\n', 4
    text += f'caps = {{ lowest = "500mW", highest = "{watts}W", step = "100mW" }}\n'
    text += f'cap = "{watts}W"\n' if draw.below(2) else f'cap = "{watts * 1000 - 500}mW"\n'
    text += f"power = {100 + draw.below(watts * 40)}\n"
    if draw.below(3) == 0:
        text += 'pais = { lowest = "10ms", highest = "1s", step = "10ms" }\npai = "100ms"\n'
    if draw.below(4) == 0:
        text += f'swing = 50\nnoise = 5\nperiod = "{10 + draw.below(50)}s"\n'
    return text


SPECIMENS = (Specimen("powercap", "powercap", "power capping domains", name, powercap),)
