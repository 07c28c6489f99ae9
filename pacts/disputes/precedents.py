"""What a final ruling teaches, published without names and found by PostgreSQL's own full text."""

from datetime import datetime

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, Q, QuerySet

from pacts import terms
from pacts.models import Dispute, Party, Precedent, User
from pacts.procedure.redaction import redact
from reputation import evidence
from reputation.canonical import sha256

CONFIG = "english"
SIMILAR = 5


class PrecedentRefused(ValueError):
    """The reviewed text is empty or too long."""


LONGEST = 9000


def publish(*, dispute: Dispute, now: datetime) -> Precedent | None:
    """Publish a closed dispute that was ruled on, in the transaction that closes it.

    The reasons lose names, e-mails, addresses and ids by rule. None where nobody ruled.
    """
    ruling = dispute.ruling
    if dispute.outcome != Dispute.Outcome.RULED or ruling is None:
        return None
    engagement = dispute.milestone.engagement
    kinds = _kinds(engagement.pact_version.terms, ruling.clauses)
    work = engagement.agent_version.agent.work
    precedent = Precedent.objects.create(
        dispute=dispute,
        ground=dispute.ground,
        work=work,
        clause_kinds=kinds,
        award_bps=ruling.award_bps,
        measured_bps=dispute.measured_bps,
        track=dispute.track,
        by_rule=ruling.by_rule,
        level=ruling.level,
        reasons=redact(ruling.reasons, names=names_in(dispute)),
        published_at=now,
        words=_words(dispute.ground, work, kinds),
    )
    evidence.append(
        kind="precedent.published",
        subjects={"precedent": precedent.pk, "dispute": dispute.pk},
        facts={"ground": dispute.ground, "builder_share_bps": ruling.award_bps},
        digests={"reasons": sha256(precedent.reasons.encode())},
        at=now,
        dedupe_key=f"precedent.published:{dispute.pk}",
    )
    return precedent


def _kinds(terms_: dict[str, object], cited: list[str]) -> list[str]:
    clauses = terms.parse(terms_).clauses
    return sorted({clause.check for clause in clauses if clause.key in cited})


def _words(ground: str, work: str, kinds: list[str]) -> str:
    return " ".join([ground, work, *kinds]).replace("_", " ").replace("-", " ").replace("/", " ")


def names_in(dispute: Dispute) -> dict[str, str]:
    """Every name that may stand in the case's texts, and what stands for it when published."""
    engagement = dispute.milestone.engagement
    names: dict[str, str] = {}
    owner = dispute.milestone.task_set_version.task_set.owner
    for party, role in (
        (owner, "the owner of the tasks"),
        (engagement.evaluator, "the evaluator"),
        (engagement.buyer, "the buyer"),
        (engagement.builder, "the builder"),
    ):
        if party:
            names |= dict.fromkeys(_names_of(party), role)
    names[engagement.agent_version.agent.name] = "the agent"
    for ruling in dispute.rulings.select_related("adjudicator"):
        if ruling.adjudicator:
            names |= dict.fromkeys(_of_user(ruling.adjudicator), "the adjudicator")
    return {name: role for name, role in names.items() if name}


def _names_of(party: Party) -> list[str]:
    acted = Q(memberships__party=party) | Q(past_memberships__party=party)
    people = User.objects.filter(acted).distinct()
    return [party.name, *(name for user in people for name in _of_user(user))]


def _of_user(user: User) -> list[str]:
    return [user.name, user.email, user.email.split("@")[0]]


def search(*, query: str = "", ground: str = "", work: str = "") -> QuerySet[Precedent]:
    """Precedents by words, the best first; without words the newest first.

    `query` is as people type it: "quoted phrases", or, -without (`websearch_to_tsquery`).
    """
    rows = Precedent.objects.all()
    if ground:
        rows = rows.filter(ground=ground)
    if work:
        rows = rows.filter(work=work)
    if not query.strip():
        return rows
    wanted = SearchQuery(query, config=CONFIG, search_type="websearch")
    return (
        rows.filter(search=wanted)
        .annotate(rank=SearchRank(F("search"), wanted))
        .order_by("-rank", "-published_at")
    )


def similar(dispute: Dispute, *, limit: int = SIMILAR) -> list[Precedent]:
    """Rulings on the same ground, the same kind of work first, then the newest."""
    work = dispute.milestone.engagement.agent_version.agent.work
    rows = search(ground=dispute.ground).exclude(dispute=dispute)
    own = list(rows.filter(work=work)[:limit])
    return own + list(rows.exclude(work=work)[: limit - len(own)])


def review(*, precedent: Precedent, text: str, by: User, now: datetime) -> Precedent:
    """A person takes out more; the rule looks over it again. Raises PrecedentRefused.

    The caller has checked that `by` is an adjudicator without interest, and is in a transaction.
    """
    clean = redact(text.strip(), names=names_in(precedent.dispute))
    if not 0 < len(clean) <= LONGEST:
        raise PrecedentRefused(f"a precedent has 1 to {LONGEST} characters")
    precedent.reasons, precedent.reviewed_by, precedent.reviewed_at = clean, by, now
    precedent.save(update_fields=["reasons", "reviewed_by", "reviewed_at"])
    evidence.append(
        kind="precedent.reviewed",
        subjects={
            "precedent": precedent.pk,
            "dispute": precedent.dispute_id,
            "adjudicator": by.pk,
        },
        digests={"reasons": sha256(clean.encode())},
        at=now,
    )
    return precedent
