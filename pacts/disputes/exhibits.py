"""Evidence the sides bring: its type is checked, its body sealed, and its salted digest logged.

Nothing here is ever rendered as it came: texts are shown escaped, everything else is a download.
What a text says is data, for people and for judge models alike.
"""

import hashlib
import os
from datetime import datetime

from django.db import transaction

from pacts.disputes.moving import locked, own_side, refuse_closed, subjects_of
from pacts.disputes.refusals import DisputeClosed, ExhibitRefused
from pacts.models import Dispute, Exhibit, Party, User
from pacts.procedure.clocks import takes_exhibits
from pacts.procedure.limits import KIB, RULES, Rules
from pacts.strict_json import MalformedJson, parse_json
from reputation import evidence, strongbox

PURPOSE = "exhibits/1"
SALT_BYTES = 32
LONGEST_TITLE = 200
_BEGINS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "application/pdf": b"%PDF-",
}
TEXTS = frozenset({"text/plain", "text/csv", "application/json"})


class ExhibitErased(LookupError):
    """The body was erased; its digest stays in the log."""


def add_exhibit(
    *,
    dispute: Dispute,
    party: Party,
    by: User | None,
    kind: str,
    title: str,
    body: bytes,
    now: datetime,
    rules: Rules = RULES,
) -> Exhibit:
    """Add one item while evidence is taken; at exactly the end it still is.

    `kind` is one of `Exhibit.Kind`. Raises `ExhibitRefused`, `DisputeRefused`, `DisputeClosed`.
    """
    _refuse_unfit(kind, title, body, rules)
    with transaction.atomic():
        row, docket = locked(dispute, now=now)
        own_side(party, row)
        refuse_closed(docket)
        if not takes_exhibits(docket, now=now):
            raise DisputeClosed("the evidence of this dispute is locked; nothing is added any more")
        if row.exhibits.filter(party=party).count() >= rules.most_exhibits:
            raise ExhibitRefused(f"one side brings at most {rules.most_exhibits} items")
        return _added(row, party, by, kind, title.strip(), body, now)


def _refuse_unfit(kind: str, title: str, body: bytes, rules: Rules) -> None:
    if kind not in Exhibit.Kind.values:
        raise ExhibitRefused(f"evidence is one of {', '.join(Exhibit.Kind.values)}")
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        raise ExhibitRefused(f"give it a title of at most {LONGEST_TITLE} characters")
    if not body:
        raise ExhibitRefused("there is nothing in it")
    if len(body) > rules.largest_exhibit:
        raise ExhibitRefused(
            f"it has {len(body)} bytes; one item has at most {rules.largest_exhibit // KIB} KiB"
        )
    if wrong := unlike(kind, body):
        raise ExhibitRefused(wrong)


def unlike(kind: str, body: bytes) -> str:
    """Why the body is not of the type it says; "" if it is."""
    if kind in _BEGINS:
        return "" if body.startswith(_BEGINS[kind]) else f"this is no {kind}"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return "a text is UTF-8"
    if "\x00" in text:
        return "a text holds no NUL"
    if kind == "application/json":
        try:
            parse_json(body)
        except MalformedJson as problem:
            return f"this is no JSON: {problem}"
    return ""


def _added(
    row: Dispute, party: Party, by: User | None, kind: str, title: str, body: bytes, now: datetime
) -> Exhibit:
    salt = os.urandom(SALT_BYTES)
    exhibit = Exhibit(
        dispute=row,
        party=party,
        by=by,
        kind=kind,
        title=title,
        size=len(body),
        digest=digest_of(salt, body),
        sealed=strongbox.seal(purpose=PURPOSE, secret=salt + body),
        added_at=now,
    )
    exhibit.evidence_id = evidence.append(
        kind="exhibit.added",
        subjects=subjects_of(row) | {"exhibit": exhibit.pk, "party": party.pk},
        facts={"media": Exhibit.Kind(kind).name.lower(), "size": exhibit.size},
        digests={"body": exhibit.digest},
        at=now,
        dedupe_key=f"exhibit.added:{exhibit.pk}",
    ).id
    exhibit.save(force_insert=True)
    return exhibit


def digest_of(salt: bytes, body: bytes) -> str:
    """What the log keeps: SHA-256 over the salt and the body."""
    return f"sha256:{hashlib.sha256(salt + body).hexdigest()}"


def read_body(exhibit: Exhibit) -> bytes:
    """The body as it was brought. Raises ExhibitErased, `reputation.strongbox.SealBroken`."""
    sealed = bytes(exhibit.sealed)
    if not sealed:
        raise ExhibitErased(f"{exhibit.pk} was erased")
    return strongbox.unseal(purpose=PURPOSE, sealed=sealed)[SALT_BYTES:]


def holds(exhibit: Exhibit) -> bool:
    """Whether the stored body is the one the log has the digest of. Raises as `read_body`."""
    sealed = bytes(exhibit.sealed)
    if not sealed:
        raise ExhibitErased(f"{exhibit.pk} was erased")
    content = strongbox.unseal(purpose=PURPOSE, sealed=sealed)
    return digest_of(content[:SALT_BYTES], content[SALT_BYTES:]) == exhibit.digest


def text_of(exhibit: Exhibit) -> str | None:
    """A text to be shown, escaped; None for what is only downloaded, or was erased."""
    if exhibit.kind not in TEXTS or not exhibit.sealed:
        return None
    return read_body(exhibit).decode("utf-8")
