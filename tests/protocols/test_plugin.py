"""Protocols of installed packages: found by entry points, and harmless when they are broken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scmictl import protocols
from scmictl.errors import UsageError
from scmictl.protocols import clock, plugin

LED = '''
from scmictl.protocols import Plugin, Protocol, common
from scmictl.wire import Request, Response, u32

ID = {id}

class ProtocolVersion(common.ProtocolVersion, protocol=ID):
    """Ask for the version."""

class ProtocolAttributesResponse(Response):
    num_leds: int = u32()

class ProtocolAttributes(
    Request[ProtocolAttributesResponse], protocol=ID, id=1, spec="PROTOCOL_ATTRIBUTES"
):
    """Ask how many there are."""

class MessageAttributes(common.MessageAttributes, protocol=ID):
    """Ask for a message."""

class Negotiate(common.NegotiateProtocolVersion, protocol=ID):
    """Ask for another version."""

class BlinkResponse(Response):
    """It blinks."""

class Blink(Request[BlinkResponse], protocol=ID, id=4, spec="LED_BLINK"):
    """Let a light blink."""

    led_id: int = u32()

REQUESTS = (ProtocolVersion, ProtocolAttributes, MessageAttributes, Negotiate, Blink)
PROTOCOL = Protocol("{name}", ID, title="lights", versions=(0x10000,), requests=REQUESTS)
PLUGIN = Plugin(PROTOCOL, vendor="{vendor}", sub_vendor="{sub_vendor}")
'''

Install = Callable[..., None]


def led(name: str = "acme-led", id: int = 0x90, vendor: str = "ACME", sub_vendor: str = "") -> str:
    """The source of a package's module with a good plugin."""
    return LED.format(name=name, id=id, vendor=vendor, sub_vendor=sub_vendor)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that puts a package where Python finds it, and its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def put(
        source: str, name: str = "acme-led", *, package: str = "acme", value: str = ":PLUGIN"
    ) -> None:
        module = f"{package}_module"
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[scmictl.protocols]\n{name} = {module}{value}\n")
        monkeypatch.setattr(plugin, "installed", plugin.Installed(plugin._ours))

    yield put
    for name in set(sys.modules) - before:
        if name.endswith("_module"):
            del sys.modules[name]


def test_a_plugins_protocol_is_found_by_its_name_and_by_vendor_and_number(
    install: Install,
) -> None:
    install(led())
    found = protocols.by_name("acme-led")
    assert (found.name, found.id) == ("acme-led", 0x90)
    assert protocols.by_name("ACME-LED") is found
    assert protocols.by_id(0x90, "acme", "anything") is found
    assert protocols.by_name("0x90", "ACME") is found
    assert protocols.id_name(0x90, "ACME", "") == "acme-led"
    assert protocols.number_of("acme-led") == 0x90
    assert protocols.whose(found) == ("ACME", "")
    assert found in list(protocols.every())
    for owner in ((), (None, "ACME"), ("NXP", "IMX"), ("", "")):
        assert protocols.by_id(0x90, *owner) is None
        assert protocols.id_name(0x90, *owner) == "vendor-0x90"
    assert plugin.take_problems() == []


def test_a_plugin_of_one_sub_vendor_is_only_its(install: Install) -> None:
    install(led(sub_vendor="X1"))
    assert protocols.by_id(0x90, "ACME", "x1") is protocols.by_name("acme-led")
    assert protocols.by_id(0x90, "ACME", None) is not None
    assert protocols.by_id(0x90, "ACME", "X2") is None
    assert protocols.by_id(0x90, "ACME", "") is None


def test_a_plugin_can_have_a_free_standard_number(install: Install) -> None:
    install(led("led", 0x1C, vendor=""), "led")
    found = protocols.by_id(0x1C)
    assert found is not None and found is protocols.by_name("led")
    assert protocols.id_name(0x1C) == "led"
    assert protocols.by_id(0x1C, "NXP", "IMX") is found
    assert protocols.whose(found) is None


def test_the_number_of_another_vendor_can_be_the_same(install: Install) -> None:
    install(led("acme-led", 0x80))
    install(led("lamp", 0x80, vendor="Lamps"), "lamp", package="lamps")
    assert protocols.id_name(0x80, "ACME", "") == "acme-led"
    assert protocols.id_name(0x80, "Lamps", "") == "lamp"
    assert protocols.id_name(0x80, "NXP", "IMX") == "nxp-lmm"
    assert plugin.take_problems() == []


def test_only_the_plugin_that_is_named_is_loaded(install: Install) -> None:
    install(led())
    install("raise RuntimeError('no')", "lamp", package="lamps")
    assert protocols.by_name("acme-led").id == 0x90
    assert "lamps_module" not in sys.modules
    assert plugin.take_problems() == []


def test_what_cannot_be_a_plugins_name_sends_nobody_looking(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(led())
    monkeypatch.setattr(plugin.Installed, "_scan", lambda self: pytest.fail("it was looked for"))
    for name in ("CLOCK_RATE_SET", "cpu_temp", "0x80", "uart*", "-x", ""):
        assert plugin.named(name) is None
    assert protocols.by_name("clock") is clock.PROTOCOL
    assert protocols.by_id(0x90) is None


BROKEN = [
    ("raise RuntimeError('boom\\nbang')", {}, ":PLUGIN cannot be loaded: RuntimeError: boom bang"),
    ("import nowhere_at_all", {}, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    ("import sys; sys.exit(3)", {}, "cannot be loaded: SystemExit: 3"),
    ("def broken(:", {}, "cannot be loaded: SyntaxError"),
    ("", {}, "cannot be loaded: AttributeError"),
    ("PLUGIN = 3", {}, "found type int in acme_module:PLUGIN, expected Plugin"),
    (led(), {"value": ":PROTOCOL"}, "found type Protocol in acme_module:PROTOCOL, expected Plugin"),
    (led().replace("Plugin(PROTOCOL", "Plugin(ID"), {}, "found type int, expected Protocol"),
    (led().replace('vendor="ACME"', "vendor=7", 1), {}, "vendor: found 7, expected a printable"),
    (led("lamp"), {}, "found a protocol named 'lamp', expected 'acme-led'"),
    (led(), {"name": "clock"}, "found the name of a protocol of scmictl, expected one of its own"),
    (led(), {"name": "nxp-lmm"}, "found the name of a protocol of scmictl"),
    (led(), {"name": "Acme_LED"}, "found the name 'Acme_LED', expected lower-case letters"),
    (led(vendor=""), {}, "found the number 0x90 and no vendor, expected one"),
    (led(id=0x1C), {}, "found the number 0x1c and a vendor, expected a number from 0x80"),
    (led(id=0x1B, vendor=""), {}, "found the number 0x1b, which telemetry of scmictl has"),
    (led(id=0x80, vendor="NXP", sub_vendor="IMX"), {}, "found the number 0x80, which nxp-lmm of"),
    (led(id=0x81, vendor="nxp"), {}, "found the number 0x81, which nxp-bbm of scmictl has"),
    (led(id=0x100), {}, "found the number 256, expected 0x10 to 0xff"),
    (led(id=3), {}, "found the number 3, expected 0x10 to 0xff"),
    (led().replace("ID = 144", "ID = '144'"), {}, "found the number '144', expected 0x10 to 0xff"),
    (led() + "\nPROTOCOL.by_spec = None\n", {}, "unusable: AttributeError: 'NoneType' object"),
    (led(vendor="A" * 16), {}, "vendor: found 16 characters, expected at most 15"),
    (led().replace("(0x10000,)", "()"), {}, "found the versions (), expected numbers such as"),
    (
        led().replace("=ID, id=4", "=0x91, id=4"),
        {},
        "LED_BLINK of the protocol 0x91, expected 0x90",
    ),
    (led().replace(" Negotiate, B", " B"), {}, "found no NEGOTIATE_PROTOCOL_VERSION, expected"),
    (led().replace("ProtocolAttributes, Mess", "Mess"), {}, "found no message 0x1, expected"),
    (
        led().replace(
            "REQUESTS = (", "from scmictl.protocols.clock import RateGet\nREQUESTS = (RateGet, "
        ),
        {},
        "found CLOCK_RATE_GET of the protocol 0x14, expected 0x90",
    ),
]


@pytest.mark.parametrize(("source", "more", "line"), BROKEN)
def test_a_broken_plugin_is_one_line_and_harms_nobody(
    install: Install, source: str, more: dict[str, str], line: str
) -> None:
    install(source, **more)
    install(led("lamp", 0x91, vendor="Lamps"), "lamp", package="lamps")
    assert [one.protocol.name for one in plugin.every()] == ["lamp"]
    assert protocols.by_id(0x91, "Lamps") is protocols.by_name("lamp")
    assert protocols.by_name("clock") is clock.PROTOCOL
    assert protocols.by_id(0x80, "NXP", "IMX") is protocols.by_name("nxp-lmm")
    (problem,) = plugin.take_problems()
    name = more.get("name", "acme-led")
    assert problem.startswith(f"plugin {name} (acme 1.0): ")
    assert line in problem
    assert "\n" not in problem
    assert plugin.take_problems() == [], "each is told once"


def test_who_asks_for_the_broken_one_hears_why(install: Install) -> None:
    install("raise RuntimeError('boom')")
    for ask in (protocols.by_name, plugin.named, protocols.number_of):
        with pytest.raises(UsageError, match=r"^plugin acme-led \(acme 1.0\): .*boom"):
            ask("acme-led")
    assert plugin.take_problems() == [], "and nobody else"


def test_messages_of_ours_stay_ours(install: Install) -> None:
    install(
        led().replace(
            "REQUESTS = (", "from scmictl.protocols.clock import RateGet\nREQUESTS = (RateGet, "
        )
    )
    assert plugin.every() == []
    assert protocols.of(clock.RateGet) is clock.PROTOCOL
    assert protocols.of(clock.ProtocolVersion()) is clock.PROTOCOL


def test_of_two_plugins_with_one_number_the_first_has_it(install: Install) -> None:
    install(led())
    install(led("lamp", sub_vendor="X1"), "lamp", package="lamps")
    assert protocols.id_name(0x90, "ACME", "X1") == "acme-led"
    assert plugin.take_problems() == [
        "plugin lamp (lamps 1.0): found the number 0x90, which acme-led has too, expected one of "
        "its own"
    ]


def test_of_two_packages_with_one_name_the_first_has_it(install: Install) -> None:
    install(led())
    install(led(id=0x91), package="lamps")
    assert protocols.by_name("acme-led").id == 0x90
    (problem,) = plugin.take_problems()
    assert problem.startswith("plugin acme-led (lamps 1.0): found the name of a plugin of acme 1.0")


def test_an_unknown_name_lists_the_plugins_too(install: Install) -> None:
    install(led())
    with pytest.raises(
        UsageError, match=r"expected one of: base, .*, nxp-misc, acme-led"
    ) as raised:
        protocols.by_name("acme-lad")
    assert raised.value.hint == "did you mean acme-led?"
