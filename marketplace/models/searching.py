"""What listings are found and ranked by."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from marketplace.models.market import Listing
from pacts.models import AgentVersion


class SearchEntry(models.Model):
    """An open listing as it is searched; the database keeps one for each, and for no other.

    What it is ranked by is copied from the stored scores by `marketplace.finding.follow_scores`,
    seconds after they moved; `shuffle` is an order by chance. `words` are what a person would type:
    name, kind of work, builder. `document` has them as they are (weight A) and the English stems of
    the summary (weight B).
    """

    listing = models.OneToOneField(
        Listing, on_delete=models.CASCADE, primary_key=True, related_name="entry"
    )
    agent_version = models.OneToOneField(AgentVersion, on_delete=models.CASCADE, related_name="+")
    work = models.SlugField(max_length=40)
    protocol = models.CharField(max_length=32)
    languages = ArrayField(models.CharField(max_length=8), default=list)
    price = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=12)
    opened_at = models.DateTimeField()
    claim_bps = models.PositiveIntegerField(null=True)  # of the newest benchmark claim
    rank = models.IntegerField(null=True)
    score_bps = models.IntegerField(null=True)
    bounds = models.JSONField(default=dict)  # dimension → its lower bound, basis points
    shuffle = models.CharField(max_length=32)
    words = models.TextField()
    document = SearchVectorField()

    class Meta:
        verbose_name_plural = "search entries"
        indexes = [
            GinIndex(fields=["document"], name="entry_by_text"),
            models.Index(fields=["price", "listing"], name="entry_by_price"),
            models.Index(fields=["-opened_at", "listing"], name="entry_by_age"),
            models.Index(fields=["work"], name="entry_by_work"),
            models.Index(fields=["currency"], name="entry_by_currency"),
            models.Index(
                fields=["-rank", "listing"],
                condition=models.Q(rank__isnull=False),
                name="entry_ranked",
            ),
            models.Index(
                fields=["shuffle"], condition=models.Q(rank__isnull=True), name="entry_new"
            ),
            models.Index(
                models.F("claim_bps").desc(nulls_last=True), "listing", name="entry_by_claim"
            ),
        ]

    def __str__(self) -> str:
        return self.words
