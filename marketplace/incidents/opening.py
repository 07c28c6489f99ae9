"""Violations in the log open an incident, or join the one that is open for the same clause."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from marketplace.models import Incident, IncidentEntry
from pacts.models import Engagement, Member
from reputation import evidence
from reputation.hints import hint

Facts = Mapping[str, Any]
MINOR, MAJOR, CRITICAL = (
    Incident.Severity.MINOR,
    Incident.Severity.MAJOR,
    Incident.Severity.CRITICAL,
)
_RANK = {MINOR.value: 0, MAJOR.value: 1, CRITICAL.value: 2}


def _of_breach(facts: Facts) -> str:
    return CRITICAL.value if facts.get("critical") else MAJOR.value


def _of_drift(facts: Facts) -> str | None:
    return MINOR.value if facts.get("level") == "act" else None


def _of_control(facts: Facts) -> str:
    return CRITICAL.value if facts.get("action") == "suspend" else MAJOR.value


# Kind of evidence → how grave it is, or None where it is no violation.
SEVERITY: Mapping[str, Callable[[Facts], str | None]] = {
    "window.breached": _of_breach,
    "drift.found": _of_drift,
    "model.changed": lambda facts: MAJOR.value,
    "version.changed": lambda facts: MAJOR.value,
    "control.fired": _of_control,
    "meter.frozen": lambda facts: CRITICAL.value,
}


def observe(
    *, kind: str, evidence_id: str, subjects: Mapping[str, str], facts: Facts, now: datetime
) -> list[Incident]:
    """What a piece of evidence does to incidents, in the caller's transaction."""
    if kind == "route.switched":
        return _note_rerouting(evidence_id, facts, now)
    grade = SEVERITY.get(kind)
    severity = grade(facts) if grade else None
    if severity is None:
        return []
    says = _says(kind, facts)
    return [
        _join(engagement, str(facts.get("clause", "")), severity, evidence_id, says, now)
        for engagement in _engagements(subjects)
    ]


def _engagements(subjects: Mapping[str, str]) -> list[Engagement]:
    """The engagement it names; for an agent alone, every one of its that is in force."""
    rows = Engagement.objects.select_related("agent_version", "pact_version")
    if "engagement" in subjects:
        return list(rows.filter(pk=subjects["engagement"]))
    running = rows.filter(
        agent_version__agent=subjects.get("agent", ""), state=Engagement.State.ACTIVE
    )
    return list(running.order_by("pk")[:200])


def _join(
    engagement: Engagement, clause: str, severity: str, evidence_id: str, says: str, now: datetime
) -> Incident:
    """The open incident, one violation richer. The engagement's row orders who opens one."""
    Engagement.objects.select_for_update(no_key=True).get(pk=engagement.pk)
    found = Incident.objects.filter(
        engagement=engagement, clause=clause, resolved_at=None
    ).first() or _open(engagement, clause, severity, evidence_id, now)
    worse = _RANK[severity] > _RANK[found.severity]
    Incident.objects.filter(pk=found.pk).update(
        violations=F("violations") + 1,
        last_violation_at=now,
        severity=severity if worse else found.severity,
    )
    _line(found, IncidentEntry.What.VIOLATION, says, now, evidence_id)
    if worse:
        _line(found, IncidentEntry.What.WORSENED, f"now {severity}, before {found.severity}", now)
    found.refresh_from_db()
    return found


def _open(
    engagement: Engagement, clause: str, severity: str, evidence_id: str, now: datetime
) -> Incident:
    party, user, side = _owner(engagement, clause)
    incident = Incident(
        engagement=engagement,
        agent_id=engagement.agent_version.agent_id,
        clause=clause,
        severity=severity,
        owner_party_id=party,
        owner_id=user,
        opened_at=now,
        last_violation_at=now,
    )
    incident.evidence_id = evidence.append(
        kind="incident.opened",
        subjects={
            "incident": incident.pk,
            "engagement": engagement.pk,
            "agent": incident.agent_id,
            "buyer": engagement.buyer_id,
            "builder": engagement.builder_id,
        },
        facts={"severity": severity, "violation_evidence": evidence_id}
        | ({"clause": clause} if clause else {}),
        at=now,
    ).pk
    incident.save(force_insert=True)
    _line(incident, IncidentEntry.What.OPENED, _opened(engagement, clause, side), now)
    return incident


def _opened(engagement: Engagement, clause: str, side: str) -> str:
    before = Incident.objects.filter(
        engagement=engagement, clause=clause, resolved_at__isnull=False
    ).count()
    again = f"; {before} earlier of the same kind" if before else ""
    return f"the {side} answers for it{again}"


def _owner(engagement: Engagement, clause: str) -> tuple[str, str | None, str]:
    """Whom the clause names: a side, or one member of either by e-mail; else the builder."""
    clauses = engagement.pact_version.terms.get("clauses", [])
    named = next((str(one.get("owner") or "") for one in clauses if one["key"] == clause), "")
    sides = {engagement.builder_id: "builder", engagement.buyer_id: "buyer"}
    if "@" in named:
        members = Member.objects.filter(party__in=sides, user__email__iexact=named)
        if (member := members.order_by("pk").first()) is not None:
            return member.party_id, member.user_id, sides[member.party_id]
    if named.strip().lower() == "buyer":
        return engagement.buyer_id, None, "buyer"
    return engagement.builder_id, None, "builder"


def _says(kind: str, facts: Facts) -> str:
    if kind == "window.breached":
        return f"the promise was shown broken in window {facts.get('window')}"
    if kind == "meter.frozen":
        return "the budget is frozen: nothing more is paid"
    if kind == "drift.found":
        return f"drift in {facts.get('what')}, at call {facts.get('place')}"
    if kind == "control.fired":
        action = str(facts.get("action", "")).replace("_", " ")
        return f"a control fired on {facts.get('metric')}: {action}"
    return kind.replace(".", " ")


def _note_rerouting(evidence_id: str, facts: Facts, now: datetime) -> list[Incident]:
    """A route that left an agent says so on the incidents it left it for."""
    ids = str(facts.get("left", ""))
    rows = Incident.objects.filter(engagement=ids, resolved_at=None) if ids else []
    for incident in rows:
        _line(
            incident,
            IncidentEntry.What.ROUTED,
            "another agent answers on the buyer's route meanwhile",
            now,
            evidence_id,
        )
    return list(rows)


def _line(
    incident: Incident, what: IncidentEntry.What, says: str, now: datetime, evidence_id: str = ""
) -> None:
    IncidentEntry.objects.create(
        incident=incident, what=what, says=says[:240], evidence_id=evidence_id, at=now
    )
    transaction.on_commit(lambda: hint("reputation.tasks.sequence_evidence"))
