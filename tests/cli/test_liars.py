"""Every command that reads, against devices that lie: a documented exit code, and one clear line.

The device is a served platform whose responses are changed on the way: counts that are too large,
that never fall or go backwards, names that are not ASCII, and nonsense at random.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from scmictl import protocols
from scmictl.commands import TABLE
from scmictl.console import report
from scmictl.console.environment import Environment
from scmictl.console.parser import Invocation, parse
from scmictl.console.session import Session
from scmictl.errors import ScmictlError
from scmictl.platform import Platform, board
from scmictl.wire import Effect, Request, Response, Struct, codec, follow

Lie = Callable[[type[Request[Any]], int, Any], "bytes | None"]
"""Takes the request's class, the version and the decoded response; returns another payload."""

DOCUMENTED = {0, 2, 4, 5, 7, 8, 12, *range(21, 33), 39}
IDS = ("0", "all")


def reading_lines() -> list[str]:
    """Every command that only reads, on the first thing there is and on all of them."""
    found = []
    for entry in TABLE:
        for command in entry.load().values():
            if not command.connects or command.effect is not Effect.READ or command.lasting:
                continue
            lines = [command.name]
            for arg in command.args:
                if arg.choices:
                    words: tuple[str, ...] = arg.choices
                elif arg.kind in ("id", "ids") and arg.required:
                    words = IDS if arg.kind == "ids" else IDS[:1]
                else:
                    words = ()
                lines = [f"{line} {word}" for line in lines for word in words] or lines
            found += lines
    found += ["sensor read all", "sensor read 9", "sensor axes 9", "sensor axes 10"]
    return [line for line in found if line.split()[0] not in ("call", "raw", "bench", "ping")]


class Liar:
    """A device in front of the demo board whose every response goes through ``lie``.

    ``lie`` gets the frame of the request and that of the response, and returns what is given back.
    """

    def __init__(self, device: Any, platform: Platform) -> None:
        self.device = device
        self.port = platform.attach()
        self.lie: Callable[[bytes, bytes], bytes] = lambda request, response: response
        device.on_command = self.command

    def command(self, asked: Any) -> None:
        room = sum(len(piece) for piece in asked.writable)
        answer = self.port.handle(0, asked.frame, room, time.monotonic())
        assert answer is not None
        asked.give(self.lie(asked.frame, answer)[:room])

    def about(self, lies: Lie) -> None:
        """Have ``lies`` change what is said successfully."""

        def change(request: bytes, response: bytes) -> bytes:
            word = int.from_bytes(request[:4], "little")
            protocol = protocols.by_id(word >> 10 & 0xFF)
            if protocol is None or response[4:8] != bytes(4):
                return response
            cls = protocol.by_id[word & 0xFF]
            version = self.port.versions[protocol.id]
            payload = lies(cls, version, codec.decode(cls.RESPONSE, version, response[8:]))
            return response if payload is None else response[:8] + payload

        self.lie = change

    def run(self, line: str, *more: str) -> tuple[int, str, str]:
        """Run a command in this process; return its exit code, and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(io.StringIO(), out, err, {"XDG_CONFIG_HOME": "/nonexistent"})
        parsed = parse(["-t", self.device.path, "-T", "2s", *more, *line.split()])
        assert isinstance(parsed, Invocation)
        code = 0
        with Session(environment, parsed.options) as session:
            try:
                session.invoke(parsed)
            except ScmictlError as error:
                report.error(error, session.view(), environment)
                code = error.exit_code
        return code, out.getvalue(), err.getvalue()


@pytest.fixture
def liar(hand_device: Any) -> Callable[..., Liar]:
    """Return a function that makes the liar; ``versions`` are those of its platform."""

    def make(**versions: str) -> Liar:
        table = board.load("demo")
        table.values["versions"] = versions
        return Liar(hand_device, Platform(table))

    return make


def ends_well(code: int, err: str) -> None:
    """Check that a command ended as documented, with at most one line of error."""
    assert code in DOCUMENTED, err
    assert "Traceback" not in err
    errors = [line for line in err.splitlines() if line.startswith("scmictl: ")]
    assert len(errors) == (code != 0), err


def damaged(pick: random.Random, response: bytes) -> bytes:
    """A response with something wrong in it, or what is left of it; its header stays.

    The numbers of things stay too: nobody can know that they are lies, and all would be asked for.
    """
    data = bytearray(response[4:])
    deeds = (2, 3, 5) if response[0] == 0x1 else range(6)
    for _ in range(pick.randrange(1, 4)):
        deed = pick.choice(deeds)
        at = pick.randrange(len(data) // 4) * 4 if len(data) >= 4 else 0
        if deed == 0 and data:
            data[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
        elif deed == 1:
            data[at : at + 4] = pick.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(
                4, "little"
            )
        elif deed == 2:
            del data[pick.randrange(len(data) + 1) :]
        elif deed == 3:
            data += pick.randbytes(pick.randrange(1, 40))
        elif deed == 4:
            data[4:] = pick.randbytes(max(len(data) - 4, 0))
        elif deed == 5:
            data[:4] = (pick.choice((-1, -2, -4, -6, -13, -128)) & 0xFFFFFFFF).to_bytes(4, "little")
    return response[:4] + bytes(data)


def tell_nonsense(one: Liar, seed: int, often: float) -> None:
    pick = random.Random(seed)

    def lie(request: bytes, response: bytes) -> bytes:
        return damaged(pick, response) if pick.random() < often else response

    one.lie = lie


@pytest.mark.parametrize("line", reading_lines())
def test_nonsense_ends_a_command_as_documented(liar: Any, line: str) -> None:
    one = liar()
    code, _, err = one.run(line)
    assert code in (0, 7, 8, 21, 29, 30), err
    ends_well(code, err)
    for seed in range(6):
        tell_nonsense(one, seed, (0.03, 0.1, 0.5)[seed % 3])
        code, _, err = one.run(line, "-o", ("json", "table", "csv")[seed % 3])
        if seed % 3:
            ends_well(code, err)
        else:
            assert code in DOCUMENTED, err
            assert all(json.loads(text) for text in err.splitlines())


# --- counts that lie ------------------------------------------------------------------------------

LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "BASE_DISCOVER_LIST_PROTOCOLS": ("base protocols", {}),
    "CLOCK_DESCRIBE_RATES": ("clock rates 3", {}),
    "CLOCK_POSSIBLE_PARENTS_GET": ("clock parents 1", {}),
    "PERFORMANCE_DESCRIBE_LEVELS": ("perf levels 0", {}),
    "SENSOR_DESCRIPTION_GET": ("sensor list", {}),
    "SENSOR_AXIS_DESCRIPTION_GET": ("sensor axes 9", {}),
    "SENSOR_LIST_UPDATE_INTERVALS": ("sensor intervals 10", {}),
    "SENSOR_AXIS_NAME_GET": ("sensor axes 10", {}),
    "VOLTAGE_DESCRIBE_LEVELS": ("voltage levels 1", {}),
    "POWERCAP_CPC_ATTRIBUTES": ("powercap show 0", {"powercap": "3.0"}),
    "PINCTRL_LIST_ASSOCIATIONS": ("pinctrl assoc group 2", {}),
    "PINCTRL_SETTINGS_GET": ("pinctrl config get pin 4", {}),
}
"""Every list of the protocols that are simulated, and a command that reads it."""


def test_all_lists_of_the_simulated_protocols_are_lied_about() -> None:
    lists = {
        request.SPEC
        for protocol in Platform.from_board("demo").behaviours.values()
        for request in protocol.PROTOCOL.requests
        if request.PAGING is not None
    }
    assert lists == set(LISTS)


def count(data: bytearray, cls: type[Request[Any]], version: int, path: str, value: int) -> None:
    """Put a count into a response, as far as its bits can say it."""
    at = 8
    name, _, part = path.partition(".")
    for field in cls.RESPONSE.layout(version):
        if field.name == name:
            break
        at += field.size
    mask, low = 0xFFFFFFFF, 0
    if part:
        assert field.bits is not None
        [bit] = [bit for bit in field.bits.PARTS if bit.name == part]
        mask, low = bit.mask, bit.low
    word = int.from_bytes(data[at : at + 4], "little") & ~(mask << low)
    data[at : at + 4] = (word | (min(value, mask) << low)).to_bytes(4, "little")


def more_than_there_are(returned: int, page: int) -> tuple[int, int]:
    return 1 << 32, 0


def the_same_for_ever(returned: int, page: int) -> tuple[int, int]:
    return returned, 5


def more_and_more(returned: int, page: int) -> tuple[int, int]:
    return returned, 5 + page


def none_although_some_remain(returned: int, page: int) -> tuple[int, int]:
    return 0, 5


LIES = (more_than_there_are, the_same_for_ever, more_and_more, none_although_some_remain)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
@pytest.mark.parametrize("spec", LISTS)
def test_counts_that_lie_end_a_list_in_one_line_and_keep_its_rows(
    liar: Any, spec: str, lie: Callable[[int, int], tuple[int, int]]
) -> None:
    """``lie`` takes how many are returned, and in which part, and says what is told instead."""
    line, versions = LISTS[spec]
    one = liar(**versions)
    good = one.run(line, "-o", "json")
    pages: list[bytes] = []

    def change(request: bytes, response: bytes) -> bytes:
        word = int.from_bytes(request[:4], "little")
        protocol = protocols.by_id(word >> 10 & 0xFF)
        assert protocol is not None
        cls = protocol.by_id[word & 0xFF]
        if spec != cls.SPEC:
            return response
        assert cls.PAGING is not None
        if pages:  # the first part over and over, whatever is asked for
            response = response[:4] + pages[0][4:]
        pages.append(response)
        version = one.port.versions[protocol.id]
        message = codec.decode(cls.RESPONSE, version, response[8:])
        returned, remaining = lie(follow(message, cls.PAGING.returned), len(pages))
        data = bytearray(response)
        count(data, cls, version, cls.PAGING.returned, returned)
        if cls.PAGING.remaining is not None:
            count(data, cls, version, cls.PAGING.remaining, remaining)
        return bytes(data)

    one.lie = change
    code, out, err = one.run(line, "-o", "json")
    assert len(pages) < 4
    if spec == "SENSOR_AXIS_NAME_GET":
        # Whatever is wrong with long names, the short ones stay, and the reason is told.
        assert (code, len(json.loads(out))) == (0, 3)
        assert spec in json.loads(err)["notice"]
        return
    if spec == "BASE_DISCOVER_LIST_PROTOCOLS" and lie in (the_same_for_ever, more_and_more):
        assert (code, out, err) == good  # it has no such count
        return
    # What could not be described may have been noted before the command ends.
    *_, error = (said.get("error") for said in map(json.loads, err.splitlines()))
    assert code == error["code"]
    assert code in (5, 8)
    assert error["message"].count(spec) == 1
    assert "expected" in error["message"] or "is said to have" in error["message"]
    if lie is none_although_some_remain:
        assert out or code == 5
        return
    # Every good row is there, and each list goes on as it was.
    rows, wanted = json.loads(out), json.loads(good[1])
    if isinstance(wanted, list):
        assert [row["id"] for row in rows][: len(wanted)] == [row["id"] for row in wanted]
        assert [row["name"] for row in rows][: len(wanted)] == [row["name"] for row in wanted]
        return
    assert rows["error"] == "REMOTE_PROTOCOL"
    assert code == 5
    for key, value in wanted.items():
        if isinstance(value, list):
            assert rows[key][: len(value)] == value


# --- names ----------------------------------------------------------------------------------------

GROUPS = ("power", "perf", "clock", "sensor", "reset", "voltage", "powercap")
NAMED = [
    "base info",
    "base agents",
    *(f"{group} list" for group in GROUPS),
    *(f"{group} show 0" for group in GROUPS),
    "pinctrl list pins",
    "pinctrl list groups",
    "pinctrl list functions",
    "pinctrl show function 0",
    "clock tree",
    "sensor axes 9",
    "info",
]
NAME = bytes.fromhex("c3a9 1b5b336d ff 22")
"""An e with an accent, a terminal's escape sequence, a byte of no character, and a quote."""


@pytest.mark.parametrize("line", NAMED)
def test_names_that_are_not_ascii_are_shown_escaped(liar: Any, line: str) -> None:
    one = liar()

    def change(request: bytes, response: bytes) -> bytes:
        word = int.from_bytes(request[:4], "little")
        protocol = protocols.by_id(word >> 10 & 0xFF)
        assert protocol is not None
        cls = protocol.by_id[word & 0xFF]
        data = bytearray(response)
        for at in texts(cls.RESPONSE, one.port.versions[protocol.id], response):
            data[at : at + len(NAME)] = NAME
        return bytes(data)

    one.lie = change
    for form in ("json", "table", "plain", "csv"):
        code, out, err = one.run(line, "-o", form)
        assert (code, err) == (0, "")
        assert "\\xc3\\xa9" in out.replace("\\\\", "\\")
        assert out.replace("\n", "").replace("\t", "").isprintable()


def texts(cls: type[Response], version: int, response: bytes) -> list[int]:
    """Where the names of a response begin, those of lists of things too."""
    if response[4:8] != bytes(4):
        return []
    message = codec.decode(cls, version, response[8:])
    found, at = [], 8
    for field in cls.layout(version):
        if field.kind == "text":
            found.append(at)
        if field.kind != "array":
            at += field.size
            continue
        for item in getattr(message, field.name):
            for part in type(item).layout(version) if isinstance(item, Struct) else ():
                if part.kind == "text":
                    found.append(at)
                if getattr(item, part.name) is not None:
                    at += part.size
    return found
