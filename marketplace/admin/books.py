"""The rails' books against ours: what differs, to read, and the one form that settles it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace.admin.reading import History, only
from reputation.clock import database_now
from settlement import reconciliation
from settlement.models import Difference, DifferenceResolution, RailEvent, Reconciliation
from settlement.reconciliation import LONGEST_REASON, DifferenceAlreadyResolved


@admin.register(RailEvent)
class RailEventAdmin(History):
    list_display = ("event_id", "rail", "kind", "reference", "effect", "received_at")
    list_filter = ("rail", "effect", "kind")
    search_fields = ("event_id", "reference")


@admin.register(Reconciliation)
class ReconciliationAdmin(History):
    list_display = ("id", "rail", "since", "until", "movements", "matched", "healed", "found")
    list_filter = ("rail",)
    inlines = (only(Difference, "kind", "subject", "rail_reference", "ours", "theirs"),)


@admin.register(Difference)
class DifferenceAdmin(History):
    """What the two books say differently. Settling one needs a reason and changes no money."""

    list_display = (
        "id", "rail", "kind", "subject", "rail_reference", "ours", "theirs", "settled",
    )  # fmt: skip
    list_filter = ("rail", "kind", ("resolution", admin.EmptyFieldListFilter))
    search_fields = ("id", "subject", "rail_reference")
    list_select_related = ("resolution__by",)
    inlines = (only(DifferenceResolution, "by", "reason", "resolved_at"),)

    @admin.display(description="Settled")
    def settled(self, difference: Difference) -> SafeString | str:
        resolution = getattr(difference, "resolution", None)
        if resolution:
            return f"{resolution.by}: {resolution.reason}"
        address = reverse("admin:settlement_differenceresolution_add")
        return format_html('<a href="{}?difference={}">Settle</a>', address, difference.pk)


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which difference, and why it is settled."""

    reason = forms.CharField(max_length=LONGEST_REASON, widget=forms.Textarea)

    class Meta:
        model = DifferenceResolution
        fields = ("difference", "reason")


@admin.register(DifferenceResolution)
class DifferenceResolutionAdmin(History):
    """Who settled what, and why; staff add one and nobody changes it."""

    form = ReasonForm
    list_display = ("difference", "by", "reason", "resolved_at")
    search_fields = ("difference__id", "difference__subject", "reason")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        if db_field.name == "difference":
            more["queryset"] = reconciliation.open_differences()
        return super().formfield_for_foreignkey(db_field, request, **more)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Refused when somebody else was faster."""
        assert request.user.is_authenticated
        try:
            stored = reconciliation.resolve(
                difference=obj.difference, by=request.user, reason=obj.reason, now=database_now()
            )
        except DifferenceAlreadyResolved as error:
            raise PermissionDenied(str(error)) from error
        obj.pk, obj.by, obj.resolved_at = stored.pk, stored.by, stored.resolved_at
