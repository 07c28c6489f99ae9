"""Drafting and publishing pacts: nothing is published that the linter refuses."""

from datetime import datetime
from typing import Any

from django.db import transaction

from pacts import lint, terms
from pacts.diff import diff, tally, weakens
from pacts.judges import calibrating
from pacts.models import Agent, Pact, PactVersion, Signature, User
from pacts.signatures import sign
from reputation import evidence


class PactRefused(ValueError):
    """The linter found errors; `findings` says which, in the builder's words."""

    def __init__(self, findings: list[lint.Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


class AlreadyPublished(ValueError):
    """A published version is frozen; changes make a new version."""


def draft_pact(*, agent: Agent, data: dict[str, Any]) -> PactVersion:
    """A new draft version of the agent's pact (the pact is created at the first draft).

    Raises `terms.TermsError` when `data` is not in the pact language.
    """
    parsed = terms.parse(data)
    with transaction.atomic():
        Agent.objects.select_for_update().get(pk=agent.pk)
        pact, _ = Pact.objects.get_or_create(
            agent=agent, agreed_with=None, defaults={"title": parsed.title}
        )
        latest = pact.versions.order_by("-number").first()
        return PactVersion.objects.create(
            pact=pact,
            number=latest.number + 1 if latest else 1,
            terms=terms.to_json(parsed),
            digest=terms.digest(parsed),
        )


def change_draft(*, version: PactVersion, data: dict[str, Any]) -> PactVersion:
    """Replace the text of a draft. Raises `AlreadyPublished` or `terms.TermsError`."""
    parsed = terms.parse(data)
    changed = PactVersion.objects.filter(pk=version.pk, published_at=None, agreed_at=None).update(
        terms=terms.to_json(parsed), digest=terms.digest(parsed)
    )
    if not changed:
        raise AlreadyPublished("this version is published; draft a new one")
    version.refresh_from_db()
    return version


def publish_pact(
    *, version: PactVersion, by: User | None, authority: str, now: datetime
) -> PactVersion:
    """Lint, sign for the builder, freeze. Raises `PactRefused` or `AlreadyPublished`."""
    with transaction.atomic():
        version = PactVersion.objects.select_for_update().get(pk=version.pk)
        if version.published_at:
            raise AlreadyPublished("this version is already published")
        if version.agreed_at:
            raise AlreadyPublished("this version was agreed with one buyer and stays between you")
        parsed = terms.parse(version.terms)
        errors = [found for found in lint.lint(parsed) if found.severity == "error"]
        errors += calibrating.findings(parsed, now=now)
        if errors:
            raise PactRefused(errors)
        agent = version.pact.agent
        if agent is None:
            raise AlreadyPublished("a buyer's pact is signed as soon as it is written")
        version.digest = terms.digest(parsed)
        version.signature = sign(
            party=agent.builder,
            purpose=Signature.Purpose.PACT,
            digest=version.digest,
            by=by,
            authority=authority,
            now=now,
        )
        version.published_at = now
        version.save(update_fields=["digest", "signature", "published_at"])
        before = last_published(version.pact, before=version.number)
        evidence.append(
            kind="pact.published",
            subjects={
                "agent": agent.id,
                "pact": version.pact_id,
                "pact_version": version.id,
                "builder": agent.builder_id,
            },
            facts={
                "number": version.number,
                "clauses": len(parsed.clauses),
                **_changed_since(before, parsed),
            },
            digests={"terms": version.digest} | ({"since_terms": before.digest} if before else {}),
            private={"terms": version.terms},
            at=now,
            dedupe_key=f"pact.published:{version.id}",
        )
    return version


def last_published(pact: Pact, *, before: int) -> PactVersion | None:
    """The newest published version of a pact with a lower number; None for the first."""
    rows = pact.versions.filter(published_at__isnull=False, number__lt=before)
    return rows.order_by("-number").first()


def _changed_since(before: PactVersion | None, parsed: terms.PactTerms) -> dict[str, int | bool]:
    """What the log says of a version beside the one before: so a weaker promise shows for ever."""
    if before is None:
        return {}
    old = terms.parse(before.terms)
    ways = tally(diff(old=old, new=parsed))
    counted = {way: ways[way] for way in ("added", "removed", "stricter", "weaker", "changed")}
    return {"since": before.number, "weakens": weakens(old=old, new=parsed), **counted}
