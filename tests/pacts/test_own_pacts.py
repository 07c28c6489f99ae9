"""A pact agreed with one buyer: on whose behalf an agent may be held against it."""

from datetime import timedelta
from typing import Any

import pytest

from pacts import evaluation, own_pacts, terms
from pacts.evaluation import EvaluationRefused
from pacts.hire_terms import EngagementRefused
from pacts.metered_hires import propose_metered
from pacts.models import Engagement, Evaluation, Pact, PactVersion
from reputation.identifiers import new_id
from settlement import engagements as signing
from tests import cast
from tests.pacts.talks import START, Talks, talks
from tests.settlement import metered

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(settings: Any) -> Talks:
    settings.EGRESS_ALLOW_LOOPBACK = True
    return talks()


def agreed(here: Talks) -> PactVersion:
    engagement = signing.agree(
        proposal=here.begin(),
        party=here.bob.party,
        by=here.bob.user,
        authority="owner",
        now=START,
    )
    return PactVersion.objects.select_related("pact").get(pk=engagement.pact_version_id)


def test_it_judges_for_that_buyer_and_for_the_builder_and_for_nobody_else(here: Talks) -> None:
    pact, agent = agreed(here).pact, here.version.agent_id

    def judges(pact: Pact, who: cast.Actor) -> bool:
        return pact.may_judge(agent_id=agent, buyer_id=who.party.id)

    mallory = cast.mallory()
    assert [judges(pact, who) for who in (here.alice, here.bob, mallory)] == [True, True, False]
    assert judges(here.published.pact, mallory)
    assert not pact.may_judge(agent_id="agt_other", buyer_id=here.alice.party.id)


def test_somebody_elses_run_is_not_held_against_it(here: Talks) -> None:
    version = agreed(here)
    with pytest.raises(EvaluationRefused):
        evaluation.start_evaluation(
            purpose=Evaluation.Purpose.TRIAL,
            independence=Evaluation.Independence.BUYER,
            requested_by=cast.mallory().party,
            agent_version=here.version,
            pact_version=version,
            task_set_version=here.tasks,
            deadline_at=START + timedelta(days=1),
            now=START,
        )


def test_it_is_hired_by_the_meter_by_that_buyer_and_by_nobody_else(here: Talks) -> None:
    clause = metered.clause()
    published = cast.pact_of(here.version, here.bob, cast.pact_terms(clause))
    stricter = terms.parse(cast.pact_terms(clause | {"promise_bps": 9_100}))
    own = own_pacts.agree(
        published=published,
        buyer=here.alice.party,
        pact=stricter,
        ref=new_id("pcv"),
        by=here.bob.user,
        authority="owner",
        now=START,
    )

    def hired_by(buyer: cast.Actor) -> Engagement:
        return propose_metered(
            buyer=buyer.party,
            agent_version=here.version,
            pact_version=own,
            currency="USD",
            fee_bps=500,
            metering=metered.metering(),
            by=buyer.user,
            timers=metered.TIMERS,
            now=START,
        )

    assert hired_by(here.alice).pact_version_id == own.id
    with pytest.raises(EngagementRefused, match="belongs to another agent"):
        hired_by(cast.mallory())
    with pytest.raises(EngagementRefused, match="cannot hire itself"):
        hired_by(here.bob)
