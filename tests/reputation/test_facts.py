"""What an envelope may state, and what it may not."""

from typing import Any

import pytest

from reputation import envelope
from reputation.envelope import EvidenceKindUnknown, EvidenceMalformed, MomentWithoutZone
from reputation.facts import AMOUNT, BPS, CURRENCY, DIGEST, INSTANT, LARGEST, TOKEN
from reputation.kinds import KINDS
from tests.reputation.cast import NOON, clause, fact, taskset, verdict

# fmt: off
WALK = [
    "agent.registered", "agent.control_proved", "pact.published", "listing.opened",
    "claim.recorded", "taskset.committed", "engagement.proposed", "engagement.signed",
    "escrow.funded", "delivery.requested", "evaluation.started", "evaluation.concluded",
    "escrow.withheld", "escrow.frozen", "escrow.settled", "delivery.accepted",
    "dispute.opened", "ruling.made", "payout.requested", "payout.paid", "deposit.received",
    "control.fired", "payload.erased",
]
# fmt: on


def test_every_step_of_a_hire_has_its_kind() -> None:
    assert set(WALK) <= set(KINDS)


def test_a_kind_nobody_defined_is_refused() -> None:
    with pytest.raises(EvidenceKindUnknown):
        fact(taskset(kind="taskset.admired"))


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.org",
        "two words",
        "tab\there",
        "new\nline",
        "token\n",
        "",
        "é",
        "https://agent.example/path",
        "x" * 81,
        "<script>",
        "-starts-odd",
    ],
)
def test_free_text_is_no_token(text: str) -> None:
    assert TOKEN.check(text)


@pytest.mark.parametrize("value", [1.0, "1", True, None, -1, LARGEST + 1, float("nan"), [1]])
def test_an_amount_is_a_whole_number_that_every_reader_keeps_exactly(value: object) -> None:
    assert AMOUNT.check(value)


@pytest.mark.parametrize("value", [0, 10_000])
def test_a_share_reaches_from_nothing_to_all(value: int) -> None:
    assert BPS.check(value) is None
    assert BPS.check(10_001)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DIGEST, "sha256:" + "A" * 64),
        (DIGEST, "sha256:" + "a" * 63),
        (DIGEST, "md5:" + "a" * 64),
        (CURRENCY, "eur"),
        (CURRENCY, "EU"),
        (INSTANT, "2026-03-01T12:00:00"),
        (INSTANT, "2026-03-01 12:00:00Z"),
        (INSTANT, "2026-03-01T12:00:00+01:00"),
    ],
)
def test_a_lookalike_is_refused(kind: Any, value: str) -> None:
    assert kind.check(value)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"facts": {"number": 1, "tasks": 5, "note": "x"}}, "facts: note"),
        ({"facts": {"number": 1}}, "facts: lacks tasks"),
        ({"facts": {"number": 1, "tasks": 0.5}}, "facts: tasks"),
        ({"subjects": {"party": "pty_1"}}, "subjects: lacks taskset"),
        ({"subjects": {"taskset": "tst_1", "friend": "pty_1"}}, "subjects: friend"),
        ({"subjects": {"taskset": "alice@example.org"}}, "subjects: taskset"),
        ({"digests": {}}, "digests: lacks commitment"),
        (
            {"digests": {"commitment": "sha256:" + "a" * 64, "mine": "sha256:" + "a" * 64}},
            "digests: mine",
        ),
    ],
)
def test_a_malformed_record_is_refused_by_the_name_of_what_is_wrong(
    changes: dict[str, Any], names: str
) -> None:
    with pytest.raises(EvidenceMalformed, match=names):
        fact(taskset(**changes))


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": "x"},
        {"outcome": "passed"},
        {"passes": 0.5},
        {"dimension": "very safe"},
        {"floor_bps": 10_001},
    ],
)
def test_a_clause_of_a_verdict_is_held_to_its_schema(wrong: dict[str, Any]) -> None:
    with pytest.raises(EvidenceMalformed, match="clauses row 1"):
        fact(verdict(clause(1, 0), clause(1, 0) | wrong))


def test_a_verdict_with_endless_clauses_is_refused() -> None:
    with pytest.raises(EvidenceMalformed, match="more than 100 rows"):
        fact(verdict(*[clause(1, 0)] * 101))


def test_the_widest_verdict_the_schema_admits_fits_into_an_envelope() -> None:
    wide = dict.fromkeys(("passes", "failures", "errors", "nulls"), LARGEST)
    words = dict.fromkeys(("key", "dimension", "method", "check"), "x" * 80)
    fact(verdict(*[clause(0, 0) | wide | words | {"critical": False}] * 100))


def test_an_envelope_that_a_log_reader_could_not_frame_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(envelope, "MOST_BYTES", 100)
    with pytest.raises(envelope.EvidenceTooLarge):
        fact(taskset())


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(MomentWithoutZone):
        fact(taskset(at=NOON.replace(tzinfo=None)))
