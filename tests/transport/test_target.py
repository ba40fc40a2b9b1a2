"""Targets as they are typed: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scmictl import transport as transports
from scmictl.errors import UsageError
from scmictl.transport import Target
from scmictl.transport.queues import FEATURES, Choices


def parse(text: str) -> Target:
    return transports.parse(text)


@pytest.mark.parametrize(
    ("text", "scheme", "rest", "options"),
    [
        ("sim:", "sim", "", {}),
        ("sim:demo", "sim", "demo", {}),
        ("sim:./a board.toml", "sim", "./a board.toml", {}),
        ("sim:?agent=guest&seed=7", "sim", "", {"agent": "guest", "seed": "7"}),
        ("vhost-user:/tmp/a.sock", "vhost-user", "/tmp/a.sock", {}),
        ("vhost-user:a.sock?wait=10s", "vhost-user", "a.sock", {"wait": "10s"}),
        ("vhost-user:/tmp/a:b.sock", "vhost-user", "/tmp/a:b.sock", {}),
        ("/tmp/a.sock", "vhost-user", "/tmp/a.sock", {}),
        ("./a.sock?wait=1s", "vhost-user", "./a.sock", {"wait": "1s"}),
        ("/tmp/a:b.sock", "vhost-user", "/tmp/a:b.sock", {}),
        ("sim:demo?features=-p2a,-event-idx", "sim", "demo", {"features": "-p2a,-event-idx"}),
        ("sim:?agent=a=b", "sim", "", {"agent": "a=b"}),
        ("sim:?agent=", "sim", "", {"agent": ""}),
        ("sim:?&&", "sim", "", {}),
        ("sim:?seed=1&seed=2", "sim", "", {"seed": "2"}),
    ],
)
def test_a_target_is_a_scheme_a_rest_and_options(
    text: str, scheme: str, rest: str, options: dict[str, str]
) -> None:
    found = parse(text)
    assert (found.scheme, found.rest, dict(found.options)) == (scheme, rest, options)
    assert found.text.endswith(text)


def test_a_bare_name_is_a_target_if_it_is_a_socket_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind("scmi")
        found = parse("scmi")
    assert (found.scheme, found.rest, found.text) == ("vhost-user", "scmi", "vhost-user:scmi")
    for word in ("file", "nothing"):
        with pytest.raises(UsageError, match=f"unknown target '{word}', expected a URI"):
            parse(word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unknown target ''"),
        ("sim", "unknown target 'sim'"),
        ("tcp:1.2.3.4", "unknown scheme 'tcp' in target 'tcp:1.2.3.4', expected: sim, vhost-user"),
        (":x", "unknown scheme ''"),
        ("sim:?seed", "target option 'seed', expected NAME=VALUE"),
    ],
)
def test_a_target_that_means_nothing_is_a_usage_error_that_says_what_would(
    text: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vhost-user:", "expected vhost-user:PATH"),
        ("vhost-user:?wait=1s", "expected vhost-user:PATH"),
        ("vhost-user:/nowhere?agent=x", "vhost-user: has no option 'agent', expected: event-buf"),
        ("vhost-user:/nowhere?wait=soon", "wait: found 'soon', expected a time"),
        ("vhost-user:/nowhere?wait=-1s", "wait: found '-1s', expected a time"),
        ("sim:?wait=1s", "sim: has no option 'wait'"),
        ("sim:?seed=x", "seed: "),
        ("sim:?queue-size=3", "queue-size is 3, expected a power of two"),
        ("sim:?queue-size=0", "queue-size is 0, expected 2 to 32768"),
        ("sim:?message-size=15", "message-size is 15, expected 16 to 1048576"),
        ("sim:?features=-warp", "unknown feature 'warp', expected: p2a, indirect, event-idx"),
        ("sim:?event-buffers=257", "event-buffers is 257, expected 1 to 256"),
    ],
)
def test_options_are_judged_before_anything_is_touched(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        transports.connect(parse(text))
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_options_make_the_queues_and_leave_the_rest_as_it_is() -> None:
    assert Choices.of(parse("sim:")) == Choices(256, 64, 8192, 0b11 << 28 | 1)
    assert Choices.of(parse("sim:?queue-size=0x10")) == Choices(16, 16, 8192, 0b11 << 28 | 1)
    found = Choices.of(parse("sim:?queue-size=8&event-buffers=3&message-size=136"))
    assert found[:3] == (8, 3, 136)
    for name, bit in FEATURES.items():
        wanted = Choices.of(parse(f"sim:?features=-{name}")).wanted
        assert wanted == (0b11 << 28 | 1) & ~(1 << bit)
        assert Choices.of(parse(f"sim:?features=-{name},+{name}")).wanted == 0b11 << 28 | 1
