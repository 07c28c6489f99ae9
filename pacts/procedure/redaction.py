"""Taking names, addresses and ids out of a text by rule, before it is published. Pure."""

import re
from collections.abc import Mapping

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
# Our own ids, and anybody's UUIDs and digests.
_ID = re.compile(
    r"\b[a-z]{2,7}_[0-9a-z]{8,32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b(?:sha256:)?[0-9a-f]{32,64}\b",
    re.IGNORECASE,
)
# Telephone, account and card numbers: digits with the marks people put between them.
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[ ()/-]?\d){7,}(?!\w)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_HANDLE = re.compile(r"(?<!\w)@\w[\w.-]{1,38}")
_SHORTEST_PART = 3


def redact(text: str, *, names: Mapping[str, str]) -> str:
    """The text without e-mails, addresses, ids and long numbers, each name by its role.

    `names` is name → what stands for it (`the buyer`). A part of a name is taken out as well where
    it is written as a name. Redacting again changes nothing.
    """
    for pattern, mark in (
        *((_EMAIL, "[e-mail]"), (_URL, "[address]"), (_IBAN, "[number]"), (_ID, "[id]")),
        *((_NUMBER, "[number]"), (_HANDLE, "[name]")),
    ):
        text = pattern.sub(mark, text)
    whole = sorted(filter(str.strip, names), key=len, reverse=True)
    for name in whole:
        text = _word(name, re.IGNORECASE).sub(f"[{names[name]}]", text)
    for name in whole:
        for part in name.split():
            if len(part) >= _SHORTEST_PART and part[0].isupper():
                text = _word(part).sub(f"[{names[name]}]", text)
    return text


def _word(name: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)", flags)
