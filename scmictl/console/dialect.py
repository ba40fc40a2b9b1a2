"""Completion scripts in the dialects of bash, zsh and fish, written from the command table.

All words are in the script, so that pressing Tab does not start scmictl. The three work alike: the
words before the cursor, without options and their values, are a *path* (``clock set uart0``); the
longest :class:`Place` that the path begins with says what can follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scmictl.commands import Arg, Command, Opt
from scmictl.console import offer, table
from scmictl.console.options import GLOBALS


class Place(NamedTuple):
    """A point of the command line: the words that follow it, each with its help, and options."""

    path: str
    words: Sequence[tuple[str, str]]
    options: Sequence[Opt] = ()
    files: bool = False


def script(shell: str) -> str:
    """Return the script for ``bash``, ``zsh`` or ``fish``."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](list(places()))


def places() -> Iterator[Place]:
    """Yield every point of the table: the top, groups, first words of two, commands."""
    entries = table.entries()
    yield Place("", [(entry.name, entry.summary) for entry in entries], GLOBALS)
    for entry in entries:
        commands = entry.load()
        if not entry.group:
            yield _command(entry.name, commands[entry.name])
            continue
        firsts: dict[str, list[Command]] = {}
        for verb, command in commands.items():
            firsts.setdefault(verb.split()[0], []).append(command)
        yield Place(
            entry.name,
            [
                (first, inner[0].help if len(inner) == 1 else ", ".join(c.verb for c in inner))
                for first, inner in firsts.items()
            ],
        )
        for first, inner in firsts.items():
            if any(" " in command.verb for command in inner):
                seconds = [(command.verb.split()[1], command.help) for command in inner]
                yield Place(f"{entry.name} {first}", seconds)
        for verb, command in commands.items():
            yield _command(f"{entry.name} {verb}", command)


def _command(path: str, command: Command) -> Place:
    words = [pair for arg in command.args for pair in _words(arg)]
    return Place(path, words, command.options, any(arg.kind == "file" for arg in command.args))


def _words(arg: Arg) -> list[tuple[str, str]]:
    if arg.kind == "message":
        offers = offer.messages("", offer.message_kind(arg))
    elif arg.kind == "event":
        offers = offer.events()
    elif arg.kind == "fault":
        offers = offer.faults()
    else:
        offers = offer.value(arg, "/", offer.Scene()) if arg.choices else []
    return [(one.word, one.note) for one in offers]


def _valued(all_places: Iterable[Place]) -> list[str]:
    """Return every name of an option that is followed by its value."""
    found: dict[str, None] = {}
    for place in all_places:
        for option in place.options:
            if option.kind != "flag":
                found.update(dict.fromkeys(filter(None, (option.name, option.short))))
    return list(found)


def _choices(option: Opt) -> list[str]:
    return [choice for choice in option.choices if "…" not in choice]


def _longest_first(all_places: Iterable[Place]) -> list[Place]:
    return sorted(all_places, key=lambda place: -len(place.path.split()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --- bash -----------------------------------------------------------------------------------------


def _bash(all_places: list[Place]) -> str:
    lines = [
        "# bash completion for scmictl, written by `scmictl completion bash`",
        "_scmictl() {",
        "    local cur=${COMP_WORDS[COMP_CWORD]} path= option= words= options= word i",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        "        word=${COMP_WORDS[i]}",
        "        if [[ -n $option ]]; then option=; continue; fi",
        "        case $word in",
        f"            {'|'.join(_valued(all_places))}) option=$word ;;",
        "            -*) ;;",
        '            *) path+="${path:+ }$word" ;;',
        "        esac",
        "    done",
        '    case "$path " in',
    ]
    for place in _longest_first(all_places):
        words = " ".join(word for word, _ in place.words)
        options = " ".join(option.name for option in place.options)
        pattern = f'"{place.path} "*' if place.path else '" "'
        lines.append(f"        {pattern}) words='{words}' options='{options}' ;;")
    lines += [
        "    esac",
        '    case "$option:$path " in',
        *_bash_values(all_places),
        "        [!:]*) words= ;;",
        f'        :*) [[ $cur == -* ]] && words="$options {_global_names()}" ;;',
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "}",
        "complete -o default -F _scmictl scmictl",
    ]
    return "\n".join(lines)


def _bash_values(all_places: list[Place]) -> Iterator[str]:
    for place in _longest_first(all_places):
        for option in place.options:
            for name in filter(None, (option.name, option.short)):
                if option.choices:
                    path = f'"{name}:{place.path} "*' if place.path else f"{name}:*"
                    yield f"        {path}) words='{' '.join(_choices(option))}' ;;"


def _global_names() -> str:
    return " ".join(option.name for option in GLOBALS)


# --- zsh ------------------------------------------------------------------------------------------


def _zsh(all_places: list[Place]) -> str:
    lines = [
        "#compdef scmictl",
        "# zsh completion for scmictl, written by `scmictl completion zsh`",
        "_scmictl() {",
        "    local line= option= word",
        "    local -a found options globals",
        "    integer i files=0",
        f"    globals=({_zsh_options(GLOBALS)})",
        "    for ((i = 2; i < CURRENT; i++)); do",
        "        word=${words[i]}",
        "        if [[ -n $option ]]; then option=; continue; fi",
        "        case $word in",
        f"            ({'|'.join(_valued(all_places))}) option=$word ;;",
        "            (-*) ;;",
        '            (*) line+="${line:+ }$word" ;;',
        "        esac",
        "    done",
        '    case "$line " in',
    ]
    for place in _longest_first(all_places):
        pattern = f"('{place.path} '*)" if place.path else "(' ')"
        pairs = " ".join(_zsh_pair(word, note) for word, note in place.words)
        # The global options are added for every place.
        options = "" if place.options is GLOBALS else _zsh_options(place.options)
        lines.append(
            f"        {pattern} found=({pairs}); options=({options}); files={int(place.files)} ;;"
        )
    lines += ["    esac", '    case "$option:$line " in']
    for place in _longest_first(all_places):
        for option in place.options:
            for name in filter(None, (option.name, option.short)):
                if option.choices:
                    pattern = f"('{name}:{place.path} '*)" if place.path else f"({name}:*)"
                    words = " ".join(_choices(option))
                    lines.append(f"        {pattern} compadd -- {words}; return ;;")
    lines += [
        "        (?*:*) _files; return ;;",
        "    esac",
        "    if [[ ${words[CURRENT]} == -* ]]; then",
        "        options+=($globals)",
        "        _describe -o option options",
        "        return",
        "    fi",
        "    (( $#found )) && _describe word found",
        "    (( files )) && _files",
        "}",
        "compdef _scmictl scmictl",
    ]
    return "\n".join(lines)


def _zsh_pair(word: str, note: str) -> str:
    return _quoted(word.replace(":", "\\:") + (f":{note}" if note else ""))


def _zsh_options(options: Iterable[Opt]) -> str:
    return " ".join(_zsh_pair(option.name, option.help) for option in options)


# --- fish -----------------------------------------------------------------------------------------


def _fish(all_places: list[Place]) -> str:
    valued = " ".join(_quoted(name) for name in _valued(all_places))
    lines = [
        "# fish completion for scmictl, written by `scmictl completion fish`",
        "function __scmictl_path",
        "    set -l option",
        "    set -l path",
        "    for word in (commandline -opc)[2..]",
        '        if test -n "$option"',
        "            set option",
        f"        else if contains -- $word {valued}",
        "            set option $word",
        "        else if not string match -q -- '-*' $word",
        "            set -a path $word",
        "        end",
        "    end",
        "    string join ' ' -- $path",
        "end",
        "function __scmictl_at",
        "    set -l path (__scmictl_path)",
        '    test "$path" = "$argv[1]"; or string match -q -- "$argv[1] *" "$path"',
        "end",
        "function __scmictl_exactly",
        "    set -l path (__scmictl_path)",
        '    test "$path" = "$argv[1]"',
        "end",
        "complete -c scmictl -f",
    ]
    lines += [f"complete -c scmictl {_fish_option(option)}" for option in GLOBALS]
    commands = {place.path for place in all_places if place.options or place.files}
    for place in all_places:
        # The words of a group end where its verb is there; those of a command do not.
        test = "__scmictl_at" if place.path in commands and place.path else "__scmictl_exactly"
        condition = _quoted(f"{test} {_quoted(place.path)}")
        for word, note in place.words:
            text = f" -d {_quoted(note)}" if note else ""
            lines.append(f"complete -c scmictl -n {condition} -a {_quoted(word)}{text}")
        if place.options is not GLOBALS:
            at = _quoted(f"__scmictl_at {_quoted(place.path)}")
            lines += [f"complete -c scmictl -n {at} {_fish_option(o)}" for o in place.options]
        if place.files:
            lines.append(f"complete -c scmictl -n {condition} -F")
    return "\n".join(lines)


def _fish_option(option: Opt) -> str:
    words = [f"-l {option.name.lstrip('-')}"] if option.name.startswith("--") else []
    if re.fullmatch("-.", option.short):
        words.append(f"-s {option.short[1]}")
    if option.choices:
        words.append(f"-xa {_quoted(' '.join(_choices(option)))}")
    elif option.kind != "flag":
        words.append("-r")
    return " ".join([*words, f"-d {_quoted(option.help)}"])
