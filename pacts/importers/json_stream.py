"""JSON of any size, read in a small space: what no importer asks for is dropped while it is read.

A value that fits in the window is decoded in one go (by Python's C decoder); a larger object or
list is walked member by member, so what is held at any moment is the window, the largest single
text, and what is kept. NaN and infinities read as None. Nothing else is lenient.
"""

import codecs
import json
import re
from collections.abc import Sequence
from json import JSONDecodeError
from typing import Any, Protocol

WINDOW = 1 << 20  # characters
MOST_TEXT = 64 * WINDOW  # in one text, which must lie in the window as a whole
DEEPEST = 200
MOST_WALKED = 1_000_000  # values met one by one: more are no log, but an attempt to keep us busy
_SPACE = re.compile(r"[ \t\n\r]*")
LONGEST_KEPT = 4_000  # of one text: names are short, and error messages are only skimmed

# Texts of conversations and inputs: large, other people's, and no part of any outcome.
DROPPED = {
    *("messages", "traj", "trajectory", "transcript", "history", "ticks", "events", "store"),
    *("input", "inputs", "output", "choices", "prompt", "raw", "text", "response", "result"),
    *("answer", "explanation", "reasoning", "instruction", "instructions", "actions", "tasks"),
    *("tools", "policy", "plan", "environment", "system_message", "injections", "attachments"),
    *("model_result", "model_result_raw", "model_result_decoded", "possible_answer"),
    *("inference_log", "sample_ids", "effect_timeline", "traceback", "traceback_ansi"),
}


class Readable(Protocol):
    """What is open for reading bytes, wherever they come from."""

    def read(self, size: int, /) -> bytes: ...


class NotJson(ValueError):
    """What is read is no JSON; the message says where and why."""


class SeveralValues(NotJson):
    """One value ended and another began: JSON Lines, perhaps."""


def load(stream: Readable) -> Any:
    """The one value in a stream of UTF-8, 16 or 32, without the members in DROPPED. NotJson."""
    window = _Window(stream)
    found = window.value(depth=0, kept=True)
    window.end()
    return found


def loads(text: str) -> Any:
    """One value in a line, without the members in DROPPED. Raises NotJson."""
    try:
        return _short(_DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        raise NotJson(_reason(error)) from error


def _kept(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _short(value) for name, value in pairs if _is_kept(name, value)}


def _is_kept(name: str, value: object) -> bool:
    """`task` is a name in some formats, and in others the whole task."""
    return name not in DROPPED and not (name == "task" and isinstance(value, dict))


def _short(value: Any) -> Any:
    return value[:LONGEST_KEPT] if isinstance(value, str) and len(value) > LONGEST_KEPT else value


_DECODER = json.JSONDecoder(object_pairs_hook=_kept, parse_constant=lambda _: None)


class _Window:
    """A part of the text in view, and where in it the reader is."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._first = stream.read(WINDOW)
        self._decode = codecs.getincrementaldecoder(_encoding(self._first))()
        self._text, self._at, self._passed, self._ended = "", 0, 0, False
        self._walked = 0
        self._fill()

    def value(self, *, depth: int, kept: bool) -> Any:
        """The value that begins here; None when it is not kept."""
        self._walked += 1
        if self._walked > MOST_WALKED:
            raise NotJson(f"more than {MOST_WALKED:,} values in one list")
        if depth > DEEPEST:
            raise NotJson(f"nested deeper than {DEEPEST} levels")
        self._skip()
        self._fill()
        try:
            found, end = _DECODER.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            return self._walk(error, depth=depth, kept=kept)
        if end == len(self._text) and not self._ended:  # a number may go on beyond the window
            return self._walk(None, depth=depth, kept=kept)
        self._at = end
        return _short(found) if kept else None

    def end(self) -> None:
        """Refuse anything after the value."""
        self._skip()
        if self._at < len(self._text):
            raise SeveralValues(str(self._wrong("there is more after the end of the JSON")))

    def _walk(self, error: Exception | None, *, depth: int, kept: bool) -> Any:
        """A value larger than the window, or one that is broken."""
        first = self._text[self._at : self._at + 1]
        if first == "{":
            return self._object(depth, kept)
        if first == "[":
            return self._list(depth, kept)
        if self._ended or not first:
            raise self._wrong(_reason(error), error) from error
        self._more(2 * (len(self._text) - self._at))
        return self.value(depth=depth, kept=kept)

    def _object(self, depth: int, kept: bool) -> dict[str, Any] | None:
        pairs: list[tuple[str, Any]] = []
        self._at += 1
        if self._next("}"):
            return {} if kept else None
        while True:
            name = self._name()
            self._expect(":")
            wanted = kept and name not in DROPPED
            value = self.value(depth=depth + 1, kept=wanted)
            if wanted:
                pairs.append((name, value))
            if self._next("}"):
                return dict(pairs) if kept else None
            self._expect(",")

    def _list(self, depth: int, kept: bool) -> list[Any] | None:
        found: list[Any] = []
        self._at += 1
        if self._next("]"):
            return found if kept else None
        while True:
            value = self.value(depth=depth + 1, kept=kept)
            if kept:
                found.append(value)
            if self._next("]"):
                return found if kept else None
            self._expect(",")

    def _name(self) -> str:
        self._skip()
        self._fill()
        if self._text[self._at : self._at + 1] != '"':
            raise self._wrong("a name in double quotes is missing")
        try:
            name, self._at = _DECODER.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            if self._ended:
                raise self._wrong(_reason(error), error) from error
            self._more(2 * (len(self._text) - self._at))
            return self._name()
        return str(name)

    def _next(self, char: str) -> bool:
        self._skip()
        if self._text[self._at : self._at + 1] != char:
            return False
        self._at += 1
        return True

    def _expect(self, char: str) -> None:
        if not self._next(char):
            raise self._wrong(f"a “{char}” is missing")

    def _skip(self) -> None:
        """To the next character that is no white space."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return
            self._more(WINDOW)

    def _fill(self) -> None:
        """Have half a window in view, or all that is left."""
        if not self._ended and len(self._text) - self._at < WINDOW // 2:
            self._more(WINDOW)

    def _more(self, wanted: int) -> None:
        """Have `wanted` characters in view, or all that are left."""
        if wanted > MOST_TEXT:
            raise self._wrong("one text is longer than the whole of an ordinary log")
        parts = [self._text[self._at :]]
        self._passed, self._at, have = self._passed + self._at, 0, len(parts[0])
        while have < wanted and not self._ended:
            data, self._first = self._first or self._stream.read(WINDOW), b""
            try:
                parts.append(self._decode.decode(data, final=not data))
            except UnicodeDecodeError as error:
                raise NotJson(f"the text is not UTF-8: {error.reason}") from error
            have, self._ended = have + len(parts[-1]), not data
        self._text = "".join(parts)

    def _wrong(self, why: str, error: Exception | None = None) -> NotJson:
        at = error.pos if isinstance(error, JSONDecodeError) else self._at
        cut = self._ended and (at >= len(self._text) or "Unterminated" in why)
        place = f"at character {self._passed + at + 1:,}"
        return NotJson(f"{why}, {place}{': the file ends there, it was cut off' if cut else ''}")


def _encoding(data: bytes) -> str:
    """The encoding of a text whose first characters are ASCII (RFC 4627, section 3)."""
    found = json.detect_encoding(data[:8]) if data else "utf-8"
    return "utf-8-sig" if found == "utf-8" else found


def _reason(error: Exception | None) -> str:
    if isinstance(error, JSONDecodeError):
        return error.msg.removesuffix(" starting at")
    if isinstance(error, RecursionError):
        return "nested too deep"
    return "a number has too many digits" if error else "a value is missing"
