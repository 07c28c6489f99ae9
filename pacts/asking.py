"""Pacts a buyer writes: what it asks of any agent, frozen at once under the buyer's signature.

Nobody has promised it. A builder does by signing an engagement under it; until then agents can be
tried against it, side by side, and its verdicts say nothing that money follows.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from pacts import lint, terms
from pacts.judges import calibrating
from pacts.models import Pact, PactVersion, Party, Signature, User
from pacts.publishing import PactRefused
from pacts.signatures import sign
from reputation import evidence


def ask(
    *,
    buyer: Party,
    data: dict[str, Any],
    by: User,
    authority: str,
    now: datetime,
    pact: Pact | None = None,
) -> PactVersion:
    """The first version of a pact of the buyer's own, or the next of `pact`, signed and frozen.

    Raises `terms.TermsError` for what is not the pact language, `PactRefused` for what the linter
    refuses: a buyer's wish has to be as measurable as a builder's promise.
    """
    parsed = terms.parse(data)
    errors = [found for found in lint.lint(parsed) if found.severity == "error"]
    errors += calibrating.findings(parsed, now=now)
    if errors:
        raise PactRefused(errors)
    with transaction.atomic():
        if pact is None:
            pact = Pact.objects.create(buyer=buyer, title=parsed.title[:120])
        pact = Pact.objects.select_for_update(of=("self",)).get(pk=pact.pk, buyer=buyer)
        latest = pact.versions.order_by("-number").first()
        digest = terms.digest(parsed)
        version = PactVersion.objects.create(
            pact=pact,
            number=latest.number + 1 if latest else 1,
            terms=terms.to_json(parsed),
            digest=digest,
            signature=sign(
                party=buyer,
                purpose=Signature.Purpose.PACT,
                digest=digest,
                by=by,
                authority=authority,
                now=now,
            ),
            published_at=now,
        )
        _log(version, buyer, len(parsed.clauses), now)
    return version


def _log(version: PactVersion, buyer: Party, clauses: int, now: datetime) -> None:
    evidence.append(
        kind="pact.asked",
        subjects={"pact": version.pact_id, "pact_version": version.id, "buyer": buyer.id},
        facts={"number": version.number, "clauses": clauses},
        digests={"terms": version.digest},
        private={"terms": version.terms},
        at=now,
    )
