"""What else a market of years has: records of verdicts, hires that were choices, a long log with
signed heads, precedents, notices, and searches that people keep."""

import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F

from marketplace import finding
from marketplace.benches.clones import clone
from marketplace.benches.pages_words import PERSON, SECOND
from marketplace.finding import Search
from marketplace.models import EntryBefore, HireChoice, Listing, SavedSearch, SearchEntry
from marketplace.searches import asking, saving, watching
from pacts.models import Engagement, Precedent, User
from reputation import checkpoints, sequencer, tiles
from reputation.canonical import canonical
from reputation.clock import database_now
from reputation.kinds import KINDS
from reputation.models import LogEntry, StandingScore

AT_ONCE = 20_000  # log entries that share a head
PRECEDENTS = 2_000
NOTICES = 5_000
OWN_SEARCHES = 20
SEARCHES = 1_000  # that are kept, by as many people as you like
CHANGES = 500  # of each of the own ones
CHANGED = 1_000  # offers that change at once

_LOGGED = """
WITH named AS (
  SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM pacts_agent
), made AS (
  INSERT INTO reputation_evidence (id, kind, envelope, leaf_hash, recorded_at)
  SELECT id, 'escrow.settled', envelope, sha256('\\x00'::bytea || convert_to(envelope, 'UTF8')),
         now() - ({last} - n) * interval '1 minute'
    FROM (SELECT n, 'evd_' || md5('proof' || n) AS id,
                 replace(replace(%(envelope)s, '{{id}}', md5('proof' || n)),
                         '{{agent}}', named.id) AS envelope
            FROM generate_series({first}, {last} - 1) AS n
            JOIN named ON named.place = n %% {agents}) AS facts
  RETURNING id, leaf_hash, envelope::json -> 'subjects' ->> 'agent' AS agent
), subjects AS (
  INSERT INTO reputation_evidencesubject (evidence_id, role, subject_id)
  SELECT id, 'agent', agent FROM made
)
INSERT INTO reputation_logentry (index, evidence_id, leaf_hash, sequenced_at)
SELECT {first} + row_number() OVER (ORDER BY id) - 1, id, leaf_hash, now() FROM made"""


def write_proof(*, entries: int) -> None:
    """All of that; the log gets so many entries, each about one agent."""
    _record()
    _choose()
    while sequencer.sequence_batch():
        continue
    _log(entries)
    _teach()
    _notify(entries)
    look_away()
    _keep_searches()


def look_away() -> None:
    """What was written was news to nobody: as if the searches had been held against it."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE marketplace_entrybefore")


def look_at_changes() -> dict[str, float]:
    """What two looks take with all those searches kept: one after so many prices went up, one after
    they came back down, which takes back whatever nobody was told yet.

    `{"searches", "changed", "found", "seconds"}`, the last three of both together.
    """
    offers = list(Listing.objects.order_by("pk").values_list("pk", flat=True)[:CHANGED])
    taken: dict[str, float] = {"searches": SavedSearch.objects.count()}
    taken |= {"changed": 0, "found": 0, "seconds": 0.0}
    for step in (100, -100):
        Listing.objects.filter(pk__in=offers).update(price=F("price") + step)
        changed = EntryBefore.objects.aggregate(offers=Count("listing_id", distinct=True))
        taken["changed"] += changed["offers"]
        began = time.perf_counter()
        taken["found"] += watching.look(now=database_now())
        taken["seconds"] += time.perf_counter() - began
    return taken


def follow_moves() -> dict[str, float]:
    """What it takes to follow the scores of so many offers that moved, and to compare every score:
    `{"moved", "seconds", "compared_seconds"}`."""
    versions = SearchEntry.objects.order_by("pk").values_list("agent_version_id", flat=True)
    scores = StandingScore.objects.filter(pk__in=list(versions[:CHANGED]), rank__isnull=False)
    scores.update(rank=F("rank") + 1)
    began = time.perf_counter()
    moved = finding.follow_scores()
    seconds, began = time.perf_counter() - began, time.perf_counter()
    finding.compare_scores()
    compared = time.perf_counter() - began
    return {"moved": moved, "seconds": seconds, "compared_seconds": compared}


def _record() -> None:
    """Verdicts of every agent that was measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reputation_versionrecord (agent_id, version_id, started, concluded,"
            " own_started, verdicts, tasks, met, breached, critical_breaches, rulings, disputes,"
            " changed_at, changed_evidence)"
            " SELECT agent_id, version_id, 8, 8, 0, 8, 8, 8 - failures % 5, failures % 5, 0, 0, 0,"
            " '', '' FROM reputation_standing ON CONFLICT DO NOTHING"
        )


def _choose() -> None:
    """The hires that there are followed one order or the other."""
    base = HireChoice.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO marketplace_hirechoice (engagement_id, listing_id, work, rated,"
            " by_benchmark, by_pact, chosen_at) SELECT id, %s, %s, 9,"
            " 1 + row_number() OVER () %% 5,"
            " 1 + row_number() OVER () %% 3, now() FROM pacts_engagement WHERE id <> %s",
            [base.listing_id, base.work, base.engagement_id],
        )
        cursor.execute("RESET session_replication_role")


def _log(entries: int) -> None:
    """Evidence into the log, a head over each part."""
    start, agents = LogEntry.objects.count(), min(2_000, Listing.objects.count())
    for first in range(start, start + entries, AT_ONCE):
        last = min(first + AT_ONCE, start + entries)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            statement = _LOGGED.format(first=first, last=last, agents=agents)
            cursor.execute(statement, {"envelope": _envelope()})
            cursor.execute("SET LOCAL session_replication_role = origin")
            tiles.build()
            checkpoints.sign_now(now=database_now())


def _envelope() -> str:
    """As `envelope.seal` writes one of this kind."""
    names = ("buyer", "builder", "engagement", "escrow", "milestone")
    facts = {"amount": 10_000, "currency": "EUR", "fee": 500, "released": 9_500, "refunded": 0}
    return canonical(
        {
            "id": "evd_{id}",
            "kind": "escrow.settled",
            "version": KINDS["escrow.settled"].version,
            "at": database_now().isoformat(),
            "subjects": {"agent": "{agent}", **{name: f"{name[:3]}_{{id}}" for name in names}},
            "facts": {**facts, "outcome": "released", "reason": "accepted"},
            "digests": {"receipt": "sha256:{id}{id}"},
        }
    ).decode()


def _teach() -> None:
    """Precedents, written with the triggers off: their disputes are nobody's."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        base = Precedent.objects.create(
            dispute_id="dsp_" + "0" * 32,
            ground="performance",
            work="tickets-1",
            clause_kinds=["equality/1"],
            award_bps=5_000,
            measured_bps=10_000,
            track="small",
            by_rule=False,
            level=1,
            reasons="[the builder] delivered half of what was promised, and late.",
            published_at=database_now(),
            words="performance tickets 1 equality 1",
        )
    clone(
        "pacts_precedent",
        times=PRECEDENTS,
        where=f"old.id = '{base.pk}'",
        rewrites={
            "id": "'prc_' || md5('p ' || n)",
            "dispute_id": "'dsp_' || md5('p ' || n)",
            "work": "'tickets-' || n % 40",
            "words": "'performance tickets ' || n % 40 || ' equality'",
            "published_at": "now() - n * interval '1 hour'",
        },
    )


def _notify(entries: int) -> None:
    """News of the buyer's engagement, most of them read."""
    hire = Engagement.objects.filter(buyer__name="Bench buyer").order_by("id")[0]
    values: dict[str, Any] = {
        "party": hire.buyer_id,
        "user": User.objects.get(email=PERSON).pk,
        "hire": hire.pk,
    }
    values["most"] = min(NOTICES, entries)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO marketplace_news (id, party_id, evidence_id, index, kind, topic, grave,"
            " title, words, path, told_at) SELECT 'nws_' || md5('n' || index), %(party)s,"
            " evidence_id, index, 'escrow.settled', 'escrow', false,"
            " 'Money for Bench agent was released', '[]',"
            " '/engagements/' || %(hire)s || '/', now() FROM reputation_logentry"
            " ORDER BY index DESC LIMIT %(most)s",
            values,
        )
        cursor.execute(
            "INSERT INTO marketplace_notice (id, news_id, user_id, read_at)"
            " SELECT 'ntc_' || md5(id), id, %(user)s,"
            " CASE WHEN index %% 100 > 0 THEN now() END FROM marketplace_news",
            values,
        )


def _keep_searches() -> None:
    """Searches of the person who looks, each with changes; and those of others."""
    user, now = User.objects.get(email=PERSON), database_now()
    for number in range(OWN_SEARCHES):
        search = Search(work=f"tickets-{number}", most=20_000, currency="EUR", least=7_000)
        saving.save(user=user, name=f"Search {number}", search=search, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO marketplace_searchchange (search_id, listing_id, fits, reason, currency,"
            " price_before, price, at, told_at, seen_at) SELECT search.id, listing.id,"
            " listing.price %% 200 = 0, 'price', 'EUR', listing.price + 100, listing.price, now(),"
            " now(), now() FROM marketplace_savedsearch AS search CROSS JOIN ("
            "SELECT * FROM marketplace_listing ORDER BY id LIMIT %s) AS listing",
            [CHANGES],
        )
    other = User.objects.create_user(email="bench-other@example.org")
    for number, search in enumerate(_others()):
        saving.save(user=other, name=f"Other {number}", search=search, now=now)
    clone(
        "marketplace_savedsearch",
        times=(SEARCHES - OWN_SEARCHES) // len(_others()) - 1,
        where=f"old.user_id = '{other.pk}'",
        rewrites={
            "id": "'ssr_' || md5(old.id || n)",
            "name": "old.name || ' of ' || n",
            "work": "CASE WHEN n % 2 = 0 THEN 'invoices-' || n % 5 ELSE old.work END",
            "most": "100 * (1 + n * 7 % 400)",
        },
    )


def _others() -> list[Search]:
    """One of each kind that people keep: by words, by floors, by freshness, by price."""
    return [
        *(Search(text=word, currency="EUR") for word in SECOND),
        *(Search(floors={"accuracy": bps}, currency="EUR") for bps in asking.BOUNDS),
        *(Search(fresh_days=days, least=7_000, currency="EUR") for days in asking.AGES),
        Search(most=20_000, currency="EUR"),
    ]
