"""What happened, told: once to each party it concerns, then to its people and its programs."""

from django.db import models

from pacts.models import Party, User
from reputation.fields import PublicIdField
from reputation.models import Evidence
from reputation.triggers import append_only


class NewsCursor(models.Model):
    """How far the log was read for what has to be told; one row."""

    next_index = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.next_index)


class News(models.Model):
    """One fact of the log that concerns a party, or the platform's own people (no party).

    `index` is its place in the log: a party's news in that order is its feed. What is told in
    private is in no log and has neither evidence nor index; where it is for one person alone, as
    what they look for, it has no party either. A name that may be erased is in no column: `who`
    and `search` point at whose it is, and the title is drawn from there when somebody reads it.
    """

    id = PublicIdField("nws", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="news")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True, related_name="+")
    index = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=40)
    topic = models.CharField(max_length=16)
    who = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # A search may be gone with the person who kept it, and what was told of it stays.
    search = models.ForeignKey(
        "marketplace.SavedSearch",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    grave = models.BooleanField(default=False)
    title = models.CharField(max_length=200)  # in English, without the names of people
    words = models.JSONField(default=list, blank=True)  # the same for every language
    path = models.CharField(max_length=200)  # of the page about it
    told_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "news"
        ordering = ["-index"]
        constraints = [
            models.UniqueConstraint(
                fields=["party", "index"],
                condition=models.Q(index__isnull=False),
                nulls_distinct=False,
                name="news_once_per_party",
            ),
            models.CheckConstraint(
                condition=models.Q(evidence__isnull=True, index__isnull=True)
                | models.Q(evidence__isnull=False, index__isnull=False),
                name="news_of_the_log_or_told_in_private",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.title


class Notice(models.Model):
    """News as one person sees it in the app."""

    id = PublicIdField("ntc", primary_key=True)
    news = models.ForeignKey(News, on_delete=models.PROTECT, related_name="notices")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notices")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "news"], name="notice_once_per_person"),
        ]
        indexes = [
            models.Index(
                fields=["user"], condition=models.Q(read_at__isnull=True), name="notice_unread"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.news_id}"


class Mail(models.Model):
    """News on its way to one mailbox. The row is the queue: leased while it is being sent."""

    news = models.ForeignKey(News, on_delete=models.PROTECT, related_name="mails")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # null: sent, or given up
    sent_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "news"], name="mail_once_per_person"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="mail_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.news_id}"


class NoticeChoice(models.Model):
    """A person's own word on one topic through one channel; without a row the topic's default."""

    class Channel(models.TextChoices):
        APP = "app", "In the app"
        MAIL = "mail", "By e-mail"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_choices")
    topic = models.CharField(max_length=16)
    channel = models.CharField(max_length=4, choices=Channel.choices)
    wanted = models.BooleanField()
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "topic", "channel"], name="notice_choice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.topic} {self.channel}: {self.wanted}"
