"""The OpenAPI description: built from the views, the access table and the problem format."""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import resolve
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import ListSerializer

from marketplace import access
from marketplace.api import idempotency
from marketplace.api.authentication import BrowserAuthentication, KeyAuthentication
from marketplace.api.nouns import Lists, Makes

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457: what is wrong and what to do.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}


class KeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes an API key."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ek_…"}


class BrowserScheme(OpenApiAuthenticationExtension):
    """How the schema describes a session."""

    target_class = BrowserAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Schema(AutoSchema):
    """Describes a `Noun`: what it takes and gives, who may, and what may be sent again."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(serializer, ListSerializer):
            return True
        return self.method == "GET" and isinstance(self.view, Lists)

    def get_operation_id(self) -> str:
        verb = {"get": "list" if self._is_list_view() else "read"}.get(
            self.method.lower(), {"post": "create", "put": "put"}.get(self.method.lower(), "")
        )
        return f"{verb or self.method.lower()}-{self._route()}"

    def get_summary(self) -> str:
        words = " ".join((type(self.view).__doc__ or "").split())
        return f"{self.get_operation_id()}: {re.split(r'(?<=[.;]) ', words)[0].rstrip('.;')}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_description(self) -> str:  # type: ignore[override]
        rule = access.rule_of(f"api:{self._route()}", self.method)
        words = type(self.view).__doc__ or ""
        who = "Public." if rule is None or rule.public else rule.sentence()
        return f"{words.strip()}\n\n{who}"

    def get_auth(self) -> list[dict[str, list[str]]]:
        rule = access.rule_of(f"api:{self._route()}", self.method)
        auth: list[dict[str, list[str]]] = super().get_auth()
        return [*auth, {}] if rule and rule.public and {} not in auth else auth

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "takes", None)

    def get_response_serializers(self) -> Any:
        if produces := getattr(self.view, "produces", None):
            return {(200, produces): OpenApiTypes.BINARY}
        gives = getattr(self.view, "gives", None)
        if self.method == "DELETE":
            return {204: None} if getattr(self.view, "deletes", False) else {200: gives}
        if self.method == "POST":
            return {201: getattr(self.view, "makes", None) or gives}
        return {200: gives}

    def get_override_parameters(self) -> Any:
        if self.method != "POST" or not isinstance(self.view, Makes) or not self.view.replays:
            return []
        return [
            OpenApiParameter(
                idempotency.HEADER,
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                required=self.view.moves_money,
                description="Your own name for this request; repeat it when you send it again.",
            )
        ]

    def _route(self) -> str:
        filled = self.path.replace("{id}", "xxx_1").replace("{member}", "xxx_1")
        return resolve(filled).url_name or ""


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """Every operation may answer with a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in _mappings(result.get("paths")):
        for operation in _mappings(operations):
            operation["responses"]["default"] = {
                "description": "A refusal that says what to do.",
                "content": content,
            }
    return result


def _mappings(value: Any) -> list[dict[str, Any]]:
    return (
        [item for item in value.values() if isinstance(item, dict)]
        if isinstance(value, Mapping)
        else []
    )
