"""Searching as the market's page does, and searches kept under a name with what changed."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import finding
from marketplace.api.fields import AmountField, CurrencyField
from marketplace.api.listings import ListingSerializer, marks_onto, scores_onto
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.finding import SORTS, Search
from marketplace.languages import LANGUAGES
from marketplace.models import Listing, SavedSearch, SearchChange
from marketplace.searches import loosening, saving
from marketplace.searches.asking import AGES, BOUNDS, LONGEST, MOST_FLOORS, search_of
from pacts.agents import PROTOCOLS
from reputation.clock import database_now

_FLOOR = r"^[A-Za-z0-9_-]{1,40}:[0-9]{4}$"


class SearchSerializer(serializers.Serializer[Any]):
    """What is looked for, under the names the market's own address uses. Empty asks for nothing."""

    q = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST,
        help_text="Beginnings of words of the name, kind of work and builder; stems of the "
        "summary. Where nothing says them, what is spelled like them is found (`alike`).",
    )
    work = serializers.CharField(default="", allow_blank=True, max_length=40)
    least = serializers.ChoiceField(
        choices=BOUNDS, default=0, help_text="The lower bound of everything promised, in bps."
    )
    floor = serializers.ListField(
        child=serializers.RegexField(_FLOOR),
        default=list,
        max_length=MOST_FLOORS,
        help_text="`dimension:bps`, as `accuracy:9000`: the least lower bound of one dimension.",
    )
    fresh = serializers.ChoiceField(
        choices=AGES, default=0, help_text="Measured within so many days."
    )
    most = AmountField(default=None, allow_null=True, help_text="The highest price.")
    currency = CurrencyField(default="", allow_blank=True)
    protocol = serializers.ChoiceField(choices=list(PROTOCOLS), default="", allow_blank=True)
    language = serializers.ChoiceField(
        choices=list(LANGUAGES.items()), default="", allow_blank=True
    )
    sort = serializers.ChoiceField(choices=list(SORTS.items()), default="pact")

    def validate_floor(self, value: list[str]) -> dict[str, int]:
        floors = {name: int(bps) for name, _, bps in (one.partition(":") for one in value)}
        if set(floors.values()) - set(BOUNDS):
            raise serializers.ValidationError(f"A bound is one of {', '.join(map(str, BOUNDS))}.")
        return floors

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["most"] is not None and not attrs["currency"]:
            raise serializers.ValidationError({"currency": ["Name the currency of `most`."]})
        return attrs


def asked_for(given: dict[str, Any]) -> Search:
    """The search that validated data asks for."""
    return Search(
        text=given["q"].strip(),
        work=given["work"],
        least=int(given["least"]),
        floors=given["floor"],
        fresh_days=int(given["fresh"]),
        most=given["most"],
        currency=given["currency"],
        protocol=given["protocol"],
        language=given["language"],
        sort=given["sort"],
    )


class AskedSerializer(serializers.Serializer[Search]):
    """A search as it was asked."""

    q = serializers.CharField(source="text")
    work = serializers.CharField()
    least = serializers.IntegerField()
    floor = serializers.SerializerMethodField()
    fresh = serializers.IntegerField(source="fresh_days")
    most = AmountField(allow_null=True)
    currency = serializers.CharField()
    protocol = serializers.CharField()
    language = serializers.CharField()
    sort = serializers.CharField()

    def get_floor(self, search: Search) -> list[str]:
        return [f"{name}:{bps}" for name, bps in search.floors.items()]


class LooserSerializer(serializers.Serializer[Any]):
    without = serializers.ListField(
        child=serializers.CharField(), help_text="What is left out; `all` is everything."
    )
    count = serializers.IntegerField()


class FoundSerializer(serializers.Serializer[Any]):
    """`looser` says what to leave out where nothing is found. `alike`: nothing says the words, and
    these are spelled like them."""

    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    alike = serializers.BooleanField()
    looser = LooserSerializer(many=True)
    results = ListingSerializer(many=True)


class TheSearch(Noun):
    """What the market's page finds, in its order: newcomers stand on every sixth place."""

    gives = FoundSerializer
    takes = SearchSerializer

    @extend_schema(
        parameters=[SearchSerializer, OpenApiParameter("page", int)],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = SearchSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        search, now = asked_for(asked.validated_data), database_now()
        found = finding.find(search, page=_page(request), now=now)
        rows = Listing.objects.select_related("agent").in_bulk(found.listings)
        listings = [rows[key] for key in found.listings if key in rows]
        scores_onto(listings)
        marks_onto(listings)
        looser = [] if found.count else loosening.loosened(search, now=now)
        answer = {
            "count": found.count,
            "page": found.page,
            "pages": found.pages,
            "alike": found.alike,
            "looser": [{"without": names_of(way), "count": way.count} for way in looser],
            "results": listings,
        }
        return Response(self.shown(answer))


def _page(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not text.isdecimal() or len(text) > 7:
        raise serializers.ValidationError({"page": ["Give the number of a page."]})
    return int(text)


def names_of(way: loosening.Looser) -> list[str]:
    """What a looser search leaves out, by the names of the address."""
    names = {"text": "q", "fresh_days": "fresh", "floors": "floor"}
    return [
        f"floor={way.dimension}" if way.dimension else names.get(field, field)
        for field in way.fields
    ]


class SavedSearchSerializer(serializers.ModelSerializer[SavedSearch]):
    asks = serializers.SerializerMethodField()
    unseen = serializers.SerializerMethodField(
        help_text="Changes since its user last looked, on the page or by a `sight`."
    )

    class Meta:
        model = SavedSearch
        fields = ["id", "name", "asks", "unseen", "saved_at", "looked_at", "ended_at"]

    @extend_schema(responses=AskedSerializer)
    def get_asks(self, search: SavedSearch) -> dict[str, Any]:
        return dict(AskedSerializer(search_of(search.asks)).data)

    def get_unseen(self, search: SavedSearch) -> int:
        found = vars(search).get("unseen")
        return search.changes.filter(seen_at=None).count() if found is None else found


class NewSavedSearchSerializer(SearchSerializer):
    name = serializers.CharField(max_length=saving.LONGEST_NAME)


class NameSerializer(serializers.Serializer[SavedSearch]):
    name = serializers.CharField(max_length=saving.LONGEST_NAME)


class SavedSearches(Lists, Makes):
    """Searches that the user behind the key keeps; its notices say what newly fits, or no longer
    does, from the moment of saving on."""

    gives = SavedSearchSerializer
    takes = NewSavedSearchSerializer
    queryset = SavedSearch.objects.none()

    def get_queryset(self) -> QuerySet[SavedSearch]:
        return saving.with_news(saving.searches_of(self.user))

    def create(self, given: dict[str, Any], now: datetime) -> SavedSearch:
        name = given.pop("name")
        return saving.save(user=self.user, name=name, search=asked_for(given), now=now)


class OneSavedSearch(Reads):
    """One kept search. PATCH renames it; DELETE ends it: nothing of it is told any more."""

    gives = SavedSearchSerializer
    takes = NameSerializer
    queryset = SavedSearch.objects.none()

    def get_queryset(self) -> QuerySet[SavedSearch]:
        return SavedSearch.objects.filter(user=self.user)

    def patch(self, request: Request, id: str) -> Response:
        found = self.find(self.get_queryset(), pk=id)
        return Response(self.shown(saving.rename(search=found, **self.given())))

    def delete(self, request: Request, id: str) -> Response:
        found = self.find(self.get_queryset(), pk=id)
        return Response(self.shown(saving.end(search=found, now=database_now())))


class SearchChangeSerializer(serializers.ModelSerializer[SearchChange]):
    listing = serializers.CharField(source="listing_id")
    price = AmountField(allow_null=True)
    price_before = AmountField(allow_null=True)

    class Meta:
        model = SearchChange
        fields = [
            *("listing", "fits", "reason", "currency", "price_before", "price"),
            *("score_before_bps", "score_bps", "at", "seen_at"),
        ]


class SearchChanges(Lists):
    """What came to fit a kept search and what ceased to, the newest first."""

    gives = SearchChangeSerializer
    queryset = SearchChange.objects.none()

    def get_queryset(self) -> QuerySet[SearchChange]:
        if getattr(self, "swagger_fake_view", False):
            return SearchChange.objects.none()
        mine = SavedSearch.objects.filter(user=self.user)
        return SearchChange.objects.filter(search=self.find(mine, pk=self.kwargs["id"]))


class SearchSight(Noun):
    """Having seen what changed: it is counted as new no more, and told no more."""

    gives = SavedSearchSerializer

    def put(self, request: Request, id: str) -> Response:
        found = self.find(SavedSearch.objects.filter(user=self.user), pk=id)
        return Response(self.shown(saving.see(search=found, now=database_now())))
