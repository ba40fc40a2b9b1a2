"""Completion: pure, over a scene that a test writes; and how a scene is learnt from a platform."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from scmictl import protocols
from scmictl.agent import Agent, Frame, connect
from scmictl.commands import verbs
from scmictl.console import script, statement, table
from scmictl.console.completion import Candidate, complete, quoted
from scmictl.console.knowledge import Item, Knowledge, Learner
from scmictl.console.lexer import statements
from scmictl.console.offer import Scene
from scmictl.platform import generator
from scmictl.platform.specimen import Size
from scmictl.protocols import base, clock, pinctrl, powercap, sensor
from scmictl.wire import Effect, header

CLOCKS = [
    Item(0, "osc24m", "24 MHz"),
    Item(1, "uart0", "12 MHz (off)"),
    Item(2, "my clock", "1 Hz"),
    Item(3, "\x1b[2Jevil", "2 Hz"),
    Item(4, "17", "3 Hz"),
    Item(5, "twin", "4 Hz"),
    Item(6, "twin", "5 Hz"),
]
GROUPS = [Item(0, "uart"), Item(1, "spi")]
FUNCTIONS = [Item(0, "serial"), Item(1, "gpio")]
SENSORS = [Item(0, "soc-temp", "47.5 °C"), Item(1, None, "\x1b[31mred")]


def items(kind: str) -> Sequence[Item]:
    return {
        "clock": CLOCKS,
        "sensor": SENSORS,
        "pinctrl": [Item(0, "tx", "serial")],
        "pinctrl.group": GROUPS,
        "pinctrl.function": FUNCTIONS,
        "agent": [Item(1, "ospm")],
    }.get(kind, [])


SCENE = Scene(
    items=items, variables={"RATE": "24MHz"}, targets=("lab",), keys=("id", "rate_hz", "parent")
)


def found(text: str, scene: Scene = SCENE) -> list[Candidate]:
    return complete(text, len(text), scene)


def texts(text: str, scene: Scene = SCENE) -> list[str]:
    return [candidate.text for candidate in found(text, scene)]


def notes(text: str) -> dict[str, str]:
    return {candidate.text: candidate.note for candidate in found(text)}


# --- words ----------------------------------------------------------------------------------------


def test_the_first_word_is_a_group_a_tool_or_a_statement() -> None:
    words = texts("")
    assert {"clock", "sensor", "info", "help", "expect", "use", "exit"} <= set(words)
    assert not {"shell", "batch"} & set(words), "these make no sense inside the shell"


def test_a_single_candidate_brings_its_blank() -> None:
    assert texts("cloc") == ["clock "]
    (candidate,) = found("clock li")
    assert (candidate.text, candidate.start) == ("list ", 6)


def test_what_follows_the_cursor_is_left_alone() -> None:
    (candidate,) = complete("clo list", 3, SCENE)
    assert candidate.text == "clock", "the blank is there already"


def test_the_verbs_of_a_group_come_with_their_help() -> None:
    verbs = notes("clock ")
    assert verbs["set"] == "set the rate of a clock"
    assert {"list", "get", "parent", "config"} <= set(verbs)


def test_the_second_word_of_a_verb_completes_too() -> None:
    assert texts("clock parent ") == ["get", "set"]
    assert texts("clock parent g") == ["get "]


def test_only_options_that_are_there_are_offered() -> None:
    assert texts("clock set uart0 1MHz --ro") == ["--round "]
    assert texts("clock get --ro") == []


def test_an_option_that_was_given_is_not_offered_again() -> None:
    assert "--round" in texts("clock set uart0 --r")
    assert "--round" not in texts("clock set --round up uart0 --r")


def test_an_option_offers_its_values_behind_a_blank_and_behind_the_equals_sign() -> None:
    assert texts("clock set uart0 --round ") == ["up", "down", "auto"]
    assert texts("clock set uart0 --round=a") == ["--round=auto "]
    assert texts("clock list -o j") == ["json", "jsonl"]


def test_global_options_before_the_group_do_not_confuse() -> None:
    assert texts("-o json --timeout 2s clock se") == ["set "]


def test_behind_an_unknown_word_nothing_is_offered() -> None:
    assert texts("nope ") == []
    assert texts("clock nope ") == []


def test_a_statement_around_a_command_does_not_hinder() -> None:
    assert texts("expect DENIED: clock di") == ["disable "]
    assert texts("-@clock di") == ["disable "]
    assert texts("clock list; clock di") == ["disable "]
    assert texts("for x in 1 2: clock get $x; sens") == ["sensor "]
    assert texts("set x := clock get uar") == ["uart0 "]


def test_outcomes_of_expect_have_their_colon() -> None:
    assert texts("expect DEN") == ["DENIED: "]


def test_variables_complete_behind_a_dollar_sign() -> None:
    assert texts("clock set uart0 $R") == ["$RATE "]


def test_the_keys_of_the_last_result_complete_an_assertion() -> None:
    assert texts("assert ra") == ["rate_hz "]
    assert texts("clock list --fields pa") == ["parent "]


def test_use_offers_named_targets_and_boards() -> None:
    assert {"lab", "sim:demo", "vhost-user:"} <= set(texts("use "))
    assert texts("clock list -t la") == ["lab "]


def test_help_offers_commands_statements_and_messages() -> None:
    assert texts("help clock se") == ["set "]
    assert texts("help CLOCK_RATE_GE") == ["CLOCK_RATE_GET "]
    assert {"expect", "explain"} <= set(texts("help exp"))


def test_a_comment_is_not_completed() -> None:
    assert texts("clock list # clo") == []


def test_a_command_of_the_systems_shell_is_not_completed() -> None:
    assert texts("clock list | he") == []


# --- live names -----------------------------------------------------------------------------------


def test_names_have_their_number_and_current_value_beside_them() -> None:
    assert notes("clock get uart0") == {"uart0 ": "1  12 MHz (off)"}
    assert notes("sensor read soc") == {"soc-temp ": "0  47.5 °C"}


def test_a_name_with_a_blank_is_quoted() -> None:
    assert texts("clock get my") == ["'my clock' "]
    (candidate,) = found("clock get 'my c")
    assert (candidate.text, candidate.start) == ("'my clock' ", 10)


@pytest.mark.parametrize("number", ["3", "4", "5", "6"])
def test_a_name_that_would_not_mean_its_owner_is_replaced_by_the_number(number: str) -> None:
    """One with an escape sequence, one that is a number itself, and two that are the same."""
    assert number in texts("clock get ")


def test_what_a_platform_says_is_safe_in_a_menu() -> None:
    for line in ("clock get ", "sensor read ", "call CLOCK_RATE_GET clock_id="):
        assert all(c.shown.isprintable() and c.note.isprintable() for c in found(line))


def test_digits_offer_numbers() -> None:
    assert texts("sensor read 0") == ["0 "]
    assert notes("clock get 1")["1 "] == "uart0  12 MHz (off)"


def test_all_is_offered_where_several_are_possible() -> None:
    assert "all" in texts("clock get ")
    assert "all" not in texts("clock parent set uart0 ")


def test_agents_complete_where_an_agent_is_meant() -> None:
    assert texts("base reset-agent os") == ["ospm "]


def test_events_and_what_sends_them() -> None:
    assert texts("subscribe SENSOR_U") == ["SENSOR_UPDATE "]
    assert texts("subscribe SENSOR_UPDATE soc") == ["soc-temp "]
    assert "uart0" in texts("watch CLOCK_RATE_CHANGED ")


# --- values ---------------------------------------------------------------------------------------


def test_a_number_offers_the_units_of_its_field() -> None:
    assert texts("clock set uart0 24") == ["24Hz", "24kHz", "24MHz", "24GHz"]
    assert texts("clock set uart0 24M") == ["24MHz "]
    assert "10ms" in texts("sensor watch --for 10")


def test_files_complete(tmp_path: Path) -> None:
    (tmp_path / "one.scmi").write_text("")
    (tmp_path / "two parts.scmi").write_text("")
    (tmp_path / "directory").mkdir()
    assert texts(f"source {tmp_path}/o") == [f"{tmp_path}/one.scmi "]
    assert texts(f"source {tmp_path}/two") == [f"'{tmp_path}/two parts.scmi' "]
    assert texts(f"clock list > {tmp_path}/d") == [f"{tmp_path}/directory/"]
    assert texts(f"source {tmp_path}/nothing/") == []


# --- call -----------------------------------------------------------------------------------------


def test_a_message_completes_in_any_case_and_behind_its_protocol() -> None:
    assert texts("call CLOCK_RATE_S") == ["CLOCK_RATE_SET "]
    assert texts("call clock_rate_s") == ["CLOCK_RATE_SET "]
    assert texts("call clock.CLOCK_RATE_S") == ["clock.CLOCK_RATE_SET "]
    assert texts("call clock.rate_s") == ["clock.RATE_SET "]


def test_a_message_that_every_protocol_has_comes_with_its_protocol() -> None:
    assert "sensor.PROTOCOL_ATTRIBUTES" in texts("call sensor.PROTOCOL_A")[0]


def test_the_fields_of_a_message_complete_and_stay_open() -> None:
    fields = texts("call CLOCK_RATE_SET ")
    assert {"clock_id=", "rate=", "flags=", "flags.async="} <= set(fields)
    assert texts("call CLOCK_RATE_SET ra") == ["rate="]
    assert "clock_id=" not in texts("call CLOCK_RATE_SET clock_id=3 ")


def test_a_field_offers_live_numbers_units_members_and_bits() -> None:
    assert notes("call CLOCK_RATE_GET clock_id=0") == {"clock_id=0 ": "osc24m  24 MHz"}
    assert "rate=24MHz" in texts("call CLOCK_RATE_SET rate=24")
    assert texts("call CLOCK_CONFIG_SET attributes.state=en") == ["attributes.state=enable "]
    assert texts("call CLOCK_RATE_SET flags.async=") == ["flags.async=1", "flags.async=0"]


def test_fields_are_those_of_the_version_in_use() -> None:
    old = SCENE._replace(versions={clock.ID: 0x10000})
    assert "extended_config_val=" in texts("call CLOCK_CONFIG_SET ")
    assert "extended_config_val=" not in texts("call CLOCK_CONFIG_SET ", old)


# --- quoting --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["plain", "a b", "it's", '"q"', "a;b", "#x", "$HOME", "|", ">", "back\\slash", "", "@x"]
)
def test_a_quoted_word_reads_as_itself(word: str) -> None:
    (one,) = statements(f"clock get {quoted(word)}", name="test")
    assert [token.expand({}, {}) for token in one.tokens[2:]] == [word]


# --- tables that belong together ------------------------------------------------------------------


def test_every_statement_of_batch_files_is_described() -> None:
    assert set(statement.BATCH) == set(script.KEYWORDS)


def test_no_statement_has_the_name_of_a_command() -> None:
    names = {entry.name for entry in table.ENTRIES}
    assert not names & {*statement.BATCH, *statement.SHELL}


# --- kinds of things ------------------------------------------------------------------------------


def test_where_a_protocol_has_several_kinds_the_word_before_says_which() -> None:
    assert texts("pinctrl show ") == ["pin", "group", "function"]
    assert notes("pinctrl show pin ")["tx"] == "0  serial"
    assert texts("pinctrl show group u") == ["uart "]
    assert texts("pinctrl assoc function ser") == ["serial "]
    assert texts("pinctrl list ") == ["pins", "groups", "functions"]
    assert texts("pinctrl list groups uart sp") == ["spi "]
    assert texts("pinctrl select group uart ") == ["serial", "gpio"]


def test_the_types_of_settings_complete_up_to_their_value() -> None:
    assert texts("pinctrl config set pin tx drive-s") == ["drive-strength="]
    assert texts("pinctrl config set pin tx drive-strength=4mA bias-pull-u") == ["bias-pull-up="]


def test_ids_in_a_message_are_of_the_kind_that_another_field_names() -> None:
    assert texts("call PINCTRL_ATTRIBUTES identifier=") == ["identifier=0 "]
    named = "call PINCTRL_ATTRIBUTES flags.selector=group identifier="
    assert notes(named) == {"identifier=0": "uart", "identifier=1": "spi"}
    function = "call PINCTRL_SETTINGS_CONFIGURE function_id="
    assert notes(function) == {"function_id=0": "serial", "function_id=1": "gpio"}


MANY = [Item(n, f"clk{n}" if n % 3000 else f"zeta{n}") for n in range(9000)]


def common(words: Sequence[str]) -> str:
    """What all words begin with."""
    signs = zip(min(words), max(words), strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], signs))


def many(kind: str) -> Sequence[Item]:
    return MANY if kind == "clock" else ()


def test_of_very_many_things_a_menu_has_the_first_and_what_they_do_not_begin_with() -> None:
    scene = Scene(items=many)
    offered = texts("clock get ", scene)
    assert len(offered) < 1100
    assert offered[:2] == ["zeta0", "clk1"]
    # All names begin with "clk" but for three, and two of those are far behind.
    assert common(texts("clock get z", scene)) == "zeta"
    assert common(texts("clock get c", scene)) == "clk"
    assert "all" in texts("clock list ", scene)


def test_what_is_typed_finds_a_name_or_a_number_among_very_many() -> None:
    scene = Scene(items=many)
    assert texts("clock get clk8999", scene) == ["clk8999 "]
    assert texts("clock get 8999", scene) == ["8999 "]
    assert texts("call CLOCK_RATE_GET clock_id=8999", scene) == ["clock_id=8999 "]


def test_the_last_names_are_offered_with_the_first_so_that_a_menu_inserts_no_more() -> None:
    late = [*(Item(n, f"aa{n}") for n in range(1500)), Item(1500, "ab"), Item(1501, "a-")]
    offered = texts("clock get a", Scene(items=lambda kind: late))
    assert common(offered) == "a"


# --- changes by hand ------------------------------------------------------------------------------


def test_a_resource_is_a_protocol_and_behind_its_colon_what_it_has() -> None:
    assert texts("sim set sens") == ["sensor:"]
    assert notes("sim state clock:u") == {"clock:uart0 ": "1  12 MHz (off)"}
    assert texts("sim set clock:tw") == []
    assert texts("sim set clock:5") == ["clock:5 "]
    assert texts("sim state clock:uart0 sensor:soc") == ["sensor:soc-temp "]
    assert texts("sim set pinctrl:group/u") == ["pinctrl:group/uart "]
    assert texts("sim set clock:my") == ["'clock:my clock' "]
    assert texts("sim set nothing:x") == []


def test_faults_permissions_and_notifications_complete() -> None:
    assert {"list", "clear", "busy", "late"} <= set(texts("sim fault "))
    assert texts("sim perms ") == ["list", "allow", "deny", "reset"]
    assert texts("sim notify CLOCK_RATE_CHANGED") == ["CLOCK_RATE_CHANGED "]
    assert texts("sim notify CLOCK_RATE_SE") == []
    assert "clock_id=" in texts("sim notify CLOCK_RATE_CHANGED ")
    assert texts("use contr") == ["control:"]


# --- learning -------------------------------------------------------------------------------------


def learn(agent: Agent, learner: Learner) -> None:
    """Run a connection as a prompt's loop does, until everything wanted has been learnt."""
    while learner.busy:
        learner.step()
        agent.dispatch(time.monotonic())


def greet(agent: Agent) -> None:
    for protocol in (base.PROTOCOL, clock.PROTOCOL, sensor.PROTOCOL):
        agent.version(protocol)


@pytest.fixture
def frames() -> list[Frame]:
    return []


@pytest.fixture(params=["", "?queue-size=2", "?queue-size=4&features=-indirect"])
def agent(request: pytest.FixtureRequest, frames: list[Frame]) -> Agent:
    """An agent of the demo board, over rings with a lot of room and with very little."""
    connected = connect(f"sim:demo{request.param}", sink=frames.append)
    request.addfinalizer(connected.close)
    greet(connected)
    return connected


def test_the_list_of_a_group_says_what_its_things_are_like_now() -> None:
    """Of resets there is nothing to say: no message reads whether a domain is in reset."""
    telling = [
        (protocol.name, command.verb)
        for protocol in protocols.standard()
        for command in verbs(protocol).values()
        if command.glimpse is not None
    ]
    listed = [p.name for p in protocols.standard() if p.kinds and verbs(p)]
    assert telling == [(name, "list") for name in listed if name != "reset"]


def test_names_and_values_are_learnt_without_a_blocking_call(agent: Agent) -> None:
    knowledge = Knowledge()
    learner = Learner(agent, knowledge)
    learner.want(["clock", "sensor", "agent"])
    learn(agent, learner)
    clocks = {item.name: item for item in knowledge.items["clock"]}
    assert clocks["uart0"] == Item(1, "uart0", "24 MHz")
    assert clocks["gpu"].value == "400 MHz (off)"
    assert "display-pixel-clock" in clocks, "longer than 15 characters: asked for separately"
    sensors = {item.name: item.value for item in knowledge.items["sensor"]}
    assert sensors["soc-temp"].endswith("°C")
    assert sensors["ddr-temp"] == "HARDWARE_ERROR"
    assert [item.name for item in knowledge.items["agent"]] == ["ospm", "guest", "bmc"]


def test_caps_are_learnt_in_the_unit_of_their_domain(tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    caps = "caps = { lowest = 5, highest = 5000, step = 5 }\n"
    board.write_text(
        f'[[powercap]]\nname = "soc"\n{caps}'
        f'[[powercap]]\nname = "gpu"\nunit = "uW"\n{caps}'
        f'[[powercap]]\nname = "npu"\nunit = "abstract"\ncap = 0\n{caps}'
        '[[powercap]]\nname = "fan"\n'
    )
    with connect(f"sim:{board}") as agent:
        agent.version(powercap.PROTOCOL)
        knowledge = Knowledge()
        learner = Learner(agent, knowledge)
        learner.want(["powercap"])
        learn(agent, learner)
    assert [(item.name, item.value) for item in knowledge.items["powercap"]] == [
        ("soc", "5 W"), ("gpu", "5 mW"), ("npu", "off"), ("fan", "NOT_SUPPORTED"),
    ]  # fmt: skip


def test_learning_sends_only_what_reads(agent: Agent, frames: list[Frame]) -> None:
    learner = Learner(agent, Knowledge())
    frames.clear()
    learner.want(["clock", "sensor", "agent"])
    learn(agent, learner)
    sent = [header.unpack(header.WORD.unpack_from(f.data)[0]) for f in frames if f.outgoing]
    assert sent
    for head in sent:
        protocol = {p.id: p for p in (base.PROTOCOL, clock.PROTOCOL, sensor.PROTOCOL)}
        assert protocol[head.protocol_id].by_id[head.message_id].EFFECT == Effect.READ


def test_what_is_fresh_is_not_asked_for_again(agent: Agent, frames: list[Frame]) -> None:
    now = 0.0
    learner = Learner(agent, Knowledge(), clock=lambda: now)
    learner.want(["clock"])
    learn(agent, learner)
    for later, asked in ((0.5, False), (1.0, True)):
        frames.clear()
        now += later
        learner.want(["clock"])
        learn(agent, learner)
        assert bool(frames) is asked


def test_names_that_a_command_has_discovered_are_not_read_again(
    agent: Agent, frames: list[Frame]
) -> None:
    agent.discover(clock.PROTOCOL)
    knowledge = Knowledge()
    learner = Learner(agent, knowledge)
    learner.recall(["clock"])
    assert knowledge.items["clock"][1] == Item(1, "uart0", "")
    frames.clear()
    learner.want(["clock"])
    learn(agent, learner)
    asked = {header.unpack(header.WORD.unpack_from(f.data)[0]).message_id for f in frames}
    assert asked == {clock.RateGet.MESSAGE_ID, clock.Attributes.MESSAGE_ID}


def test_names_are_read_once_and_values_of_very_many_things_never(tmp_path: Path) -> None:
    frames: list[Frame] = []
    board = tmp_path / "board.toml"
    board.write_text("".join(generator.generate(Size({"clock": 300, "power": 3}))))
    now = 0.0
    with connect(f"sim:{board}", sink=frames.append) as agent:
        knowledge = Knowledge()
        learner = Learner(agent, knowledge, clock=lambda: now)
        asked = []
        for _ in range(2):
            frames.clear()
            learner.want(["clock", "power"])
            learn(agent, learner)
            now += 10
            asked.append({f.data[0] | f.data[1] << 8 & 0xFC00 for f in frames if f.outgoing})
        assert len(knowledge.items["clock"]) == 300
        assert {item.value for item in knowledge.items["clock"]} == {""}
        assert asked[1] == {0x4405}, "only POWER_STATE_GET: what can change of a few things"
        learner.forget()
        learner.want(["clock"])
        learn(agent, learner)
        assert len(knowledge.items["clock"]) == 300


def test_every_kind_of_things_is_learnt_by_itself(tmp_path: Path) -> None:
    board = tmp_path / "pins.toml"
    board.write_text(
        '[[pinctrl.pin]]\nname = "tx"\n[[pinctrl.pin]]\nname = "a-pin-with-a-long-name"\n'
        '[[pinctrl.group]]\nname = "uart"\npins = ["tx"]\nfunction = "serial"\n'
        '[[pinctrl.function]]\nname = "serial"\ngroups = ["uart"]\n'
    )
    with connect(f"sim:{board}") as stranger:
        knowledge = Knowledge()
        learner = Learner(stranger, knowledge)
        learner.want(["pinctrl", "pinctrl.group", "pinctrl.function", "pinctrl.clock"])
        learn(stranger, learner)
        assert knowledge.items == {
            "pinctrl": [Item(0, "tx", "serial"), Item(1, "a-pin-with-a-long-name", "")],
            "pinctrl.group": [Item(0, "uart", "serial")],
            "pinctrl.function": [Item(0, "serial", "")],
        }
        stranger.discover(pinctrl.PROTOCOL, pinctrl.FUNCTIONS)
        learner.forget()
        learner.recall(["pinctrl", "pinctrl.function"])
        assert list(knowledge.items) == ["pinctrl.function"]


def test_a_version_nobody_has_asked_for_is_learnt_too(frames: list[Frame]) -> None:
    with connect("sim:demo", sink=frames.append) as stranger:
        knowledge = Knowledge()
        learner = Learner(stranger, knowledge)
        learner.want(["clock", "nonsense"])
        learn(stranger, learner)
        assert stranger.versions[clock.ID] == 0x30000
        assert knowledge.items["clock"][1].name == "uart0"


def test_a_power_domain_shows_its_state(tmp_path: Path) -> None:
    board = tmp_path / "power.toml"
    board.write_text(
        '[[power]]\nname = "gpu"\nstate = "off"\n'
        '[[power]]\nname = "dsp"\nstates = { sleep = 0x2, on = 0x0 }\n'
    )
    with connect(f"sim:{board}") as stranger:
        knowledge = Knowledge()
        learner = Learner(stranger, knowledge)
        learner.want(["power"])
        learn(stranger, learner)
        assert knowledge.items["power"] == [Item(0, "gpu", "off"), Item(1, "dsp", "0x2")]


def test_a_performance_domain_shows_its_level_or_the_index_of_it(tmp_path: Path) -> None:
    board = tmp_path / "perf.toml"
    board.write_text(
        '[[perf]]\nname = "big"\nlevels = [300, 600]\n'
        '[[perf]]\nname = "gpu"\nlevels = [{ level = 20, frequency = "200MHz" }]\n'
        "level_indexing = true\n"
    )
    with connect(f"sim:{board}") as stranger:
        knowledge = Knowledge()
        learner = Learner(stranger, knowledge)
        learner.want(["perf"])
        learn(stranger, learner)
        assert knowledge.items["perf"] == [Item(0, "big", "level 300"), Item(1, "gpu", "index 1")]


def test_a_voltage_domain_shows_its_level(tmp_path: Path) -> None:
    board = tmp_path / "voltage.toml"
    board.write_text(
        '[[voltage]]\nname = "vdd-cpu"\nlevel = "850mV"\n'
        '[[voltage]]\nname = "bias"\nlevel = -200000\n'
    )
    with connect(f"sim:{board}") as stranger:
        knowledge = Knowledge()
        learner = Learner(stranger, knowledge)
        learner.want(["voltage"])
        learn(stranger, learner)
        assert knowledge.items["voltage"] == [
            Item(0, "vdd-cpu", "850 mV"),
            Item(1, "bias", "-200 mV"),
        ]
