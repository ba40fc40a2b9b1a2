"""The shell in a real terminal: what a person types, and what comes back."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from scmictl.agent import Stray, connect
from scmictl.console import incident
from scmictl.console.recorder import assertions
from scmictl.console.session import Result
from scmictl.console.view import View

ESCAPES = r"(?:\x1b\[[0-9;?]*[a-zA-Z])*"
TAB, CTRL_C, CTRL_D, CTRL_R = "\t", "\x03", "\x04", "\x12"


def pattern(text: str) -> str:
    """Return a pattern for ``text`` with any escape sequences in it: colours, cursor movements."""
    return ESCAPES.join(map(re.escape, text))


class Terminal:
    """A shell on a terminal of 80 columns that never answers where its cursor is."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "scmictl", *words],
            env=environ,
            encoding="utf-8",
            timeout=30,
            dimensions=(24, 80),
        )

    def type(self, keys: str) -> None:
        self.child.send(keys)

    def line(self, text: str) -> None:
        """Type a line and have it run."""
        self.child.send(text + "\r")

    def sees(self, text: str) -> str:
        """Wait for ``text`` on the terminal, and return what came before it."""
        self.child.expect(pattern(text))
        return str(self.child.before)

    def prompt(self, text: str = "sim:demo ospm>") -> str:
        """Wait for the prompt, and return what came before it."""
        return self.sees(text)

    def again(self) -> None:
        """Wait until this prompt is over and the next one is there.

        A prompt begins by asking for bracketed paste, and ends by taking that back; so it does for
        a notification, which therefore must not come meanwhile.
        """
        self.child.expect(r"\x1b\[\?2004l")
        self.child.expect(r"\x1b\[\?2004h")

    def run(self, text: str) -> str:
        """Run a line; return all that is printed until the next prompt, without escapes."""
        self.line(text)
        self.again()
        printed = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", str(self.child.before))
        return printed.replace("\r", "")

    def leave(self) -> int:
        """Press Ctrl-D at the prompt, and return the exit code."""
        self.child.send(CTRL_D)
        return self.ended()

    def ended(self) -> int:
        self.child.expect(pexpect.EOF)
        self.child.close()
        code: int | None = self.child.exitstatus
        assert code is not None, f"ended by signal {self.child.signalstatus}"
        return code


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SCMICTL_", "XDG_", "PAGER"))}
    return {
        **kept,
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def open_shell(environ: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts a shell, with the demo board if nothing else is said."""
    started: list[Terminal] = []

    def start(*words: str) -> Terminal:
        started.append(Terminal([*(words or ("-t", "sim:demo")), "shell"], environ))
        return started[-1]

    yield start
    for terminal in started:
        terminal.child.close(force=True)


@pytest.fixture
def shell(open_shell: Callable[..., Terminal]) -> Terminal:
    terminal = open_shell()
    terminal.prompt()
    return terminal


# --- typing ---------------------------------------------------------------------------------------


def test_a_verb_completes_by_tab(shell: Terminal) -> None:
    shell.type("clock li" + TAB)
    shell.sees("list")
    shell.type("\r")
    shell.sees("display-pixel-clock")
    shell.prompt()


def test_tab_lists_names_with_their_current_values(shell: Terminal) -> None:
    shell.type("clock get u" + TAB)
    shell.sees("uart0")
    shell.sees("24 MHz")
    shell.sees("uart1")
    shell.sees("24 MHz (off)")


def test_a_name_completes_by_tab(shell: Terminal) -> None:
    shell.type("clock get gp" + TAB)
    shell.sees("gpu")
    shell.type("\r")
    shell.sees("400 MHz")


def test_ctrl_c_clears_the_line(shell: Terminal) -> None:
    shell.type("clock nonsense" + CTRL_C)
    shell.again()
    assert "osc24m" in shell.run("clock get 0")


def test_ctrl_d_leaves(shell: Terminal) -> None:
    assert shell.leave() == 0


@pytest.mark.parametrize("word", ["exit", "quit"])
def test_a_word_leaves(shell: Terminal, word: str) -> None:
    shell.line(word)
    assert shell.ended() == 0


def test_several_lines_can_be_pasted(shell: Terminal) -> None:
    shell.type("\x1b[200~clock get 0\nclock get 1\x1b[201~\r")
    shell.sees("osc24m")
    shell.sees("uart0")
    shell.prompt()


# --- running --------------------------------------------------------------------------------------


def test_an_error_does_not_end_the_shell(shell: Terminal) -> None:
    assert "unknown clock 'nope'" in shell.run("clock get nope")
    assert "NOT_FOUND" in shell.run("clock get 4711")
    assert shell.leave() == 0


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("clok list", "no such command 'clok'; did you mean clock?"),
        ("clock lst", "no such command 'lst'; did you mean list or set?"),
        ("nxp-misc list", "nxp-misc has no verbs: `explain nxp-misc` lists its messages"),
        ("scmictl clock list", "in the shell a command is typed without that word"),
        ("watch clock get uart0", "watch --interval 1s clock get uart0"),
        ("hlep", "did you mean help"),
        ("shell", "shell does not run inside the shell"),
    ],
)
def test_a_wrong_word_says_what_was_meant(shell: Terminal, typed: str, hint: str) -> None:
    assert hint in shell.run(typed)


def test_an_error_says_no_place_in_a_single_line(shell: Terminal) -> None:
    assert shell.run("echo 'abc").startswith("scmictl: found a ' that is not closed")


def test_batch_statements_work_and_variables_stay(shell: Terminal) -> None:
    shell.run("set RATE := clock get uart0 .rate_hz")
    assert "24000000" in shell.run("echo $RATE")
    shell.run("clock get uart0")
    assert "assert" not in shell.run("assert rate_hz == $RATE")
    assert "rate_hz" in shell.run("assert rate_hz == 25MHz")
    assert "the outcome is ok" in shell.run("expect DENIED: clock get 0")
    assert shell.run("repeat 2: clock get 0 --json").count('"osc24m"') == 2
    assert shell.run("for N in 1 2: clock get $N --json").count("uart") == 2


def test_a_file_runs_and_its_errors_say_where(shell: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "some.scmi"
    file.write_text("clock get uart0\n-clock get 4711\n\nclock get 4712\nclock get osc24m\n")
    printed = shell.run(f"source {file}")
    assert "uart0" in printed
    assert "some.scmi:4: " in printed.replace("\n", "")
    assert "osc24m" not in printed.partition("some.scmi")[2], "the first error ends it"


def test_output_goes_into_a_pipe(shell: Terminal) -> None:
    lines = shell.run("clock list | head -2").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["id", "0"]


def test_a_pipe_that_ends_early_ends_the_command(shell: Terminal) -> None:
    assert shell.run("sensor watch soc-temp | head -2").count("SENSOR_UPDATE") == 1
    assert "osc24m" in shell.run("clock get 0")


def test_output_goes_into_a_file(shell: Terminal, tmp_path: Path) -> None:
    shell.run(f"clock get 0 --json > {tmp_path}/out")
    shell.run(f"clock get 1 --json >> {tmp_path}/out")
    lines = (tmp_path / "out").read_text().splitlines()
    assert ["osc24m" in lines[0], "uart0" in lines[1]] == [True, True]
    assert "cannot write" in shell.run("clock list > /nonexistent/file")


def test_help_on_everything(shell: Terminal) -> None:
    assert "Statements" in shell.run("help")
    assert "--round" in shell.run("help clock set")
    assert "--round" in shell.run("clock set --help")
    assert "clock_id" in shell.run("help CLOCK_RATE_GET")
    assert "DENIED" in shell.run("help DENIED")
    assert "OUTCOME" in shell.run("help expect")
    assert "did you mean clock" in shell.run("help clok")


def test_another_target_is_used_and_the_first_one_keeps_its_connection(shell: Terminal) -> None:
    shell.run("clock set uart1 2MHz")
    shell.line("use sim:tiny")
    shell.prompt("sim:tiny agent>")
    shell.line("use sim:nope")
    shell.sees("unknown board 'nope'")
    shell.prompt("sim:tiny agent>")
    assert "2000000" in shell.run("use sim:demo; clock get uart1 --json")


# --- what hurts -----------------------------------------------------------------------------------


def test_what_hurts_asks_and_only_yes_goes_on(shell: Terminal) -> None:
    shell.line("clock disable uart0")
    shell.sees("Go on? [y/N]")
    shell.line("n")
    shell.sees("not confirmed")
    shell.prompt()
    assert '"enabled": true' in shell.run("clock get uart0 --json")
    shell.line("clock disable uart0")
    shell.sees("Go on? [y/N]")
    shell.line("y")
    shell.prompt()
    assert '"enabled": false' in shell.run("clock get uart0 --json")


def test_ctrl_c_at_a_question_is_no(shell: Terminal) -> None:
    shell.line("clock disable uart0")
    shell.sees("Go on? [y/N]")
    shell.type(CTRL_C)
    shell.prompt()
    assert '"enabled": true' in shell.run("clock get uart0 --json")


def test_a_read_only_shell_says_so_and_refuses(open_shell: Callable[..., Terminal]) -> None:
    shell = open_shell("-t", "sim:demo", "--readonly")
    shell.prompt("sim:demo ospm (read-only)>")
    shell.line("clock set uart0 1MHz")
    shell.sees("read-only")


# --- Ctrl-C and signals ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["sensor watch soc-temp", "sensor watch soc-temp | cat"])
def test_ctrl_c_ends_the_command_and_not_the_connection(shell: Terminal, command: str) -> None:
    shell.run("clock set uart1 2MHz")
    shell.line(command)
    shell.sees("°C")
    shell.type(CTRL_C)
    shell.prompt()
    assert "2000000" in shell.run("clock get uart1 --json"), "the same simulated platform"
    assert shell.leave() == 0


def test_ctrl_c_ends_a_sleep(shell: Terminal) -> None:
    shell.line("echo begun; sleep 1h; echo not reached")
    shell.sees("\nbegun\r\n")
    shell.type(CTRL_C)
    assert "not reached" not in shell.prompt()


@pytest.mark.parametrize("busy", [False, True])
def test_sigterm_ends_the_shell(shell: Terminal, busy: bool) -> None:
    if busy:
        shell.line("sensor watch soc-temp")
        shell.sees("°C")
    shell.child.kill(signal.SIGTERM)
    assert shell.ended() == 143


# --- notifications --------------------------------------------------------------------------------


def test_notifications_come_above_the_prompt_while_nobody_types(shell: Terminal) -> None:
    shell.run("subscribe SENSOR_UPDATE soc-temp")
    for _ in range(3):
        shell.sees("SENSOR_UPDATE sensor_id=0 (soc-temp) value=")
        shell.prompt()
    shell.type("clock get")
    shell.sees("SENSOR_UPDATE sensor_id=0 (soc-temp) value=")
    shell.prompt("sim:demo ospm> clock get")
    shell.type(" osc24m\r")
    shell.sees("24 MHz")


def test_a_wait_shows_what_it_waited_for(shell: Terminal) -> None:
    shell.run("subscribe SENSOR_UPDATE soc-temp")
    printed = shell.run("wait SENSOR_UPDATE within 30s; assert event == SENSOR_UPDATE")
    assert "SENSOR_UPDATE sensor_id=0" in printed
    assert "scmictl:" not in printed


def test_unsubscribed_notifications_stop(shell: Terminal) -> None:
    shell.run("subscribe SENSOR_UPDATE soc-temp")
    shell.sees("SENSOR_UPDATE sensor_id=0")
    shell.line("unsubscribe")
    shell.sees("soc-temp  no")
    shell.line("sleep 1.2s; echo quiet")
    assert "value=" not in shell.sees("\nquiet\r\n")


# --- history --------------------------------------------------------------------------------------


def test_the_history_lasts_and_is_private(
    open_shell: Callable[..., Terminal], tmp_path: Path
) -> None:
    first = open_shell()
    first.prompt()
    first.run("clock get spi0")
    assert first.leave() == 0
    path = tmp_path / "state" / "scmictl" / "history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = open_shell()
    second.prompt()
    second.line("history")
    second.sees("1  clock get spi0")
    second.prompt()
    second.type(CTRL_R + "spi" + "\r\r")
    second.sees("50 MHz")
    second.prompt()
    assert second.run("history 1").split() == ["4", "history", "1"]


def test_a_history_that_cannot_be_kept_does_not_matter(
    open_shell: Callable[..., Terminal], environ: dict[str, str]
) -> None:
    environ["XDG_STATE_HOME"] = "/proc/nonexistent"
    shell = open_shell()
    shell.prompt()
    assert "osc24m" in shell.run("clock get 0")
    assert "clock get 0" in shell.run("history")


# --- connections that fail ------------------------------------------------------------------------


@pytest.fixture
def serve_command(environ: dict[str, str]) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Return a function that serves the demo board in a process of its own, ready to connect."""
    running: list[subprocess.Popen[str]] = []

    def start(path: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "scmictl", "serve", "demo", "--socket", str(path)],
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stderr is not None
        assert "serving" in process.stderr.readline()
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


linux = pytest.mark.skipif(sys.platform != "linux", reason="vhost-user is for Linux")


@linux
def test_a_lost_device_is_reported_above_the_prompt_and_use_connects_again(
    open_shell: Callable[..., Terminal],
    serve_command: Callable[[Path], subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    path = tmp_path / "s"
    server = serve_command(path)
    shell = open_shell("-t", str(path))
    shell.prompt("ospm>")
    server.kill()
    shell.sees("the device hung up; `use` connects again")
    shell.prompt("(lost)>")
    shell.line("clock get 0")
    shell.sees("the device hung up")
    shell.prompt("(lost)>")
    serve_command(path)
    shell.line("use")
    shell.prompt("ospm>")
    shell.line("clock get 0")
    shell.sees("osc24m")
    shell.prompt("ospm>")
    assert shell.leave() == 0


@linux
def test_a_target_that_says_so_is_reconnected_beside_the_prompt(
    open_shell: Callable[..., Terminal],
    serve_command: Callable[[Path], subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    path = tmp_path / "s"
    server = serve_command(path)
    shell = open_shell("-t", f"{path}?reconnect=60s")
    shell.prompt("ospm>")
    shell.line("subscribe SENSOR_UPDATE soc-temp")
    shell.sees("value=")
    server.kill()
    shell.sees("the connection is lost, and is being tried again")
    shell.prompt("(reconnecting)>")
    serve_command(path)
    shell.sees("reconnected after")
    shell.sees("SENSOR_UPDATE sensor_id=0")
    shell.type("clock get osc" + TAB)
    shell.sees("osc24m")
    shell.type("\r")
    shell.sees("24 MHz")


def test_a_shell_without_a_device_lives_and_tries_again(
    open_shell: Callable[..., Terminal], tmp_path: Path
) -> None:
    shell = open_shell("-t", f"vhost-user:{tmp_path}/none")
    shell.sees("no socket there")
    shell.prompt("(not connected)>")
    shell.line("clock list")
    shell.sees("no socket there")
    shell.prompt("(not connected)>")
    shell.line("use sim:demo")
    shell.prompt()
    assert shell.leave() == 0


def test_a_target_that_cannot_exist_ends_it_at_once(open_shell: Callable[..., Terminal]) -> None:
    shell = open_shell("-t", "sim:nope")
    shell.sees("unknown board 'nope'")
    assert shell.ended() == 2


# --- a platform that lies -------------------------------------------------------------------------


def test_what_came_unasked_cannot_command_the_terminal() -> None:
    with connect("sim:demo") as agent:
        shown = incident.line(Stray(b"", "a \x1b[2J frame"), agent, View(), target="x\x9b2J")
    assert shown.isprintable()


# --- recording ------------------------------------------------------------------------------------


def test_a_recording_is_a_batch_file_that_holds(
    shell: Terminal, environ: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "recorded.scmi"
    shell.run("set NAME = uart0")
    shell.run(f"record {file}")
    shell.run("clock get $NAME")
    shell.run("clock list uart*")
    shell.run("expect INVALID_PARAMETERS: clock set osc24m 1MHz")
    shell.run("clock set osc24m 1MHz")
    shell.run("clock gte")
    assert "recorded" in shell.run("record stop")
    text = file.read_text()
    assert "rate_hz == 24000000" in text
    assert "assert count == 2" in text
    assert "gte" not in text, "what never reached the platform"
    replay = subprocess.run(
        [sys.executable, "-m", "scmictl", "-t", "sim:demo", "batch", str(file)],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert replay.returncode == 0, replay.stderr


def test_readings_are_not_asserted() -> None:
    result = Result()
    result.many = False
    result.records = [{"id": 0, "name": "it's", "value": 1.5, "raw": 15, "unit": "°C", "axes": []}]
    assert assertions(result) == ["assert id == 0 and unit == '°C'"]


# --- without a terminal ---------------------------------------------------------------------------


def test_lines_from_a_pipe_run_one_by_one_and_errors_do_not_end_it(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scmictl", "-q", "-t", "sim:demo", "shell"],
        input="clock get 0 --json\nnope\nset N = 1\nclock get $N --json\nexit\nclock get 2\n",
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert ['"osc24m"' in line or '"uart0"' in line for line in done.stdout.splitlines()] == [
        True,
        True,
    ]
    assert "no such command 'nope'" in done.stderr


def test_a_dumb_terminal_is_enough(
    open_shell: Callable[..., Terminal], environ: dict[str, str]
) -> None:
    environ["TERM"] = "dumb"
    shell = open_shell()
    shell.prompt()
    shell.line("clock get 0")
    shell.sees("osc24m")
    shell.prompt()
    shell.line("watch SENSOR_UPDATE soc-temp")
    shell.sees("SENSOR_UPDATE")
    shell.type(CTRL_C)
    shell.prompt()
    shell.type("half a line" + CTRL_C)
    shell.prompt()
    assert "\x1b" not in str(shell.child.before)
    assert shell.leave() == 0


# --- a platform with faults -----------------------------------------------------------------------


def test_a_late_answer_is_told_above_the_prompt(open_shell: Callable[..., Terminal]) -> None:
    shell = open_shell("-T", "50ms", "-t", "sim:demo?fault=overdue:400ms:1@CLOCK_RATE_GET")
    shell.prompt()
    shell.line("call CLOCK_RATE_GET clock_id=0")
    shell.sees("no response within 0.05 s")
    shell.sees("stray frame: a response of CLOCK_RATE_GET after its time limit")
    shell.line("clock get 0")
    shell.sees("24 MHz")


def test_a_device_that_hangs_up_does_not_end_the_shell(open_shell: Callable[..., Terminal]) -> None:
    shell = open_shell("-t", "sim:demo?fault=disconnect@CLOCK_RATE_GET")
    shell.prompt()
    shell.line("clock get 0")
    shell.sees("the device hung up")
    shell.prompt("(lost)>")
    shell.line("use sim:demo")
    shell.prompt()
    shell.line("clock get 0")
    shell.sees("24 MHz")


def test_a_storm_of_notifications_leaves_the_keys_alone(
    open_shell: Callable[..., Terminal],
) -> None:
    shell = open_shell("-t", "sim:demo?fault=storm:1:20000x@CLOCK_RATE_GET")
    shell.prompt()
    shell.line("clock get 0")
    shell.sees("24 MHz")
    shell.sees("BASE_ERROR_EVENT")
    shell.line("clock get uart0")
    shell.sees("pll-sys")
