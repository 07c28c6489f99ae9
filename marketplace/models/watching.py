"""The platform's own settings as versions, what the gaming watch saw, and agreement reports."""

from django.db import models

from pacts.models import Agent, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import append_only, never_removed, texts_erased_only


class PolicyVersion(models.Model):
    """The settings of the platform that differ from their defaults, from one moment on."""

    id = PublicIdField("pol", primary_key=True)
    number = models.PositiveIntegerField(unique=True)
    values = models.JSONField(
        default=dict
    )  # `marketplace.policy_terms.SETTINGS`, those that differ
    reason = models.CharField(max_length=1000)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-number"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"policy {self.number}"


class Suspicion(models.Model):
    """Something the gaming watch saw in the rows: a fact with its figures, not yet a judgement.

    It is seen again by every sweep while the rows say so. A person may freeze what it names.
    """

    class Pattern(models.TextChoices):
        RING = "ring"
        SELF_DEALING = "self_dealing"
        ONE_BUYER = "one_buyer"
        JUMP = "jump"

    class State(models.TextChoices):
        OPEN = "open"  # nobody has decided yet
        FROZEN = "frozen"
        RELEASED = "released"  # somebody looked, and let it go on

    id = PublicIdField("sus", primary_key=True)
    pattern = models.CharField(max_length=12, choices=Pattern.choices)
    key = models.CharField(max_length=64, unique=True)  # of the pattern and whom it names
    parties = models.JSONField(default=list)
    agents = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-first_seen_at", "-pk"]
        indexes = [models.Index(fields=["state", "-first_seen_at"], name="suspicion_by_state")]
        triggers = [never_removed()]

    def __str__(self) -> str:
        return f"{self.pk}: {self.pattern}"


class SuspicionStep(models.Model):
    """A person froze what a suspicion names, or released it."""

    suspicion = models.ForeignKey(Suspicion, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=8, choices=Suspicion.State.choices)
    reason = SealedTextField(max_length=1000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-pk"]
        triggers = [texts_erased_only("reason"), never_removed()]

    def __str__(self) -> str:
        return f"{self.suspicion_id}: {self.state}"


class ScoreReading(models.Model):
    """What a version's score was on a day, so that a jump is seen. Forgotten after a month."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+")
    version_id = models.CharField(max_length=ID_MAX_LENGTH)
    read_on = models.DateField()
    score_bps = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version_id", "read_on"], name="score_read_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} on {self.read_on}: {self.score_bps}"


class AgreementReport(models.Model):
    """How far people and judges agreed in a file somebody brought; see `pacts.judges.agreement`."""

    id = PublicIdField("agr", primary_key=True)
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=400, blank=True)  # where the file comes from
    digest = models.CharField(max_length=80)  # of the file
    report = models.JSONField()
    loaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ["-loaded_at", "-pk"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.name
