"""`decode`: frames of any origin as records, offline; nothing in them is lost."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.commands.source import LONGEST_LINE
from scmictl.console.environment import Environment
from scmictl.console.session import Session
from scmictl.errors import Partial, RemoteProtocolError, ScmictlError, UsageError

VECTORS = Path(__file__).parents[1] / "vectors"
TRACE = VECTORS / "scmi-msg-dump-6.12.txt"
FIRST = ["protocol", "message", "type", "token", "fields", "surplus", "error"]


class Outcome:
    """What a run of `decode` printed and how it ended."""

    def __init__(self, *words: str) -> None:
        stdout, stderr = io.StringIO(), io.StringIO()
        self.error: ScmictlError | None = None
        with Session(Environment(io.StringIO(), stdout, stderr, {}), {}) as session:
            try:
                session.words(["decode", *words, "-o", "jsonl"])
            except ScmictlError as error:
                self.error = error
            assert not session.contexts, "decode is offline"
        self.records: list[Any] = [json.loads(line) for line in stdout.getvalue().splitlines()]
        self.notices = stderr.getvalue()

    @property
    def code(self) -> int:
        return 0 if self.error is None else self.error.exit_code

    @property
    def only(self) -> Any:
        (record,) = self.records
        return record


Decode = Callable[..., Outcome]


@pytest.fixture
def file(tmp_path: Path) -> Decode:
    """Return a function that decodes a text or bytes in a file."""

    def decode(content: str | bytes, *words: str) -> Outcome:
        path = tmp_path / "frames"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Outcome(str(path), *words)

    return decode


# --- one frame ------------------------------------------------------------------------------------


def test_the_record_has_the_keys_of_the_contract_first() -> None:
    # Reference A 5.4, "set clock 3 to 24 MHz".
    found = Outcome("05501c00 00000000 03000000 00366e01 00000000").only
    assert list(found)[:7] == FIRST
    assert {key: found[key] for key in FIRST} == {
        "protocol": "clock", "message": "CLOCK_RATE_SET", "type": "request", "token": 7,
        "fields": {
            "flags": {"async": False, "ignore_delayed_response": False, "round_up": False,
                      "round_auto": False},
            "clock_id": 3, "rate": 24_000_000,
        },
        "surplus": "", "error": None,
    }  # fmt: skip
    assert (found["status"], found["guess"], found["line"]) == (None, False, 1)
    assert found["frame"] == "05501c00000000000300000000366e0100000000"


def test_hex_may_come_as_several_words() -> None:
    assert Outcome("00", "40", "8c", "04").only["message"] == "PROTOCOL_VERSION"
    assert Outcome("0x00005406", "0x1", "0x0").only["fields"]["sensor_id"] == 1


def test_one_frame_is_one_object_and_a_guess_two_of_them() -> None:
    assert Outcome("06500000 03000000").only["type"] == "request"
    two = Outcome("06500000 fcffffff")
    assert [record["type"] for record in two.records] == ["request", "response"]
    assert [record["guess"] for record in two.records] == [True, True]
    assert two.code == 0


def test_as_and_proto_say_what_a_frame_does_not() -> None:
    assert Outcome("06500000 fcffffff", "--as", "response").only["status"] == "NOT_FOUND"
    assert Outcome("06500000 fcffffff", "--as", "request").only["fields"] == {
        "clock_id": 0xFFFFFFFC
    }
    # The sensor of version 1.0 gives a value without a timestamp.
    reading = "06540000 00000000 b1bc0000 00000000"
    assert Outcome(reading, "--proto", "sensor=1.0").only["fields"] == {"sensor_value": 0xBCB1}
    assert Outcome(reading, "--proto", "sensor=3.0").only["guess"] is True


def test_surplus_and_missing_bytes_are_shown() -> None:
    long = Outcome("06500000 00000000 00366e01 00000000 deadbeef", "--as", "response")
    assert (long.only["surplus"], long.only["error"], long.code) == ("deadbeef", None, 0)
    short = Outcome("06500000 00000000 00366e01", "--as", "response")
    assert short.only["error"] == "4 bytes left for rate, expected 8"
    assert short.only["surplus"] == "00366e01"
    assert short.code == 5
    assert isinstance(short.error, RemoteProtocolError)
    assert short.error.message == "4 bytes left for rate, expected 8"


def test_bytes_behind_the_end_of_a_name_and_in_padding_are_shown_too() -> None:
    name = "03400000 00000000 4e585000 11220033 00000000 00000000"
    found = Outcome(name, "--as", "response").only
    assert (found["fields"], found["hidden"]) == ({"vendor_identifier": "NXP"}, "1122 33")
    padded = Outcome("06400000 00000000 01000000 14aabbcc", "--as", "response").only
    assert (padded["fields"]["protocols"], padded["hidden"]) == ([0x14], "aabbcc")
    assert "hidden" not in Outcome("06400000 00000000 01000000 14000000", "--as", "response").only


def test_what_a_name_hides_is_shown_when_it_is_not_ascii_or_the_frame_is_cut_short() -> None:
    foreign = "03400000 00000000 4eff5000 11220033 00000000 00000000"
    found = Outcome(foreign, "--as", "response").only
    assert (found["fields"], found["hidden"]) == ({"vendor_identifier": "N\\xffP"}, "1122 33")
    quiet = "03400000 00000000 4eff5000 00000000 00000000 00000000"
    assert "hidden" not in Outcome(quiet, "--as", "response").only
    # POWERCAP_DOMAIN_ATTRIBUTES that ends after the name.
    short = "03600000 00000000 00000000 41005a00 00000000 00000000 00000000"
    found = Outcome(short, "--as", "response").only
    assert (found["fields"]["name"], found["hidden"]) == ("A", "5a")
    assert found["error"] == "0 bytes left for min_pai, expected 4"


def test_a_frame_of_nobody_we_know_is_words() -> None:
    found = Outcome("05 0c 02 00 01 00 00 00 ff", "--as", "request").only
    assert (found["protocol"], found["message"]) == ("vendor-0x83", "0x5")
    assert (found["fields"], found["surplus"]) == ({"words": ["0x00000001"]}, "ff")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["0540001"], "found 7 hex digits in '0540001', expected pairs of them"),
        (["03", "54", "0"], "found 1 hex digits in '0', expected pairs of them"),
        (["0354"], "found '0354', 2 bytes, expected at least the 4 of a header"),
        (["hello", "world"], "found 'hello world', expected HEX, FILE or -"),
        (["nothing.here"], "cannot read nothing.here: No such file or directory"),
        (["/"], "cannot read /: Is a directory"),
        (["a\0b"], "cannot read 'a\\x00b': embedded null byte"),
        ([""], "cannot read '': No such file or directory"),
        (["scmi_msg_dump: pt=15"], "found 'pt=15', an unknown format of scmi_msg_dump, expected"),
    ],
)
def test_what_cannot_be_understood_is_one_clear_line(words: list[str], text: str) -> None:
    run = Outcome(*words)
    assert isinstance(run.error, UsageError)
    assert run.error.message.startswith(text)
    assert "\n" not in run.error.message
    assert run.records == []


def test_a_file_whose_name_is_hex_is_read_where_the_hex_is_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cafe", "03540000"):
        (tmp_path / name).write_text("00 40 8c 04\n")
    assert Outcome("cafe").only["protocol"] == "base"
    assert Outcome("03540000").code == 5  # a frame, and it is short
    assert Outcome("./03540000").only["protocol"] == "base"


def test_vendor_says_whose_a_number_is() -> None:
    found = Outcome("03 00 02 00 01 00 00 00", "--vendor", "NXP").only
    assert (found["protocol"], found["message"]) == ("nxp-lmm", "LMM_ATTRIBUTES")
    assert found["fields"] == {"lm_id": 1}


# --- streams of frames ----------------------------------------------------------------------------


def test_each_line_is_a_frame_and_each_has_its_line(file: Decode) -> None:
    run = file("00 40 8c 04\n\n0x00005406 0x1 0x0\r\n065400000100000000000000")
    assert [(r["line"], r["message"]) for r in run.records] == [
        (1, "PROTOCOL_VERSION"), (3, "SENSOR_READING_GET"), (4, "SENSOR_READING_GET"),
    ]  # fmt: skip
    assert (run.code, run.notices) == (0, "")


def test_versions_are_learned_from_the_frames_before(file: Decode) -> None:
    old = "07 50 04 00 00 00 00 00 01 00 00 00"
    answers = ["00 50 00 00", "00 50 00 00 00 00 00 00 00 00 01 00"]
    before, *_, after = file("\n".join([old, *answers, old])).records
    assert before["guess"] is True
    assert after["fields"]["attributes"] == {"enable": True}
    # What --proto says is not unlearned.
    *_, fixed = file("\n".join([*answers, old]), "--proto", "clock=3.0").records
    assert fixed["guess"] is True


def test_a_version_that_was_negotiated_is_in_force(file: Decode) -> None:
    lines = [
        "00 50 00 00 00 00 00 00 00 00 03 00",
        "10 50 04 00 00 00 01 00", "10 50 04 00 00 00 00 00",
        "07 50 08 00 00 00 00 00 01 00 00 00",
    ]  # fmt: skip
    *_, last = file("\n".join(lines)).records
    assert last["fields"]["attributes"] == {"enable": True}


def test_the_vendor_is_learned_from_the_frames_before(file: Decode) -> None:
    nxp = b"NXP".ljust(16, b"\0").hex(" ")
    imx = b"IMX".ljust(16, b"\0").hex(" ")
    lines = ["01 00 02 00", f"03 40 00 00 00 00 00 00 {nxp}", f"04 40 00 00 00 00 00 00 {imx}",
             "01 00 02 00"]  # fmt: skip
    before, _, _, after = file("\n".join(lines)).records
    assert (before["protocol"], before["message"]) == ("vendor-0x80", "0x1")
    assert (after["protocol"], after["message"]) == ("nxp-lmm", "PROTOCOL_ATTRIBUTES")


def test_a_response_is_paired_with_its_request(file: Decode) -> None:
    accepted = "06 54 1c 00 00 00 00 00"
    run = file(f"06 54 1c 00 01 00 00 00 01 00 00 00\n{accepted}\n")
    assert [r["type"] for r in run.records] == ["request", "response"]
    # The request was not asynchronous: then a response without a reading is too short.
    run = file(f"06 54 1c 00 01 00 00 00 00 00 00 00\n{accepted}\n", "--as", "response")
    assert run.records[1]["error"] is None  # the first was not read as a request


def test_comments_and_text_between_are_told_and_passed_over(file: Decode) -> None:
    text = "# a comment\nthe first frame:\n00 40 8c 04\n\n# more\nand this is all\n"
    run = file(text)
    assert [r["line"] for r in run.records] == [3]
    assert run.code == 0
    said = run.notices.splitlines()
    assert len(said) == 3
    assert "line 2: no frame: the first frame:" in said[0]
    assert "passed over 2 comments, 2 other lines" in said[2]


def test_many_lines_of_other_text_are_counted_and_not_quoted(file: Decode) -> None:
    run = file("text\n" * 1000 + "00 40 8c 04\n")
    assert run.notices.count("\n") == 4
    assert "passed over 1000 other lines" in run.notices


def test_a_file_without_any_frame_is_a_usage_error(file: Decode) -> None:
    for content in ("", "\n\n", "no frame\nin here\n", "é" * 100, b"\xff\xfe\xfd" * 100):
        run = file(content)
        assert run.code == 2
        assert run.error is not None
        assert "found no frame in" in run.error.message
        assert run.records == []


def test_a_damaged_line_is_a_record_and_the_others_are_read(file: Decode) -> None:
    run = file("00 40 8c 04\n00 40 8c 0\n00 50 00 00\n")
    assert [r["message"] for r in run.records] == ["PROTOCOL_VERSION", None, "PROTOCOL_VERSION"]
    assert run.records[1]["error"] == "found 1 hex digits in '0', expected pairs of them"
    assert isinstance(run.error, Partial)
    assert "1 of 3 frames could not be read: " in run.error.message
    assert ", line 2: found 1 hex digits" in run.error.message


def test_what_is_left_of_a_damaged_line_is_shown(file: Decode) -> None:
    run = file("00 40 8c 0\n0x00408c04 0x123456789 0x1\n04 58\n0x00005804 00000001 ff\n")
    assert [r["surplus"] for r in run.records] == [
        "00408c", "048c400001000000", "0458", "0458000001000000",
    ]  # fmt: skip
    assert all(r["error"] and r["surplus"] == r["frame"] for r in run.records)


def test_a_trace_line_that_was_cut_keeps_its_header_and_its_bytes(file: Decode) -> None:
    event = "scmi_msg_dump: id=0 ch=10 pt=16"
    run = file(
        f"{event} t=RESP msg_id=03 seq=0005 s=0 pyld=000000c00a0[LINE TOO BIG]\n"
        f"{event} t=CMND msg_id=04 seq=0006 s=0 pyld=0300000\n"
        f"{event} t=CMND msg_id=04 seq=0400 s=0 pyld=03000000\n"
    )
    answer, request, nobody = run.records
    assert (answer["message"], answer["type"], answer["token"]) == (
        "RESET_DOMAIN_ATTRIBUTES", "response", 5,
    )  # fmt: skip
    assert (answer["surplus"], answer["fields"]) == ("00000000000000c00a", {})
    assert "ends with '0[LINETOOBIG]'" in answer["error"]
    assert (request["message"], request["type"], request["surplus"]) == (
        "RESET", "request", "030000",
    )  # fmt: skip
    assert (nobody["message"], nobody["surplus"]) == (None, "03000000")
    assert run.code == 2


def test_a_file_of_damaged_lines_alone_is_not_understood(file: Decode) -> None:
    run = file("00 40 8c 0\n")
    assert run.code == 2
    assert len(run.records) == 1


def test_a_frame_that_breaks_the_protocol_counts_more_than_a_damaged_line(file: Decode) -> None:
    run = file("00 40 8c 0\n04 50 00 00 00 00 00 00 ff 0f 00 00\n", "--as", "response")
    assert run.code == 5
    assert run.error is not None
    assert "1 of 2 frames break the protocol: " in run.error.message
    assert "rates is said to have 4095 elements, the message holds 0" in run.error.message
    assert run.records[1]["fields"]["num_rates_flags"]["num_returned"] == 4095


def test_an_error_status_is_no_fault(file: Decode) -> None:
    run = file("06 50 04 00 03 00 00 00\n06 50 04 00 fc ff ff ff\n")
    assert (run.records[1]["status"], run.code) == ("NOT_FOUND", 0)


def test_reserved_bits_of_a_header_are_shown(file: Decode) -> None:
    assert file("00 40 00 10\n").only["reserved"] == "0x1"


# --- hexdumps, binary files and JSON --------------------------------------------------------------

READING = bytes.fromhex("06540000 00000000 35030000 00000000 00000000 00000000")


def test_hexdumps_may_follow_one_another(file: Decode) -> None:
    one = "00000000  06 54 00 00 01 00 00 00  00 00 00 00              |.T..........|\n0000000c\n"
    two = "0000000 00005406 00000000 00000335 00000000\n0000020 00000000 00000000\n0000030\n"
    run = file(one + one + "between\n" + two)
    assert [(r["line"], r["type"]) for r in run.records] == [
        (1, "request"), (3, "request"), (6, "response"),
    ]  # fmt: skip
    assert run.records[2]["fields"]["readings"][0]["sensor_value"] == 0x335


def test_a_damaged_hexdump_shows_its_bytes(file: Decode) -> None:
    run = file("0000000 00005406 00000000\n0000100 00000335\n")
    assert run.only["surplus"] == "065400000000000035030000"
    assert "offset 0000100, expected 0x8" in run.only["error"]


def test_a_mark_in_front_of_the_text_is_no_part_of_its_first_line(file: Decode) -> None:
    assert file(b"\xef\xbb\xbf04582c00fcffffff\n").only["status"] == "NOT_FOUND"


def test_json_of_something_else_is_passed_over_even_if_its_words_are_hex(file: Decode) -> None:
    run = file('{"a": 1}\n00 40 8c 04\n{"frame": 5}\n{0x06, 0x50, 0x04, 0x00}\n')
    assert [r["line"] for r in run.records] == [2, 4]
    assert "passed over 2 other lines" in run.notices


def test_a_binary_file_is_one_frame(file: Decode) -> None:
    assert file(READING).only["fields"]["readings"][0]["sensor_value"] == 0x335
    assert file(bytes.fromhex("00408c04 00000000 00000200")).only["token"] == 0x123


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x7fELF\2\1\1" + bytes(100), "binary, and begins with 7f 45 4c 46, expected the header"),
        (bytes(range(256)), "binary, and begins with 00 01 02 03"),
        (bytes(70_000), "binary, and longer than 65536 bytes, expected one frame"),
        (b"\0", "binary, and begins with 00, expected"),
    ],
)
def test_other_binary_files_are_one_clear_line(file: Decode, content: bytes, text: str) -> None:
    run = file(content)
    assert run.code == 2
    assert run.error is not None
    assert text in run.error.message


def test_a_nul_in_a_text_spoils_its_line_alone(file: Decode) -> None:
    run = file(b"00 40 8c 04\nwhat\0ever\n00 50 00 00\n")
    assert [r["line"] for r in run.records] == [1, 3]
    assert run.code == 0
    assert "'what\\x00ever'" in run.notices.replace("\\\\", "\\")


def test_a_line_of_ten_megabytes_is_damaged_and_no_more(file: Decode) -> None:
    run = file("00 40 8c 04\n" + "00" * 5_000_000 + "\n00 50 00 00\n")
    assert [r["line"] for r in run.records] == [1, 2, 3]
    assert run.records[1]["error"].startswith(f"more than {LONGEST_LINE} characters")
    assert run.code == 8


def test_our_own_trace_with_json_is_read_with_its_directions(file: Decode) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    with Session(Environment(io.StringIO(), stdout, stderr, {}), {"target": "sim:"}) as session:
        session.words(["call", "clock.RATE_GET", "clock_id=1", "--json", "--trace"])
    run = file(stderr.getvalue())
    assert [r["type"] for r in run.records][-2:] == ["request", "response"]
    assert run.records[-1]["fields"] == {"rate": 24_000_000}
    assert not any(r["guess"] for r in run.records)


def test_what_decode_and_dry_runs_print_can_be_read_again(file: Decode) -> None:
    first = Outcome("06500000 fcffffff", "--as", "response").only
    assert file(json.dumps(first)).only == first
    preview = '{"message": "CLOCK_RATE_GET", "request": "06 50 00 00 fc ff ff ff"}'
    assert file(preview).only["type"] == "request"


@pytest.mark.parametrize(
    "line", ["{", "{}", "[]", '{"frame": 3}', '{"frame": "hello"}', "[" * 100_000, '{"a": 1']
)
def test_other_json_is_no_frame(file: Decode, line: str) -> None:
    assert file(line).code == 2


# --- Linux ----------------------------------------------------------------------------------------


def test_a_real_trace_of_linux_is_decoded_from_its_first_to_its_last_line() -> None:
    run = Outcome(str(TRACE))
    assert run.code == 0
    events = re.findall(r"\d: (scmi_\w+): ", TRACE.read_text())
    assert len(run.records) == events.count("scmi_msg_dump")
    others = len(events) - len(run.records)
    assert f"passed over {others} other trace events, 3 comments, 5 other lines" in run.notices
    assert not [r for r in run.records if r["error"] or r["guess"]]
    vendor = next(r for r in run.records if r["message"] == "BASE_DISCOVER_VENDOR"
                  and r["type"] == "response")  # fmt: skip
    assert vendor["fields"] == {"vendor_identifier": "scmictl"}


def test_of_a_request_that_linux_has_overwritten_only_the_header_is_read() -> None:
    run = Outcome(str(TRACE))
    (marked,) = [r for r in run.records if r.get("overwritten")]
    assert (marked["message"], marked["token"]) == ("CLOCK_ATTRIBUTES", 0x10)
    assert (marked["fields"], marked["surplus"]) == ({}, "010000d0")
    assert "requests marked as overwritten: 1 " in run.notices


def test_a_delayed_response_and_its_acceptance_are_told_apart_in_a_trace() -> None:
    run = Outcome(str(TRACE))
    kinds = [(r["type"], r["fields"]) for r in run.records if r["token"] == 0xBC]
    assert [kind for kind, _ in kinds] == ["request", "response", "delayed_response"]
    assert kinds[1][1] == {}
    assert kinds[2][1] == {"sensor_id": 6, "readings": [{"sensor_value": 4443, "timestamp": 0}]}


def test_the_platforms_of_one_trace_have_versions_of_their_own(file: Decode) -> None:
    line = "scmi_msg_dump: id={} ch=14 pt=14 t={} seq=0001 s=0 pyld={}\n"
    run = file(
        line.format(0, "RESP msg_id=00", "00000100")
        + line.format(1, "RESP msg_id=00", "00000300")
        + line.format(0, "CMND msg_id=07", "0000000001000000")
        + line.format(1, "CMND msg_id=07", "00000000010000000000000000000000")
    )
    assert run.code == 0
    assert [r["fields"].get("attributes") for r in run.records[2:]] == [
        {"enable": True},
        {"state": "enable", "extended_config_type": "none"},
    ]


def test_a_frame_that_linux_refused_is_a_fault_of_the_platform(file: Decode) -> None:
    line = "scmi_msg_dump: id=0 ch=14 pt=14 t=!RESP msg_id=06 seq=0007 s=-1 pyld=\n"
    run = file(line)
    assert run.code == 5
    assert (run.only["message"], run.only["token"]) == ("CLOCK_RATE_GET", 7)
    assert run.only["error"] == "Linux did not take this frame: unexpected"
    assert file("00 40 8c 04\n" + line.replace("s=-1", "s=-4")).code == 8


def test_a_trace_line_may_be_typed(file: Decode) -> None:
    line = "scmi_msg_dump: pt=15 t=CMND msg_id=06 seq=0000 s=0 pyld=0100000000000000"
    assert Outcome(line).only["fields"]["sensor_id"] == 1
    assert Outcome(*line.split()).only["fields"]["sensor_id"] == 1


# --- hostility ------------------------------------------------------------------------------------

GENERATED = settings(derandomize=True, deadline=None, max_examples=300, database=None)
PIECES = [line.encode() for line in TRACE.read_text().splitlines()] + [
    b"00000000: 0354 4000 0000 0000 0100 00d0 7561 7274  .T@.........uart", b"*", b"0000020",
    b"0000000 00405403 00000000", b"0x00005406 0x1", b"\\x06\\x54\\x00\\x00", b"{", b"#", b"\0",
    b'{"trace": {"frame": "06540000", "outgoing": true}}', b"06 50 04 00 fc ff ff ff", b"\xff\xfe",
]  # fmt: skip


def mixed() -> st.SearchStrategy[bytes]:
    """Lines of all kinds, whole or cut and with bytes of anything between."""
    cut = st.tuples(st.sampled_from(PIECES), st.integers(0, 200)).map(lambda c: c[0][: c[1]])
    line = st.one_of(st.sampled_from(PIECES), cut, st.binary(max_size=40))
    return st.lists(line, max_size=12).map(b"\n".join)


@GENERATED
@given(content=st.one_of(mixed(), st.binary(max_size=400)))
def test_whatever_is_in_a_file_ends_in_one_of_the_documented_ways(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(content)
    run = Outcome(str(path))
    assert run.code in (0, 2, 5, 8)
    assert (run.code == 0) <= bool(run.records)
    for record in run.records:
        assert list(record)[:7] == FIRST
        # Of every frame all bytes are somewhere: in the fields, or as they are.
        assert record["surplus"] in record["frame"]


@GENERATED
@given(frame=st.binary(min_size=4, max_size=120))
def test_whatever_a_frame_holds_it_is_shown(frame: bytes) -> None:
    run = Outcome(frame.hex(" "))
    assert run.code in (0, 5)
    assert {record["frame"] for record in run.records} == {frame.hex()}
    for record in run.records:
        if not record["fields"] and record["status"] is None:
            assert record["surplus"] == frame[4:].hex()


@pytest.mark.parametrize("size", range(0, 41, 3))
def test_what_is_left_of_a_frame_that_was_cut_is_read_and_the_rest_shown(size: int) -> None:
    # Two descriptors of version 1.0 (28 bytes each) are promised.
    whole = bytes.fromhex("02000000") + bytes(range(56))
    frame = bytes.fromhex("03540000 00000000") + whole[:size]
    found = Outcome(frame.hex(" "), "--as", "response", "--proto", "sensor=1.0").only
    there = max(size - 4, 0) // 28
    assert len(found["fields"].get("desc", [])) == there
    rest = size if size < 4 else (size - 4) % 28
    assert found["surplus"] == whole[size - rest : size].hex()
    assert found["error"] is not None
