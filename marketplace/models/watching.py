"""The platform's own settings as versions, what the gaming watch saw, and agreement reports."""

from django.db import models

from pacts.models import Agent, PolicyVersion, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import append_only, never_removed, texts_erased_only


class PolicyProposal(models.Model):
    """A change of the platform's money terms that waits for a second person of the staff.

    `seen` is the number of the policy it would change; once that has changed it is overtaken.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        CONFIRMED = "confirmed"
        DECLINED = "declined"

    id = PublicIdField("ppr", primary_key=True)
    seen = models.PositiveIntegerField()
    changes = models.JSONField()  # setting → new value
    reason = models.CharField(max_length=1000)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    version = models.OneToOneField(
        PolicyVersion, on_delete=models.PROTECT, related_name="proposal", null=True, blank=True
    )

    class Meta:
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="waiting", decided_by=None, decided_at=None)
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="proposal_decided_by_somebody",
            ),
            # Whoever proposed may take it back, never confirm it.
            models.CheckConstraint(
                condition=~models.Q(state="confirmed")
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="proposal_confirmed_by_another",
            ),
        ]
        triggers = [never_removed()]

    def __str__(self) -> str:
        return f"{self.pk}: {self.state}"


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
