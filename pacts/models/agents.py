"""Who can be hired: an agent, and the fingerprinted versions that evidence is bound to."""

from django.db import models
from django.db.models.functions import Lower

from pacts.models.parties import Party
from reputation.fields import PublicIdField
from reputation.triggers import append_only


class Agent(models.Model):
    """An agent under its builder's name; what answers is always one of its versions."""

    id = PublicIdField("agt", primary_key=True)
    builder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    work = models.SlugField(max_length=40)  # the kind of work, e.g. language-identification
    summary = models.CharField(max_length=280, blank=True)
    control_token = models.CharField(max_length=64)
    control_proved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class AgentVersion(models.Model):
    """One fingerprint of an agent: endpoint, protocol and what the builder declares behind them."""

    id = PublicIdField("agv", primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    endpoint = models.CharField(max_length=2000)
    protocol = models.CharField(max_length=32)
    declared = models.JSONField(default=dict)  # model, prompt digest, tools: whatever is declared
    fingerprint = models.CharField(max_length=80)  # digest of all of the above
    max_concurrency = models.PositiveSmallIntegerField(default=4)
    deadline_ms = models.PositiveIntegerField(default=10_000)
    max_per_minute = models.PositiveIntegerField(null=True, blank=True)  # calls, by all workers
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["agent", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "number"], name="agent_version_number_once"),
            models.UniqueConstraint(fields=["agent", "fingerprint"], name="agent_version_once"),
            models.CheckConstraint(
                condition=models.Q(max_concurrency__range=(1, 64)), name="agent_concurrency_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(deadline_ms__range=(100, 60_000)), name="agent_deadline_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(max_per_minute__isnull=True)
                | models.Q(max_per_minute__range=(1, 100_000)),
                name="agent_rate_bounded",
            ),
        ]
        # The host of an endpoint: who else answers from there.
        indexes = [
            models.Index(
                models.Func(
                    Lower("endpoint"), models.Value("/"), models.Value(3), function="split_part"
                ),
                name="agent_version_host",
            )
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.agent} v{self.number}"


class CallPace(models.Model):
    """How far ahead an agent version with a rate limit is booked: its next call is due then."""

    agent_version = models.OneToOneField(
        AgentVersion, on_delete=models.PROTECT, primary_key=True, related_name="pace"
    )
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.agent_version_id}: {self.free_at}"
