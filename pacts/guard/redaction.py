"""What must not leave the process, blotted out: e-mail addresses, telephone and card numbers, keys.

Forms: e-mail addresses RFC 5321 in their common form; telephone numbers E.164 with a leading + or
in North American form; card numbers ISO/IEC 7812 with the Luhn sum; IBAN ISO 13616 (mod 97); keys
and tokens as their issuers publish them, private keys in PEM. Every pattern has bounded repeats, so
each reads a text in time linear in its length. Blotting out `[email]` twice changes nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pacts.guard.records import JsonValue

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Blot:
    """One kind of secret: what it looks like, the test a hit must stand, and what any text that
    holds one must contain (`sign` and, with `digits`, a run of them): that is cheap to look for."""

    kind: str
    pattern: re.Pattern[str]
    test: Test | None = None
    sign: str = ""
    digits: bool = False


def luhn(text: str) -> bool:
    """The Luhn sum of 13 to 19 digits, not all the same (ISO/IEC 7812-1, annex B)."""
    digits = [int(c) for c in text if c in "0123456789"]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """The check sum of an IBAN (ISO 13616, ISO 7064 MOD 97-10)."""
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def _phone(text: str) -> bool:
    return 8 <= sum(c in "0123456789" for c in text) <= 15


def _blot(
    kind: str, pattern: str, test: Test | None = None, sign: str = "", digits: bool = False
) -> Blot:
    return Blot(kind, re.compile(pattern, re.ASCII), test, sign, digits)


_KEY = (
    r"\b(?:sk-[A-Za-z0-9_-]{16,200}|sk_(?:live|test)_[A-Za-z0-9]{10,100}|ek_[A-Za-z0-9_-]{16,100}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{30,255}"
    r"|xox[abposr]-[A-Za-z0-9-]{10,200}|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{20,100}"
    r"|hf_[A-Za-z0-9]{30,100}|npm_[A-Za-z0-9]{36}|whsec_[A-Za-z0-9+/=]{16,100})"
)
BLOTS: tuple[Blot, ...] = (
    _blot(
        "private_key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----"
        r"(?:[^-]{0,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?",
        sign="PRIVATE KEY",
    ),
    _blot("token", r"\beyJ[\w-]{8,4000}\.[\w-]{8,8000}\.[\w-]{0,2000}", sign="eyJ"),
    _blot("key", r"(?i:\bbearer) {1,4}[A-Za-z0-9._~+/=-]{16,4000}", sign="earer"),
    _blot("key", _KEY),
    Blot(
        "email",
        re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}"),
        sign="@",
    ),
    _blot("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", iban),
    _blot("card", r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])", luhn, digits=True),
    _blot("phone", r"(?<![\w+])\+\d(?:[ ().-]{0,2}\d){6,14}(?!\d)", _phone, "+", digits=True),
    _blot(
        "phone",
        r"(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])",
        _phone,
        digits=True,
    ),
)
_ANY_DIGITS = re.compile(r"\d[\d ().-]{5}")


@dataclass(slots=True)
class Redactor:
    """Blots out over a whole JSON value. `also` are the host's own forms by kind, `keep` kinds that
    may leave; `counts` says how often each kind was found since it was last taken."""

    also: Mapping[str, str | re.Pattern[str]] = field(default_factory=dict)
    keep: Iterable[str] = ()
    counts: dict[str, int] = field(default_factory=dict)
    _blots: tuple[Blot, ...] = ()

    def __post_init__(self) -> None:
        kept = set(self.keep)
        own = tuple(Blot(kind, re.compile(form)) for kind, form in self.also.items())
        self._blots = own + tuple(blot for blot in BLOTS if blot.kind not in kept)

    def taken(self) -> dict[str, int]:
        """The counts since the last time."""
        counts, self.counts = self.counts, {}
        return counts

    def value(self, value: JsonValue) -> JsonValue:
        """The value with every text, key and long number read."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._members(value)
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if isinstance(value, int) and not isinstance(value, bool) and value >= 10**12:
            digits = str(value)
            found = self.text(digits)
            return value if found == digits else found
        return value

    def text(self, text: str) -> str:
        """One text."""
        digits = _ANY_DIGITS.search(text) is not None
        for blot in self._blots:
            if (not blot.sign or blot.sign in text) and (digits or not blot.digits):
                text = self._blotted(blot, text)
        return text

    def _members(self, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, inner in value.items():
            name = written = self.text(key)
            number = 2
            while name in found:  # two names blotted out alike must not become one
                name, number = f"{written}#{number}", number + 1
            found[name] = self.value(inner)
        return found

    def _blotted(self, blot: Blot, text: str) -> str:
        def blot_out(hit: re.Match[str]) -> str:
            if blot.test is not None and not blot.test(hit[0]):
                return hit[0]
            self.counts[blot.kind] = self.counts.get(blot.kind, 0) + 1
            return f"[{blot.kind}]"

        return blot.pattern.sub(blot_out, text)
