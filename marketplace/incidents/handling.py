"""What people do about an incident: hand it over, write on it, say how it ended."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from marketplace.acting import Acting
from marketplace.models import Incident, IncidentEntry
from pacts.models import Member, Party, User
from reputation import evidence

SHORTEST_REASON = 10


class IncidentRefused(ValueError):
    """Not like this; the message says what to change."""


class IncidentResolved(Exception):
    """The incident was resolved already; a new violation opens a new one."""


class IncidentNotYours(PermissionError):
    """Somebody else answers for this incident; the message says who."""


def incidents_seen_by(acting: Acting | None) -> QuerySet[Incident]:
    """Both sides see the incidents of their engagements; the platform's staff see all."""
    rows = Incident.objects.select_related(
        *("engagement__buyer", "engagement__builder", "engagement__pact_version"),
        *("agent", "owner", "owner_party"),
    )
    if acting is None:
        return rows.none()
    if acting.user.is_staff:
        return rows
    if acting.party is None:
        return rows.none()
    own = Q(engagement__buyer=acting.party) | Q(engagement__builder=acting.party)
    return rows.filter(own)


def assignable(incident: Incident) -> QuerySet[Member]:
    """Who may answer for it: members of either side."""
    sides = (incident.engagement.buyer_id, incident.engagement.builder_id)
    rows = Member.objects.filter(party__in=sides, user__is_active=True)
    return rows.select_related("user", "party").order_by("party_id", "user__email")


def assign(
    *, incident: Incident, acting: Acting, party: str, user: str = "", now: datetime
) -> Incident:
    """A side, or one of its members, answers for it from now on.

    Raises IncidentRefused, IncidentResolved.
    """
    side = _side(incident, party)
    member = assignable(incident).filter(party=side, user=user).first() if user else None
    if user and member is None:
        raise IncidentRefused("its owner is a member of the side that answers for it")
    with transaction.atomic():
        held = _hold(incident)
        held.owner_party, held.owner = side, member.user if member else None
        held.save(update_fields=["owner_party", "owner"])
        logged = evidence.append(
            kind="incident.assigned",
            subjects={
                "incident": held.pk,
                "engagement": held.engagement_id,
                "party": side.pk,
                "agent": held.agent_id,
            },
            at=now,
        )
        who = f"{member.user}, {side.name}" if member else side.name
        _write(held, acting, IncidentEntry.What.ASSIGNED, f"to {who}", "", now, logged.pk)
    return held


def note(*, incident: Incident, acting: Acting, text: str, now: datetime) -> IncidentEntry:
    """Write on it; both sides read it. Also after it is resolved. Raises IncidentRefused."""
    if not text.strip():
        raise IncidentRefused("write what you saw or did")
    with transaction.atomic():
        return _write(incident, acting, IncidentEntry.What.NOTED, "", text.strip()[:2000], now)


def resolve(
    *, incident: Incident, acting: Acting, outcome: str, reason: str, now: datetime
) -> Incident:
    """Say how it ended, and why. Whose it is says so, or the platform's staff; that a promise was
    kept after all, or is given up, is the buyer's word alone.

    Raises IncidentNotYours, IncidentRefused, IncidentResolved.
    """
    if outcome not in Incident.Outcome.values:
        raise IncidentRefused(f"say how it ended: {', '.join(Incident.Outcome.values)}")
    if len(reason.strip()) < SHORTEST_REASON:
        raise IncidentRefused("give a reason: a sentence that both sides can follow")
    _refuse_other(incident, acting, outcome)
    with transaction.atomic():
        held = _hold(incident)
        held.resolved_at, held.outcome, held.reason = now, outcome, reason.strip()[:2000]
        held.resolution_evidence_id = evidence.append(
            kind="incident.resolved",
            subjects={
                "incident": held.pk,
                "engagement": held.engagement_id,
                "agent": held.agent_id,
                "buyer": held.engagement.buyer_id,
                "builder": held.engagement.builder_id,
            },
            facts={"outcome": outcome, "violations": held.violations}
            | ({"clause": held.clause} if held.clause else {}),
            at=now,
        ).pk
        held.save()
        _write(
            held,
            acting,
            IncidentEntry.What.RESOLVED,
            held.get_outcome_display(),
            held.reason,
            now,
            held.resolution_evidence_id,
        )
    return held


# What gives a right of the buyer's away is the buyer's to say.
_BUYERS_WORD = (Incident.Outcome.FALSE_ALARM, Incident.Outcome.ACCEPTED)


def _refuse_other(incident: Incident, acting: Acting, outcome: str) -> None:
    mine = acting.party.pk if acting.party else ""
    if acting.user.is_staff:
        return
    if outcome in _BUYERS_WORD and mine != incident.engagement.buyer_id:
        raise IncidentNotYours("that it was no violation, or is accepted, is the buyer's to say")
    if mine not in (incident.owner_party_id, incident.engagement.buyer_id):
        raise IncidentNotYours(f"{incident.owner_party} answers for this incident and resolves it")


def may_resolve(incident: Incident, acting: Acting | None) -> bool:
    """Whether somebody may say how it ended."""
    if acting is None or incident.resolved_at is not None:
        return False
    mine = acting.party.pk if acting.party else ""
    sides = (incident.owner_party_id, incident.engagement.buyer_id)
    allowed = acting.role in (Member.Role.OWNER, Member.Role.EDITOR) and mine in sides
    return acting.user.is_staff or allowed


def _side(incident: Incident, party: str) -> Party:
    sides = {incident.engagement.buyer_id, incident.engagement.builder_id}
    if party not in sides:
        raise IncidentRefused("the buyer or the builder answers for an incident")
    return Party.objects.get(pk=party)


def _hold(incident: Incident) -> Incident:
    held = (
        Incident.objects.select_for_update(of=("self",))
        .select_related("engagement", "owner_party")
        .get(pk=incident.pk)
    )
    if held.resolved_at is not None:
        raise IncidentResolved("this incident is resolved; a new violation opens a new one")
    return held


def _write(
    incident: Incident,
    acting: Acting,
    what: IncidentEntry.What,
    says: str,
    text: str,
    now: datetime,
    evidence_id: str = "",
) -> IncidentEntry:
    user: User = acting.user
    return IncidentEntry.objects.create(
        incident=incident,
        what=what,
        says=says[:240],
        note=text,
        by=user,
        party=acting.party,
        evidence_id=evidence_id,
        at=now,
    )
