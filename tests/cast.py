"""The cast: alice buys, bob builds, carol adjudicates, mallory attacks. Real rows, no mocks."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils.timezone import now as clock

from pacts import publishing, registry, tasksets
from pacts.models import AgentVersion, Member, PactVersion, Party, TaskSetVersion, User
from pacts.tasksets import TaskDraft

PASSWORD = "correct horse battery"

# Bound but never listening: whoever calls it is refused, and nobody else can take the port.
_DEAD = socket.socket()
_DEAD.bind(("127.0.0.1", 0))
DEAD_END = f"http://127.0.0.1:{_DEAD.getsockname()[1]}/run"


@dataclass(frozen=True, slots=True)
class Actor:
    """A user and the party it owns."""

    user: User
    party: Party


def actor(name: str, **fields: Any) -> Actor:
    """A user `name@example.org` who owns a party of the same name."""
    user = User.objects.create_user(
        email=f"{name}@example.org", password=PASSWORD, name=name.title(), **fields
    )
    party = Party.objects.create(name=f"{name.title()} & Co")
    Member.objects.create(party=party, user=user, role=Member.Role.OWNER)
    return Actor(user, party)


def alice() -> Actor:
    return actor("alice")


def bob() -> Actor:
    return actor("bob")


def carol() -> Actor:
    return actor("carol", is_adjudicator=True)


def mallory() -> Actor:
    return actor("mallory")


Answer = Callable[[dict[str, Any]], Any]


@contextmanager
def agent_service(answer: Answer, *, control_token: str = "") -> Iterator[str]:
    """A real HTTP agent on loopback: `answer(input)` gives the output. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(json.dumps({"output": answer(body["input"])}).encode(), "application/json")

        def do_GET(self) -> None:
            self._reply(Handler.token.encode(), "text/plain")

        def _reply(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

        token = control_token

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/run"
    finally:
        server.shutdown()
        server.server_close()


def echo(given: dict[str, Any]) -> dict[str, Any]:
    """The perfect agent of `doubling_tasks`."""
    return {"answer": given["number"] * 2}


def clause(key: str = "accuracy", **changes: Any) -> dict[str, Any]:
    """A clause in the pact language, complete enough to be published."""
    return {
        "key": key,
        "title": "Answers are right",
        "dimension": "accuracy",
        "check": "equality",
        "params": {"field": "answer", "expected_field": "answer"},
        "promise_bps": 9000,
        "floor_bps": 8000,
        "window": {"kind": "milestone"},
        "weight_bps": 10_000,
        "consequence": "withhold",
        "on_undetermined": "human_review",
        "owner": "builder",
        "review_cadence_days": 30,
    } | changes


def pact_terms(*clauses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A publishable pact of the given clauses (one accuracy clause if none is given)."""
    return {
        "version": "earnest-pact/1",
        "title": "Doubling, done right",
        "summary": "Doubles whole numbers.",
        "scope": {"in": ["whole numbers"], "out": ["anything else"]},
        "clauses": list(clauses) or [clause()],
        "on_breach": "refund",
        "volume": {"calls_per_milestone": 200},
    } | changes


def doubling_tasks(count: int) -> list[TaskDraft]:
    return [TaskDraft({"number": n}, {"answer": 2 * n}) for n in range(count)]


def agent_of(
    builder: Actor,
    url: str = DEAD_END,
    *,
    name: str = "Doubler",
    **fields: Any,
) -> AgentVersion:
    return registry.register_agent(
        builder=builder.party,
        name=name,
        work="arithmetic",
        summary="Doubles numbers.",
        endpoint=url,
        now=clock(),
        **fields,
    )


def pact_of(version: AgentVersion, by: Actor, data: dict[str, Any] | None = None) -> PactVersion:
    draft = publishing.draft_pact(agent=version.agent, data=data or pact_terms())
    return publishing.publish_pact(version=draft, by=by.user, authority="owner", now=clock())


def golden_set(owner: Actor, tasks: list[TaskDraft]) -> TaskSetVersion:
    return tasksets.create_task_set(
        owner=owner.party, name="Numbers", work="arithmetic", tasks=tasks, now=clock()
    )
