"""Settings: the option goes before the environment, ./scmictl.toml, and the user's own file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scmictl.console import config
from scmictl.console.config import Config, Target
from scmictl.errors import UsageError


class Home:
    """A home directory and a directory one is in, with the configuration that is put there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cwd = root / "work"
        self.user = root / ".config" / "scmictl" / "config.toml"
        self.project = self.cwd / "scmictl.toml"
        self.environ = {"HOME": str(root)}
        self.cwd.mkdir()
        self.user.parent.mkdir(parents=True)

    def load(self, path: str | None = None) -> Config:
        return config.load(path, self.environ, str(self.cwd))

    def fault(self, path: str | None = None) -> str:
        """The text of the usage error that loading is."""
        with pytest.raises(UsageError) as caught:
            self.load(path)
        assert caught.value.exit_code == 2
        assert "\n" not in caught.value.message
        return caught.value.message


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


# --- where settings come from ---------------------------------------------------------------------


def test_nothing_configured_is_fine(home: Home) -> None:
    found = home.load()
    assert (found.defaults, found.targets, found.warnings) == ({}, {}, [])


def test_settings_are_those_of_the_options(home: Home) -> None:
    home.user.write_text(
        'target = "sim:"\noutput = "json"\ntimeout = "500ms"\ndelayed-timeout = 3\n'
        "deadline = 1.5\nretry_busy = 2\nreadonly = true\nquiet = false\n"
    )
    found = home.load()
    assert found.warnings == []
    assert found.defaults == {
        "target": "sim:",
        "output": "json",
        "timeout": "500ms",
        "delayed_timeout": "3",
        "deadline": "1.5",
        "retry_busy": "2",
        "readonly": True,
        "quiet": False,
    }


def test_the_environment_goes_before_the_project_before_the_user(home: Home) -> None:
    home.user.write_text('target = "user"\noutput = "csv"\ntimeout = "1s"\nreadonly = true\n')
    home.project.write_text('target = "project"\noutput = "plain"\n')
    home.environ |= {"SCMICTL_TARGET": "variable", "SCMICTL_READONLY": "0"}
    assert home.load().defaults == {
        "target": "variable",
        "output": "plain",
        "timeout": "1s",
        "readonly": False,
    }


def test_all_variables_are_read_and_empty_ones_are_not_set(home: Home) -> None:
    home.environ |= {
        "SCMICTL_TARGET": "sim:",
        "SCMICTL_OUTPUT": "jsonl",
        "SCMICTL_TIMEOUT": "20ms",
        "SCMICTL_READONLY": "yes",
    }
    assert home.load().defaults == {
        "target": "sim:",
        "output": "jsonl",
        "timeout": "20ms",
        "readonly": True,
    }
    home.environ |= dict.fromkeys(home.environ, "") | {"HOME": str(home.root)}
    assert home.load().defaults == {}


def test_the_option_goes_before_the_variable_before_the_directory(home: Home) -> None:
    for name in ("option", "variable"):
        (home.root / f"{name}.toml").write_text(f'target = "{name}"\n')
    home.user.write_text('target = "directory"\n')
    assert home.load().defaults == {"target": "directory"}
    home.environ["SCMICTL_CONFIG"] = str(home.root / "variable.toml")
    assert home.load().defaults == {"target": "variable"}
    assert home.load(str(home.root / "option.toml")).defaults == {"target": "option"}


def test_the_xdg_directory_is_used_if_it_is_absolute(home: Home) -> None:
    other = home.root / "other" / "scmictl"
    other.mkdir(parents=True)
    (other / "config.toml").write_text('target = "other"\n')
    home.user.write_text('target = "home"\n')
    home.environ["XDG_CONFIG_HOME"] = str(other.parent)
    assert home.load().defaults == {"target": "other"}
    home.environ["XDG_CONFIG_HOME"] = "relative"
    assert home.load().defaults == {"target": "home"}


@pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="there platformdirs itself is asked"
)
@pytest.mark.parametrize(
    "environ",
    [
        {"HOME": "/home/a"},
        {"HOME": "/home/a", "XDG_CONFIG_HOME": "/etc/b"},
        {"HOME": "/home/a", "XDG_CONFIG_HOME": "relative"},
        {"HOME": "/home/a", "XDG_CONFIG_HOME": ""},
    ],
)
def test_the_users_file_is_where_platformdirs_says(environ: dict[str, str]) -> None:
    program = (
        "import os, platformdirs\n"
        "from scmictl.console import config\n"
        "print(config._user_file(os.environ))\n"
        "print(platformdirs.user_config_path('scmictl') / 'config.toml')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environ, "PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ours, theirs = done.stdout.splitlines()
    assert ours == theirs


def test_without_a_file_neither_tomllib_nor_platformdirs_is_loaded(home: Home) -> None:
    program = (
        "import os, sys\n"
        "from scmictl.console import config\n"
        "config.load(None, os.environ)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**home.environ, "PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())},
        cwd=home.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not {"tomllib", "platformdirs"} & set(done.stdout.split())


# --- targets --------------------------------------------------------------------------------------


def test_a_target_is_a_uri_or_a_table_with_settings(home: Home) -> None:
    home.user.write_text(
        '[targets]\nlab = "vhost-user:/run/lab.sock"\n'
        '[targets.board]\nuri = "/run/scmi.sock"\nreadonly = true\ntimeout = "5s"\n'
        'delayed-timeout = 9\nproto = "clock=2.0"\n'
    )
    found = home.load()
    assert found.warnings == []
    assert found.targets == {
        "lab": Target("vhost-user:/run/lab.sock", {}),
        "board": Target(
            "/run/scmi.sock",
            {"readonly": True, "timeout": "5s", "delayed_timeout": "9", "proto": "clock=2.0"},
        ),
    }


def test_a_target_of_the_project_replaces_the_users_of_that_name(home: Home) -> None:
    home.user.write_text('[targets]\na = "user-a"\nb = "user-b"\n')
    home.project.write_text('targets.a = "project-a"\n')
    assert home.load().targets == {"a": Target("project-a", {}), "b": Target("user-b", {})}


def test_settings_of_a_target_are_nearer_than_a_file_and_farther_than_a_variable(
    home: Home,
) -> None:
    home.user.write_text('timeout = "1s"\nreadonly = true\ntargets.a = {uri = "x", timeout = 2}\n')
    found = home.load()
    assert found.settings(found.targets["a"]) == {"timeout": "2", "readonly": True}
    assert found.settings(None) == {"timeout": "1s", "readonly": True}
    home.environ["SCMICTL_TIMEOUT"] = "3s"
    found = home.load()
    assert found.settings(found.targets["a"])["timeout"] == "3s"


# --- what only earns a warning --------------------------------------------------------------------


def test_an_unknown_key_is_a_warning_that_names_it_and_what_is_near(home: Home) -> None:
    home.user.write_text('outptu = "json"\ntarget = "sim:"\n')
    found = home.load()
    assert found.defaults == {"target": "sim:"}
    assert found.warnings == [f"{home.user}: unknown key 'outptu' is ignored; did you mean output?"]


def test_an_unknown_key_of_a_target_is_a_warning(home: Home) -> None:
    home.user.write_text('targets.a = {uri = "x", speed = 3}\n')
    found = home.load()
    assert found.targets == {"a": Target("x", {})}
    assert found.warnings == [f"{home.user}: unknown key 'targets.a.speed' is ignored"]


@pytest.mark.parametrize("key", ["yes", "fields", "where", "command", "no_readonly", "dry_run"])
def test_what_belongs_to_one_run_is_no_setting(home: Home, key: str) -> None:
    home.user.write_text(f"{key} = true\n")
    found = home.load()
    assert found.defaults == {}
    assert f"unknown key '{key}' is ignored" in found.warnings[0]


def test_the_project_may_set_targets_and_output_only(home: Home) -> None:
    home.project.write_text(
        'timeout = "9s"\nreadonly = false\noutput = "csv"\ntarget = "a"\ntargets.a = "x"\nno = 1\n'
    )
    found = home.load()
    assert found.defaults == {"output": "csv", "target": "a"}
    assert found.targets == {"a": Target("x", {})}
    ignored = "is ignored: this file may set target, output and targets only"
    assert found.warnings == [
        f"{home.project}: timeout {ignored}",
        f"{home.project}: readonly {ignored}",
        f"{home.project}: unknown key 'no' is ignored",
    ]


def test_a_project_cannot_lift_read_only_by_a_target(home: Home) -> None:
    home.user.write_text("readonly = true\n")
    home.project.write_text('targets.a = {uri = "x", readonly = false}\n')
    found = home.load()
    assert found.settings(found.targets["a"])["readonly"] is True
    assert found.warnings == [
        f"{home.project}: targets.a.readonly = false is ignored: only your own file lifts it"
    ]


# --- what is an error -----------------------------------------------------------------------------


def test_a_file_that_is_asked_for_must_exist(home: Home) -> None:
    missing = str(home.root / "missing.toml")
    expected = f"{missing}: cannot read the configuration: No such file or directory"
    assert home.fault(missing) == expected
    home.environ["SCMICTL_CONFIG"] = missing
    assert home.fault() == expected


def test_dev_null_is_a_way_to_have_no_configuration(home: Home) -> None:
    home.user.write_text('target = "sim:"\n')
    assert home.load(os.devnull).defaults == {}


def test_a_directory_or_a_pipe_of_that_name_is_not_read(home: Home) -> None:
    home.user.mkdir()
    os.mkfifo(home.project)
    assert home.load().defaults == {}
    assert home.fault(str(home.user)).endswith("Is a directory")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('target = "sim:"\ntimeout 3\n', 2),
        ('\n\ntarget = "sim:\n', 3),
        ("target = 1\ntarget = 2\n", 2),
        ("[targets\n", 1),
    ],
)
def test_a_syntax_error_names_file_and_line(home: Home, text: str, line: int) -> None:
    home.user.write_text(text)
    message = home.fault()
    assert message.startswith(f"{home.user}:{line}: ")
    assert "(at " not in message


def test_a_file_that_ends_too_early_names_its_last_line(home: Home) -> None:
    home.user.write_text('a = 1\nb = """x\ny')
    assert home.fault().startswith(f"{home.user}:3: ")


def test_a_file_that_is_not_utf8_is_an_error(home: Home) -> None:
    home.user.write_bytes(b'target = "\xff"\n')
    assert home.fault() == f"{home.user}: the configuration is not UTF-8"


def test_a_file_that_is_nested_without_end_is_an_error(home: Home) -> None:
    home.user.write_text("a = " + "[" * 100_000)
    assert home.fault().startswith(f"{home.user}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target = 3", "target is 3, expected a text"),
        ('target = ""', "target is '', expected a text"),
        ('readonly = "yes"', "readonly is 'yes', expected true or false"),
        ("timeout = true", "timeout is True, expected a duration"),
        ('timeout = "soon"', "timeout: found 'soon', expected a time such as 10ms, 5s, 2min or 1h"),
        ("retry_busy = []", "retry_busy is [], expected a number"),
        (
            'output = "xml"',
            "output: unknown value 'xml', expected one of: table, plain, json, jsonl, csv, hex",
        ),
        ("targets = 3", "targets is 3, expected a table of names"),
        ("targets.a = 3", "targets.a is 3, expected a URI or a table with one"),
        ("targets.a = {}", "targets.a: uri is None, expected a URI as for --target"),
        ("targets.a.uri = 1", "targets.a: uri is 1, expected a URI as for --target"),
        (
            'targets.a = {uri = "x", readonly = 1}',
            "targets.a.readonly is 1, expected true or false",
        ),
    ],
)
def test_a_wrong_value_names_file_key_found_and_expected(
    home: Home, text: str, expected: str
) -> None:
    home.user.write_text(text)
    assert home.fault() == f"{home.user}: {expected}"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SCMICTL_OUTPUT", "xml", "SCMICTL_OUTPUT: unknown value 'xml', expected one of: table"),
        ("SCMICTL_TIMEOUT", "soon", "SCMICTL_TIMEOUT: found 'soon', expected a time"),
        ("SCMICTL_READONLY", "maybe", "SCMICTL_READONLY is 'maybe', expected 1 or 0"),
    ],
)
def test_a_wrong_variable_is_named(home: Home, variable: str, value: str, expected: str) -> None:
    home.environ[variable] = value
    assert home.fault().startswith(expected)
