"""Personal data and secrets by their form: what they look like, and the sums that prove them.

Every pattern runs in RE2, all of them in one pass; a hit counts when its test agrees. Sources: card
numbers ISO/IEC 7812 (Luhn), IBAN ISO 13616 (mod 97, ISO 7064), e-mail addresses RFC 5321 in their
common form, telephone numbers E.164 (only with a leading + or in North American form, since bare
digits prove nothing), US social security numbers (areas never issued are left out), the German tax
number (ISO 7064 MOD 11,10), the Spanish DNI and NIE (mod 23), the Italian codice fiscale (its check
letter), the British National Insurance number, the Brazilian CPF (mod 11), the Indian Aadhaar
(Verhoeff); keys and tokens in the forms their issuers publish.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Form:
    """What one kind of secret looks like (RE2) and the test that a hit must stand."""

    pattern: str
    test: Test = bool
    keep: int = 2  # letters of a hit that a reason may show


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: its kind, and the text as it stood there."""

    kind: str
    text: str

    def hint(self) -> str:
        """Enough to find the place, too little to leak it again."""
        keep = FORMS[self.kind].keep
        return f"{self.kind}: {self.text[:keep]}… ({len(self.text)} characters)"


MOST_CANDIDATES = 500


class SearchBroke(RuntimeError):
    """The search did not read the whole text, so nothing can be said of it."""


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c in "0123456789"]


def luhn(text: str) -> bool:
    """The Luhn sum of 13 to 19 digits, not all the same (ISO/IEC 7812-1, annex B)."""
    digits = _digits(text)
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


# How numbers of the great issuers begin, and how long they are then.
_ISSUED = re.compile(
    r"(?:4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|35[0-9]{14}|6[0-9]{15,18})\Z"
)

# ISO 13616: how long an IBAN is, by country.
_IBAN_LENGTHS = dict(
    re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18"
        "FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20"
        "LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24"
        "SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
)


def iban(text: str) -> bool:
    """The length of its country and 97 dividing it with remainder 1."""
    plain = re.sub(r"[ -]", "", text).upper()
    if str(len(plain)) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _ssn(text: str) -> bool:
    area, group, serial = re.split(r"[- ]", text)
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _steuer_id(text: str) -> bool:
    digits = _digits(text)
    repeats = sorted(digits[:10].count(d) for d in set(digits[:10]))
    if len(digits) != 11 or not digits[0] or repeats[-1] not in (2, 3) or repeats[-2:] == [2, 2]:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def _dni(text: str) -> bool:
    plain = re.sub(r"[ -]", "", text).upper()
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 1
        + (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22)
        + (25, 24, 23),
        strict=True,
    )
)


def _codice_fiscale(text: str) -> bool:
    plain = text.upper()
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in plain[1:15:2])
    return chr(65 + (even + sum(_ODD[c] for c in plain[0:15:2])) % 26) == plain[15]


def _cpf(text: str) -> bool:
    digits = _digits(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False

    def last(known: list[int]) -> int:
        total = sum(
            d * weight for d, weight in zip(known, range(len(known) + 1, 1, -1), strict=True)
        )
        return total * 10 % 11 % 10

    return last(digits[:9]) == digits[9] and last(digits[:10]) == digits[10]


_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _aadhaar(text: str) -> bool:
    """Verhoeff's check over the dihedral group of order ten (1969)."""
    check = 0
    for place, digit in enumerate(reversed(_digits(text))):
        for _ in range(place % 8):
            digit = _TURN[digit]
        check = _dihedral(check, digit)
    return check == 0


def _dihedral(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 + (0 if b < 5 else 5)
    return (a - b) % 5 + 5 if b < 5 else (a - b) % 5


_WORDLESS = r"(?:^|[^0-9A-Za-z_])"
PERSONAL: dict[str, Form] = {
    "email": Form(r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}"),
    "phone": Form(
        r"(?:\+[1-9](?:[ .\-/()]{0,2}[0-9]){7,14}|\([2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4}"
        r"|\b[2-9][0-9]{2}[-.][2-9][0-9]{2}[-.][0-9]{4})\b"
    ),
    "card": Form(
        r"\b(?:[0-9]{13,19}|[0-9]{4}(?:[ \-][0-9]{2,7}){2,12})\b", lambda text: _card_in(text)
    ),
    "iban": Form(r"\b[A-Z]{2}[0-9]{2}(?:[ \-]?[A-Z0-9]){11,30}\b", lambda text: _iban_in(text)),
    "us_ssn": Form(r"\b[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\b", _ssn),
    "de_tax_id": Form(r"\b[1-9][0-9](?: ?[0-9]{3}){3}\b", _steuer_id),
    "es_dni": Form(r"\b(?:[0-9]{8}|[XYZxyz][- ]?[0-9]{7})[- ]?[A-HJ-NP-TV-Za-hj-np-tv-z]\b", _dni),
    "it_codice_fiscale": Form(
        r"\b(?i:[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z])\b", _codice_fiscale
    ),
    "uk_nino": Form(
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        lambda text: text[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"),
    ),
    "br_cpf": Form(r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", _cpf),
    "in_aadhaar": Form(r"\b[2-9][0-9]{3}[ \-][0-9]{4}[ \-][0-9]{4}\b", _aadhaar),
}
SECRETS: dict[str, Form] = {
    "private_key": Form(r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", keep=11),
    "aws_key": Form(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", keep=4),
    "google_key": Form(r"\bAIza[0-9A-Za-z_\-]{35}", keep=4),
    "google_oauth": Form(r"\bya29\.[0-9A-Za-z_\-]{20,}|\bGOCSPX-[0-9A-Za-z_\-]{28}", keep=5),
    "github_token": Form(
        r"\b(?:gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_[0-9A-Za-z_]{82})", keep=4
    ),
    "gitlab_token": Form(r"\bglpat-[0-9A-Za-z_\-]{20,}", keep=6),
    "slack_token": Form(r"\bxox[abeoprs]-[0-9A-Za-z\-]{10,250}", keep=5),
    "slack_webhook": Form(r"hooks\.slack\.com/services/T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/", keep=5),
    "stripe_key": Form(r"\b(?:sk|rk)_live_[0-9A-Za-z]{16,250}|\bwhsec_[0-9A-Za-z+/]{24,}", keep=8),
    "openai_key": Form(r"\bsk-(?:proj-|svcacct-|admin-)[0-9A-Za-z_\-]{20,}|\bsk-[0-9A-Za-z]{48}\b"),
    "anthropic_key": Form(r"\bsk-ant-[a-z]{2,6}[0-9]{2}-[0-9A-Za-z_\-]{80,}", keep=7),
    "huggingface_token": Form(r"\bhf_[A-Za-z]{34}\b", keep=3),
    "npm_token": Form(r"\bnpm_[0-9A-Za-z]{36}\b", keep=4),
    "pypi_token": Form(r"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_\-]{50,}", keep=5),
    "sendgrid_key": Form(r"\bSG\.[0-9A-Za-z_\-]{22}\.[0-9A-Za-z_\-]{43}", keep=3),
    "twilio_key": Form(r"\bSK[0-9a-f]{32}\b"),
    "azure_storage_key": Form(r"AccountKey=[0-9A-Za-z+/]{86}==", keep=11),
    "jwt": Form(r"\beyJ[0-9A-Za-z_\-]{10,}\.eyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-]{10,}", keep=3),
    "url_password": Form(r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@", keep=4),
}
FORMS: dict[str, Form] = {**PERSONAL, **SECRETS}
KINDS = tuple(FORMS)


def _card_in(text: str) -> bool:
    """Some of the groups in a row are a card number; others may stand before and behind."""
    groups = re.split("[ -]", text)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > 19:
                break
            if _ISSUED.match(number) and luhn(number):
                return True
    return False


def _iban_in(text: str) -> bool:
    """A run of letters and digits may go on behind an IBAN: its country says where it ends."""
    plain = re.sub(r"[ -]", "", text).upper()
    return iban(plain[: int(_IBAN_LENGTHS.get(plain[:2], "0"))] or "??")


@lru_cache(maxsize=64)
def _seekers(kinds: tuple[str, ...]) -> tuple[Any, list[Any]]:
    options = re2.Options()
    options.max_mem, options.log_errors = 64 << 20, False
    one_pass = re2.Set.SearchSet(options)  # type: ignore[no-untyped-call]
    for kind in kinds:
        one_pass.Add(FORMS[kind].pattern)
    one_pass.Add("")  # found in every text, unless the pass itself broke off
    one_pass.Compile()
    each = [
        re2.compile(FORMS[kind].pattern.encode(), options)  # type: ignore[no-untyped-call]
        for kind in kinds
    ]
    return one_pass, each


def find(text: str, kinds: tuple[str, ...] = KINDS) -> Iterator[Hit]:
    """What of these kinds occurs in a text, kind by kind. A text with more than 500 candidates of
    one kind counts as a hit: nobody can look at them all. Raises SearchBroke."""
    data = text.encode(errors="replace")
    one_pass, each = _seekers(kinds)
    found = sorted(one_pass.Match(data) or ())
    if not found or found.pop() != len(kinds):
        raise SearchBroke("RE2 gave up on the text")
    for i in found:
        form = FORMS[kinds[i]]
        for n, hit in enumerate(each[i].finditer(data)):
            written = hit[0].decode(errors="replace")
            if n >= MOST_CANDIDATES:
                yield Hit(kinds[i], f"more than {MOST_CANDIDATES} candidates")
                break
            if form.test(written):
                yield Hit(kinds[i], written)
