"""What people wrote can be erased wherever it is kept, and nothing else of what happened can."""

import logging
import secrets
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils.timezone import now as clock

from marketplace import erasure, membership, tasks
from marketplace.keys import issue_key
from marketplace.models import ApiKey, ErasureRequest, ReplayedRequest
from pacts import disputes, needs, reviews, runner, tasksets
from pacts.models import Dispute, Member, Party, ReviewItem, ReviewLabel, Ruling, User
from reputation.models import EvidencePayload
from settlement import settlements
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.pacts.cases import heard
from tests.pacts.needs.asked import agent_for, need_of, offered
from tests.reputation.test_erasure import cached, dump
from tests.settlement.hires import give
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
    assert (done.texts, done.waiting) == (2, [])
    case = Dispute.objects.get(pk=ruling.dispute_id)
    assert (case.statement, case.answer, case.state) == ("", "", "closed")
    assert Ruling.objects.get().reasons == ""
    kept = EvidencePayload.objects.filter(evidence__kind__in=["dispute.opened", "ruling.made"])
    assert not kept.exists()


def test_texts_of_an_open_case_wait_for_its_end_and_the_command_says_until_when() -> None:
    story, case = in_dispute()
    said = StringIO()
    call_command("erase", story.alice.party.pk, stdout=said)
    assert "1 wait for the end of their case" in said.getvalue()
    assert f"{case.pk}: erased when it ends, at the latest {case.ends_by_at:%Y-%m-%d %H:%M}" in (
        said.getvalue()
    )
    assert "What stays, and why" in said.getvalue()
    assert Dispute.objects.get(pk=case.pk).statement == STATEMENT


def test_what_waited_is_erased_by_the_sweep_as_soon_as_the_case_ends() -> None:
    story, case = in_dispute()
    erasure.erase(subject_id=story.alice.party.pk, reason="request", now=clock())
    request = ErasureRequest.objects.get()
    assert (request.done_at, request.waits_until) == (None, case.ends_by_at)
    assert erasure.erase_due(now=clock()) == 0  # it is open still
    assert Dispute.objects.get(pk=case.pk).statement == STATEMENT
    disputes.rule(
        dispute=heard(case, now=story.judged_at + DAY),
        adjudicator=cast.carol().user,
        award_bps=10_000,
        clauses=["accuracy"],
        reasons=REASONS,
        now=story.judged_at + DAY,
    )
    assert erasure.erase_due(now=clock()) == 0  # it may be appealed
    settlements.settle(escrow_id=story.escrow.pk, now=story.judged_at + DAY + CHALLENGE + TICK)
    tasks.erase_what_waited()
    case = Dispute.objects.get(pk=case.pk)
    assert (case.statement, case.answer, Ruling.objects.get().reasons) == ("", "", "")
    kept = EvidencePayload.objects.filter(evidence__kind__in=["dispute.opened", "ruling.made"])
    assert not kept.exists()
    assert ErasureRequest.objects.get().done_at is not None
    assert erasure.erase_due(now=clock()) == 0


def test_asking_twice_is_one_request_and_asking_again_later_another() -> None:
    story, _ = in_dispute()
    for _ in range(2):
        erasure.erase(subject_id=story.alice.party.pk, reason="request", now=clock())
    assert ErasureRequest.objects.count() == 1
    cast_out = cast.mallory()
    for _ in range(2):
        erasure.erase(subject_id=cast_out.user.pk, reason="request", now=clock())
    assert ErasureRequest.objects.filter(subject_id=cast_out.user.pk).count() == 2


def person(marker: str) -> tuple[User, Party]:
    user = User.objects.create_user(
        email=f"{marker}@example.org", password=cast.PASSWORD, name=f"Alice {marker}"
    )
    party = membership.found_party(
        name=f"Alice {marker}", kind=Party.Kind.PERSON, by=user, about=f"I am {marker}."
    )
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    issue_key(party=party, user=user, name=f"key of {marker}", scopes=["read"], now=clock())
    tasksets.create_task_set(
        owner=party,
        name="Numbers",
        work="arithmetic",
        note=f"from {marker}",
        tasks=cast.doubling_tasks(1),
        now=clock(),
    )
    return user, party


def test_a_person_leaves_no_trace_in_a_dump_the_logs_or_the_cache(
    caplog: pytest.LogCaptureFixture, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    marker, other = secrets.token_hex(12), secrets.token_hex(12)
    user, party = person(marker)
    person(other)
    before = dump()
    assert before.count(marker.encode()) >= 4
    assert f"from {marker}".encode() not in before  # a note is sealed from the beginning
    for subject in (party.pk, user.pk):
        call_command("erase", subject)
    backup = dump()
    assert marker.encode() not in backup + cached()
    assert marker not in caplog.text + capsys.readouterr().out
    assert backup.count(other.encode()) >= 4
    user.refresh_from_db()
    assert (user.is_active, user.has_usable_password()) == (False, False)
    assert not ApiKey.objects.filter(user=user, revoked_at=None).exists()


def test_who_alone_could_take_money_out_is_needed_until_it_is_out() -> None:
    user, party = person("alice")
    give(cast.Actor(user, party), 400)
    with pytest.raises(CommandError, match="pay it out"):
        call_command("erase", user.pk)
    user.refresh_from_db()
    assert user.is_active
    assert not ErasureRequest.objects.exists()
    Member.objects.create(party=party, user=cast.bob().user, role=Member.Role.OWNER)
    call_command("erase", user.pk)
    user.refresh_from_db()
    party.refresh_from_db()
    assert (user.name, user.is_active) == ("", False)
    assert party.name == "Alice alice"  # bob acts for it now


def test_what_a_person_wrote_as_reviewer_or_staff_is_erased_with_the_person() -> None:
    market = one_of_everything()
    item, carol = ReviewItem.objects.get(pk=market.ids["review"]), cast.carol().user
    text = "Not what was asked."
    note = reviews.label(item=item, reviewer=carol, said="fail", note=text, now=clock())
    assert ReviewLabel.objects.get(pk=note.pk).note == text
    assert "Not what was asked" not in stored(ReviewLabel)
    erasure.erase(subject_id=note.reviewer_id, reason="request", now=clock())
    note.refresh_from_db()
    assert (note.note, note.said) == ("", "fail")


def test_an_answer_kept_to_be_repeated_is_sealed_and_repeated_to_the_byte() -> None:
    alice = program_of(cast.alice())
    first = alice.pay("parties", {"name": "Quayside"}, "k")
    again = alice.pay("parties", {"name": "Quayside"}, "k")
    assert first.content == again.content
    assert "Quayside" not in stored(ReplayedRequest)


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


def test_a_sealed_offer_is_erased_once_its_need_is_over_and_its_commitment_stays() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    offer = offered(need, bob, agent_for(bob), note="Between us two.")
    waits = erasure.erase(subject_id=bob.party.pk, reason="request", now=clock())
    assert [one.until for one in waits.waiting if one.case_id == offer.pk] == [need.choose_until]
    late = need.offers_until + TICK
    needs.reveal_due(now=late)
    offer.refresh_from_db()
    assert offer.note == "Between us two."
    needs.close_unchosen(now=need.choose_until + TICK)
    assert erasure.erase_due(now=need.choose_until + TICK) == 1
    offer.refresh_from_db()
    assert (offer.sealed, offer.note, offer.price) == ("", "", 12_345)
    assert offer.commitment
    page = Client()
    page.force_login(bob.user)
    assert page.get(f"/needs/{need.pk}/").status_code == 200
    assert program_of(bob).get(f"sealed-offers/{offer.pk}").status_code == 200
