"""Routes: kept by a buyer, and called by its programs, in plain JSON or as OpenAI's clients do."""

import json
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdField, ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.models import Route, RoutedCall, RouteEntry
from marketplace.routing import calling, keeping
from marketplace.routing.calling import Answered
from marketplace.routing.keeping import Listed, RouteTerms
from pacts.runner import egress
from reputation.clock import database_now


class RouteUnanswered(APIException):
    """No agent of the route could answer."""

    status_code = status.HTTP_502_BAD_GATEWAY
    default_code = "nobody-answers"


class RouteEntrySerializer(serializers.ModelSerializer[RouteEntry]):
    engagement = serializers.CharField(source="engagement_id")
    agent = serializers.CharField(source="engagement.agent_version.agent_id")
    agent_version = serializers.CharField(source="engagement.agent_version_id")

    class Meta:
        model = RouteEntry
        fields = ["position", "engagement", "agent", "agent_version", "unfunded", "resting_until"]


class RouteSerializer(serializers.ModelSerializer[Route]):
    current = serializers.CharField(
        source="current_id", allow_null=True, help_text="The engagement that answered last."
    )
    entries = RouteEntrySerializer(many=True)

    class Meta:
        model = Route
        fields = [
            *("id", "name", "order", "deadline_ms", "holds_back", "current"),
            *("made_at", "closed_at", "entries"),
        ]


class ListedSerializer(serializers.Serializer[Listed]):
    engagement = IdField()
    unfunded = serializers.BooleanField(
        default=False, help_text="It may be called though no money is set aside for it."
    )


class NewRouteSerializer(serializers.Serializer[Route]):
    name = serializers.CharField(max_length=80)
    order = serializers.ChoiceField(choices=Route.Order.choices, default=Route.Order.BEST)
    deadline_ms = serializers.IntegerField(min_value=500, max_value=60_000, default=20_000)
    holds_back = serializers.BooleanField(
        default=False, help_text="An answer that breaks a critical clause is not passed on."
    )
    entries = ListedSerializer(many=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().to_internal_value(data)
        listed = [Listed(**one) for one in given.pop("entries")]
        return {"wanted": RouteTerms(listed=listed, **given)}


class OfRoutes(Noun):
    """The routes of the acting party."""

    def get_queryset(self) -> QuerySet[Route]:
        return keeping.routes_of(self.own)

    def route(self) -> Route:
        acting = self.acting
        if acting is not None and acting.engagement is not None:
            return self.find(Route.objects.none(), pk="")  # its key reports calls, and makes none
        return self.find(self.get_queryset(), pk=self.kwargs["id"])


class Routes(OfRoutes, Lists, Makes):
    """Addresses of one's own, each answered by the best of several agents."""

    gives = RouteSerializer
    takes = NewRouteSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Route:
        return keeping.make_route(buyer=self.party, by=self.user, now=now, **given)


class OneRoute(OfRoutes, Reads):
    """One route. PUT changes it whole; DELETE closes it."""

    gives = RouteSerializer
    takes = NewRouteSerializer

    def put(self, request: Request, id: str) -> Response:
        route = self.route()
        keeping.change_route(route=route, **self.given())
        return Response(self.shown(self.route()))

    def delete(self, request: Request, id: str) -> Response:
        return Response(self.shown(keeping.close_route(route=self.route(), now=database_now())))


class RoutedCallSerializer(serializers.ModelSerializer[RoutedCall]):
    engagement = serializers.CharField(source="engagement_id", allow_null=True)
    tries = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = RoutedCall
        fields = ["id", "engagement", "call_id", "why", "tries", "latency_ms", "at"]


class RouteInputSerializer(serializers.Serializer[Any]):
    input = ObjectField(help_text="What the agents are asked, as a task's input.")
    labels = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False, default=dict
    )

    def validate_labels(self, labels: dict[str, str]) -> dict[str, str]:
        if len(labels) > 19 or any(len(name) > 60 for name in labels):
            raise serializers.ValidationError("Give at most 19 labels with names of 60 letters.")
        return labels


class RouteAnswerSerializer(serializers.Serializer[Any]):
    """The answer; `Earnest-Agent`, `Earnest-Engagement`, `Earnest-Call` and `Earnest-Why` say the
    same in headers."""

    output = ObjectField()
    agent = serializers.CharField()
    engagement = serializers.CharField()
    call = serializers.CharField()
    why = serializers.CharField()
    latency_ms = serializers.FloatField()
    tries = serializers.ListField(child=serializers.DictField())


class RouteCalls(OfRoutes, Lists):
    """Requests of a route, without what was said. A POST puts an input to the best agent that
    keeps its pact right now, and to the next one where that fails, within the route's deadline.
    502: nobody could answer, and why."""

    gives = RoutedCallSerializer
    takes = RouteInputSerializer
    makes = RouteAnswerSerializer

    def get_queryset(self) -> Any:
        if self.request.method == "GET" and "id" in self.kwargs:
            route = self.find(keeping.routes_of(self.own), pk=self.kwargs["id"])
            return RoutedCall.objects.filter(route=route)
        return super().get_queryset()

    @extend_schema(responses={201: RouteAnswerSerializer})
    def post(self, request: Request, id: str) -> Response:
        route, given = self.route(), self.given()
        answered = routed(route, given["input"], labels=given["labels"])
        said = {
            "output": answered.said.reply.output,
            "why": answered.why,
            "latency_ms": answered.routed.latency_ms,
            "tries": answered.routed.tries,
            **_named(answered),
        }
        return Response(said, status.HTTP_201_CREATED, headers=headers_of(answered))


class ChatSerializer(serializers.Serializer[Any]):
    """OpenAI's chat completions; what is not named here is left to the agents."""

    messages = serializers.ListField(child=ObjectField(), min_length=1, max_length=1_000)
    stream = serializers.BooleanField(default=False)


class ChatAnswerSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField()
    model = serializers.CharField()
    choices = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField(required=False)


class RouteChat(OfRoutes):
    """The same for programs that speak OpenAI's chat completions: give them `…/routes/ID` as base
    address and an API key as key. A stream brings the whole answer at once, since whether
    somebody else must be asked is known only then."""

    takes = ChatSerializer
    gives = ChatAnswerSerializer

    @extend_schema(responses={200: ChatAnswerSerializer})
    def post(self, request: Request, id: str) -> HttpResponse:
        route, given = self.route(), self.given()
        answered = routed(route, {"messages": given["messages"]}, labels={})
        found, headers = completion(answered), headers_of(answered)
        if not given["stream"]:
            return Response(found, headers=headers)
        return HttpResponse(
            streamed(found), content_type="text/event-stream; charset=utf-8", headers=headers
        )


def routed(route: Route, input: Any, *, labels: dict[str, str]) -> Answered:
    """One input to the route. Raises RouteUnanswered."""
    try:
        return calling.call(
            route=route, input=input, egress=egress(), now=database_now, labels=labels
        )
    except calling.NobodyAnswers as nobody:
        raise RouteUnanswered(f"No agent of this route could answer: {nobody}.") from nobody


def _named(answered: Answered) -> dict[str, str]:
    engagement = answered.said.entry.engagement
    return {
        "agent": engagement.agent_version.agent_id,
        "engagement": engagement.pk,
        "call": f"cll_{answered.said.call_id.replace('-', '')}",
    }


def headers_of(answered: Answered) -> dict[str, str]:
    """Who answered, and why."""
    named = {f"Earnest-{name.title()}": value for name, value in _named(answered).items()}
    return {**named, "Earnest-Why": answered.why}


def completion(answered: Answered) -> dict[str, Any]:
    """An answer as a chat completion: text as it is, any other object as JSON text."""
    reply = answered.said.reply
    output = reply.output or {}
    text = output.get("text")
    plain = isinstance(text, str) and set(output) <= {"text", "declined"}
    declined = output.get("declined") is True
    message = {
        "role": "assistant",
        "content": None if declined else text if plain else json.dumps(output, ensure_ascii=False),
        "refusal": (text if isinstance(text, str) else "declined") if declined else None,
    }
    found: dict[str, Any] = {
        "id": f"chatcmpl-{answered.said.call_id}",
        "object": "chat.completion",
        "created": int(answered.routed.at.timestamp()),
        "model": str(reply.reported.get("model") or answered.said.entry.engagement.agent_version),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if reply.facts.usage is not None:
        read, written = reply.facts.usage.input_tokens, reply.facts.usage.output_tokens
        found["usage"] = {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }
    return found


def streamed(found: dict[str, Any]) -> bytes:
    """A completion as the one event of a stream."""
    (choice,) = found["choices"]
    chunk = {
        **{name: found[name] for name in ("id", "created", "model")},
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": choice["message"], "finish_reason": "stop"}],
    }
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\ndata: [DONE]\n\n".encode()
