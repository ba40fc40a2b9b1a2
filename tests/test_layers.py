"""Layer imports go one way (DESIGN.md, section 2).

Every import statement in ``scmictl/`` is looked at: at the top of a file, inside functions, and
those that only a type checker sees.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

import scmictl
from scmictl.protocols import STANDARD

ROOT = Path(scmictl.__file__).parent

OPEN = {"errors", "version", "values"}
"""Leaves that every layer may import."""

MAY_IMPORT = {
    "errors": set[str](),
    "version": set[str](),
    "values": set[str](),
    "wire": set[str](),
    "protocols": {"wire"},
    "virtio": set[str](),
    "vhost_user": {"virtio"},
    "platform": {"protocols", "wire"},
    # The pump tells notifications from delayed responses, by the header.
    "device": {"platform", "virtio", "wire"},
    "device/server.py": {"platform", "virtio", "vhost_user"},
    # Both ends of the control socket: what a path may be, and a listener, are vhost_user's.
    "device/control.py": {"platform", "vhost_user"},
    "device/remote.py": {"vhost_user"},
    "transport": {"virtio", "vhost_user", "device.pump"},
    "agent": {"transport", "protocols", "wire"},
    # What a message does, its fields and its record are said in the words of wire.
    "commands": {"agent", "protocols", "wire", "platform", "device"},
    "console": {"commands", "agent", "protocols", "wire"},
}
"""What a layer (or a single file of it) may import besides itself and the leaves."""

ENTRANCES = {"__init__.py", "__main__.py"}
"""The public names and the command: they may import what they lead to."""

ONLY_IN = {
    "construct": ("wire/",),
    "typer": ("console/parser.py",),
    "rich": ("console/",),
    "prompt_toolkit": ("console/",),
    "platformdirs": ("console/",),
    "asyncio": ("console/",),
    "socket": ("vhost_user/", "device/server.py", "device/control.py", "device/remote.py"),
    "dataclasses": (),
    "pydantic": (),
    "click": (),
}
"""Modules from outside that only some places may import."""


class Import(NamedTuple):
    line: int
    name: str


FILES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}
every_file = pytest.mark.parametrize("file", FILES)


def imports(file: str) -> list[Import]:
    """Every name ``file`` imports, in full: ``scmictl.wire.codec.encode``, ``os.path``."""
    found = []
    package = ["scmictl", *Path(file).parts[:-1]]
    for node in ast.walk(ast.parse(FILES[file].read_text(), file)):
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            found += [Import(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def below(name: str, parents: set[str]) -> bool:
    """Whether ``name`` is one of ``parents`` or something inside one."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def layer(file: str) -> str:
    return Path(file).parts[0].removesuffix(".py")


def test_every_layer_has_its_line_in_the_table() -> None:
    assert {layer(file) for file in FILES if file not in ENTRANCES} <= set(MAY_IMPORT)


@every_file
def test_a_file_imports_only_what_its_layer_may(file: str) -> None:
    if file in ENTRANCES:
        return
    allowed = OPEN | {layer(file)} | MAY_IMPORT.get(file, MAY_IMPORT[layer(file)])
    wrong = [
        f"{file}:{line} imports {name}"
        for line, name in imports(file)
        if name.partition(".")[0] == "scmictl"
        and not below(name.removeprefix("scmictl").removeprefix("."), allowed)
    ]
    assert not wrong, f"{wrong}, allowed: {', '.join(sorted(allowed))}"


@every_file
def test_modules_from_outside_stay_in_their_places(file: str) -> None:
    wrong = [
        f"{file}:{line} imports {name}, allowed in: {', '.join(places) or 'no file'}"
        for line, name in imports(file)
        for module, places in ONLY_IN.items()
        if below(name, {module}) and not file.startswith(places)
    ]
    assert not wrong


@every_file
def test_no_command_is_about_several_protocols(file: str) -> None:
    """So the verbs of a protocol are files of its own; what all share asks base at most."""
    if layer(file) not in ("commands", "console"):
        return
    own = {name for _, name in STANDARD if name != "base"}
    modules = [name.split(".") for _, name in imports(file)]
    found = {parts[2] for parts in modules if parts[:2] == ["scmictl", "protocols"] and parts[2:]}
    assert len(found & own) <= (layer(file) == "commands")


def test_an_import_is_found_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sample.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "import os.path\n"
        "from .wire import codec\n"
        "from . import errors\n"
        "if TYPE_CHECKING:\n    from scmictl import agent\n"
        "def f():\n    import scmictl.console.shell\n"
    )
    monkeypatch.setitem(FILES, "sample.py", path)
    assert [name for _, name in imports("sample.py")] == [
        "typing.TYPE_CHECKING", "os.path", "scmictl.wire.codec", "scmictl.errors",
        "scmictl.agent", "scmictl.console.shell",
    ]  # fmt: skip
