"""Patterns from strangers: RE2 only, which matches in time linear in the text."""

from functools import lru_cache
from typing import Protocol, cast

import re2

LONGEST = 1_000
_MEMORY = 1 << 20


class PatternRefused(ValueError):
    """RE2 cannot run this pattern; the message says why."""


class Pattern(Protocol):
    """What a compiled pattern answers."""

    def search(self, text: str) -> object | None: ...
    def fullmatch(self, text: str) -> object | None: ...


@lru_cache(maxsize=256)
def pattern(source: str) -> Pattern:
    """Compile with a memory limit of 1 MB. Raises PatternRefused for look-arounds,
    back-references, patterns over 1000 characters and everything else RE2 will not run."""
    if len(source) > LONGEST:
        raise PatternRefused(f"the pattern has {len(source)} characters; stay within {LONGEST}")
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return cast(Pattern, re2.compile(source, options))  # type: ignore[no-untyped-call]
    except re2.error as error:
        said = error.args[0] if error.args else b"it does not compile"
        said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise PatternRefused(f"RE2 refuses the pattern: {said[:120]}") from error
    except UnicodeEncodeError as error:
        raise PatternRefused("the pattern holds a lone surrogate") from error
