"""The README shows what really happens."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scmictl.console.batch import run_files
from scmictl.console.environment import Environment
from scmictl.console.session import Session

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
NOTICE = "the simulated platform forgets this when the command ends\n"


class Terminal(io.StringIO):
    """A stdout that says it is a terminal, so that tables are drawn."""

    def isatty(self) -> bool:
        return True


def run(words: list[str], target: str = "sim:demo") -> str:
    stdout = Terminal()
    environ = {"COLUMNS": "80", "NO_COLOR": "1", "SCMICTL_TARGET": target}
    environment = Environment(io.StringIO(), stdout, io.StringIO(), environ)
    with Session(environment, {}) as session:
        session.words(words)
    return "\n".join(line.rstrip() for line in stdout.getvalue().splitlines())


def block(after: str, language: str) -> str:
    found = re.search(rf"{re.escape(after)}.*?```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1].strip()


def test_both_set_up_commands_are_single_lines_with_an_environment_of_their_own() -> None:
    for marker in ("<!-- main command -->", "<!-- test command -->"):
        command = block(marker, "sh")
        assert "\n" not in command
        assert command.startswith("python3 -m venv ")


def test_the_clock_list_of_the_readme_is_what_the_main_command_prints() -> None:
    shown = block("<!-- main command -->", "text").splitlines()
    assert shown[0] == "target: sim:demo (none chosen; see --target)"
    assert shown[1:] == run(["clock", "list"]).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "clock set uart0 25MHz",
        "sensor list --where 'unit == \"°C\"'",
        "--dry-run clock set uart0 25MHz",
        "perf limits set big 600000 1000000",
        "voltage set back-bias-of-the-cpu -200mV",
        "decode 05 50 00 00 00 00 00 00 01 00 00 00 40 78 7d 01 00 00 00 00",
    ],
)
def test_the_examples_of_the_readme_are_real_output(line: str) -> None:
    assert f"$ scmictl {line}\n{run(shlex.split(line))}" in README.replace(NOTICE, "")


@pytest.mark.parametrize("before", ["A batch file is", "**By hand.**"])
def test_the_batch_files_of_the_readme_pass(tmp_path: Path, before: str) -> None:
    script = tmp_path / "file.scmi"
    script.write_text(block(before, "text"))
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    with Session(environment, {"target": "sim:demo"}, lasting=True) as session:
        assert run_files(session, [str(script)]) == 0


def test_the_python_example_of_the_readme_runs() -> None:
    code = block("## From Python", "python")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "24000000" in done.stdout
