"""What both parties sign: one JSON text with the pact's digest, prices, tasks, clocks and rules."""

from collections.abc import Sequence
from typing import Any

from pacts.models import Engagement, Milestone

# Fee bands cut the earned amount of each milestone; every band's rate holds for its part alone.
FEE_RULE = "marginal-bands-1"
# A third party judges on tasks of its own that neither side reads, and begins every run itself; one
# it never begins is undetermined, through no fault of either side.
EVALUATOR_RULE = "own-tasks-begun-by-evaluator-1"
# A bond goes to the buyer if the outcome follows a verdict with a breached critical clause, or a
# ruling that awards the builder nothing; else it returns to the builder. Nothing else slashes it.
BOND_RULE = "slashed-on-critical-breach-or-zero-award-1"
MOST_BANDS = 12


def agreement(engagement: Engagement, milestones: Sequence[Milestone]) -> dict[str, Any]:
    """The agreement as JSON. What was not agreed on does not appear, so old digests hold."""
    text: dict[str, Any] = {
        "format": "earnest-agreement/1",
        "engagement": engagement.id,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "agent_version": engagement.agent_version_id,
        "fingerprint": engagement.agent_version.fingerprint,
        "pact_version": engagement.pact_version_id,
        "pact": engagement.pact_version.digest,
        "currency": engagement.currency,
        "fee_bps": engagement.fee_bps,
        "timers": _timers(engagement),
        "max_revisions": engagement.max_revisions,
        "milestones": [_milestone(milestone) for milestone in milestones],
    }
    if engagement.evaluator_id:
        text["evaluator"] = engagement.evaluator_id
        text["evaluator_rule"] = EVALUATOR_RULE
    if engagement.fee_bands:
        text["fee_bands"] = engagement.fee_bands
        text["fee_rule"] = FEE_RULE
    if any(milestone.bond for milestone in milestones):
        text["bond_rule"] = BOND_RULE
    return text


def _timers(engagement: Engagement) -> dict[str, int]:
    timers = {
        "work_seconds": engagement.work_seconds,
        "evaluation_seconds": engagement.evaluation_seconds,
        "acceptance_seconds": engagement.acceptance_seconds,
        "cure_seconds": engagement.cure_seconds,
    }
    if engagement.funding_seconds is not None:
        timers["funding_seconds"] = engagement.funding_seconds
    return timers


def _milestone(milestone: Milestone) -> dict[str, Any]:
    text: dict[str, Any] = {
        "title": milestone.title,
        "amount": milestone.amount,
        "task_set_version": milestone.task_set_version_id,
    }
    if milestone.bond:
        text["bond"] = milestone.bond
    return text


def unfit_fee(fee_bps: int, bands: Sequence[tuple[int, int]]) -> str | None:
    """What is wrong with a fee, or None. Bands are (above, in minor units; rate in bps)."""
    if not 0 <= fee_bps <= 10_000 or any(not 0 <= bps <= 10_000 for _, bps in bands):
        return "a fee is between 0 and 10000 basis points"
    if not bands:
        return None
    starts = [above for above, _ in bands]
    if starts[0] != 0 or starts != sorted(set(starts)) or len(bands) > MOST_BANDS:
        return f"fee bands begin at 0 and rise; there are at most {MOST_BANDS}"
    if bands[0][1] != fee_bps:
        return "the first fee band has the engagement's own rate"
    return None
