"""The completion scripts, run by the shells they are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scmictl.console import dialect

BASH = shutil.which("bash")
FISH = shutil.which("fish")
ZSH = shutil.which("zsh")

needs_bash = pytest.mark.skipif(BASH is None, reason="bash is not installed")
needs_fish = pytest.mark.skipif(FISH is None, reason="fish is not installed")
needs_zsh = pytest.mark.skipif(ZSH is None, reason="zsh is not installed")

CASES = [
    ("clock s", {"show", "set"}),
    ("clock parent ", {"get", "set"}),
    ("-o json clock set uart0 --ro", {"--round"}),
    ("clock set --round ", {"up", "down", "auto"}),
    ("clock list -o ", {"table", "plain", "json", "jsonl", "csv", "hex"}),
    ("call CLOCK_RATE_S", {"CLOCK_RATE_SET"}),
    ("subscribe SENSOR_U", {"SENSOR_UPDATE"}),
    ("completion ", {"bash", "zsh", "fish"}),
    ("sensor config set acc0 ", {"enable", "disable"}),
]


@pytest.fixture
def script(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "script"
    path.write_text(dialect.script(request.param) + "\n")
    return path


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout


@needs_bash
@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_bash_completes(script: Path, line: str, expected: set[str]) -> None:
    words = ["scmictl", *line.split()] + ([""] if line.endswith(" ") else [])
    quoted = " ".join(f"'{word}'" for word in words)
    program = (
        f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _scmictl; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert set(run(BASH or "", "--norc", "-c", program).split()) == expected


@needs_bash
@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_leaves_other_values_to_its_file_names(script: Path) -> None:
    program = (
        f"source {script}; COMP_WORDS=(scmictl --target ''); COMP_CWORD=2; _scmictl; "
        'echo "${#COMPREPLY[@]}"; complete -p scmictl'
    )
    count, registered = run(BASH or "", "--norc", "-c", program).splitlines()
    assert count == "0"
    assert "-o default" in registered


@needs_fish
@pytest.mark.parametrize("script", ["fish"], indirect=True)
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish_completes(script: Path, line: str, expected: set[str]) -> None:
    out = run(FISH or "", "--no-config", "-c", f"source {script}; complete -C 'scmictl {line}'")
    assert {one.partition("\t")[0] for one in out.splitlines()} == expected


@needs_zsh
@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_can_read_its_script(script: Path) -> None:
    assert run(ZSH or "", "-n", str(script)) == ""


def test_every_command_has_its_place() -> None:
    paths = {place.path for place in dialect.places()}
    assert {"", "clock", "clock parent", "clock parent set", "info", "completion"} <= paths
