"""Facts of a market with alice, bob and mallory in it, ready to append."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from reputation import envelope, evidence
from reputation.identifiers import new_id
from reputation.models import Evidence

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALICE, BOB, MALLORY = "pty_alice", "pty_bob", "pty_mallory"
AGENT, VERSION = "agt_bobs", "agv_bobs1"


def days(count: float) -> timedelta:
    return timedelta(days=count)


def taskset(name: str = "tst_1", **changes: Any) -> evidence.Draft:
    fields: dict[str, Any] = {
        "kind": "taskset.committed",
        "subjects": {"taskset": name, "party": ALICE},
        "facts": {"number": 1, "tasks": 50},
        "digests": {"commitment": "sha256:" + "a" * 64},
        "at": NOON,
    }
    return evidence.Draft(**{**fields, **changes})


def clause(
    passes: int, failures: int, *, dimension: str = "accuracy", **changes: Any
) -> dict[str, Any]:
    return {
        "key": f"{dimension}-1",
        "dimension": dimension,
        "outcome": "met",
        "passes": passes,
        "failures": failures,
        "errors": 0,
        "nulls": 0,
        "promise_bps": 9500,
        "floor_bps": 9000,
        **changes,
    }


def verdict(
    *clauses: dict[str, Any],
    agent: str = AGENT,
    version: str = VERSION,
    independence: str = "platform",
    outcome: str = "met",
    milestone: str | None = None,
    evaluation: str | None = None,
    canaries: tuple[int, int] | None = None,
    at: datetime = NOON,
) -> evidence.Draft:
    """A verdict over these clauses; `canaries` are how many hidden tasks decided, and passed."""
    hidden = {"canaries": canaries[0], "canary_passes": canaries[1]} if canaries else {}
    subjects = {"agent": agent, "agent_version": version}
    return evidence.Draft(
        kind="evaluation.concluded",
        subjects=subjects
        | {"evaluation": evaluation or new_id("evl")}
        | ({"milestone": milestone} if milestone else {}),
        facts={
            "outcome": outcome,
            "earned_share_bps": 10_000,
            "method": "gm-dyadic-1",
            "independence": independence,
            "clauses": list(clauses),
            **hidden,
        },
        at=at,
    )


def started(
    evaluation: str,
    *,
    milestone: str | None = None,
    independence: str = "platform",
    at: datetime = NOON,
) -> evidence.Draft:
    subjects = {"evaluation": evaluation, "agent": AGENT, "agent_version": VERSION}
    return evidence.Draft(
        kind="evaluation.started",
        subjects=subjects | ({"milestone": milestone} if milestone else {}),
        facts={"tasks": 50, "independence": independence},
        at=at,
    )


def changed(
    kind: str = "model.changed", *, version: str = VERSION, at: datetime = NOON, **facts: Any
) -> evidence.Draft:
    """Production calls show that something else answers."""
    digests = {name: "sha256:" + name[0].encode().hex() * 32 for name in ("before", "after")}
    is_model = kind == "model.changed"
    return evidence.Draft(
        kind=kind,
        subjects={"stream": "cst_1", "engagement": "eng_1", "agent": AGENT}
        | {"agent_version": version},
        facts={"place" if is_model else "number": 2, **facts},
        digests=digests if is_model else {"fingerprint": digests["after"]},
        at=at,
    )


def settlement(
    of: str | None,
    *,
    milestone: str | None = None,
    buyer: str | None = None,
    builder: str | None = None,
    ruling: str | None = None,
    silently: bool = False,
    at: datetime = NOON,
) -> evidence.Draft:
    facts = {"outcome": "released", "currency": "EUR", "released": 9500, "refunded": 0, "fee": 500}
    facts |= {"timeout": "acceptance", "fault": "buyer"} if silently else {}
    named = {"milestone": milestone, "buyer": buyer, "builder": builder}
    return evidence.Draft(
        kind="escrow.settled",
        subjects={"escrow": new_id("esc"), "engagement": "eng_1"}
        | {role: one for role, one in named.items() if one},
        facts=facts
        | ({"verdict_evidence": of} if of else {})
        | ({"ruling_evidence": ruling} if ruling else {}),
        at=at,
    )


def disputed(
    dispute: str, *, by: str = ALICE, side: str = "buyer", ground: str = "outcome"
) -> evidence.Draft:
    return evidence.Draft(
        kind="dispute.opened",
        subjects={"dispute": dispute, "engagement": "eng_1", "party": by},
        facts={"ground": ground, "side": side},
        at=NOON,
    )


def ruled(dispute: str, *, share: int, verdict: str | None = None) -> evidence.Draft:
    return evidence.Draft(
        kind="ruling.made",
        subjects={
            "dispute": dispute,
            "engagement": "eng_1",
            "ruling": new_id("rul"),
            "agent": AGENT,
            "agent_version": VERSION,
        },
        facts={"outcome": "award", "builder_share_bps": share}
        | ({"verdict_evidence": verdict} if verdict else {}),
        at=NOON,
    )


def record(*drafts: evidence.Draft) -> list[Evidence]:
    with transaction.atomic():
        return evidence.append_all(drafts=drafts)


def fact(draft: evidence.Draft, evidence_id: str | None = None) -> dict[str, Any]:
    """The envelope of a draft as an object, without a database."""
    sealed = envelope.seal(
        evidence_id=evidence_id or new_id("evd"),
        kind=draft.kind,
        at=draft.at,
        subjects=draft.subjects,
        facts=draft.facts,
        digests=draft.digests,
        commitment=None,
    )
    return Evidence(envelope=sealed.decode()).read()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run every act in a thread with a connection of its own; their results, in the order given."""

    def alone(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(alone, act) for act in acts]]
