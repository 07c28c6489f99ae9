"""Controls as rows: what they say, what they restrict, who lifted or reviewed them."""

import pgtrigger
from django.db import models
from django.db.models import Q

from reputation.controls import ACTIONS, METRICS, SCOPES, Terms
from reputation.fields import PublicIdField, SealedTextField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import append_only, never_emptied, never_removed, texts_erased_only

# Lifting is the one change a firing ever sees.
_LIFTED_ONCE = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'firing % is never deleted', OLD.id USING ERRCODE = '23001';
    ELSIF OLD.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'firing % was lifted', OLD.id USING ERRCODE = '23001';
    ELSIF (NEW.control_id, NEW.lineage, NEW.agent_id, NEW.version_id, NEW.observed, NEW.basis,
           NEW.changed, NEW.fired_at, NEW.evidence_id)
          IS DISTINCT FROM
          (OLD.control_id, OLD.lineage, OLD.agent_id, OLD.version_id, OLD.observed, OLD.basis,
           OLD.changed, OLD.fired_at, OLD.evidence_id) THEN
        RAISE EXCEPTION 'what fired in % is fixed', OLD.id USING ERRCODE = '23001';
    END IF;
    RETURN NEW;
"""


class Control(models.Model):
    """One version of a control. A change is a new row of the same lineage, one number on."""

    id = PublicIdField("ctl", primary_key=True)
    lineage = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")  # the first one's id
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    metric = models.CharField(max_length=24)
    dimension = models.CharField(max_length=80, blank=True)
    threshold = models.BigIntegerField()
    recover_at = models.BigIntegerField()
    scope = models.CharField(max_length=8)
    scope_id = models.CharField(max_length=ID_MAX_LENGTH, blank=True, db_collation="C")
    action = models.CharField(max_length=16)
    limit = models.BigIntegerField(null=True, blank=True)  # hundredths of any currency
    hold_days = models.PositiveSmallIntegerField(null=True, blank=True)
    cadence_days = models.PositiveSmallIntegerField()
    # Who answers for it: a person, for a party or ("") for the platform.
    owner_user = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C", blank=True)
    owner_party = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C", blank=True)
    set_by = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C", blank=True)
    set_at = models.DateTimeField()
    retired = models.BooleanField(default=False)
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["lineage", "number"]
        constraints = [
            models.UniqueConstraint(fields=["lineage", "number"], name="control_version_once"),
            models.CheckConstraint(
                name="control_speaks_known_words",
                condition=Q(
                    metric__in=sorted(METRICS), action__in=sorted(ACTIONS), scope__in=SCOPES
                ),
            ),
            models.CheckConstraint(name="control_has_a_cadence", condition=Q(cadence_days__gte=1)),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def terms(self) -> Terms:
        """What it says, as the pure functions take it."""
        return Terms(
            metric=self.metric,
            dimension=self.dimension,
            threshold=self.threshold,
            recover_at=self.recover_at,
            scope=self.scope,
            scope_id=self.scope_id,
            action=self.action,
            limit=self.limit,
            hold_days=self.hold_days,
            cadence_days=self.cadence_days,
        )


class Firing(models.Model):
    """A control that fired on an agent: a restriction in force from `fired_at` to `released_at`.

    `changed` says what it changed, as `{"what": [before, after]}`.
    """

    class Release(models.TextChoices):
        RECOVERED = "recovered"  # the metric came back
        RE_EVALUATED = "re_evaluated"
        RESOLVED = "resolved"  # a person looked
        CHANGED = "changed"  # the control became another one
        RETIRED = "retired"

    id = PublicIdField("fir", primary_key=True)
    control = models.ForeignKey(Control, on_delete=models.PROTECT, related_name="firings")
    lineage = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    agent_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    version_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C", blank=True)
    observed = models.BigIntegerField()
    basis = models.CharField(max_length=80, blank=True)
    changed = models.JSONField(default=dict)
    fired_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)
    released_at = models.DateTimeField(null=True, blank=True)
    release = models.CharField(max_length=12, choices=Release.choices, blank=True)
    released_basis = models.CharField(max_length=80, blank=True)
    release_evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["-fired_at", "-id"]
        indexes = [models.Index(fields=["agent_id", "-fired_at"], name="firing_of_agent")]
        constraints = [
            models.UniqueConstraint(
                fields=["lineage", "agent_id"],
                condition=Q(released_at__isnull=True),
                name="firing_one_in_force",
            ),
            models.CheckConstraint(
                name="firing_lifted_for_a_reason",
                condition=Q(released_at__isnull=True, release="")
                | Q(released_at__isnull=False) & ~Q(release=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lifted_once",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=_LIFTED_ONCE,
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.lineage} on {self.agent_id}"


class Override(models.Model):
    """An authorised person suspends a firing's effect, for a reason and until a time."""

    id = PublicIdField("ovr", primary_key=True)
    firing = models.ForeignKey(Firing, on_delete=models.PROTECT, related_name="overrides")
    by = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    reason = SealedTextField(max_length=2000)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["from_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="override_expires", condition=Q(until_at__gt=models.F("from_at"))
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="has_a_reason",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__reason=""),
            ),
            texts_erased_only("reason"),
            never_removed(),
        ]

    def __str__(self) -> str:
        return f"{self.firing_id} until {self.until_at}"


class ControlReview(models.Model):
    """The owner looked at a control and keeps it, or changed it afterwards."""

    id = PublicIdField("rvw", primary_key=True)
    lineage = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    by = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    note = SealedTextField(max_length=2000, blank=True)
    reviewed_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-reviewed_at"]
        indexes = [models.Index(fields=["lineage", "-reviewed_at"], name="review_of_control")]
        triggers = [texts_erased_only("note"), never_removed()]

    def __str__(self) -> str:
        return f"{self.lineage} at {self.reviewed_at}"
