"""The log read once, in its own order, for what has to be told; rows say to whom.

The cursor moves in the transaction that writes the news, so nothing is told twice or forgotten
whoever dies. Notices, mails and deliveries are rows of that transaction; what leaves the house
(`mailing`, `marketplace.hooks.delivering`) is sent afterwards from these rows.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from marketplace.hooks import queueing
from marketplace.incidents import opening
from marketplace.models import Incident, News, NewsCursor, Notice
from marketplace.notices.handouts import hand_out
from marketplace.notices.phrases import in_english, kept
from marketplace.notices.saying import DRAWN
from marketplace.notices.topics import TOLD, Told, path_of, words_of
from pacts.models import Agent, Engagement, Evaluation, Member, User
from reputation.models import Control, LogEntry

log = logging.getLogger(__name__)

PLATFORM = ""
READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Heard:
    """One entry of the log that has to be told."""

    index: int
    evidence_id: str
    kind: str
    told: Told
    subjects: Mapping[str, str]
    facts: Mapping[str, Any]


def tell(*, now: datetime, limit: int = READ_AT_ONCE) -> int:
    """Read on in the log and tell what was new; how many entries were read."""
    with transaction.atomic():
        cursor, _ = NewsCursor.objects.select_for_update().get_or_create(pk=1)
        entries = list(
            LogEntry.objects.filter(index__gte=cursor.next_index)
            .select_related("evidence")
            .order_by("index")[:limit]
        )
        if not entries:
            return 0
        _tell_all([heard for entry in entries if (heard := _heard(entry))], now)
        NewsCursor.objects.filter(pk=1).update(next_index=entries[-1].index + 1)
    return len(entries)


def _heard(entry: LogEntry) -> Heard | None:
    told = TOLD.get(entry.evidence.kind)
    if told is None:
        return None
    envelope = entry.evidence.read()
    facts = envelope.get("facts", {})
    if not told.when(facts):
        return None
    return Heard(
        entry.index, entry.evidence_id, entry.evidence.kind, told, envelope["subjects"], facts
    )


def _tell_all(heard: Sequence[Heard], now: datetime) -> None:
    around = _Around(heard)
    news = News.objects.bulk_create(
        [
            News(
                party_id=party or None,
                evidence_id=one.evidence_id,
                index=one.index,
                kind=one.kind,
                topic=one.told.topic,
                grave=one.told.grave(one.facts),
                title=in_english(words),
                words=kept(words),
                path=path_of(one.told, one.subjects),
                told_at=now,
            )
            for one in heard
            for words in [words_of(one.told, one.facts, around.name_of(one))]
            for party in around.audience(one)
        ]
    )
    _tell_people(news, {one.index: one for one in heard}, now)
    queueing.queue(news, engagements={one.index: one.subjects for one in heard}, now=now)
    for one in heard:
        _follow(one, now)


def _follow(one: Heard, now: datetime) -> None:
    """What it does to incidents. One that fails is logged and holds up nobody's news."""
    try:
        with transaction.atomic():
            opening.observe(
                kind=one.kind,
                evidence_id=one.evidence_id,
                subjects=one.subjects,
                facts=one.facts,
                now=now,
            )
    except Exception:
        log.exception("no incident could be made of %s", one.evidence_id)


class _Around:
    """The rows a batch names, each read once."""

    def __init__(self, heard: Sequence[Heard]) -> None:
        named = _named(heard)
        rows = Engagement.objects.select_related("agent_version__agent")
        self.engagements = rows.in_bulk(list(named["engagement"]))
        self.agents = Agent.objects.in_bulk(list(named["agent"]))
        firing_on = {one.subjects["agent"] for one in heard if one.told.audience == "agent"}
        self.buyers: dict[str, set[str]] = defaultdict(set)
        hired = Engagement.objects.filter(
            agent_version__agent__in=firing_on, state=Engagement.State.ACTIVE
        )
        for agent, buyer in hired.values_list("agent_version__agent_id", "buyer_id"):
            self.buyers[agent].add(buyer)
        self.owners = dict(
            Control.objects.filter(lineage__in=named["control"])
            .order_by("number")
            .values_list("lineage", "owner_party")
        )
        self.answered = _answered([one for one in heard if one.told.audience == "answered"])

    def name_of(self, one: Heard) -> str:
        agent = self.agents.get(one.subjects.get("agent", ""))
        if agent is None and (found := self.engagements.get(one.subjects.get("engagement", ""))):
            agent = found.agent_version.agent
        return agent.name if agent else ""

    def audience(self, one: Heard) -> list[str]:
        """The parties it concerns, in one order; PLATFORM stands for the platform's people."""
        told = {
            one.subjects[role] for role in ("party", "buyer", "builder") if role in one.subjects
        }
        if one.told.audience == "party":
            return sorted(told)
        if one.told.audience == "answered":
            about = {party for id in one.subjects.values() for party in self.answered[id]}
            return sorted(about - told)  # whoever said it knows
        if found := self.engagements.get(one.subjects.get("engagement", "")):
            told |= {found.buyer_id, found.builder_id}
        if one.told.audience == "agent":
            agent = self.agents.get(one.subjects["agent"])
            told |= {agent.builder_id} if agent else set()
            told |= self.buyers[one.subjects["agent"]]
        if one.told.audience in ("agent", "owner"):
            told.add(self.owners.get(one.subjects.get("control", ""), PLATFORM))
        return sorted(told)


def _answered(heard: Sequence[Heard]) -> Mapping[str, set[str]]:
    """Id of a run or an incident that was replied to → its buyer, and whose incident it is."""
    found = defaultdict[str, set[str]](set)
    runs = Evaluation.objects.filter(pk__in=[one.subjects.get("evaluation") for one in heard])
    buyer = "deliverable__milestone__engagement__buyer_id"
    for run, party in runs.exclude(**{buyer: None}).values_list("pk", buyer):
        found[run].add(party)
    incidents = Incident.objects.filter(pk__in=[one.subjects.get("incident") for one in heard])
    for row in incidents.values_list("pk", "engagement__buyer_id", "owner_party_id"):
        found[row[0]].update(row[1:])
    return found


def _named(heard: Sequence[Heard]) -> dict[str, set[str]]:
    roles = ("engagement", "agent", "control")
    return {role: {one.subjects[role] for one in heard if role in one.subjects} for role in roles}


def _tell_people(news: Sequence[News], heard: Mapping[int | None, Heard], now: datetime) -> None:
    people = _people_of({one.party_id for one in news})
    told = [one for one in news if heard[one.index].told.people]
    hand_out([(one, people.get(one.party_id, ())) for one in told], now=now)


def _people_of(parties: Iterable[str | None]) -> dict[str | None, list[str]]:
    """Party → its members who can log in; None → the platform's staff."""
    wanted, found = set(parties), defaultdict[str | None, list[str]](list)
    members = Member.objects.filter(party__in=wanted - {None}, user__is_active=True)
    for party, user in members.order_by("pk").values_list("party_id", "user_id"):
        found[party].append(user)
    if None in wanted:
        staff = User.objects.filter(is_staff=True, is_active=True)
        found[None] = list(staff.order_by("pk").values_list("pk", flat=True))
    return found


def notices_of(user: User) -> QuerySet[Notice]:
    """A person's notices, the newest first."""
    return Notice.objects.filter(user=user).select_related(*DRAWN)


def unread_of(user: User, *, most: int = 100) -> int:
    """How many wait to be read, counted no further than `most`."""
    rows = Notice.objects.filter(user=user, read_at=None).order_by()
    return rows.values("pk")[:most].count()


def mark_read(*, user: User, now: datetime, notices: Sequence[str] | None = None) -> int:
    """These were read, or all of them; how many were new."""
    rows = Notice.objects.filter(user=user, read_at=None)
    if notices is not None:
        rows = rows.filter(pk__in=notices)
    return rows.update(read_at=now)
