"""What receipts quote of rows: signatures, clauses, transfers; of many escrows at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pacts.models import ClauseVerdict, Engagement, Signature, Verdict
from settlement.casefiles import Case
from settlement.models import Escrow, Transfer


@dataclass(frozen=True, slots=True)
class Exhibits:
    """Rows by what they belong to, each in the order a receipt shows them."""

    signatures: dict[tuple[str, str], list[Signature]]  # by party and digest
    clauses: dict[str, list[ClauseVerdict]]  # by verdict
    transfers: dict[int, Transfer]  # by id, with entries and their accounts

    def signatures_of(self, engagement: Engagement) -> list[Signature]:
        """Both sides' signatures of the agreement and of its pact, oldest first."""
        found = [
            signature
            for party in (engagement.buyer_id, engagement.builder_id)
            for digest in (engagement.digest, engagement.pact_version.digest)
            for signature in self.signatures.get((party, digest), [])
        ]
        return sorted(found, key=lambda signature: (signature.signed_at, signature.pk))

    def clauses_of(self, verdict: Verdict) -> list[ClauseVerdict]:
        """The clauses of a verdict as the pact orders them."""
        return self.clauses.get(verdict.pk, [])

    def transfers_of(self, escrow: Escrow) -> list[Transfer]:
        """What moved this escrow's money and its bond, oldest first."""
        bond = getattr(escrow, "bond", None)
        wanted = {escrow.hold_id, escrow.resolution_id}
        wanted |= {bond.hold_id, bond.resolution_id} if bond else set()
        return [self.transfers[key] for key in sorted(key for key in wanted if key)]


def of(cases: Sequence[Case]) -> Exhibits:
    """Everything the receipts of these cases quote. Their outcomes are stored on them already."""
    return Exhibits(_signatures(cases), _clauses(cases), _transfers(cases))


def _signatures(cases: Sequence[Case]) -> dict[tuple[str, str], list[Signature]]:
    engagements = {case.engagement.pk: case.engagement for case in cases}.values()
    rows = Signature.objects.filter(
        party__in={party for one in engagements for party in (one.buyer_id, one.builder_id)},
        digest__in={text for one in engagements for text in (one.digest, one.pact_version.digest)},
    ).select_related("key")
    found: dict[tuple[str, str], list[Signature]] = defaultdict(list)
    for row in rows:
        found[row.party_id, row.digest].append(row)
    return found


def _clauses(cases: Sequence[Case]) -> dict[str, list[ClauseVerdict]]:
    wanted = [case.verdict.pk for case in cases if case.verdict]
    found: dict[str, list[ClauseVerdict]] = defaultdict(list)
    if wanted:
        for row in ClauseVerdict.objects.filter(verdict__in=wanted).order_by("position"):
            found[row.verdict_id].append(row)
    return found


def _transfers(cases: Sequence[Case]) -> dict[int, Transfer]:
    wanted: set[int | None] = set()
    for case in cases:
        bond = getattr(case.escrow, "bond", None)
        wanted |= {case.escrow.hold_id, case.escrow.resolution_id}
        wanted |= {bond.hold_id, bond.resolution_id} if bond else set()
    rows = Transfer.objects.filter(pk__in=[key for key in wanted if key]).prefetch_related(
        "entries__account"
    )
    return {row.pk: row for row in rows}
