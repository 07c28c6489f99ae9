"""A pact version for one hire alone: derived from a published one, linted as any, never published.

Each buyer has one pact of its own with an agent, in versions. A version is made at the moment both
sides sign it, so there are no drafts here; the log says how it differs from what everybody gets.
"""

from datetime import datetime

from pacts import lint, terms
from pacts.diff import diff, tally, weakens
from pacts.judges import calibrating
from pacts.models import Agent, Engagement, Pact, PactVersion, Party, Signature, User
from pacts.publishing import PactRefused
from pacts.signatures import sign
from pacts.terms import PactTerms
from reputation import evidence


def refuse_unsignable(*, pact: PactTerms, now: datetime) -> None:
    """What the linter refuses to publish is not agreed on either. Raises `PactRefused`."""
    errors = [found for found in lint.lint(pact) if found.severity == "error"]
    errors += calibrating.findings(pact, now=now)
    if errors:
        raise PactRefused(errors)


def unsaved(*, published: PactVersion, pact: PactTerms, ref: str, now: datetime) -> PactVersion:
    """The version as it would stand once agreed on, for looking at; it belongs to the published
    pact's agent and is not stored."""
    return PactVersion(
        id=ref,
        pact=published.pact,
        number=0,
        terms=terms.to_json(pact),
        digest=terms.digest(pact),
        agreed_at=now,
    )


def agree(
    *,
    published: PactVersion,
    buyer: Party,
    pact: PactTerms,
    ref: str,
    by: User | None,
    authority: str,
    now: datetime,
) -> PactVersion:
    """Store it, signed for the builder and frozen, under the id `ref`. The caller is in the
    transaction in which both sides agree. Raises `PactRefused`."""
    refuse_unsignable(pact=pact, now=now)
    agent = published.pact.agent
    assert agent is not None, "what a builder offers is its agent's pact"
    Agent.objects.select_for_update(no_key=True).only("pk").get(pk=agent.pk)
    own, _ = Pact.objects.get_or_create(
        agent=agent, agreed_with=buyer, defaults={"title": pact.title[:120]}
    )
    latest = own.versions.order_by("-number").first()
    digest = terms.digest(pact)
    return PactVersion.objects.create(
        id=ref,
        pact=own,
        number=latest.number + 1 if latest else 1,
        terms=terms.to_json(pact),
        digest=digest,
        signature=sign(
            party=agent.builder,
            purpose=Signature.Purpose.PACT,
            digest=digest,
            by=by,
            authority=authority,
            now=now,
        ),
        agreed_at=now,
    )


def record(*, engagement: Engagement, published: PactVersion, now: datetime) -> None:
    """Say in the log that a hire stands under a pact of its own, and how it differs."""
    version = engagement.pact_version
    old, new = terms.parse(published.terms), terms.parse(version.terms)
    ways = tally(diff(old=old, new=new))
    evidence.append(
        kind="pact.agreed",
        subjects={
            "agent": engagement.agent_version.agent_id,
            "pact": version.pact_id,
            "pact_version": version.id,
            "engagement": engagement.id,
            "buyer": engagement.buyer_id,
            "builder": engagement.builder_id,
        },
        facts={
            "clauses": len(new.clauses),
            "weakens": weakens(old=old, new=new),
            **{way: ways[way] for way in ("added", "removed", "stricter", "weaker", "changed")},
        },
        digests={"terms": version.digest, "published_terms": published.digest},
        private={"terms": version.terms},
        at=now,
        dedupe_key=f"pact.agreed:{version.id}",
    )
