"""What listings are found by, and the searches that somebody wants to hear of again."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from marketplace.models.market import Listing
from pacts.models import AgentVersion, Party, User
from reputation.fields import PublicIdField


class SearchEntry(models.Model):
    """An open listing as it is searched; the database keeps one for each, and for no other.

    What it is ranked by is copied from the stored scores by `marketplace.finding.follow_scores`,
    seconds after they moved; `shuffle` is an order by chance. `words` are what a person would type: name, kind of work, builder. `document` has them as they
    are (weight A) and the summary's English stems (weight B).
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


class SavedSearch(models.Model):
    """A search a person keeps; with `tells`, new offers that fit it become notices."""

    id = PublicIdField("sch", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="searches")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="searches")
    name = models.CharField(max_length=80)
    query = models.JSONField(default=dict)  # as `marketplace.finding.Search.query` writes it
    tells = models.BooleanField(default=True)
    # Offers opened before this instant were told, or stood on the page when it was saved.
    looked_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["party", "user", "name"], name="search_named_once")
        ]

    def __str__(self) -> str:
        return self.name


class SearchFind(models.Model):
    """A listing that a saved search has found and told."""

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="finds")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["search", "listing"], name="find_told_once")]

    def __str__(self) -> str:
        return f"{self.search_id} found {self.listing_id}"
