"""A platform with faults in scripts, and behind the installed `serve`."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scmictl.console.batch import run_text
from scmictl.console.environment import Environment
from scmictl.console.session import Session

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run() -> Run:
    """Return a function that runs a script on the demo board with faults."""

    def run_script(text: str, faults: str, **options: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(io.StringIO(), out, err, {})
        given = {"target": f"sim:demo?fault={faults}", "output": "plain", "quiet": False, **options}
        with Session(environment, given, lasting=True) as session:
            code = run_text(session, text)
        return code, out.getvalue(), err.getvalue()

    return run_script


def test_a_script_can_expect_a_platform_to_be_busy(run: Run) -> None:
    code, _, _ = run(
        "expect BUSY: clock get uart0; expect BUSY|DENIED: clock get uart0; clock get uart0",
        "busy:2@clock",
    )
    assert code == 0
    code, _, err = run("expect BUSY: clock get uart0", "none")
    assert code == 6
    assert "the outcome is ok, expected BUSY" in err


def test_a_script_can_expect_a_timeout_and_go_on(run: Run) -> None:
    script = "expect timeout: call CLOCK_RATE_GET clock_id=0; clock get 0; assert rate_hz == 24MHz"
    assert run(script, "overdue:1@CLOCK_RATE_GET", timeout="50ms")[0] == 0


def test_a_script_waits_out_a_busy_platform_if_it_is_told_to(run: Run) -> None:
    assert run("clock list --retry-busy 9; info --retry-busy 9", "busy:20%")[0] == 0
    assert run("clock list", "busy:1@CLOCK_ATTRIBUTES")[0] == 8


def test_a_late_answer_is_told_between_the_statements(run: Run) -> None:
    code, _, err = run(
        "expect timeout: call CLOCK_RATE_GET clock_id=0; sleep 150ms; clock get 0",
        "overdue:150ms:1@CLOCK_RATE_GET", timeout="50ms",
    )  # fmt: skip
    assert code == 0
    assert "stray frame: a response of CLOCK_RATE_GET after its time limit" in err


def test_strays_are_told_while_a_script_waits_for_an_event(run: Run) -> None:
    script = "subscribe SENSOR_UPDATE soc-temp; wait SENSOR_UPDATE within 5s"
    code, _, err = run(script, "duplicate:1@SENSOR_CONTINUOUS_UPDATE_NOTIFY")
    assert code == 0
    assert err.count("stray frame: message type 0 (command) on the event queue") == 1


def test_an_event_that_is_lost_does_not_come_and_the_next_one_does(run: Run) -> None:
    script = "subscribe SENSOR_UPDATE soc-temp; wait SENSOR_UPDATE within 100ms"
    code, _, err = run(script, "lost")
    assert code == 6
    assert "no SENSOR_UPDATE came within 0.1 s" in err
    code, _, _ = run("subscribe SENSOR_UPDATE soc-temp; quiet SENSOR_UPDATE for 100ms", "lost")
    assert code == 0


def test_notifications_that_nobody_could_keep_are_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scmictl.agent import inbox

    monkeypatch.setattr(inbox, "LIMIT", 10)
    code, _, err = run("clock list; clock list", "storm:1:200x@CLOCK_ATTRIBUTES")
    assert code == 0
    lost = re.findall(r"^(\d+) notifications were lost: too many came at once$", err, re.MULTILINE)
    # Ten were kept each time somebody looked.
    assert 100 < sum(map(int, lost)) <= 190


def test_a_script_ends_with_its_device(run: Run) -> None:
    code, out, err = run("clock get 0; clock get 1; echo never", "disconnect:1:+1@CLOCK_RATE_GET")
    assert (code, "osc24m" in out, "never" in err) == (12, True, False)
    assert "-c:1: the device hung up" in err


# --- the installed server -------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that runs `serve` with options in a process, and returns its socket."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str, board: str = "demo") -> str:
        path = str(tmp_path / f"s{len(started)}")
        server = subprocess.Popen(
            [sys.executable, "-m", "scmictl", "serve", board, "--socket", path, *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(server)
        assert server.stderr is not None
        assert select.select([server.stderr], [], [], 30)[0]
        line = server.stderr.readline()
        assert line.startswith(f"serving {board}"), line
        return path

    yield start
    for server in started:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SCMICTL_")}
    return subprocess.run(
        [sys.executable, "-m", "scmictl", *words],
        capture_output=True, text=True, timeout=60, env=environ, check=False,
    )  # fmt: skip


linux = pytest.mark.skipif(sys.platform != "linux", reason="serve needs Linux")


@linux
@pytest.mark.parametrize(
    ("fault", "code"),
    [("late:20ms", 0), ("overdue", 4), ("wrong-type", 5), ("busy", 26), ("dead", 12),
     ("disconnect", 12)],
)  # fmt: skip
def test_a_served_platform_has_the_faults_that_serve_was_given(
    served: Callable[..., str], fault: str, code: int
) -> None:
    path = served("--fault", f"{fault}@clock")
    done = command("-t", path, "-T", "200ms", "clock", "get", "0")
    assert done.returncode == code, done.stderr
    assert command("-t", f"{path}?wait=5s", "sensor", "list").returncode == 0


@linux
def test_serve_takes_several_faults_and_replaces_those_of_the_board(
    served: Callable[..., str], tmp_path: Path
) -> None:
    board = tmp_path / "b.toml"
    board.write_text(
        '[platform]\nfaults = ["busy@base"]\n[[clock]]\nname = "osc"\nrate = "24MHz"\n'
    )
    path = served(board=str(board))
    assert command("-t", path, "base", "agents").returncode == 26
    path = served(
        "--fault", "error:DENIED@CLOCK_RATE_GET", "--fault", "busy:1@base", board=str(board)
    )
    assert command("-t", path, "base", "agents").returncode == 26
    assert command("-t", f"{path}?wait=5s", "base", "agents").returncode == 0
    path = served("--fault", "none", board=str(board))
    assert command("-t", path, "base", "agents").returncode == 0


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (("--fault", "nosuch"), "fault nosuch: unknown kind 'nosuch'"),
        (("--fault", "busy@agent=x"), "unknown agent 'x', expected one of: ospm, guest, bmc"),
        (("--seed", "many"), "--seed"),
    ],
)
def test_a_wrong_fault_keeps_serve_from_starting(
    tmp_path: Path, words: tuple[str, ...], seen: str
) -> None:
    done = command("serve", "demo", "--socket", str(tmp_path / "s"), *words)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert seen in line
    assert not (tmp_path / "s").exists()
