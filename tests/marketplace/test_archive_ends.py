"""An archive ends with an erasure, is not packed twice for nothing, and has what was told alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now as clock

from marketplace import erasure
from marketplace.exporting import packing
from marketplace.finding import Search
from marketplace.models import Archive, ArchivePiece, Listing, News, Notice
from marketplace.notices import privately
from marketplace.notices.phrases import phrase
from marketplace.searches import saving
from pacts import tasksets
from pacts.models import Member, Party, TaskSet
from tests import cast, racing
from tests.marketplace.api.programs import colleague, program_of
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.marketplace.test_archives import lines, unpacked

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
NOTE = "NOTE SENTINEL of alice"


def noted(actor: cast.Actor, note: str = NOTE) -> TaskSet:
    """A task set with words that an erasure takes."""
    return tasksets.create_task_set(
        owner=actor.party,
        name="Numbers",
        work="arithmetic",
        note=note,
        tasks=cast.doubling_tasks(1),
        now=clock(),
    ).task_set


def packed(actor: cast.Actor, now: datetime | None = None) -> Archive:
    now = now or clock()
    asked = packing.ask(party=actor.party, by=actor.user, now=now)
    packing.pack_next(now=now)
    asked.refresh_from_db()
    assert asked.state == "ready"
    return asked


def erased(subject: str) -> erasure.Erased:
    return erasure.erase(subject_id=subject, reason="request", now=clock())


def test_an_erasure_ends_the_archives_of_who_is_erased_and_nobody_elses() -> None:
    alice, bob = cast.alice(), cast.bob()
    noted(alice)
    hers, his = packed(alice), packed(bob)
    erased(alice.party.pk)
    hers.refresh_from_db()
    his.refresh_from_db()
    assert (hers.state, his.state) == ("expired", "ready")
    assert not ArchivePiece.objects.filter(archive=hers).exists()
    assert program_of(alice).get(f"archives/{hers.pk}/content").status_code == 410
    assert NOTE.encode() not in b"".join(unpacked(alice).values())
    assert "archives that other parties packed before" in erasure.STAYS


def test_an_erasure_of_a_person_ends_the_archives_of_every_party_they_act_for() -> None:
    alice, bob = cast.alice(), cast.bob()
    member = colleague(alice.party, Member.Role.VIEWER)
    hers, his = packed(alice), packed(bob)
    erased(member.user.pk)
    hers.refresh_from_db()
    his.refresh_from_db()
    assert (hers.state, his.state) == ("expired", "ready")


def test_an_erasure_that_finds_nothing_ends_nothing() -> None:
    alice = cast.alice()
    noted(alice)
    erased(alice.party.pk)
    hers = packed(alice)
    assert erased(alice.party.pk).texts == 0
    hers.refresh_from_db()
    assert hers.state == "ready"


@pytest.mark.django_db(transaction=True)
def test_what_is_erased_while_it_is_packed_is_in_no_archive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = cast.alice()
    noted(alice)
    asked, fill = packing.ask(party=alice.party, by=alice.user, now=clock()), packing._fill

    def slow(writer: Any, row: Archive) -> dict[str, int]:
        counts = fill(writer, row)
        done = racing.in_parallel(1, lambda: erased(alice.party.pk))
        assert [one.texts for one in done] == [1]
        return counts

    monkeypatch.setattr(packing, "_fill", slow)
    assert packing.pack_next(now=clock()) == asked.pk
    asked.refresh_from_db()
    assert asked.state == "queued"
    assert not ArchivePiece.objects.exists()
    monkeypatch.setattr(packing, "_fill", fill)
    assert packing.pack_next(now=clock()) == asked.pk
    asked.refresh_from_db()
    assert asked.state == "ready"


@pytest.mark.django_db(transaction=True)
def test_nobody_begins_to_pack_while_an_erasure_is_not_over() -> None:
    alice = cast.alice()
    noted(alice)
    asked = packing.ask(party=alice.party, by=alice.user, now=clock())
    with transaction.atomic():
        erased(alice.party.pk)
        assert racing.in_parallel(1, lambda: packing.pack_next(now=clock())) == [None]
    assert packing.pack_next(now=clock()) == asked.pk


def test_an_archive_that_is_still_what_a_new_one_would_be_is_given_again_for_an_hour() -> None:
    alice, now = cast.alice(), clock()
    noted(alice)
    first = packed(alice, now)
    ask: Callable[[timedelta], Archive] = lambda later: packing.ask(  # noqa: E731
        party=alice.party, by=alice.user, now=now + later
    )
    assert ask(packing.SAME_FOR).pk == first.pk
    assert Archive.objects.count() == 1
    later = ask(packing.SAME_FOR + TICK)
    assert (later.pk == first.pk, later.state) == (False, "queued")


def _renames(alice: cast.Actor) -> None:
    Party.objects.filter(pk=alice.party.pk).update(name="Otherwise")


def _adds(alice: cast.Actor) -> None:
    noted(alice, "More")


def _reads(alice: cast.Actor) -> None:
    Notice.objects.filter(user=alice.user).update(read_at=clock())


def _edits(alice: cast.Actor) -> None:
    TaskSet.objects.filter(owner=alice.party).update(note="")


@pytest.mark.parametrize("change", [_renames, _adds, _reads, _edits])
def test_after_any_change_a_new_archive_is_packed(change: Callable[[cast.Actor], None]) -> None:
    alice = cast.alice()
    noted(alice)
    told(alice, cast.bob())
    first = packed(alice)
    change(alice)
    assert packing.ask(party=alice.party, by=alice.user, now=clock()).pk != first.pk


def test_a_page_and_a_program_say_that_nothing_changed() -> None:
    alice = cast.alice()
    first = packed(alice)
    hers = browser_of(alice)
    sent = {"idempotency_key": token_in(hers.get("/archives/"))}
    page = hers.post("/archives/", sent, follow=True).content.decode()
    assert "Nothing changed since the archive of less than an hour ago was packed" in page
    answer = program_of(alice).ask("POST", "/api/v1/archives", {}).json()
    assert (answer["id"], answer["state"]) == (first.pk, "ready")
    assert answer["note"] == packing.SAME
    assert program_of(alice).get(f"archives/{first.pk}").json()["note"] == ""
    assert Archive.objects.count() == 1


def told(alice: cast.Actor, bob: cast.Actor) -> None:
    privately.tell(
        party_id=alice.party.pk,
        kind="negotiation.countered",
        topic="engagement",
        words=[phrase("{who} offers other terms for {agent}", agent="Doubler")],
        who=bob.party,
        path="/negotiations/ngt_x/",
        now=clock(),
    )


def searched(alice: cast.Actor) -> None:
    search = saving.save(
        user=alice.user, name="My search", search=Search(work="arithmetic"), now=clock()
    )
    news = News.objects.create(
        kind="search.changed",
        topic="search",
        title="1 agent newly fits “…”",
        words=[{"values": {"came": "1", "went": "0"}}],
        search=search,
        path=f"/searches/{search.pk}/",
        told_at=clock(),
    )
    Notice.objects.create(news=news, user=alice.user)


def test_what_was_told_in_private_is_in_the_archive_of_who_was_told() -> None:
    alice, bob = cast.alice(), cast.bob()
    told(alice, bob)
    searched(alice)
    rows = lines(unpacked(alice), "notices")
    assert [(one["kind"], one["who"], one["search"]) for one in rows] == [
        ("negotiation.countered", bob.party.name, None),
        ("search.changed", None, "My search"),
    ]
    assert lines(unpacked(bob), "notices") == []


def test_what_one_person_looks_for_is_in_no_archive_that_others_may_read() -> None:
    alice, bob = cast.alice(), cast.bob()
    told(alice, bob)
    searched(alice)
    colleague(alice.party, Member.Role.OWNER)
    rows = lines(unpacked(alice), "notices")
    assert [one["kind"] for one in rows] == ["negotiation.countered"]
    assert not Listing.objects.exists()
