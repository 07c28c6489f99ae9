"""Programs that speak to the API with a key, as the cast's own would."""

import json
import threading
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils.timezone import now as clock

from marketplace.keys import issue_key
from marketplace.models import ApiKey
from pacts.models import Member, Party, User
from tests.cast import PASSWORD, Actor

EVERY_SCOPE = list(ApiKey.Scope.values)


_OF_THIS_THREAD = threading.local()


def client() -> Client:
    """Django's test client, one a thread: making one loads all middleware anew."""
    if not hasattr(_OF_THIS_THREAD, "client"):
        _OF_THIS_THREAD.client = Client(raise_request_exception=False)
    found: Client = _OF_THIS_THREAD.client
    found.cookies.clear()
    return found


@dataclass(frozen=True, slots=True)
class Program:
    """A client with an API key, or without one. Paths are those after `/api/v1/`."""

    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to one request; a dict, list or None is sent as JSON, bytes as they are."""
        if self.secret:
            headers.setdefault("Authorization", f"Bearer {self.secret}")
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client().generic(
            method,
            path if path.startswith("/") else f"/api/v1/{path}",
            b"" if body is None else content,
            content_type=headers.pop("content_type", "application/json"),
            headers=headers,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def pay(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> Any:
        """A POST that moves money: with a fresh Idempotency-Key unless one is given."""
        headers["Idempotency-Key"] = key or uuid4().hex
        return self.post(path, body, **headers)


def program_of(actor: Actor, scopes: list[str] | None = None) -> Program:
    """A program with a key of this actor's party; every scope unless some are given."""
    issued = issue_key(
        party=actor.party,
        user=actor.user,
        name="a program",
        scopes=EVERY_SCOPE if scopes is None else scopes,
        now=clock(),
    )
    return Program(issued.secret)


def colleague(party: Party, role: Member.Role) -> Actor:
    """Somebody else who acts for the party, in this role."""
    user = User.objects.create_user(
        email=f"{role}.{uuid4().hex[:8]}@example.org", password=PASSWORD, name=role.title()
    )
    Member.objects.create(party=party, user=user, role=role)
    return Actor(user, party)
