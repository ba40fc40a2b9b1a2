"""Start-up time is a feature: what a protocol's messages must not bring with them."""

from __future__ import annotations

import subprocess
import sys

import pytest

COSTLY = (
    "asyncio", "construct", "dataclasses", "importlib.metadata", "inspect", "json", "logging",
    "pathlib", "socket", "subprocess", "tempfile", "tomllib",
)  # fmt: skip

USE = """
import sys
before = set(sys.modules)
from scmictl.protocols import by_name
from scmictl.wire import codec
for name in {names!r}:
    protocol = by_name(name)
    for request in protocol.requests:
        codec.functions(request, protocol.newest)
        codec.functions(request.RESPONSE, protocol.newest)
print(*sorted(set({costly!r}) & (set(sys.modules) - before)))
"""


@pytest.mark.parametrize(
    "names",
    [
        ("clock",),
        ("sensor",),
        ("base",),
        ("power", "system", "perf", "reset"),
        ("voltage", "powercap", "pinctrl", "telemetry"),
        ("nxp-lmm", "nxp-bbm", "nxp-cpu", "nxp-fusa", "nxp-misc"),
    ],
)
def test_speaking_a_protocol_loads_nothing_costly(names: tuple[str, ...]) -> None:
    code = USE.format(names=names, costly=COSTLY)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_only_the_protocols_that_are_used_are_imported() -> None:
    code = "import sys, scmictl.protocols.clock; print('scmictl.protocols.sensor' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
