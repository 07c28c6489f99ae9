"""The face of the market as rows: listings, benchmark claims, API keys, replayed requests."""

import hashlib

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models

from marketplace.models.searchable import kept_comparable, kept_searchable
from pacts.models import (
    Agent,
    AgentVersion,
    Engagement,
    Evaluation,
    ImportedRun,
    PactVersion,
    Party,
    User,
)
from reputation.fields import PublicIdField, SealedTextField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import append_only


class Listing(models.Model):
    """An agent's public offer: this version, under this pact, at this price, on these clocks."""

    class State(models.TextChoices):
        OPEN = "open"
        PAUSED = "paused"  # by the builder
        SUSPENDED = "suspended"  # by the platform

    id = PublicIdField("lst", primary_key=True)
    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, related_name="listing")
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    pact_version = models.ForeignKey(PactVersion, on_delete=models.PROTECT, related_name="+")
    price = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=12)
    bond = models.PositiveBigIntegerField(default=0)  # what the builder stakes on each milestone
    work_seconds = models.PositiveIntegerField()
    evaluation_seconds = models.PositiveIntegerField()
    acceptance_seconds = models.PositiveIntegerField()
    cure_seconds = models.PositiveIntegerField()
    max_revisions = models.PositiveSmallIntegerField(default=1)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)  # ISO 639-1
    # The builder's standing authority to sign every engagement that equals this offer.
    signs_at_once = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    suspended_by = models.CharField(max_length=ID_MAX_LENGTH, blank=True)  # the firing, if one did
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["state", "-opened_at"], name="listing_by_state"),
            models.Index(fields=["price", "id"], name="listing_by_price"),
            models.Index(fields=["opened_at", "id"], name="listing_by_age"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gt=0), name="listing_has_a_price"),
        ]
        triggers = [kept_searchable()]

    def __str__(self) -> str:
        return f"{self.agent} at {self.price} {self.currency}"


class BenchmarkClaim(models.Model):
    """What a benchmark says of an agent: screening input, never blended with what the log says."""

    class Runner(models.TextChoices):
        BUILDER = "builder"
        THIRD_PARTY = "third_party"

    id = PublicIdField("clm", primary_key=True)
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="benchmark_claims"
    )
    benchmark = models.CharField(max_length=120)
    score_bps = models.PositiveIntegerField(validators=[MaxValueValidator(10_000)])
    units = models.PositiveIntegerField()  # how many tasks the score rests on
    method = models.CharField(max_length=400)
    not_measured = models.CharField(max_length=400)  # what this benchmark says nothing about
    # What is known of the tasks having been seen in training: public since when, held out by whom.
    contamination = models.CharField(max_length=400, blank=True)
    ran_by = models.CharField(max_length=12, choices=Runner.choices)
    imported_run = models.ForeignKey(  # the run of another harness behind the claim
        ImportedRun, on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    evaluation = models.ForeignKey(  # the recorded run behind the claim, when there is one
        Evaluation, on_delete=models.PROTECT, null=True, blank=True, related_name="claims"
    )
    measured_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-measured_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(score_bps__lte=10_000), name="claim_score_bounded"
            ),
        ]
        triggers = [append_only(), kept_comparable()]

    def __str__(self) -> str:
        return f"{self.benchmark}: {self.score_bps / 100:.1f} %"


class HireChoice(models.Model):
    """What a buyer could see when it hired: where the listing stood by benchmark and by pact.

    Places count from 1 among the open listings of the category that had both a claim and a rate
    that day; `by_pact` ranks by the lower bound, as the market does. Null: had no such number.
    """

    engagement = models.OneToOneField(
        Engagement, on_delete=models.PROTECT, primary_key=True, related_name="choice"
    )
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="choices")
    work = models.SlugField(max_length=40)
    rated = models.PositiveIntegerField()  # how many listings had both numbers
    by_benchmark = models.PositiveIntegerField(null=True)
    by_pact = models.PositiveIntegerField(null=True)
    chosen_at = models.DateTimeField()

    class Meta:
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.engagement_id}: {self.by_benchmark} by benchmark, {self.by_pact} by pact"


class ApiKey(models.Model):
    """A program's way in, acting for one party; only a digest of the secret is stored."""

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"  # agents, pacts, task sets, engagements
        MONEY = "money"  # deposits, funding, acceptance, payouts
        CALLS = "calls"  # reports production calls, and nothing else

    id = PublicIdField("api", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="api_keys")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    secret_digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    # The only engagement whose calls it reports; such a key does nothing else.
    engagement = models.ForeignKey(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(secret: str) -> str:
        """SHA-256 hex of a secret. The secret has 256 random bits, so no slow hash is needed."""
        return hashlib.sha256(secret.encode()).hexdigest()


class ReplayedRequest(models.Model):
    """One answer per Idempotency-Key and caller, stored in the transaction of its effect."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=80)
    status = models.PositiveSmallIntegerField()
    # JSON as it was sent, so that a replay is the same to the byte; people wrote some of it.
    body = SealedTextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="replay_once_per_caller"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class AgentWatch(models.Model):
    """When an agent was last held against the controls; null asks for it as soon as possible."""

    agent = models.OneToOneField(
        Agent, on_delete=models.PROTECT, primary_key=True, related_name="watch"
    )
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(models.F("looked_at").asc(nulls_first=True), name="watch_due")]

    def __str__(self) -> str:
        return f"{self.agent_id} looked at {self.looked_at}"


class OracleAnswer(models.Model):
    """An agent's public document as it is handed out; `is_whole` once all it names is proved."""

    agent = models.OneToOneField(
        Agent, on_delete=models.PROTECT, primary_key=True, related_name="oracle_answer"
    )
    body = models.TextField()
    digest = models.CharField(max_length=64)  # hex SHA-256 of the body: its ETag
    is_whole = models.BooleanField()
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.agent_id} {self.digest[:12]}"


class WatchCursor(models.Model):
    """How far the log was read for agents with news; one row."""

    next_index = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.next_index)


class StandingCredential(models.Model):
    """A standing its builder carries elsewhere: signed text that ends, and can be ended."""

    id = PublicIdField("crd", primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="credentials")
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    audience = models.CharField(max_length=120, blank=True)
    dimensions = models.JSONField(default=list)
    text = models.TextField()  # the JWS, compact
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="credential_expires",
                condition=models.Q(expires_at__gt=models.F("issued_at")),
            )
        ]

    def __str__(self) -> str:
        return self.id
