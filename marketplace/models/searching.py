"""What listings are found and ranked by, and the searches that people keep."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Coalesce

from marketplace.models.market import Listing
from marketplace.models.searchable import kept_noted
from pacts.models import AgentVersion, User
from reputation.fields import PublicIdField
from reputation.identifiers import ID_MAX_LENGTH


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
    measured_at = models.DateTimeField(null=True)  # when its newest evidence was made
    shuffle = models.CharField(max_length=32)
    words = models.TextField()
    document = SearchVectorField()

    class Meta:
        verbose_name_plural = "search entries"
        indexes = [
            GinIndex(fields=["document"], name="entry_by_text", fastupdate=False),
            models.Index(fields=["price", "listing"], name="entry_by_price"),
            models.Index(fields=["-opened_at", "listing"], name="entry_by_age"),
            models.Index(fields=["work"], name="entry_by_work"),
            models.Index(fields=["currency"], name="entry_by_currency"),
            models.Index(
                fields=["work", "-claim_bps"],
                condition=models.Q(claim_bps__isnull=False),
                name="entry_claimed",
            ),
            models.Index(fields=["measured_at"], name="entry_by_measurement"),
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
            # What the API's cursors go by: they compare, and nothing compares with null.
            models.Index(Coalesce("rank", -1).desc(), "listing", name="entry_by_rank"),
            models.Index(Coalesce("score_bps", -1).desc(), "listing", name="entry_by_score"),
        ]
        triggers = [kept_noted()]

    def __str__(self) -> str:
        return self.words


class EntryBefore(models.Model):
    """An entry as it was before a change of it: kept until somebody looked.

    No `entry` is a listing that was not on offer. `seen_at` is the look it was last held against
    saved searches in. `xid` is the transaction that changed it: the row is seen with the change or
    not at all, and whether it was there when a search was saved can be told for ever.
    """

    listing_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    entry = models.JSONField(null=True)
    seen_at = models.DateTimeField(null=True)
    xid = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "entries before"
        indexes = [models.Index(fields=["listing_id"], name="entry_before_by_listing")]

    def __str__(self) -> str:
        return f"{self.listing_id} before its change {self.pk}"


class SearchLook(models.Model):
    """When changed entries were last held against the searches that people keep; one row."""

    looked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.looked_at)


class SavedSearch(models.Model):
    """What a person looks for, under a name; they are told what newly fits it or no longer does.

    `asks` is the search as `marketplace.finding.query_of` writes it down; the columns after it are
    the same, for the database to hold entries against. `words` is a tsquery as text.
    """

    id = PublicIdField("ssr", primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="saved_searches")
    name = models.CharField(max_length=80)
    asks = models.JSONField(default=dict)
    words = models.TextField(blank=True)
    work = models.CharField(max_length=40, blank=True)
    least = models.PositiveIntegerField(default=0)  # basis points
    floors = models.JSONField(default=dict)
    fresh_days = models.PositiveSmallIntegerField(default=0)
    most = models.PositiveBigIntegerField(null=True)
    currency = models.CharField(max_length=12, blank=True)
    protocol = models.CharField(max_length=32, blank=True)
    language = models.CharField(max_length=8, blank=True)
    saved_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)  # the last time its user was told of changes
    looked_at = models.DateTimeField()  # the last time its user saw changes that were new
    ended_at = models.DateTimeField(null=True, blank=True)
    # What was changed before it was saved and not looked at yet is none of its business: the
    # snapshot and transaction it was saved in, until all of that was looked at.
    begun = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(ended_at__isnull=True),
                name="search_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SearchChange(models.Model):
    """A listing that came to fit a saved search, or ceased to. Until it is told, its opposite
    takes it back."""

    class Reason(models.TextChoices):
        OFFER = "offer"  # it came on offer, or is not any more
        TERMS = "terms"  # its words, kind of work, protocol, languages or currency changed
        PRICE = "price"
        BOUND = "bound"  # its lower bound, or that of a dimension
        AGE = "age"  # something was measured, or too long ago by now

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="changes")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    fits = models.BooleanField()
    reason = models.CharField(max_length=5, choices=Reason.choices)
    currency = models.CharField(max_length=12)
    price_before = models.PositiveBigIntegerField(null=True)
    price = models.PositiveBigIntegerField(null=True)
    score_before_bps = models.IntegerField(null=True)
    score_bps = models.IntegerField(null=True)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(
        null=True
    )  # when its user looked, after which it is told no more

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["search", "listing"],
                condition=models.Q(told_at__isnull=True),
                name="search_change_untold_once",
            )
        ]
        indexes = [
            models.Index(fields=["search", "-at"], name="search_changes_by_age"),
            models.Index(fields=["search", "listing", "-id"], name="search_changes_of_one"),
            models.Index(
                fields=["search"],
                condition=models.Q(seen_at__isnull=True),
                name="search_changes_unseen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {'fits' if self.fits else 'no longer fits'} {self.search_id}"
