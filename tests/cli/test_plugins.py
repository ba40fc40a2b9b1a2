"""Installed packages add protocols: the README's example, built and installed, in every command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import scmictl

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
LONGEST_S = 120


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class Place(NamedTuple):
    """An environment with scmictl and the example in it; ``folder`` has the example's files."""

    python: Path
    folder: Path
    environ: dict[str, str]

    def run(self, *words: str, stdin: str = "") -> Outcome:
        done = subprocess.run(
            [str(self.python), "-m", "scmictl", *words], cwd=self.folder, env=self.environ,
            input=stdin, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str) -> object:
        done = self.run(*words, "-o", "json", "-q")
        assert done.code == 0, done.err
        return json.loads(done.out)


def call(*words: str | Path) -> None:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def plain() -> dict[str, str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SCMICTL_", "PYTHON"))}
    return {**environ, "XDG_CONFIG_HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example as the README has it, built and installed into an environment of its own.

    Without a network: what scmictl needs is that of the environment of the tests.
    """
    root = tmp_path_factory.mktemp("plugin")
    folder = root / "acme-scmi"
    found = re.findall(r"<!-- plugin: (\S+) -->\n```\w+\n(.*?)```\n", README, re.DOTALL)
    assert len(found) == 5
    for name, text in found:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    call(*pip, "wheel", *offline, "--wheel-dir", root / "wheels", folder)
    call(sys.executable, "-m", "venv", "--without-pip", root / "venv")
    python = root / "venv" / "bin" / "python"
    (wheel,) = (root / "wheels").glob("*.whl")
    call(*pip, "--python", python, "install", *offline, wheel)
    (site,) = (root / "venv").glob("lib/python*/site-packages")
    ours = Path(scmictl.__file__).parent.parent, sysconfig.get_path("purelib")
    (site / "scmictl.pth").write_text("".join(f"{path}\n" for path in ours))
    return Place(python, folder, plain())


LIGHTS = ("-t", "sim:lights.toml")


def test_its_verbs_are_a_group_like_any(place: Place) -> None:
    assert place.json(*LIGHTS, "acme-led", "list") == [
        {"id": 0, "name": "power", "brightness": 100},
        {"id": 1, "name": "disk", "brightness": 0},
    ]
    assert place.json(*LIGHTS, "acme-led", "dim", "disk", "40") == {
        "id": 1, "name": "disk", "brightness": 40,
    }  # fmt: skip
    about = place.json(*LIGHTS, "acme-led", "info")
    assert isinstance(about, dict)
    assert (about["version"], about["num_leds"]) == ("1.0", 2)
    assert about["messages"]["LED_BRIGHTNESS_SET"] is True
    refused = place.run(*LIGHTS, "acme-led", "dim", "disk", "140")
    assert (refused.code, refused.out) == (25, "")
    assert "LED_BRIGHTNESS_SET: OUT_OF_RANGE" in refused.err
    assert place.run(*LIGHTS, "-r", "acme-led", "dim", "disk", "4").code == 9
    assert place.run(*LIGHTS, "acme-led", "dim", "fan", "4").code == 2


def test_the_output_in_the_readme_is_real(place: Place) -> None:
    shown = re.search(r"\$ scmictl (-t sim:lights.toml .*)\n((?:.*\n)*?)```", README)
    assert shown is not None
    done = place.run(*shown[1].split(), "-o", "table")
    assert done.err + "".join(line.rstrip() + "\n" for line in done.out.splitlines()) == shown[2]


def test_its_messages_are_called_and_explained_by_name(place: Place) -> None:
    for name in ("acme-led.LED_ATTRIBUTES", "acme-led.ATTRIBUTES", "led_attributes"):
        answer = place.json(*LIGHTS, "call", name, "led_id=0")
        assert isinstance(answer, dict)
        assert answer["fields"] == {"brightness": 100, "name": "power"}
    raw = place.json(*LIGHTS, "raw", "0x90", "LED_ATTRIBUTES", "--payload", "00000000")
    assert isinstance(raw, dict)
    assert raw["fields"]["name"] == "power"
    assert "Make a light brighter or darker." in place.run("explain", "LED_BRIGHTNESS_SET").out
    assert "LED_BRIGHTNESS_SET" in place.run("explain", "acme-led").out
    frame = ("explain", "04 40 02 00 01 00 00 00 28 00 00 00")
    assert '"brightness": 40' in place.run(*frame, "--vendor", "acme").out
    assert "vendor-0x90" in place.run(*frame).out
    missing = place.run(*LIGHTS, "call", "acme-led.LED_ATTRIBUTES")
    assert (missing.code, "missing led_id" in missing.err) == (2, True)


def test_info_and_traces_know_it(place: Place) -> None:
    info = place.json(*LIGHTS, "info")
    assert isinstance(info, dict)
    assert (info["base"]["vendor"], info["base"]["sub_vendor"]) == ("ACME", "simulated")
    assert info["protocols"] == [{"name": "acme-led", "version": "1.0", "count": 2, "id": 0x90}]
    traced = place.run(*LIGHTS, "-x", "acme-led", "dim", "disk", "40")
    assert "LED_BRIGHTNESS_SET" in traced.err
    assert "led_id=1 brightness=40" in traced.err


def test_help_and_the_completion_of_other_shells_have_it(place: Place) -> None:
    assert re.search(r"^ +acme-led +the lights of the board$", place.run("--help").out, re.M)
    assert re.search(r"^ +dim +set the brightness", place.run("acme-led", "--help").out, re.M)
    assert "set the brightness of a light" in place.run("acme-led", "dim", "--help").out.lower()
    for shell in ("bash", "zsh", "fish"):
        script = place.run("completion", shell).out
        assert "acme-led" in script
        assert "LED_BRIGHTNESS_SET" in script


COMPLETE = """
from scmictl.console.completion import complete
from scmictl.console.offer import Scene
for line in ("acm", "acme-led d", "call acme-led.LED_B", "call LED_BRIGHTNESS_SET b", "--vendor A"):
    print([candidate.text for candidate in complete(line, len(line), Scene())])
"""


def test_the_shell_completes_it(place: Place) -> None:
    done = subprocess.run(
        [str(place.python), "-c", COMPLETE], env=place.environ, capture_output=True, text=True,
        timeout=LONGEST_S, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "['acme-led ']", "['dim ']", "['acme-led.LED_BRIGHTNESS_SET ']", "['brightness=']",
        "['ACME ']",
    ]  # fmt: skip


LEARN = """
import time
from scmictl.agent import connect
from scmictl.console.knowledge import Knowledge, Learner
with connect("sim:lights.toml") as agent:
    learner = Learner(agent, Knowledge())
    learner.want(["acme-led"])
    while learner.step() or learner.busy:
        agent.dispatch(time.monotonic())
    print([tuple(item) for item in learner.knowledge.items["acme-led"]])
"""


def test_the_shell_shows_what_its_things_are_like(place: Place) -> None:
    done = subprocess.run(
        [str(place.python), "-c", LEARN], cwd=place.folder, env=place.environ, capture_output=True,
        text=True, timeout=LONGEST_S, check=True,
    )  # fmt: skip
    assert done.stdout == "[(0, 'power', '100 %'), (1, 'disk', '0 %')]\n"


def test_a_batch_file_speaks_it(place: Place) -> None:
    script = "acme-led dim disk 40\nassert brightness == 40\nacme-led list\nassert count == 2\n"
    done = place.run(*LIGHTS, "batch", "-", stdin=script)
    assert done.code == 0, done.err
    assert place.run(*LIGHTS, "batch", "-", stdin="acme-led blink 1\n").code == 2


def test_a_board_is_checked_with_it(place: Place, tmp_path: Path) -> None:
    checked = place.json("board", "check", "lights.toml")
    assert isinstance(checked, dict)
    assert checked["counts"] == {"acme-led": 2}
    for text, line in (
        ('[[acme-led]]\nname = "a"\ncolour = 3\n', "acme-led[0].colour: found an unknown key"),
        ('[[acme-led]]\nname = "a"\n[versions]\nacme-led = "2.0"\n', "expected one of: 1.0"),
        ('[[acme-lad]]\nname = "a"\n', "acme-lad: found an unknown key"),
        (
            '[platform]\nvendor = "Arm"\n[[acme-led]]\nname = "a"\n',
            "platform.vendor: found 'Arm', expected 'ACME', whose protocol acme-led is",
        ),
    ):
        board = tmp_path / "board.toml"
        board.write_text(text)
        done = place.run("board", "check", str(board))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert line in done.err


def test_serve_plays_it_to_any_frontend(place: Place, tmp_path: Path) -> None:
    path = str(tmp_path / "lights.sock")
    server = subprocess.Popen(
        [str(place.python), "-m", "scmictl", "serve", "lights.toml", "--socket", path],
        cwd=place.folder, env=place.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        assert path in server.stderr.readline()
        assert place.run("-t", path, "acme-led", "dim", "disk", "40", "-o", "json").code == 0
        rows = place.json("-t", path, "acme-led", "list")
        assert isinstance(rows, list)
        assert rows[1]["brightness"] == 40
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=LONGEST_S)


def test_on_a_platform_of_somebody_else_its_verbs_are_not_offered(place: Place) -> None:
    done = place.run("-t", "sim:demo", "acme-led", "list")
    assert done.code == 7
    assert "acme-led is a protocol of the vendor ACME, the platform's is " in done.err


def test_it_is_typed(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", os.devnull,
         "acme_scmi"],
        cwd=place.folder, env={**place.environ, "MYPYPATH": str(ROOT)}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    if "No module named mypy" in done.stderr:
        pytest.skip("mypy is not installed")
    assert done.returncode == 0, done.stdout


# --- broken packages ------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that runs scmictl beside packages whose modules are given as text."""
    site = tmp_path / "site"
    site.mkdir()

    def run(packages: dict[str, str], *words: str) -> Outcome:
        for name, text in packages.items():
            (site / f"{name}_scmi.py").write_text(text)
            info = site / f"{name}_scmi-1.0.dist-info"
            info.mkdir(exist_ok=True)
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}-scmi\nVersion: 1.0\n"
            )
            (info / "entry_points.txt").write_text(
                f"[scmictl.protocols]\n{name} = {name}_scmi:PLUGIN\n"
            )
        done = subprocess.run(
            [sys.executable, "-m", "scmictl", *words], cwd=tmp_path, capture_output=True, text=True,
            env={**plain(), "PYTHONPATH": f"{site}:{ROOT}", "SCMICTL_TARGET": "sim:demo"},
            timeout=LONGEST_S, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


BOOM = {"boom": "raise RuntimeError('no lights')"}
BOOM_LINE = (
    "plugin boom (boom-scmi 1.0): boom_scmi:PLUGIN cannot be loaded: RuntimeError: no lights"
)


def example(name: str, **more: str) -> str:
    """The example's protocol under another name, with other words for the plugin."""
    found = re.search(r"<!-- plugin: acme_scmi/__init__.py -->\n```python\n(.*?)```", README, re.S)
    assert found is not None
    text = found[1].replace('"acme-led"', f'"{name}"')
    text = re.sub(r'    (commands|platform)="[^"]*",\n', "", text)
    return text.replace('vendor="ACME",', "".join(f"{k}={v!r}, " for k, v in more.items()))


def test_a_package_that_is_broken_is_one_line_and_everything_else_works(
    broken: Callable[..., Outcome],
) -> None:
    done = broken(BOOM, "--help")
    assert (done.code, done.err) == (0, BOOM_LINE + "\n")
    assert "sensor" in done.out
    done = broken(BOOM, "raw", "0x1c", "0")
    assert done.code == 21
    assert BOOM_LINE in done.err.splitlines()
    done = broken(BOOM, "raw", "0x1c", "0", "-o", "json")
    assert {"notice": BOOM_LINE} in [json.loads(line) for line in done.err.splitlines()]
    assert broken(BOOM, "-q", "--help").err == ""
    # Nothing that knows all its words even looks.
    assert broken(BOOM, "clock", "list").err == ""


@pytest.mark.parametrize("words", [("boom", "list"), ("call", "boom.X"), ("explain", "boom")])
def test_who_names_it_gets_the_line_as_the_error(
    broken: Callable[..., Outcome], words: tuple[str, ...]
) -> None:
    done = broken(BOOM, *words)
    assert (done.code, done.err) == (2, f"scmictl: {BOOM_LINE}\n")


@pytest.mark.parametrize(
    ("plugin", "line"),
    [
        (
            {"commands": "nowhere"},
            "nowhere with its COMMANDS cannot be loaded: ModuleNotFoundError",
        ),
        ({"commands": "json"}, "json with its COMMANDS cannot be loaded: AttributeError"),
        ({"commands": "scmictl.commands.clock"}, "found 'clock list', expected a verb of 'lamp'"),
    ],
)
def test_verbs_that_are_broken_are_one_line_too(
    broken: Callable[..., Outcome], plugin: dict[str, str], line: str
) -> None:
    package = {"lamp": example("lamp", vendor="ACME", **plugin)}
    done = broken(package, "--help")
    assert done.code == 0
    assert done.err.startswith("plugin lamp (lamp-scmi 1.0): ")
    assert line in done.err
    assert done.err.count("\n") == 1
    done = broken(package, "lamp", "list")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert line in done.err
    # Its messages are none the worse for it.
    assert broken(package, "explain", "lamp.LED_ATTRIBUTES").code == 0


def test_a_group_cannot_have_a_word_of_ours(broken: Callable[..., Outcome]) -> None:
    package = {"wait": example("wait", vendor="ACME", commands="scmictl.commands.clock")}
    done = broken(package, "--help")
    assert "found the group 'wait', a word of scmictl, expected another name" in done.err
    assert broken(package, "explain", "wait.LED_ATTRIBUTES").code == 0


@pytest.mark.parametrize(
    ("plugin", "line"),
    [
        ({}, "found a protocol without a behaviour, expected one that can be simulated"),
        ({"platform": "nowhere"}, "nowhere with its BEHAVIOUR cannot be loaded"),
        ({"platform": "scmictl.platform.clock"}, "expected a Behaviour whose PROTOCOL is"),
    ],
)
def test_a_board_with_a_protocol_that_cannot_be_simulated_is_an_error(
    broken: Callable[..., Outcome], tmp_path: Path, plugin: dict[str, str], line: str
) -> None:
    (tmp_path / "lamp.toml").write_text('[[lamp]]\nname = "a"\n')
    done = broken({"lamp": example("lamp", vendor="ACME", **plugin)}, "board", "check", "lamp.toml")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert line in done.err
    (tmp_path / "boom.toml").write_text('[[boom]]\nname = "a"\n')
    done = broken(BOOM, "board", "check", "boom.toml")
    assert (done.code, done.err) == (2, f"scmictl: boom.toml: boom: {BOOM_LINE}\n")


# --- a package with a notification ----------------------------------------------------------------

CHANGED = """
class BrightnessChanged(Notification, protocol=ID, id=0x0, spec="LED_BRIGHTNESS_CHANGED"):
    agent_id: int = u32()
    led_id: int = u32()
    brightness: int = u32(unit="%")


class BrightnessNotifyResponse(Response):
    pass


class BrightnessNotify(
    Request[BrightnessNotifyResponse],
    protocol=ID,
    id=0x5,
    spec="LED_BRIGHTNESS_NOTIFY",
    subscribes=BrightnessChanged,
    offered=("brightness",),
):
    led_id: int = u32()
    notify_enable: common.NotifyEnable = word(common.NotifyEnable)


"""
"""Lights that are dark at first tell nothing: their descriptions say so."""

WATCH = """
from scmictl.commands.watch import Feed, watch_command

COMMANDS = (
    *COMMANDS,
    watch_command(
        "lamp",
        "stream changes of the lights",
        Feed(
            BrightnessChanged,
            (Column("name", "NAME"), Column("percent", "PERCENT")),
            Attributes,
            meaning=lambda ctx, light, message: {"percent": message.brightness},
        ),
    ),
)
BRIGHTER = Lights.brightness_set


def brightness_set(self, call, request):
    BRIGHTER(self, call, request)
    event = BrightnessChanged(
        agent_id=call.agent, led_id=request.led_id, brightness=request.brightness
    )
    self.platform.notify(event, request.led_id)


Lights.brightness_set = brightness_set
MORE = Lights.handlers
Lights.handlers = lambda self: {
    **MORE(self),
    BrightnessNotify: lambda call, request: self.switch(call, request, request.led_id, True),
}
"""


SESSION = """
import io, sys
from scmictl.console.environment import Environment
from scmictl.console.session import Session
environment = Environment(io.StringIO(), sys.stdout, sys.stderr, {})
with Session(environment, {"target": "sim:lamp.toml"}, lasting=True) as session:
    for line in sys.argv[1:]:
        session.words([*line.split(), "-o", "jsonl"])
"""


def watched() -> str:
    """The example as one module, for lamps that tell when they change."""
    text = example("lamp", vendor="ACME", commands="lamp_scmi", platform="lamp_scmi")
    text = text.replace("PROTOCOL = Protocol(", f"{CHANGED}PROTOCOL = Protocol(")
    text = text.replace(
        "        BrightnessSet,\n    ),",
        "        BrightnessSet, BrightnessNotify,\n    ),\n    notifications=(BrightnessChanged,),",
    )
    text = text.replace("import Effect, Request,", "import Effect, Notification, Request, word,")
    for part in ("commands", "platform"):
        found = re.search(
            rf"<!-- plugin: acme_scmi/{part}.py -->\n```python\n(.*?)```", README, re.S
        )
        assert found is not None
        rest = re.sub(r"from acme_scmi import (\([^)]*\)|[^\n]*)\n", "", found[1])
        text += rest.replace('"acme-led"', '"lamp"')
    return text + WATCH


def test_its_notifications_are_watched_like_any(
    broken: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "lamp.toml").write_text(
        '[[lamp]]\nname = "power"\nbrightness = 100\n[[lamp]]\nname = "disk"\n'
    )
    package = {"lamp": watched()}
    assert broken(package, "board", "check", "lamp.toml").code == 0

    def lines(*words: str) -> list[dict[str, object]]:
        done = subprocess.run(
            [sys.executable, "-c", SESSION, *words], cwd=tmp_path, capture_output=True, text=True,
            env={**plain(), "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}, timeout=LONGEST_S,
            check=True,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    begin = "subscribe LED_BRIGHTNESS_CHANGED power", "lamp dim power 40"
    for watch in ("lamp watch power -n 1", "watch LED_BRIGHTNESS_CHANGED -n 1"):
        *_, record = lines(*begin, watch)
        assert (record["event"], record["agent_id"]) == ("LED_BRIGHTNESS_CHANGED", 1)
        assert record["fields"] == {"agent_id": 1, "led_id": 0, "brightness": 40}
        assert (record["name"], record["percent"]) == ("power", 40)
    read = lines("lamp watch --interval 1ms -n 1")
    assert [(row["event"], row["name"], row["percent"]) for row in read] == [
        ("LED_ATTRIBUTES", "power", 100), ("LED_ATTRIBUTES", "disk", 0),
    ]  # fmt: skip
    read = lines("watch --interval 1ms -n 1 lamp list")
    assert [row["brightness"] for row in read] == [100, 0]
    dark = broken(package, "-t", "sim:lamp.toml", "lamp", "watch", "disk", "-n", "1")
    assert dark.code == 7
    assert "light 1 (disk) does not offer LED_BRIGHTNESS_CHANGED" in dark.err


# --- and without any ------------------------------------------------------------------------------

MODULES = """
import contextlib, io, sys
from scmictl.console.runner import run
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = run(sys.argv[1:])
print(code, *sys.modules)
"""
KNOWN = [
    "clock list", "sensor read 0", "info", "base protocols", "clock --help",
    "explain CLOCK_RATE_SET", "explain nxp-lmm", "explain LMM_BOOT", "explain DENIED",
    "call clock.CLOCK_RATE_GET clock_id=1",
    "call CLOCK_RATE_GET clock_id=1", "raw clock 6 --payload 00000000", "board check demo",
    "watch CLOCK_RATE_CHANGED uart0 --for 1ms", "base perms protocol agent 1 clock allow -y",
]  # fmt: skip


def modules(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *words], capture_output=True, text=True, check=True,
        timeout=LONGEST_S, env={**plain(), "PYTHONPATH": str(ROOT), "SCMICTL_TARGET": "sim:tiny"},
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize("line", KNOWN)
def test_packages_are_looked_for_only_for_what_is_none_of_ours(line: str) -> None:
    loaded = modules(*line.split())
    assert "scmictl.protocols" in loaded
    assert "importlib.metadata" not in loaded


def test_they_are_looked_for_when_something_is_unknown() -> None:
    for line in ("blink list", "call blink.X", "explain 0x00007000", "raw 0x1c 0", "--help"):
        assert "importlib.metadata" in modules(*line.split()), line


def test_a_message_named_with_its_protocol_loads_no_other() -> None:
    ours = {f"scmictl.protocols.{name}" for name in ("power", "perf", "reset", "nxp.lmm")}
    for line in ("call clock.RATE_GET clock_id=1", "call CLOCK_RATE_GET clock_id=1", "clock list"):
        assert not modules(*line.split()) & ours, line
