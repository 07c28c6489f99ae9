"""Rows to look at: whoever is staff may read them, and nobody changes them here."""

from typing import Any, TypeVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

Row = TypeVar("Row", bound=Model)


class Looking:
    """Permissions of whatever is history: the database refuses edits, and so does the page."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class History(Looking, ModelAdmin):  # type: ignore[misc]
    """A list and a page of one kind of row, to read."""

    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False
    list_disable_select_all = True
    actions: Any = None


class HistoryInline(Looking, TabularInline):  # type: ignore[misc]
    """Rows shown on the page of what they belong to."""

    extra = 0
    max_num = 0
    show_change_link = True


def only(model: type[Row], *names: str) -> Any:
    """An inline class of `model` that shows these fields."""
    return type(
        f"{model.__name__}Rows",
        (HistoryInline,),
        {"model": model, "fields": names, "readonly_fields": names},
    )


def noted(request: HttpRequest, rows: QuerySet[Any], what: str) -> None:
    """Write down which of the staff did what to these rows."""
    LogEntry.objects.log_actions(
        user_id=str(request.user.pk), queryset=rows, action_flag=CHANGE, change_message=what
    )
