"""One hire as the log sees it: nine facts, from the offer to the money."""

from typing import Any

from django.utils.timezone import now as clock

from reputation.envelope import seal
from reputation.evidence import Draft
from reputation.identifiers import new_id

DIGEST = "sha256:" + "5" * 64
MONEY = {"amount": 10_000, "currency": "EUR"}
STEPS = 9
VERDICT_STEP = 6
# Stand where ids differ in the past's envelopes: evidence, hire, agent, buyer, verdict's evidence.
_MARKS = tuple(letter * 32 for letter in "vwxyz")


def _clause(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "dimension": key,
        "outcome": "met",
        "passes": 48,
        "failures": 2,
        "errors": 0,
        "nulls": 0,
        "promise_bps": 9_500,
        "floor_bps": 9_000,
        "critical": key == "accuracy",
        "check": "equality",
    }


def _steps(
    hire: str, agent: str, buyer: str, verdict: str
) -> list[tuple[str, dict[str, str], dict[str, object], dict[str, str]]]:
    """Kind, further subjects, facts and digests of each fact, in order."""
    work = {"evaluation": f"evl_{hire}", "milestone": f"mst_{hire}", "deliverable": f"dlv_{hire}"}
    paid = {"escrow": f"esc_{hire}", "milestone": f"mst_{hire}"}
    terms = {"terms": DIGEST}
    judged = {
        "outcome": "met",
        "earned_share_bps": 10_000,
        "method": "gm-dyadic-1",
        "independence": "platform",
        "clauses": [_clause("accuracy"), _clause("speed")],
    }
    settled = {
        "outcome": "released",
        "currency": "EUR",
        "released": 9_500,
        "refunded": 0,
        "fee": 500,
        "verdict_evidence": f"evd_{verdict}",
    }
    started = {"tasks": 50, "independence": "platform"}
    return [
        (
            "engagement.proposed",
            {"pact_version": f"pcv_{agent}"},
            {**MONEY, "milestones": 1},
            terms,
        ),
        ("engagement.signed", {"party": f"pty_{buyer}"}, {"side": "buyer"}, terms),
        ("engagement.signed", {"party": f"bld_{agent}"}, {"side": "builder"}, terms),
        ("escrow.funded", paid, {**MONEY, "fee_bps": 500}, {}),
        ("delivery.requested", {"milestone": f"mst_{hire}"}, {"tasks": 50}, {}),
        ("evaluation.started", work, started, terms),
        ("evaluation.concluded", work, judged, {}),
        ("delivery.accepted", {"milestone": f"mst_{hire}"}, {"by": "buyer"}, {}),
        ("escrow.settled", paid, settled, {"receipt": DIGEST}),
    ]


def _subjects(hire: str, agent: str, buyer: str) -> dict[str, str]:
    return {
        "engagement": f"eng_{hire}",
        "agent": f"agt_{agent}",
        "agent_version": f"agv_{agent}",
        "buyer": f"pty_{buyer}",
        "builder": f"bld_{agent}",
    }


def hire_drafts(number: int) -> list[Draft]:
    """A fresh hire of the agent of this number, ready for the door."""
    hire = new_id("eng").removeprefix("eng_")
    agent, buyer = f"{number:032x}", f"{number + 1:032x}"
    # The settlement names no verdict by id here: it is its milestone's, and that counts it.
    return [
        Draft(
            kind=kind,
            subjects={**_subjects(hire, agent, buyer), **more},
            facts={name: value for name, value in facts.items() if name != "verdict_evidence"},
            digests=digests,
            at=clock(),
        )
        for kind, more, facts, digests in _steps(hire, agent, buyer, "")
    ]


def templates() -> tuple[list[str], list[str], int]:
    """Kinds and sealed envelopes with `%1$s` … `%5$s` where ids go, and the verdict's place."""
    own, hire, agent, buyer, verdict = _MARKS
    found = _steps(hire, agent, buyer, verdict)
    texts = []
    for kind, more, facts, digests in found:
        sealed = seal(
            evidence_id=f"evd_{own}",
            kind=kind,
            at=clock(),
            subjects={**_subjects(hire, agent, buyer), **more},
            facts=facts,
            digests=digests,
            commitment=None,
        ).decode()
        text = sealed.replace("%", "%%")
        for place, mark in enumerate(_MARKS, 1):
            text = text.replace(mark, f"%{place}$s")
        texts.append(text)
    return [kind for kind, *_ in found], texts, VERDICT_STEP
