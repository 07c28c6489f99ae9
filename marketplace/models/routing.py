"""Routes: which agents may answer for a buyer, in which order, and who did."""

from django.db import models

from pacts.models import Engagement, Party, User
from reputation.fields import PublicIdField
from reputation.triggers import append_only


class Route(models.Model):
    """An address of the buyer's own that one of several agents answers."""

    class Order(models.TextChoices):
        BEST = "best"  # by the lower bound of the standing; the list breaks ties
        LISTED = "listed"  # by the buyer's list

    id = PublicIdField("rte", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="routes")
    name = models.CharField(max_length=80)
    order = models.CharField(max_length=6, choices=Order.choices, default=Order.BEST)
    deadline_ms = models.PositiveIntegerField(default=20_000)
    # An answer that breaks a critical clause is not passed on: the next agent is asked.
    holds_back = models.BooleanField(default=False)
    # Whoever answered last; a change of it is evidence.
    current = models.ForeignKey(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(deadline_ms__range=(500, 60_000)), name="route_deadline_bounded"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RouteEntry(models.Model):
    """One engagement of a route's list. `resting_until` passes it over after failures in a row."""

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="entries")
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    # The buyer's word that it may be called though no money is set aside for it.
    unfunded = models.BooleanField(default=False)
    failures = models.PositiveSmallIntegerField(default=0)
    resting_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "route entries"
        ordering = ["route", "position"]
        constraints = [
            models.UniqueConstraint(fields=["route", "position"], name="route_position_once"),
            models.UniqueConstraint(fields=["route", "engagement"], name="route_engagement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.route_id}#{self.position}"


class RoutedCall(models.Model):
    """One request of a route: who was asked in which order, and who answered. Nothing it said."""

    id = PublicIdField("rtc", primary_key=True)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="calls")
    engagement = models.ForeignKey(  # null: nobody could answer
        Engagement, on_delete=models.PROTECT, null=True, related_name="+"
    )
    call_id = models.UUIDField(null=True)
    why = models.CharField(max_length=200)
    # [{"engagement": …, "call_id": …, "fault": …, "error": …, "latency_ms": …}] as asked
    tries = models.JSONField(default=list)
    latency_ms = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.route_id}: {self.why}"
