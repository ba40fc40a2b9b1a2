"""Board files: finds and reads them, and checks every value where it is used.

A board is a TOML file. This module knows no table of it: whoever needs a table (the platform, a
behaviour) names its keys with :meth:`Table.only` and takes each value with the type and range it
must have, so that the reading code is the format's definition. Everything that is wrong is a
BoardError of one line: file, key, what was found, what was expected. ``boards/demo.toml`` shows
nearly all of it; all of it is this (everything but names, types and rates may be left out):

    [platform]    vendor, sub_vendor = text of 15; implementation_version, seed = integer
                  faults = ["late:5%", …] (see fault.py)
    [versions]    PROTOCOL = "MAJOR.MINOR" (newest that is not experimental)
    [async]       PROTOCOL = commands outstanding per connection, 0 to 255 (8)
    [[agent]]     name = text of 15; trusted = bool; denied = ["DEVICE", "DEVICE:PROTOCOL", …]
    [[device]]    name; id = integer (position); owns = ["PROTOCOL:NAME", "PROTOCOL:*", …]
    [[power]]     name; states = { NAME = number, … } from most to least powered (on, off)
                  state = NAME (first) at start; sync, async, notify, shared, faulty = bool
                  latency = time, or { NAME = time } to reach a state; restrict = [AGENT, …]
    [system]      warm_reset, suspend, state_get, notify = bool; timeout = time of graceful
                  requests (10s); states = { NAME = number from 0x80000000 }; restrict = [AGENT, …]
    [[perf]]      name; levels = [level or { level, power, latency, frequency }, …], ascending
                  level (lowest), min, max = level at start; latency = time of every level
                  sustained_freq = rate; sustained_level, guaranteed_level = level
                  power_unit = "abstract", "mW" or "uW", the same in all domains (abstract)
                  level_indexing = bool; first_index = integer (1); rate_limit = time
                  notify, fast_channels = bool; restrict = { AGENT = ["level", "limits"] }
    [[clock]]     name; either rate (fixed), or rates with rate (first) at start, or divider
                  parent = name, or parents = [name, …] to select from (first)
                  enabled, critical, notify = bool; enable_delay, latency = time
                  duty_cycle = percent; restrict = { AGENT = ["state", "parent", "rate"] }
    [[sensor]]    name; type = unit name; scale = power of ten of the values (0)
                  value, swing, noise = integer; period = time; range = [lowest, highest]
                  resolution = integer; power_uw = integer; trip_points = count
                  intervals, interval = time; continuous, async, enabled, faulty = bool
                  timestamp_exponent = integer; latency = time; restrict = [AGENT, …]
    [[sensor.axis]]  name, and instead of the sensor's: type to range, and resolution
    [[reset]]     name; latency = time (not given); states = [reset_state, …] ([0], the cold reset)
                  async, explicit, notify, asserted, exclusive, faulty = bool; restrict = [AGENT, …]
    [[voltage]]   name; either level (fixed), or levels with level (lowest) at start
                  modes = ["off", "on", 0x8 to 0xF, …]; enabled = bool, or mode = one of them
                  async = bool; latency = time; restrict = { AGENT = ["state", "level"] }
    [[powercap]]  name; unit = "mW" (or "uW", "abstract"); parent = name
                  caps = { lowest, highest, step } with cap (highest; 0: off) at start, or
                  only cap (fixed), or neither (POWERCAP_CAP_GET is refused; Linux needs it)
                  pais = { lowest, highest, step } with pai (lowest), or only pai (100ms)
                  cais and cai (100ms) likewise; power, swing, noise, sustainable = power
                  period, latency = time; accuracy = integer in 0.001 percent
                  monitoring, notify, async, fast_channels = bool
                  restrict = { AGENT = ["cap", "interval", "measurement"] }
    [[powercap.limit]]  more limits of the domain, for version 3.0: name; cap to cai as above
    [pinctrl]     set_permissions = bool (whether that message is there)
    [[pinctrl.pin]]       name; supports = [TYPE, …] (all that the specification names)
                  settings = { TYPE = value }; function = name; restrict = [AGENT, …]
    [[pinctrl.group]]     name; pins = [name, …]; function = name; restrict = [AGENT, …]
    [[pinctrl.function]]  name; either groups or pins = [name, …], all of them = ["*"]
                  gpio, exclusive = bool
    [telemetry]   experimental: uuid = text; single_read, continuous, reset = bool; latency = time
                  intervals = times of updates; most_enabled = count (64); restrict = [AGENT, …],
                  those that may not reset
    [[telemetry.event]]  name; id = integer (position); type = "average", …; component = "cpu", …
                  instance, component_instance, scale = integer; unit = unit name
                  size = 4 or 8 (8) bytes; persistent, timestamps, invalid = bool
                  value, swing, noise, rate (growth in a second) = integer; period = time
    [[nxp-lmm]]   name; agents = [AGENT, …]; state = "off", "on" or "suspended" (on)
                  latency = time it takes to do what it is asked to (none); the first machine is
                  the platform's own, every agent is in one of the others
    [[nxp-cpu]]   name; machine = name of its logical machine; boots = bool, whether with that
                  (true); run_mode = "run", "hold", "stop" or "sleep"; reset_vector = address
                  vector_table = bool; irq_words (12), non_irq_words (1) = words of wake mask
                  power_domains (those of [[power]]), peripherals = count
    [nxp-bbm]     gpr = count of words; button = bool; gpr_rights, button_rights = { … }
    [[nxp-bbm.rtc]]      name; time = seconds at start; sec_width (32), tick_width (15) = bits
                  ticks = count in a second (32768); lost, battery_low = bool
    [nxp-fusa]    state = "init", "pre_safety", "safety_runtime" or "soc_terminating"; msel =
                  integer; ping = time between requests for the states of S-EENVs (never)
    [[nxp-fusa.seenv]]   agent = AGENT; state = "disabled", "init" (this), "safety_ready", …
    [[nxp-fusa.fault]]   name; set = bool
    [nxp-misc]    build = { number, commit, date, time }; config = { msel, name }
                  silicon = { device_id, revision, part, name }; board = { attributes, name }
                  syslog, passover = [word, …]; reset_reason = NAME (por); ext_info = [word, …]
    [[nxp-misc.control]] name; board = bool (else the device's); values = [word, …] ([0])
                  actions = { NUMBER = [returned word, …] }; extended = count of further words
                  events = bits of MISC_CONTROL_NOTIFY; changed = those that setting it raises
    [[nxp-misc.ddr]]     type = "lpddr5", …; width = bits (32); ecc = bool; mts; start, end

``rates``, ``intervals`` and voltage levels are a list in ascending order, or { lowest, highest,
step }. A rate is an integer in Hz or a text ("24MHz"), a voltage one in uV ("-850mV"), a time a
text in s, ms, us or ns ("100ms"), a power an integer in the domain's unit or a text ("15W").
Numbers of resources are their positions, that of the first agent is 1. Without agents there is one,
``agent``, which is trusted. A protocol exists if its table or its version is there.

The protocol of an installed package has the tables its package says; its vendor is the platform's.

To machines, CPUs, clocks of the BBM protocol, its words and button, the F-EENV (``nxp-fusa``),
faults and controls agents may have less than all rights: ``rights = { AGENT = "get" }``, which is
none, get, notify, set, priv or exclusive. Resources are also ``nxp-bbm:gpr0``, ``nxp-bbm:button``,
``nxp-fusa:seenv-AGENT`` and ``nxp-fusa:feenv``. A board with such a table is NXP's (IMX).

The TYPE of a pin's setting is ``bias-pull-up`` or the number of a vendor's (``0xc0``), its value an
integer or a text ("10kohm"). Where resources are named, a pin is ``pinctrl:NAME``, a group is
``pinctrl:group/NAME`` and a function ``pinctrl:function/NAME``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from scmictl import values
from scmictl.errors import BoardError, UsageError
from scmictl.platform.interval import Span

# os.path throughout: pathlib costs start-up time.
BOARDS = os.path.join(os.path.dirname(__file__), "boards")
SUFFIX = ".toml"

SHORT = 15
"""Characters of a name that fit into a field of 16 bytes."""
LONG = 63
I64 = (-(1 << 63), (1 << 63) - 1)

_TIME = re.compile(r"([0-9]{1,9})\s*(s|ms|us|ns)")
_POWERS = {"s": 0, "ms": -3, "us": -6, "ns": -9}


def built_in() -> list[str]:
    """Return the names of the boards that come with scmictl."""
    names = os.listdir(BOARDS)
    return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


def load(source: str) -> Table:
    """Read the board ``source``: the name of a built-in one, or the path of a file.

    What ends in ``.toml`` or contains a ``/`` is a path. Raises BoardError if there is no such
    board or it is no TOML.
    """
    path = source
    if not source.endswith(SUFFIX) and "/" not in source:
        if source not in built_in():
            known = ", ".join(built_in())
            raise BoardError(
                f"unknown board {shown(source)}, expected one of: {known}, or a path to a "
                f"FILE{SUFFIX}",
                hint=nearest(source, built_in()),
            )
        path = os.path.join(BOARDS, source + SUFFIX)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BoardError(
            f"{_plain(source)}: found no readable file ({reason}), expected a board file",
            hint=f"built-in boards: {', '.join(built_in())}",
        ) from error
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BoardError(
            f"{_plain(source)}: byte {error.start}: found {raw[error.start]:#04x}, expected UTF-8"
        ) from error
    return parse(text, source)


def parse(text: str, name: str) -> Table:
    """Read a board from its text; ``name`` stands for the file in errors."""
    import tomllib  # slow to load, and only a platform needs it

    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BoardError(
            f"{_plain(name)}: found no TOML ({_plain(str(error))}), expected a board file"
        ) from error
    return Table(_plain(name), content)


class Table:
    """One table or list of a board file: takes its values, and knows their place for errors."""

    __slots__ = ("_key", "_parent", "file", "values")

    def __init__(
        self,
        file: str,
        values: dict[Any, Any],
        parent: Table | None = None,
        key: str | int = "",
    ) -> None:
        self.file = file
        self.values = values
        self._parent = parent
        self._key = key

    def __contains__(self, key: str | int) -> bool:
        return key in self.values

    def only(self, *keys: str) -> Table:
        """Return this table; raises BoardError if it has any other key than ``keys``."""
        for key in self.values:
            if key not in keys:
                raise BoardError(
                    f"{self.file}: {self._place(key)}: found an unknown key, expected one of: "
                    f"{', '.join(keys)}",
                    hint=nearest(key, keys),
                )
        return self

    def error(self, key: str | int, expected: str, found: str | None = None) -> BoardError:
        """Return the error for ``key``; without ``found`` its value is what was found."""
        if found is None:
            found = shown(self.values[key]) if key in self.values else "nothing"
        return BoardError(f"{self.file}: {self._place(key)}: found {found}, expected {expected}")

    def text(self, key: str | int, default: str | None = None, *, longest: int = LONG) -> str:
        """Take a printable ASCII text of 1 to ``longest`` characters; None: it must be there."""
        value = self.values.get(key, default)
        if (
            not isinstance(value, str)
            or not 1 <= len(value) <= longest
            or not (value.isascii() and value.isprintable())
        ):
            raise self.error(key, f"a text of 1 to {longest} printable ASCII characters")
        return value

    def choice(self, key: str | int, choices: Sequence[str], default: str | None = None) -> str:
        """Take one of ``choices``."""
        value = self.values.get(key, default)
        if value not in choices:
            error = self.error(key, f"one of: {', '.join(choices)}")
            error.hint = nearest(value, choices)
            raise error
        assert isinstance(value, str)
        return value

    def integer(self, key: str | int, low: int, high: int, default: int | None = None) -> int:
        """Take an integer from ``low`` to ``high``."""
        value = self.values.get(key, default)
        # To Python, but not to TOML, true is an integer.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(key, f"an integer from {low} to {high}")
        return value

    def flag(self, key: str | int, default: bool) -> bool:
        """Take true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "true or false")
        return value

    def rate(self, key: str | int) -> int:
        """Take a frequency in Hz: an integer, or a text such as "24MHz"."""
        value = self.values.get(key)
        if isinstance(value, str):
            try:
                value = values.number(value, "Hz")
            except UsageError:
                value = None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 64:
            raise self.error(key, 'a rate in whole Hz, or a text such as "24MHz"')
        return value

    def time(self, key: str | int, default: str | None = None) -> Span:
        """Take a time longer than 0: a text such as "100ms"."""
        value = self.values.get(key, default)
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None or int(match[1]) == 0:
            raise self.error(key, 'a time in s, ms, us or ns, such as "100ms"')
        return Span(int(match[1]), _POWERS[match[2]])

    def table(self, key: str | int) -> Table:
        """Take a table; what is not there is an empty one."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "a table")
        return Table(self.file, value, self, key)

    def each(self, key: str | int, expected: str = "a list") -> Table:
        """Take a list, as a table whose keys are the positions; what is not there is empty."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.error(key, expected)
        return Table(self.file, dict(enumerate(value)), self, key)

    def tables(self, key: str) -> list[Table]:
        """Take an array of tables, ``[[key]]``."""
        rows = self.each(key, f"tables, each under a [[{key}]] of its own")
        return [rows.table(position) for position in rows.values]

    def _place(self, key: str | int) -> str:
        """Return where ``key`` stands in the file: ``clock[3].rates[1]``."""
        path = self._parent._place(self._key) if self._parent is not None else ""
        if isinstance(key, int):
            return f"{path}[{key}]"
        name = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key)
        return f"{path}.{name}" if path else name


def unique(rows: Iterable[tuple[Table, str]], key: str = "name") -> dict[str, int]:
    """Return the position of every name; raises BoardError for a name that occurs twice."""
    positions: dict[str, int] = {}
    for position, (row, name) in enumerate(rows):
        if name in positions:
            raise row.error(
                key,
                "a name of its own",
                f"{shown(name)}, which is also the name of number {positions[name]}",
            )
        positions[name] = position
    return positions


def shown(value: object) -> str:
    """Return a value of a board file as an error may show it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return repr(value if len(value) <= LONG else value[:LONG] + "…")
    text = hex(value) if isinstance(value, int) and value.bit_length() > 64 else str(value)
    return text if len(text) <= LONG else text[:LONG] + "…"


def nearest(found: object, names: Iterable[str]) -> str | None:
    """Return the hint that names what was probably meant, or None."""
    return values.nearest(found, names) if isinstance(found, str) else None


def _plain(text: str) -> str:
    """Return ``text`` fit for one line of a terminal."""
    return text if text.isprintable() else repr(text)
