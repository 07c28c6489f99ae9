"""The platform's policy: versions, bounds, and new work alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now as clock
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marketplace import policy
from marketplace.policy import PolicyChanged, PolicyRefused
from marketplace.policy_terms import SETTINGS, faults, rules_of, valued
from pacts.models import Engagement, PolicyVersion
from pacts.procedure.limits import LONGEST_SECONDS, RULES
from reputation.models import Evidence
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import one_of_everything

WHY = "The desk asked for more time."
USUAL = valued({}, fee_bps=500)


def changed(seen: int = 0, **changes: int) -> PolicyVersion:
    by = cast.actor(f"erin{seen}", is_staff=True).user
    return policy.change(changes=changes, reason=WHY, seen=seen, by=by, now=clock())


def test_the_defaults_are_the_rules_as_published() -> None:
    assert rules_of(USUAL) == RULES
    assert faults(USUAL) == {}


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.integers(0, 2_000)))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_is_allowed_never_makes_money_wait_longer_than_was_planned(
    values: dict[str, int],
) -> None:
    whole = valued(values, fee_bps=500)
    if not faults(whole):
        rules = rules_of(whole)
        for periods in (rules.full, rules.small):
            assert periods.longest.total_seconds() <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"fee_bps": 3_001}, "fee_bps"),
        ({"full_challenge": 11}, "full_challenge"),
        ({"full_backstop": 19}, "full_backstop"),
        ({"full_backstop": 31}, "full_appeal"),
        ({"small_claim": 6_000}, "small_claim"),
        ({"deposit_after_2": 100}, "deposit_after_2"),
        ({"open_after_3": 4}, "open_after_3"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(changes: dict[str, int], key: str) -> None:
    assert key in faults(USUAL | changes)


def test_limits_keep_their_proportions_in_every_currency() -> None:
    rules = rules_of(USUAL | {"small_claim": 100})
    assert rules.small_claim.of("EUR") == 10_000
    assert rules.small_claim.of("JPY") == 15_000


@pytest.mark.django_db
def test_a_change_is_evidence_and_binds_engagements_proposed_from_then_on() -> None:
    one_of_everything()
    before = Engagement.objects.order_by("proposed_at")[0]
    row = changed(fee_bps=700, full_negotiation=24)
    told = Evidence.objects.get(pk=row.evidence_id).read()
    assert told["kind"] == "policy.changed"
    assert told["facts"]["changes"] == [
        {"key": "fee_bps", "before": 500, "after": 700},
        {"key": "full_negotiation", "before": 48, "after": 24},
    ]
    assert policy.rules_for(before) == RULES
    assert policy.at(row.changed_at).fee_bps == 700
    assert policy.at(row.changed_at - timedelta(microseconds=1)).fee_bps == 500


@pytest.mark.django_db
def test_two_who_saw_the_same_version_cannot_both_change_it() -> None:
    changed(fee_bps=700)
    with pytest.raises(PolicyChanged):
        changed(seen=7, fee_bps=800)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.update(values={})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "says"),
    [({}, "nothing would change"), ({"fee": 1}, "no setting"), ({"fee_bps": 9_999}, "between")],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused(
    changes: dict[str, int], says: str
) -> None:
    with pytest.raises(PolicyRefused, match=says):
        changed(**changes)


@pytest.mark.django_db
def test_staff_change_it_through_the_api_and_everybody_reads_it() -> None:
    erin: Program = program_of(cast.actor("erin", is_staff=True))
    body: dict[str, Any] = {"changes": {"fee_bps": 650}, "reason": WHY, "seen": 0}
    assert erin.post("policy", body).status_code == 201
    stale = erin.post("policy", {**body, "changes": {"fee_bps": 600}})
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:earnest:problem:policy-changed")
    shown = Program().get("policy").json()
    assert (shown["number"], shown["values"]["fee_bps"]) == (1, 650)
    assert program_of(cast.mallory()).post("policy", body).status_code == 403
