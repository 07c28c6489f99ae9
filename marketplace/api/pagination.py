"""Pages that stay right while rows are added: by cursor, never by number."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class ByCursor(CursorPagination):
    """`{next, previous, results}`; `?limit=` up to 200. Ids sort by time: the newest come first."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"
    offset_cutoff = 1_000_000  # rows that are equal in an order, as every newcomer's rank is

    def get_ordering(
        self, request: Request, queryset: "QuerySet[Any]", view: APIView
    ) -> tuple[str, ...]:
        """The order asked for, made total by the key: pages neither repeat a row nor drop one."""
        asked = tuple(super().get_ordering(request, queryset, view))
        return asked if {"id", "-id"} & set(asked) else (*asked, "-pk")

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor and "\x00" in str(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def paginate_queryset(
        self,
        queryset: "QuerySet[Any] | Sequence[Any]",
        request: Request,
        view: APIView | None = None,
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, ValidationError) as error:  # a cursor somebody wrote by hand
            raise NotFound(self.invalid_cursor_message) from error
