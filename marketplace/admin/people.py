"""Users, parties, members and their keys."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from marketplace import keys
from marketplace.admin.reading import History, Looking, noted, only
from marketplace.models import ApiKey
from pacts.models import Member, Party, PastMember, Signature, SigningKey, User
from reputation.clock import database_now

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(Looking, ModelAdmin):  # type: ignore[misc]
    """People. Superusers switch accounts off and name staff and adjudicators; nobody is deleted."""

    list_display = ("email", "name", "is_active", "is_staff", "is_adjudicator", "created_at")
    list_filter = ("is_active", "is_staff", "is_adjudicator")
    search_fields = ("id", "email", "name")
    fields = (
        *("id", "email", "name", "created_at", "last_login"),
        *("is_active", "is_staff", "is_adjudicator"),
    )
    readonly_fields = ("id", "email", "created_at", "last_login")
    inlines = (
        only(Member, "party", "role", "created_at"),
        only(PastMember, "party", "role", "since", "until"),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Party)
class PartyAdmin(History):
    list_display = ("name", "id", "kind", "created_at")
    list_filter = ("kind",)
    search_fields = ("id", "name")
    inlines = (only(Member, "user", "role", "created_at"),)


@admin.register(ApiKey)
class ApiKeyAdmin(History):
    """Keys of programs. Staff may revoke one that leaked."""

    list_display = ("name", "id", "party", "user", "scopes", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("id", "name", "party__name", "party__id")
    exclude = ("secret_digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["view"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """End the chosen keys at once."""
        noted(request, chosen, "revoked")
        for key in chosen:
            keys.revoke_key(key=key, now=database_now())
        self.message_user(request, f"{len(chosen)} key(s) revoked.")


@admin.register(Signature)
class SignatureAdmin(History):
    list_display = ("id", "party", "purpose", "digest", "authority", "signed_at")
    list_filter = ("purpose",)
    search_fields = ("id", "digest", "party__id", "party__name")


@admin.register(SigningKey)
class SigningKeyAdmin(History):
    list_display = ("id", "party", "created_at", "retired_at")
    search_fields = ("id", "party__id", "party__name")
    exclude = ("sealed_seed",)
