"""What people wrote can be erased wherever it is kept, and nothing else of what happened can."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils.timezone import now as clock

from marketplace import erasure
from pacts import disputes, runner
from pacts.models import Dispute, Ruling
from reputation.models import EvidencePayload
from settlement import settlements
from tests import cast
from tests.pacts.cases import heard
from tests.stories.story import CHALLENGE, DAY, TICK, Story, story_of

pytestmark = pytest.mark.django_db
STATEMENT, ANSWER, REASONS = "Half of it is wrong.", "They are right.", "Both clauses were kept."


@pytest.fixture(autouse=True)
def _loopback_agents(settings: pytest.FixtureRequest) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]
    runner.egress.cache_clear()


def in_dispute() -> tuple[Story, Dispute]:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    case = disputes.open_dispute(
        milestone=story.milestone,
        party=story.alice.party,
        by=story.alice.user,
        ground=Dispute.Ground.SCOPE,
        statement=STATEMENT,
        now=story.judged_at,
    )
    disputes.answer_dispute(
        dispute=case, party=story.bob.party, answer=ANSWER, now=story.judged_at + DAY
    )
    return story, case


def ruled() -> tuple[Story, Ruling]:
    story, case = in_dispute()
    heard(case, now=story.judged_at + DAY)
    ruling = disputes.rule(
        dispute=case,
        adjudicator=cast.carol().user,
        award_bps=10_000,
        clauses=["accuracy"],
        reasons=REASONS,
        now=story.judged_at + DAY,
    )
    return story, ruling


def closed() -> tuple[Story, Ruling]:
    """Nobody appealed, and the money moved."""
    story, ruling = ruled()
    settlements.settle(escrow_id=story.escrow.pk, now=story.judged_at + DAY + CHALLENGE + TICK)
    return story, ruling


def stored(model: type[Model]) -> str:
    """The rows of a table as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {model._meta.db_table} AS t")
        return str(cursor.fetchone()[0])


def test_texts_of_a_dispute_are_sealed_at_rest_and_read_as_they_were_written() -> None:
    _, ruling = ruled()
    case = Dispute.objects.get(pk=ruling.dispute_id)
    assert (case.statement, case.answer) == (STATEMENT, ANSWER)
    assert Ruling.objects.get().reasons == REASONS
    for text in (STATEMENT, ANSWER, REASONS):
        assert text not in stored(Dispute) + stored(Ruling)


def test_erasing_a_party_empties_every_copy_of_what_was_written() -> None:
    story, ruling = closed()
    done = erasure.erase(subject_id=story.alice.party.pk, reason="request", now=clock())
    assert (done.texts, done.waiting) == (2, 0)
    case = Dispute.objects.get(pk=ruling.dispute_id)
    assert (case.statement, case.answer, case.state) == ("", "", "closed")
    assert Ruling.objects.get().reasons == ""
    kept = EvidencePayload.objects.filter(evidence__kind__in=["dispute.opened", "ruling.made"])
    assert not kept.exists()


def test_texts_of_an_open_case_wait_for_its_end_and_the_command_says_so() -> None:
    story, case = in_dispute()
    said = StringIO()
    call_command("erase", story.alice.party.pk, stdout=said)
    assert "1 wait for the end of their case" in said.getvalue()
    assert "What stays, and why" in said.getvalue()
    assert Dispute.objects.get(pk=case.pk).statement == STATEMENT


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE pacts_ruling SET award_bps = 1",
        "UPDATE pacts_ruling SET reasons = 'better ones'",
        "UPDATE pacts_ruling SET reasons = '', award_bps = 1",
        "DELETE FROM pacts_ruling",
        "UPDATE pacts_dispute SET statement = 'something else'",
        "UPDATE pacts_dispute SET state = 'opened'",
        "DELETE FROM pacts_dispute",
    ],
)
def test_nothing_but_emptying_a_text_is_allowed(change: str) -> None:
    closed()
    with pytest.raises(Exception, match=r"refused|Cannot") as caught, transaction.atomic():
        connection.cursor().execute(change)
    assert isinstance(caught.value, IntegrityError) or "Cannot" in str(caught.value)
