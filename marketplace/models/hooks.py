"""Webhooks out: where a party's programs are told, under which secrets, and what came of it."""

from django.db import models

from marketplace.models.notices import News
from pacts.models import Engagement, Party, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import append_only


class Hook(models.Model):
    """An address of a party's that is told what happens. `topics` empty: everything."""

    class Off(models.TextChoices):
        GONE = "gone"  # it answered 410
        FAILING = "failing"  # nothing arrived for days
        BY_PARTY = "by_party"

    id = PublicIdField("hok", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="hooks")
    url = models.CharField(max_length=2000)
    topics = models.JSONField(default=list, blank=True)
    # Only what names this engagement; null is everything of the party's.
    engagement = models.ForeignKey(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True, blank=True)
    off_because = models.CharField(max_length=10, choices=Off.choices, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(off_at__isnull=True, off_because="")
                | models.Q(off_at__isnull=False) & ~models.Q(off_because=""),
                name="hook_off_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class HookSecret(models.Model):
    """A signing secret of a hook. While two are in force, deliveries carry both signatures."""

    hook = models.ForeignKey(Hook, on_delete=models.PROTECT, related_name="secrets")
    secret = SealedTextField()
    made_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"secret of {self.hook_id}"


class Delivery(models.Model):
    """One message on its way to one hook. Without news it is a test. The row is the queue."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up"

    id = PublicIdField("dly", primary_key=True)
    hook = models.ForeignKey(Hook, on_delete=models.PROTECT, related_name="deliveries")
    news = models.ForeignKey(News, on_delete=models.PROTECT, null=True, related_name="deliveries")
    message_id = models.CharField(max_length=48)  # the same however often it is sent
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="waiting", due_at__isnull=False, ended_at__isnull=True)
                | ~models.Q(state="waiting")
                & models.Q(due_at__isnull=True, ended_at__isnull=False),
                name="delivery_waits_or_has_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="waiting"), name="delivery_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.hook_id}"


class DeliveryAttempt(models.Model):
    """One try: when, what came back, how long it took."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)  # null: no answer
    problem = models.CharField(max_length=200, blank=True)
    latency_ms = models.FloatField(null=True)

    class Meta:
        ordering = ["delivery", "number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_try_once"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.delivery_id}#{self.number}: {self.status or self.problem}"
