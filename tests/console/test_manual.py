"""The manual page and the completion scripts are those of the command table."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from scmictl.console import manual
from scmictl.console.environment import Environment
from scmictl.console.session import Session
from scmictl.console.table import ENTRIES

ROOT = Path(__file__).parent.parent.parent


def test_the_manual_page_in_the_repository_is_up_to_date() -> None:
    kept = (ROOT / "man" / "scmictl.1").read_text()
    assert kept == manual.page(), "run: python -m scmictl.console.manual > man/scmictl.1"


COMMANDS = [command for entry in ENTRIES for command in entry.load().values()]


def test_the_manual_page_describes_every_command_once() -> None:
    lines = manual.page().replace("\\-", "-").splitlines()
    for command in COMMANDS:
        assert sum(line.startswith(f"\\fB{command.name}\\fR") for line in lines) == 1


def test_the_manual_page_names_every_command_and_option() -> None:
    page = manual.page().replace("\\-", "-")
    for command in COMMANDS:
        assert f"\\fB{command.name}\\fR" in page
        for option in command.options:
            assert f"\\fB{option.name}\\fR" in page


def test_every_exit_code_of_the_contract_is_in_the_manual_page() -> None:
    codes = {code for code, _ in manual._exit_codes()}
    assert {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 39, 130, 141, 143} <= codes


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_scripts_in_the_repository_are_up_to_date(shell: str) -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    with Session(environment, {}) as session:
        session.words(["completion", shell])
    assert isinstance(environment.stdout, io.StringIO)
    kept = (ROOT / "completions" / f"scmictl.{shell}").read_text()
    assert kept == environment.stdout.getvalue(), (
        f"run: scmictl completion {shell} > completions/scmictl.{shell}"
    )
