"""Who acts: users log in, parties sign and hold money, members tie the two with a role."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from pacts.models.separation import kept_apart
from reputation.fields import PublicIdField
from reputation.triggers import append_only


class UserManager(BaseUserManager["User"]):
    """Users are found by their e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, *, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(
            email=email, password=password, is_staff=True, is_superuser=True, **fields
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address."""

    id = PublicIdField("usr", primary_key=True)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=8, blank=True)  # of pages and mails; empty: not chosen
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_adjudicator = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = self.email.lower()


class Party(models.Model):
    """A person or organisation that signs pacts and holds money."""

    class Kind(models.TextChoices):
        PERSON = "person"
        ORGANISATION = "organisation"

    id = PublicIdField("pty", primary_key=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.ORGANISATION)
    about = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name


_REMEMBERED = """
    INSERT INTO pacts_pastmember (party_id, user_id, role, since, until)
    VALUES (OLD.party_id, OLD.user_id, OLD.role, OLD.created_at, now());
    RETURN NULL;
"""


class Member(models.Model):
    """A user who acts for a party, in one role."""

    class Role(models.TextChoices):
        OWNER = "owner"  # everything, members included
        FINANCE = "finance"  # money: deposits, escrow, payouts, acceptance
        EDITOR = "editor"  # agents, pacts, task sets, engagements
        VIEWER = "viewer"  # reads

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party", "user"], name="member_once_per_party"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "finance", "editor", "viewer"]),
                name="member_role_known",
            ),
        ]
        triggers = [
            kept_apart(),
            # Who acted for a party once has an interest in its cases for ever.
            pgtrigger.Trigger(
                name="remembered",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=_REMEMBERED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.party}"


class PastMember(models.Model):
    """A user who acted for a party and does so no more; written by the database itself."""

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="past_members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="past_memberships")
    role = models.CharField(max_length=8, choices=Member.Role.choices)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "party"], name="past_member_by_user")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.user} was {self.role} of {self.party}"


class SigningKey(models.Model):
    """A party's Ed25519 key. The platform keeps the private seed sealed on the party's behalf."""

    id = PublicIdField("key", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="signing_keys")
    public_key = models.BinaryField(max_length=32)
    sealed_seed = models.BinaryField(max_length=256)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party"],
                condition=models.Q(retired_at__isnull=True),
                name="signing_key_one_in_use",
            )
        ]

    def __str__(self) -> str:
        return self.id


class Signature(models.Model):
    """One party's signature of one digest, made once and never changed."""

    class Purpose(models.TextChoices):
        PACT = "pact"
        ENGAGEMENT = "engagement"
        REPLY = "reply"

    id = PublicIdField("sig", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="signatures")
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="signatures")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    digest = models.CharField(max_length=80)
    signature = models.BinaryField(max_length=64)
    # Null when signed on a standing authority, e.g. a listing that accepts its own offer.
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    authority = models.CharField(max_length=48)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party", "purpose", "digest"], name="signature_once_per_digest"
            )
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.party_id} on {self.digest}"
