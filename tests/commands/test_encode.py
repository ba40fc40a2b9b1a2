"""`encode`: frames from fields, offline; `decode` gives back what went in."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl import protocols
from scmictl.commands import encode
from scmictl.commands.encode import Form
from scmictl.console.environment import Environment
from scmictl.console.session import Session
from scmictl.errors import ScmictlError, UsageError
from scmictl.protocols.decoding import decode
from scmictl.wire import Bits, Field, Struct, holds
from scmictl.wire.fields import SCALAR_SIZES
from scmictl.wire.record import record


def run(*words: str) -> str:
    stdout = io.StringIO()
    with Session(Environment(io.StringIO(), stdout, io.StringIO(), {}), {}) as session:
        session.words(["encode", *words])
        assert not session.contexts, "encode is offline"
    return stdout.getvalue()


def encoded(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


# --- bytes from elsewhere -------------------------------------------------------------------------


def test_a_request_is_printed_as_its_bytes() -> None:
    # Linux in raw mode, reference linux-guest: BASE VERSION with token 0x123.
    assert run("base.PROTOCOL_VERSION", "--token", "0x123") == "00 40 8c 04\n"


def test_a_response_has_its_status_in_front() -> None:
    # The same, and what vhost-device-scmi answered.
    words = ("base.PROTOCOL_VERSION", "version.major=2", "--as", "response", "--token", "0x123")
    assert run(*words) == "00 40 8c 04 00 00 00 00 00 00 02 00\n"


def test_a_delayed_response_and_a_notification_go_by_their_own_names() -> None:
    # Linux in raw mode again: 00c45205 0 1 01312d00, then 00004700 1 1 0.
    done = encoded("CLOCK_RATE_SET_COMPLETE", "clock_id=1", "rate=20MHz", "--token", "49")
    assert done["frame"] == "0552c4000000000001000000002d310100000000"
    assert (done["type"], done["status"]) == ("delayed_response", "SUCCESS")
    changed = encoded("POWER_STATE_CHANGED", "agent_id=1", "domain_id=1", "power_state=0")
    assert changed["frame"] == "00470000010000000100000000000000"
    assert (changed["type"], changed["status"]) == ("notification", None)


def test_what_answers_or_follows_a_command_is_found_by_the_command_too() -> None:
    fields = ("clock_id=1", "rate=20MHz")
    by_command = run("CLOCK_RATE_SET", *fields, "--as", "delayed")
    assert (
        by_command
        == run("CLOCK_RATE_SET_COMPLETE", *fields)
        == run("clock.0x5", *fields, "--as", "delayed")
    )
    assert run("SENSOR_TRIP_POINT_NOTIFY", "agent_id=0", "sensor_id=1", "trip_point_desc=0", "--as",
               "notification").startswith("00 57 00 00")  # fmt: skip


# --- the record, statuses and versions ------------------------------------------------------------


def test_the_record_says_what_the_frame_is() -> None:
    assert encoded("clock.RATE_GET", "clock_id=3", "--token", "7") == {
        "protocol": "clock", "message": "CLOCK_RATE_GET", "type": "request", "token": 7,
        "status": None, "version": "3.0", "fields": {"clock_id": 3}, "frame": "06501c0003000000",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["DENIED", "denied", "-3", "0xfffffffd"])
def test_a_status_is_a_name_a_number_or_a_word(status: str) -> None:
    found = encoded("clock.RATE_GET", "--as", "response", "--status", status)
    assert (found["frame"], found["status"], found["fields"]) == (
        "06500000" "fdffffff", "DENIED", {},
    )  # fmt: skip


def test_a_status_alone_is_also_how_a_command_is_accepted() -> None:
    assert run("SENSOR_READING_GET", "--as", "response", "--status", "success") == (
        "06 54 00 00 00 00 00 00\n"
    )
    with pytest.raises(UsageError, match=r"^SENSOR_READING_GET \(response\): missing readings"):
        run("SENSOR_READING_GET", "--as", "response")


def test_an_error_can_carry_fields_as_some_platforms_send_it() -> None:
    words = ("clock.RATE_GET", "rate=1", "--as", "response", "--status", "BUSY")
    assert encoded(*words)["frame"] == "06500000faffffff0100000000000000"


def test_the_version_is_what_proto_says() -> None:
    new = encoded("clock.CONFIG_SET", "clock_id=0", "attributes.state=enable")
    old = encoded("clock.CONFIG_SET", "clock_id=0", "attributes.enable=1", "--proto", "clock=1.0")
    assert (len(new["frame"]), len(old["frame"])) == (32, 24)
    assert old["version"] == "1.0"


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["CLOCK_RATE_SEZ"], "unknown message 'CLOCK_RATE_SEZ'"),
        (["CLOCK_RATE_GET"], "CLOCK_RATE_GET: missing clock_id"),
        (["CLOCK_RATE_GET", "clock=1"], "CLOCK_RATE_GET: unknown field 'clock'"),
        (["CLOCK_RATE_GET", "clock_id=0x100000000"], "clock_id is 4294967296, expected 0 to"),
        (["CLOCK_RATE_GET", "clock_id"], "found 'clock_id', expected FIELD=VALUE"),
        (["CLOCK_RATE_GET", "clock_id=1", "--token", "1024"], "--token is 1024, expected 0 to"),
        (["CLOCK_RATE_GET", "clock_id=1", "--status", "0"], "--status: a request has no status"),
        (["CLOCK_RATE_GET", "--as", "response", "--status", "DENID"], "unknown status 'DENID'"),
        (["CLOCK_RATE_GET", "--as", "response", "--status", "1e9"], "unknown status '1e9'"),
        (["CLOCK_RATE_GET", "--as", "response", "--status", "0x100000000"], "expected a number"),
        (["CLOCK_RATE_GET", "--as", "delayed"], "CLOCK_RATE_GET is a request and has no delayed"),
        (["SENSOR_UPDATE", "--as", "response"], "SENSOR_UPDATE is a notification and has no resp"),
        (["CLOCK_PARENT_GET", "clock_id=1", "--proto", "clock=1.0"], "from clock 3.0 on, --proto"),
        (
            ["VOLTAGE_DESCRIBE_LEVELS", "--as", "response", "voltage:=[1]", "flags.returned=2"],
            "VOLTAGE_DESCRIBE_LEVELS (response): voltage has 1 elements, its count says 2",
        ),
        (["BASE_DISCOVER_VENDOR", "vendor_identifier=ümlaut", "--as", "response"], "ASCII"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(words: list[str], text: str) -> None:
    with pytest.raises(ScmictlError) as raised:
        run(*words)
    assert raised.value.exit_code == 2
    assert text in raised.value.message
    assert "\n" not in raised.value.message


# --- there and back -------------------------------------------------------------------------------

PROTOCOLS = [protocols.by_name(name) for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]


def forms() -> Iterator[tuple[Form, int]]:
    """Every frame there is, in every layout it has had, each with the newest version of that."""
    for protocol in PROTOCOLS:
        every: list[Form] = []
        for request in protocol.requests:
            every.append(Form(protocol, request, request, "request"))
            every.append(Form(protocol, request, request.RESPONSE, "response"))
            if request.DELAYED is not None:
                every.append(Form(protocol, request.DELAYED, request.DELAYED, "delayed"))
        every += [Form(protocol, n, n, "notification") for n in protocol.notifications]
        for form in every:
            layouts = {form.payload.epoch(version): version for version in protocol.versions}
            yield from ((form, version) for version in layouts.values())


def made(cls: type[Struct], version: int, dice: random.Random) -> Struct:
    """A message with any values: its counts tell the truth, and its conditions hold."""
    message: Struct = object.__new__(cls)
    for field in cls.FIELDS:
        setattr(message, field.name, None)
    ended = False
    for field in cls.layout(version):
        ended = ended or (field.optional and dice.random() < 0.3)
        if ended or (field.when and not holds(message, field.when)):
            continue
        value = any_value(field, version, dice)
        setattr(message, field.name, value)
        if isinstance(field.count, str):
            set_count(message, field.count, len(value), version)
    return message


def any_value(field: Field, version: int, dice: random.Random) -> Any:
    if field.kind == "text":
        return "".join(chr(dice.randrange(1, 128)) for _ in range(dice.randrange(field.size)))
    if field.kind == "packed":
        return [dice.randrange(256) for _ in range(dice.randrange(6))]
    if field.kind == "array":
        least = field.count if isinstance(field.count, int) else field.minimum
        most = field.count if isinstance(field.count, int) else least + 3
        return [element(field.element, version, dice) for _ in range(dice.randint(least, most))]
    if field.bits is not None:
        return element(field.bits, version, dice)
    return element(field.kind, version, dice)


def element(kind: Any, version: int, dice: random.Random) -> Any:
    if isinstance(kind, str):
        size = 8 * SCALAR_SIZES[kind]
        return dice.getrandbits(size) - (1 << size - 1 if kind.startswith("i") else 0)
    if issubclass(kind, Bits):
        return kind.at(version)(dice.getrandbits(32))
    return made(kind, version, dice)


def set_count(message: Struct, path: str, count: int, version: int) -> None:
    name, _, part = path.partition(".")
    old = getattr(message, name)
    new = type(old)(old, **{part: count}) if part else count
    setattr(message, name, new)


@pytest.mark.parametrize(
    ("form", "version"),
    [
        pytest.param(form, version, id=f"{form.protocol.name}.{form.title}-{version:#x}")
        for form, version in forms()
    ],
)
def test_decode_gives_back_what_encode_was_told(form: Form, version: int) -> None:
    dice = random.Random(f"{form.title} {version}")
    for token in (0, 1, 511, 1023):
        message = made(form.payload, version, dice)
        told = {k: v for k, v in record(message, version).items() if v is not None}
        words = [f"{name}:={json.dumps(value)}" for name, value in told.items()]
        frame, fields = encode.frame(form, words, version, token=token)
        vendor = next((v[:2] for v in protocols.VENDOR if v[3] == form.protocol.name), (None, None))
        found = decode(frame, outgoing=form.kind == "request", version=version,
                       sub_vendor=vendor[1], vendor=vendor[0])  # fmt: skip
        assert {k: v for k, v in found["fields"].items() if v is not None} == told
        assert {k: v for k, v in fields.items() if v is not None} == told
        assert (found["error"], found["surplus"], found["token"]) == (None, "", token)
        assert found["message"] == form.message.SPEC
        assert found["type"].removesuffix("_response") in (form.kind, "response", "delayed")


def test_the_printed_frame_is_understood_by_decode(console: Callable[..., Any]) -> None:
    demo = console("sim:")
    line = demo.text("encode clock.RATE_SET clock_id=3 rate=24MHz flags.async=1 --token 7")
    found = demo.json(f"decode {line}")
    assert (found["type"], found["token"]) == ("request", 7)
    assert found["fields"]["rate"] == 24_000_000
    assert found["fields"]["flags"]["async"] is True
