"""What an offer is committed to, and how anybody checks it from the log alone. Pure.

The document is canonical JSON (RFC 8785) of `format`, `need`, `offer`, `builder`, `agent`,
`agent_version`, `price`, `currency`, `work_seconds`, `terms` (the pact's digest), `note` (SHA-256
over the note's own salt and its text) and `nonce` (256 random bits). The log holds its SHA-256 from
the moment of the offer (`offer.sealed`) and every part of it from the reveal (`offer.revealed`).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from reputation.canonical import canonical, sha256

FORMAT = "earnest-sealed-offer/1"
_FORMER = "earnest-offer/1"  # the first were sealed under it; now it names what is negotiated alone
_SUBJECTS = ("need", "offer", "agent", "agent_version")
_FACTS = ("price", "currency", "work_seconds")
_DIGESTS = ("terms", "note", "nonce")


def new_nonce() -> str:
    """256 random bits, written as digests are."""
    return sha256(secrets.token_bytes(32))


def note_digest(*, salt: str, note: str) -> str:
    """What stands for a note: nobody finds the note by trying without its salt."""
    return sha256(f"{salt}\n{note}".encode())


def commitment(document: Mapping[str, Any]) -> str:
    """`sha256:<hex>` over the canonical document."""
    return sha256(canonical(dict(document)))


def document_of(revealed: Mapping[str, Any], *, format: str = FORMAT) -> dict[str, Any]:
    """The document again, from the envelope of an `offer.revealed`. Raises KeyError for another."""
    subjects, facts, digests = (revealed[part] for part in ("subjects", "facts", "digests"))
    return {
        "format": format,
        "builder": subjects["party"],
        **{name: subjects[name] for name in _SUBJECTS},
        **{name: facts[name] for name in _FACTS},
        **{name: digests[name] for name in _DIGESTS},
    }


def holds(*, sealed: Mapping[str, Any], revealed: Mapping[str, Any]) -> bool:
    """Whether what was revealed is what was sealed: two envelopes of the log, nothing else."""
    same = all(sealed["subjects"][one] == revealed["subjects"][one] for one in ("need", "offer"))
    promised = sealed["digests"]["commitment"]
    said = revealed["digests"]["commitment"]
    written = [commitment(document_of(revealed, format=name)) for name in (FORMAT, _FORMER)]
    return same and promised == said and said in written
