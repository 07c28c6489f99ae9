"""A pact agreed with one buyer: on whose behalf an agent may be held against it."""

from datetime import timedelta
from typing import Any

import pytest

from pacts import evaluation
from pacts.evaluation import EvaluationRefused
from pacts.models import Evaluation, Pact, PactVersion
from settlement import engagements as signing
from tests import cast
from tests.pacts.talks import START, Talks, talks

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
