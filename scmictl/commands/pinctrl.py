"""`pinctrl`: pins, groups and functions, what is set on them, and claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl import values
from scmictl.commands import pinout
from scmictl.commands.command import Arg, Arguments, Column, Command, Output, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.subject import Row, Subjects, Wanted, finished
from scmictl.errors import UsageError
from scmictl.protocols import Resources, pinctrl, setting
from scmictl.protocols.pinctrl import FUNCTIONS, GROUPS, NO_FUNCTION, PINS, PROTOCOL
from scmictl.wire import Effect

NOTHING = "none"
"""The word that selects no function."""

_KIND = Column("kind", "KIND")
_NAMED = (Column("id", "ID"), Column("name", "NAME"))
_FUNCTION = Column("function", "FUNCTION")
_NUMBER = Column("function_id", "FUNCTION ID", wide=True)
_USE = (Column("gpio", "GPIO"), Column("pin_only", "PIN ONLY"))
_STATE = (_NAMED[0], _KIND, _NAMED[1], _FUNCTION, _NUMBER)
_ALL = (*_STATE, Column("elements", "ELEMENTS"), *_USE)
_LISTS = {
    PINS: (*_NAMED, _FUNCTION, _NUMBER),
    GROUPS: (*_NAMED, Column("elements", "PINS"), _FUNCTION, _NUMBER),
    FUNCTIONS: (*_NAMED, Column("elements", "ELEMENTS"), *_USE),
}
_CLAIMED = (*_STATE, Column("claimed", "CLAIMED"))
_CONFIG = (*_STATE, Column("settings", "SETTINGS"))
_ASSOC = (_NAMED[0], _KIND, _NAMED[1], Column("pins", "PINS"), Column("groups", "GROUPS"))
_SHOW = (
    Column("id", "id"),
    Column("kind", "kind"),
    Column("name", "name"),
    Column("function", "function"),
    Column("settings", "settings"),
    Column("elements", "elements"),
    Column("gpio", "GPIO"),
    Column("pin_only", "for pins only"),
    Column("pins", "pins"),
    Column("groups", "groups"),
    Column("functions", "functions"),
)


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List pins, groups or functions, or all of them."""
    if args.kind is None:
        rows: list[Row] = []
        for how in PROTOCOL.kinds:
            rows += pinout.states(ctx, how, ctx.discover(PROTOCOL, how).resources)
        return finished(rows, _ALL)
    how = _kind(args.kind)
    chosen = Subjects(ctx, PROTOCOL, args.pattern or ["all"], how)
    rows = pinout.states(ctx, how, chosen.resources)
    return finished(rows, _LISTS[how])


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a pin, group or function."""
    how, chosen = _chosen(ctx, args)
    return chosen.output(pinout.whole(ctx, how, chosen.resources), _SHOW, partial=True)


def assoc(ctx: Context, args: Arguments) -> Output:
    """List the pins of a group, or what a function can be used on."""
    ctx.require(pinctrl.ListAssociations)
    how, chosen = _chosen(ctx, args)
    return chosen.output(pinout.associations(ctx, how, chosen.resources), _ASSOC, partial=True)


def config_get(ctx: Context, args: Arguments) -> Output:
    """Show function and settings of a pin or group."""
    ctx.require(pinctrl.SettingsGet)
    how, chosen = _chosen(ctx, args)
    return chosen.output(pinout.configs(ctx, how, chosen.resources), _CONFIG, partial=True)


# --- writing --------------------------------------------------------------------------------------


def config_set(ctx: Context, args: Arguments) -> Output:
    """Change settings of a pin or group, and show what they have become."""
    ctx.require(pinctrl.SettingsConfigure)
    how, chosen = _chosen(ctx, args)
    # The reference wants them in ascending order of their types.
    configs = [pinctrl.PinConfig(type=t, value=v) for t, v in sorted(_settings(args).items())]
    word = pinctrl.SettingsConfigureAttributes(
        num_configs=len(configs), selector=pinout.selector(how)
    )
    failed = chosen.write(
        [
            [Wanted(pinctrl.SettingsConfigure(identifier=r.id, attributes=word, configs=configs))]
            for r in chosen.resources
        ]
    )
    rows = pinout.configs(ctx, how, chosen.resources)
    return chosen.output(rows, _CONFIG, partial=True, failed=failed)


def select(ctx: Context, args: Arguments) -> Output:
    """Select the function of a pin or group, and show what it is now."""
    ctx.require(pinctrl.SettingsConfigure)
    how, chosen = _chosen(ctx, args)
    number = NO_FUNCTION
    if args.function.lower() != NOTHING:
        number = ctx.one(PROTOCOL, args.function, FUNCTIONS).id
    word = pinctrl.SettingsConfigureAttributes(function_valid=True, selector=pinout.selector(how))
    requests = [
        pinctrl.SettingsConfigure(identifier=r.id, function_id=number, attributes=word, configs=[])
        for r in chosen.resources
    ]
    failed = chosen.write([[Wanted(request)] for request in requests])
    rows = pinout.states(ctx, how, chosen.resources)
    return chosen.output(rows, _LISTS[how], failed=failed)


def request(ctx: Context, args: Arguments) -> Output:
    """Claim a pin, or a group and with it its pins."""
    return _claim(ctx, args, pinctrl.Request, True)


def release(ctx: Context, args: Arguments) -> Output:
    """Give back a pin or a group."""
    return _claim(ctx, args, pinctrl.Release, False)


def _claim(
    ctx: Context,
    args: Arguments,
    message: type[pinctrl.Request] | type[pinctrl.Release],
    claimed: bool,
) -> Output:
    ctx.require(message)
    how, chosen = _chosen(ctx, args)
    flags = pinctrl.SelectorFlags(selector=pinout.selector(how))
    requests = [message(identifier=r.id, flags=flags) for r in chosen.resources]
    failed = chosen.write([[Wanted(request)] for request in requests])
    rows = pinout.states(ctx, how, chosen.resources)
    for row in rows:
        # No message reads it: it is what the platform has just agreed to.
        row.record["claimed"] = None if row.resource.id in failed else claimed
    return chosen.output(rows, _CLAIMED, failed=failed)


# --- words ----------------------------------------------------------------------------------------


def check_list(args: Arguments) -> None:
    """Raise UsageError for what is no kind of things that can be listed."""
    if args.kind is not None:
        _kind(args.kind, [f"{how.noun}s" for how in PROTOCOL.kinds])


def check_kind(args: Arguments) -> None:
    """Raise UsageError for what is not the kind of anything."""
    _kind(args.kind)


def check_target(args: Arguments) -> None:
    """Raise UsageError for what is not the kind of anything that has settings and claims."""
    expected = [how.noun for how in (PINS, GROUPS)]
    if _kind(args.kind, expected) is FUNCTIONS:
        raise UsageError(f"found {args.kind!r}, expected one of: {', '.join(expected)}")


def check_settings(args: Arguments) -> None:
    """Raise UsageError for a setting that cannot be."""
    check_target(args)
    _settings(args)


def _kind(word: str, expected: Sequence[str] = ()) -> Resources:
    """Return the kind that a word names, as one or as many; raises UsageError."""
    how = PROTOCOL.kind(word)
    if how is None:
        raise values.unknown("kind", word, expected or [how.noun for how in PROTOCOL.kinds])
    return how


def _chosen(ctx: Context, args: Arguments) -> tuple[Resources, Subjects]:
    how = _kind(args.kind)
    return how, Subjects(ctx, PROTOCOL, [args.id], how)


def _settings(args: Arguments) -> dict[int, int]:
    """Read the words ``TYPE=VALUE``: the values by type; raises UsageError."""
    found: dict[int, int] = {}
    for word in args.setting:
        name, equals, text = word.partition("=")
        type = setting.type_of(name)
        if not equals:
            raise UsageError(f"found {word!r}, expected TYPE=VALUE, as in bias-pull-up=10kohm")
        if type in found:
            raise UsageError(f"found {setting.type_name(type)} twice, expected each type once")
        found[type] = setting.value_of(type, text)
    return found


# --- the table ------------------------------------------------------------------------------------

_WHAT = Arg("kind", "what it is", choices=("pin", "group", "function"))
_WHERE = Arg("kind", "what it is", choices=("pin", "group"))
_TYPES = tuple(f"{setting.type_name(type)}=" for type in pinctrl.ConfigType)
_ID = Arg("id", "its number or name; a glob or 'all' for several", "ids", of="pinctrl")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("pinctrl", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list pins, groups and functions", list_,
        Arg("kind", "only these", choices=("pins", "groups", "functions"), required=False),
        Arg("pattern", "and of them only these", "ids", of="pinctrl", required=False, many=True),
        glimpse=pinout.glimpse,
        validate=check_list,
        details="Without a kind, all three are listed, each with its own numbers.",
    ),
    _command(
        "show", "show all that can be known of a pin, group or function", show, _WHAT, _ID,
        validate=check_kind,
    ),
    info_command("pinctrl"),
    _command(
        "assoc", "list the pins of a group, or what a function can be used on", assoc,
        Arg("kind", "what it is", choices=("group", "function")), _ID,
        validate=check_kind,
    ),
    _command(
        "config get", "show function and settings of a pin or group", config_get, _WHERE, _ID,
        validate=check_target,
    ),
    _command(
        "config set", "change settings of a pin or group", config_set, _WHERE, _ID,
        Arg("setting", "TYPE=VALUE", choices=_TYPES, many=True),
        effect=Effect.WRITE, validate=check_settings,
        details="A type can also be the number of a vendor's, as in 0xc0=1. Values are numbers "
        "(pulls in ohm, drive-strength in mA, input-debounce in us) or on and off. What is set on "
        "a group is set on all its pins; default=0 puts back what they started with.",
    ),
    _command(
        "select", "select the function of a pin or group", select, _WHERE, _ID,
        Arg("function", "number or name of a function, or none", "id", of="pinctrl.function"),
        effect=Effect.WRITE, validate=check_target,
    ),
    _command(
        "request", "claim a pin or group for this agent", request, _WHERE, _ID,
        effect=Effect.WRITE, validate=check_target,
        details="A claim lasts until it is released; what another agent has claimed is IN_USE.",
    ),
    _command(
        "release", "give back a pin or group", release, _WHERE, _ID,
        effect=Effect.WRITE, validate=check_target,
    ),
)  # fmt: skip
