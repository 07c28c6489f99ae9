"""What every noun of the API has in common.

A view says what it `gives` and `takes` (serializers) and writes three-line methods: `get_queryset`
for what the caller may see, `create` for what a POST makes. Everything else is here.
"""

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import status
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from marketplace.acting import Acting
from marketplace.api import idempotency
from marketplace.api.pagination import ByCursor
from marketplace.api.permissions import acting_in
from pacts.models import Party, User
from reputation.clock import database_now

Row = TypeVar("Row", bound=Model)


class Noun(GenericAPIView[Any]):
    """A view of one noun. `self.acting` is whom the request acts for, None for the public."""

    gives: ClassVar[type[BaseSerializer[Any]] | None] = None
    takes: ClassVar[type[BaseSerializer[Any]] | None] = None
    deletes: ClassVar[bool] = False  # a DELETE leaves nothing to show
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    pagination_class: Any = None
    filter_backends: Any = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        asked = request.query_params.lists()  # every value of a name, not only its last
        if any("\x00" in text for name, values in asked for text in (name, *values)):
            raise ParseError("The query holds a NUL character; remove it.")

    @property
    def acting(self) -> Acting | None:
        return acting_in(self.request)

    @property
    def party(self) -> Party:
        """The party the request acts for; the access table lets nobody without one get here."""
        acting = self.acting
        if acting is None or acting.party is None:
            raise ValidationError({"party": ["Name the party you act for in Earnest-Party."]})
        return acting.party

    @property
    def own(self) -> str:
        """The id of the acting party; of nobody, for the public."""
        acting = self.acting
        return acting.party.id if acting and acting.party else ""

    @property
    def adjudicates(self) -> bool:
        return self.acting is not None and self.acting.user.is_adjudicator

    @property
    def user(self) -> User:
        acting = self.acting
        assert acting is not None, "the access table lets only known users get here"
        return acting.user

    @property
    def authority(self) -> str:
        """What allows this user's signature: the role held in the party."""
        return f"member:{self.acting.role if self.acting else 'nobody'}"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        assert self.gives is not None, f"{type(self).__name__} does not say what it gives"
        return self.gives

    def given(self) -> dict[str, Any]:
        """The validated body. Raises ValidationError."""
        assert self.takes is not None, f"{type(self).__name__} does not say what it takes"
        serializer = self.takes(data=self.request.data or {}, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        content: dict[str, Any] = serializer.validated_data
        return content

    def shown(self, thing: Any) -> Any:
        """A thing as this noun gives it."""
        return self.get_serializer(thing).data

    def find(self, rows: "QuerySet[Row]", **by: Any) -> Row:
        """The one row of those that the caller may see, or 404."""
        return get_object_or_404(rows, **by)


class Reads(Noun):
    """One thing, found by the id in the address."""

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.find(self.get_queryset(), pk=id)))


class Lists(Noun):
    """What there is, by pages; with filters and, where `ordering_fields` says so, `?ordering=`."""

    pagination_class = ByCursor
    filter_backends: Any = (DjangoFilterBackend, OrderingFilter)
    filterset_class: Any = None
    ordering_fields: ClassVar[tuple[str, ...]] = ("id",)
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    def get(self, request: Request, **ids: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Makes(Noun):
    """A POST that makes something, once per Idempotency-Key; with money it needs one."""

    makes: ClassVar[type[BaseSerializer[Any]] | None] = None  # what it answers, unless `gives`
    moves_money: ClassVar[bool] = False
    replays: ClassVar[bool] = True

    def post(self, request: Request, **ids: str) -> Response:
        if not self.replays:
            return self._act()
        acting = self.acting
        assert acting is not None, "no POST of the API is public"
        return idempotency.answer(
            request=request, caller=acting.caller, required=self.moves_money, act=self._act
        )

    def _act(self) -> Response:
        made = self.create(self.given() if self.takes else {}, database_now())
        answer = (self.makes or self.get_serializer_class())(
            made, context=self.get_serializer_context()
        )
        return Response(answer.data, status.HTTP_201_CREATED)

    def create(self, given: dict[str, Any], now: datetime) -> Any:
        """What the POST makes, from its validated body."""
        raise NotImplementedError
