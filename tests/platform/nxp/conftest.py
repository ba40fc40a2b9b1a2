"""A small board of NXP's: three machines with agents, their CPUs, and one of everything else."""

from __future__ import annotations

from typing import Any

import pytest

IDENTITY = '[platform]\nvendor = "NXP"\nsub_vendor = "IMX"\n'
BOARD = (
    IDENTITY
    + """
[[agent]]
name = "linux"
trusted = true
[[agent]]
name = "secure"
[[agent]]
name = "rtos"
[[agent]]
name = "spy"

[[nxp-lmm]]
name = "sm"
[[nxp-lmm]]
name = "ap"
agents = ["linux", "secure"]
rights = { rtos = "set" }
[[nxp-lmm]]
name = "m7"
agents = ["rtos"]
latency = "50ms"
rights = { spy = "notify" }
[[nxp-lmm]]
name = "idle"
agents = ["spy"]
state = "off"
rights = { rtos = "none" }

[[nxp-cpu]]
name = "a0"
machine = "ap"
reset_vector = 0x8_0000_1000
power_domains = 4
peripherals = 2
irq_words = 24
rights = { rtos = "priv" }
[[nxp-cpu]]
name = "a1"
machine = "ap"
boots = false
[[nxp-cpu]]
name = "m7p"
machine = "m7"
vector_table = true
[[nxp-cpu]]
name = "spare"
machine = "idle"

[nxp-bbm]
gpr = 4
gpr_rights = { rtos = "get", spy = "none" }
button = true
button_rights = { spy = "get" }
[[nxp-bbm.rtc]]
name = "bbnsm"
time = 1000
rights = { rtos = "priv", spy = "get" }
[[nxp-bbm.rtc]]
name = "short"
sec_width = 4
tick_width = 4
ticks = 10
lost = true

[nxp-fusa]
state = "pre_safety"
msel = 2
rights = { spy = "none" }
[[nxp-fusa.seenv]]
agent = "rtos"
[[nxp-fusa.seenv]]
agent = "linux"
state = "safety_ready"
[[nxp-fusa.seenv]]
agent = "spy"
[[nxp-fusa.fault]]
name = "lockup"
[[nxp-fusa.fault]]
name = "noc"
set = true
rights = { rtos = "get" }
[[nxp-fusa.fault]]
name = "sw0"

[nxp-misc]
build = { number = 7, commit = 0xDEADBEEF, date = "Jan 01 2026", time = "12:00:00" }
silicon = { device_id = 0x9500, revision = 0xB0, part = 95, name = "i.MX95 B0" }
config = { msel = 2, name = "mx95evk" }
board = { name = "i.MX95 EVK" }
syslog = [1, 2, 3, 4, 5]
passover = [0x11, 0x22]
reset_reason = "wdog3"
ext_info = [0xA, 0xB]
[[nxp-misc.control]]
name = "pdm"
values = [1, 2]
rights = { rtos = "get", spy = "none" }
[[nxp-misc.control]]
name = "chip"
board = true
extended = 30
actions = { 1 = [0xA5], 2 = [] }
events = 0x7
changed = 0x4
rights = { rtos = "notify" }
[[nxp-misc.ddr]]
type = "lpddr5"
width = 32
ecc = true
mts = 6400
start = 0x8000_0000
end = 0x8_7FFF_FFFF
[[nxp-misc.ddr]]
type = "lpddr4x"
width = 16
mts = 4266
start = 0
end = 0xFFFF
"""
)


@pytest.fixture
def board() -> str:
    """The text of the board."""
    return BOARD


@pytest.fixture
def linux(connect: Any) -> Any:
    """An agent that may do everything, in the machine 1."""
    return connect(BOARD, "linux")


@pytest.fixture
def rtos(connect: Any, linux: Any) -> Any:
    """An agent with fewer rights on the same platform, in the machine 2."""
    return connect(linux.platform, "rtos")


@pytest.fixture
def spy(connect: Any, linux: Any) -> Any:
    """An agent with next to no rights, in the machine 3, which is off."""
    return connect(linux.platform, "spy")


@pytest.fixture
def hand(linux: Any) -> Any:
    """A hand at the platform: changes one thing of a resource, by its protocol and name."""

    def adjust(protocol: int, name: str, key: str, text: str) -> None:
        behaviour = linux.platform.behaviours[protocol]
        behaviour.adjust(behaviour.names.index(name), key, text, linux.platform.advance(linux.now))

    return adjust


@pytest.fixture
def state(linux: Any) -> Any:
    """What a resource is like now, by its protocol and name."""

    def look(protocol: int, name: str) -> Any:
        behaviour = linux.platform.behaviours[protocol]
        return behaviour.state(behaviour.names.index(name))

    return look
