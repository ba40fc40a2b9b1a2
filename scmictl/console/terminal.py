"""What may go out on a stream: text that is safe on any terminal, in whatever encoding there is.

Names come from the platform, and a platform may lie: an escape sequence in a clock's name must not
reach the terminal. And a stream may be ASCII only, closed, or full: all of that is dealt with here.
"""

from __future__ import annotations

from typing import TextIO

from scmictl.errors import OutputError


def safe(text: str) -> str:
    r"""Return ``text`` with everything escaped that a terminal obeys or does not show.

    Those are control characters (``\n``, ``\x1b``), bidirectional and other format characters,
    unusual spaces, and halves of surrogate pairs. A backslash stays what it is.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )


def json_text(value: object, stream: TextIO) -> str:
    """Return ``value`` as one line of JSON that is safe on a terminal and fits ``stream``.

    What is not ASCII stays as it is where the stream speaks Unicode.
    """
    from json import dumps  # the forms without JSON do without it

    text = dumps(value, ensure_ascii=not speaks_unicode(stream))
    # JSON itself lets DEL, the C1 controls and format characters through.
    return text if text.isprintable() else "".join(map(_json_sign, text))


def _json_sign(sign: str) -> str:
    if sign.isprintable():
        return sign
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def speaks_unicode(stream: TextIO) -> bool:
    """Return whether every character can be written to ``stream`` (a StringIO has no encoding)."""
    return (stream.encoding or "utf-8").lower().startswith("utf")


def write(stream: TextIO, text: str, *, flush: bool = False) -> None:
    """Write ``text``, with escapes for what the stream's encoding does not have.

    Raises OutputError when it cannot be written; a pipe that nobody reads any more stays a
    BrokenPipeError, because that is no fault.
    """
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        if flush:
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write the output: {error.strerror or error}") from error
    except ValueError as error:  # the way Python says that a file is closed
        raise OutputError(f"cannot write the output: {error}") from error
