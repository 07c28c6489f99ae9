"""An agent behind OpenAI's chat completions that gets worse on purpose, and what bob promises."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.cast import clause, pact_terms
from tests.faults.stack import Stack

Mood = Literal["fine", "slow", "wrong", "overreaching"]
LIMIT_MS = 1_500
WINDOW = 40
DECLINES = "I only double numbers."
ANSWERS = r"[0-9]+|I only double numbers\."


class ChattingAgent:
    """Doubles the number in the last message and declines anything else, while it is fine."""

    def __init__(self) -> None:
        self.mood: Mood = "fine"
        self.control_token = ""
        self.url = ""
        self.asked = 0

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        question = str(body["messages"][-1]["content"])
        if self.mood == "slow":
            time.sleep(LIMIT_MS / 1000 + 0.3)
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "doubler-1",
            "choices": [{"index": 0, "message": self._message(question), "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        }

    def _message(self, question: str) -> dict[str, Any]:
        if question.isdigit():
            text = "a fair number" if self.mood == "wrong" else str(int(question) * 2)
            return {"role": "assistant", "content": text}
        if self.mood == "overreaching":
            return {"role": "assistant", "content": "42"}
        return {"role": "assistant", "content": None, "refusal": DECLINES}


@contextmanager
def chatting_agent() -> Iterator[ChattingAgent]:
    """The agent on a free loopback port."""
    agent = ChattingAgent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(json.dumps(agent.answer(body)).encode(), "application/json")

        def do_GET(self) -> None:
            self._reply(agent.control_token.encode(), "text/plain")

        def _reply(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    agent.url = f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
    try:
        yield agent
    finally:
        server.shutdown()
        server.server_close()


def promise() -> dict[str, Any]:
    """Answers in form, in time and within scope, on calls that may be paid one by one."""
    live: dict[str, Any] = {
        "window": {"kind": "calls", "n": WINDOW},
        "promise_bps": 9_000,
        "floor_bps": 5_000,
        "risk_over": "lifetime",
    }
    return pact_terms(
        clause(
            "form",
            title="Answers are numbers",
            check="regex",
            params={"field": "text", "pattern": ANSWERS},
            severity="critical",
            weight_bps=4_000,
            **live,
        ),
        clause(
            "prompt",
            title="Answers come in time",
            dimension="reliability",
            check="latency",
            params={"limit_ms": LIMIT_MS, "clock": "guard"},
            weight_bps=3_000,
            **live,
        ),
        clause(
            "scope",
            title="Declines what is not its work",
            dimension="safety",
            check="scope",
            params={},
            severity="critical",
            weight_bps=3_000,
            **live,
        ),
        volume={"calls_per_day": 200},
    )


def offer(stack: Stack, agent: ChattingAgent, name: str) -> str:
    """bob registers the agent, proves control, publishes the promise and lists it."""
    registered = stack.post(
        "bob",
        "agents",
        {
            "name": name,
            "work": "arithmetic",
            "endpoint": agent.url,
            "protocol": "chat-completions/1",
            "declared": {"model": "doubler-1"},
        },
    )
    proof = f"agents/{registered['id']}/control-proof"
    agent.control_token = stack.get("bob", proof)["token"]
    assert stack.ask("bob", "PUT", proof).status == 200
    draft = stack.post("bob", "pacts", {"agent": registered["id"], "terms": promise()})
    pact = stack.post("bob", f"pact-versions/{draft['id']}/publication")
    terms = {
        "agent_version": registered["latest_version"],
        "pact_version": pact["id"],
        "price": "10000",
        "currency": "EUR",
    }
    return str(stack.post("bob", "listings", terms)["id"])
