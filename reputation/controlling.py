"""Setting, changing, retiring and reviewing controls. Whoever may do so is decided above."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery

from reputation import evidence
from reputation.controls import Surroundings, Terms, faults
from reputation.envelope import instant
from reputation.evidence import EvidenceAlreadyRecorded
from reputation.identifiers import new_id
from reputation.models import Control, ControlReview

LONGEST_NAME = 120
PLATFORM = ""  # as owner: the platform's staff


class ControlUseless(ValueError):
    """The control would do nothing, or could not be kept; the message says why."""


class ControlChanged(Exception):
    """Somebody else changed or retired this control in between."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for a control: a user, for a party or (PLATFORM) for the platform."""

    user_id: str
    party_id: str = PLATFORM


@dataclass(frozen=True, slots=True)
class Due:
    """When a control's next review is due, and whether that has passed."""

    control: Control
    due_at: datetime
    is_overdue: bool

    def overdue_days(self, now: datetime) -> int:
        """Whole days past the due date, from 0."""
        return max((now - self.due_at).days, 0)


def set_control(
    *,
    name: str,
    terms: Terms,
    around: Surroundings,
    owner: Owner,
    by: str,
    now: datetime,
) -> Control:
    """A new control. `by` is the user who sets it. Raises ControlUseless."""
    lineage = new_id("ctl")
    _refuse_useless(name, terms, around, owner)
    same = same_terms(present(), terms)
    if same:
        raise ControlUseless(f"{same.name!r} does exactly this already, so this would do nothing")
    return _store(Control(id=lineage, lineage=lineage, number=1), name, terms, owner, by, now)


def change_control(
    *,
    control: Control,
    name: str,
    terms: Terms,
    around: Surroundings,
    owner: Owner,
    by: str,
    now: datetime,
) -> Control:
    """The next version. Raises ControlUseless when nothing changes too, and ControlChanged."""
    _refuse_useless(name, terms, around, owner)
    before = (control.name, control.terms, control.owner_user, control.owner_party)
    if before == (name.strip(), terms, owner.user_id, owner.party_id):
        raise ControlUseless("nothing would change: this is what it says already")
    return _store(_next(control), name, terms, owner, by, now)


def retire_control(*, control: Control, by: str, now: datetime) -> Control:
    """The last version: it fires no more, and what it restricted is lifted by the next look.

    Raises ControlChanged.
    """
    owner = Owner(control.owner_user, control.owner_party)
    last = _next(control)
    last.retired = True
    return _store(last, control.name, control.terms, owner, by, now)


def review_control(*, control: Control, by: str, note: str, now: datetime) -> ControlReview:
    """The owner looked and keeps it. The next review is due one cadence from now."""
    late = due_of(control, now=now)
    with transaction.atomic():
        recorded = evidence.append(
            kind="control.reviewed",
            subjects=_subjects(control),
            facts={"number": control.number}
            | ({"overdue_days": late.overdue_days(now)} if late.is_overdue else {}),
            private={"by": by, "note": note.strip()},
            at=now,
        )
        return ControlReview.objects.create(
            lineage=control.lineage,
            by=by,
            note=note.strip(),
            reviewed_at=now,
            evidence_id=recorded.pk,
        )


def present() -> list[Control]:
    """The newest version of every control that is not retired."""
    return list(newest().filter(retired=False).order_by("set_at", "pk"))


def newest() -> QuerySet[Control]:
    """Every control as it stands now, the retired ones too."""
    last = Control.objects.filter(lineage=OuterRef("lineage")).order_by("-number")
    return Control.objects.filter(number=Subquery(last.values("number")[:1]))


def due_of(control: Control, *, now: datetime) -> Due:
    """When this control's review is due."""
    return dues_of([control], now=now)[0]


def dues_of(controls: Iterable[Control], *, now: datetime) -> list[Due]:
    """The same for many, in one query. A review counts from when it was made or the last change."""
    rows = list(controls)
    reviews = ControlReview.objects.filter(lineage__in=[one.lineage for one in rows])
    last = dict(reviews.values_list("lineage").annotate(Max("reviewed_at")))
    found = []
    for control in rows:
        seen = max(control.set_at, last.get(control.lineage) or control.set_at)
        due_at = seen + timedelta(days=control.cadence_days)
        found.append(Due(control, due_at, now > due_at))
    return found


def record_overdue(*, now: datetime) -> int:
    """Write down every review that is overdue, once for each time it was due; how many were new."""
    late = [due for due in dues_of(present(), now=now) if due.is_overdue]
    return sum(_record_overdue(due, now) for due in late)


def _record_overdue(due: Due, now: datetime) -> int:
    try:
        with transaction.atomic():
            evidence.append(
                kind="control.review_overdue",
                subjects=_subjects(due.control),
                facts={"due": instant(due.due_at), "cadence_days": due.control.cadence_days},
                at=now,
                dedupe_key=f"control.review_overdue:{due.control.lineage}:{instant(due.due_at)}",
            )
    except EvidenceAlreadyRecorded:
        return 0
    return 1


def same_terms(controls: Iterable[Control], terms: Terms) -> Control | None:
    """A control that says exactly this, whoever owns it."""
    return next((one for one in controls if one.terms == terms), None)


def _refuse_useless(name: str, terms: Terms, around: Surroundings, owner: Owner) -> None:
    found = faults(terms, around)
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        found.append(f"give it a name of at most {LONGEST_NAME} characters")
    if not owner.user_id:
        found.append("name the person who owns it")
    if found:
        raise ControlUseless("; ".join(found))


def _next(control: Control) -> Control:
    if control.retired:
        raise ControlChanged("this control is retired; set a new one")
    return Control(lineage=control.lineage, number=control.number + 1)


def _store(
    control: Control, name: str, terms: Terms, owner: Owner, by: str, now: datetime
) -> Control:
    control.name, control.set_by, control.set_at = name.strip(), by, now
    control.owner_user, control.owner_party = owner.user_id, owner.party_id
    for field in Terms.__dataclass_fields__:
        setattr(control, field, getattr(terms, field))
    try:
        with transaction.atomic():
            control.evidence_id = _record(control, now)
            control.save(force_insert=True)
    except IntegrityError as error:
        raise ControlChanged("somebody changed this control in between; look again") from error
    return control


def _record(control: Control, now: datetime) -> str:
    facts: dict[str, object] = {
        "number": control.number,
        "metric": control.metric,
        "threshold": control.threshold,
        "recover_at": control.recover_at,
        "scope": control.scope,
        "action": control.action,
        "cadence_days": control.cadence_days,
        "retired": control.retired,
    }
    may = {"dimension": control.dimension, "limit": control.limit, "hold_days": control.hold_days}
    facts |= {key: value for key, value in may.items() if value not in ("", None)}
    if control.scope == "category":
        facts["category"] = control.scope_id
    return evidence.append(
        kind="control.set",
        subjects=_subjects(control),
        facts=facts,
        private={"name": control.name, "owner": control.owner_user, "by": control.set_by},
        at=now,
    ).pk


def _subjects(control: Control) -> dict[str, str]:
    named = {"control": control.lineage}
    if control.owner_party:
        named["party"] = control.owner_party
    if control.scope in ("agent", "listing", "builder"):
        named[control.scope] = control.scope_id
    return named
