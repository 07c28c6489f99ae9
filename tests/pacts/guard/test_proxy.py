"""An agent nobody can change, behind the proxy: by WSGI, by ASGI, and as a program."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pacts.guard.asgi import AsgiGuard, AsgiUpstream
from pacts.guard.proxy import Upstream, WsgiGuard
from tests.pacts.guard.conftest import Guards
from tests.pacts.guard.receiving import Receiver

ROOT = Path(__file__).resolve().parents[3]
PACT = [
    {
        "key": "digits",
        "check": "regex",
        "params": {"field": "total", "pattern": "[0-9]+"},
        "severity": "critical",
    }
]


class Agent(BaseHTTPRequestHandler):
    """Speaks earnest-json; says `many` when asked for it and breaks when asked to."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        total = "many" if asked["input"] == "many" else "12"
        said = {"output": {"total": total}, "usage": {"input_tokens": 1, "output_tokens": 2}}
        self.send_response({"break": 500, "wrong": 422}.get(asked["input"], 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def agent() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def by_wsgi(guard: Any, agent: str, asked: str) -> tuple[int, dict[str, str], Any]:
    import io

    body = json.dumps({"input": asked}).encode()
    told: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/ask",
        "QUERY_STRING": "a=1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
    }
    parts: Any = WsgiGuard(guard, Upstream(agent))(environ, lambda *given: told.extend(given))
    said = b"".join(parts)
    getattr(parts, "close", lambda: None)()
    return int(told[0][:3]), dict(told[1]), json.loads(said)


def by_asgi(guard: Any, agent: str, asked: str) -> tuple[int, dict[str, str], Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps({"input": asked}).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/ask",
        "query_string": b"a=1",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(AsgiGuard(guard, AsgiUpstream(agent))(scope, receive, send))
    headers = {name.decode().title(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message["body"] for message in sent[1:])
    return sent[0]["status"], headers, json.loads(body)


@pytest.mark.parametrize("by", [by_wsgi, by_asgi])
def test_the_answer_passes_and_the_record_reads_it(
    guards: Guards, market: Receiver, agent: str, by: Any
) -> None:
    guard = guards(pact=PACT)
    status, headers, said = by(guard, agent, "how much?")
    assert (status, headers["X-Path"]) == (200, "/ask?a=1")
    assert said["output"] == {"total": "12"}
    assert guard.flush(5)
    record = market.only()
    assert record["input"] == {"input": "how much?"}
    assert record["output"] == {"total": "12"}
    assert record["usage"] == {"input_tokens": 1, "output_tokens": 2}
    assert record["checks"][0]["outcome"] == "pass"


@pytest.mark.parametrize("by", [by_wsgi, by_asgi])
@pytest.mark.parametrize(("asked", "fault"), [("break", "agent"), ("wrong", "buyer")])
def test_a_status_says_whose_fault_it_was(
    guards: Guards, market: Receiver, agent: str, by: Any, asked: str, fault: str
) -> None:
    guard = guards()
    assert by(guard, agent, asked)[0] in (500, 422)
    assert guard.flush(5)
    assert market.only()["fault"] == fault


@pytest.mark.parametrize("by", [by_wsgi, by_asgi])
def test_an_answer_against_the_pact_is_held_back(
    guards: Guards, market: Receiver, agent: str, by: Any
) -> None:
    guard = guards(pact=PACT, mode="block", when_undecided="closed")
    status, _, said = by(guard, agent, "many")
    assert (status, said["code"], said["clauses"]) == (502, "pact_breached", ["digits"])
    assert by(guard, agent, "how much?")[0] == 200
    assert guard.flush(5)
    assert [record.get("blocked", False) for record in market.records] == [True, False]


def test_the_program_serves_and_sends_what_is_pending_when_it_is_stopped(
    market: Receiver, agent: str, tmp_path: Path
) -> None:
    command = f"-m pacts.guard.proxy --upstream {agent} --listen 127.0.0.1:0 --agent-version agv_1"
    program = subprocess.Popen(
        [sys.executable, *command.split(), "--base-url", market.address, "--spool", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    address = program.stdout.readline().split()[-1]
    body = json.dumps({"input": "how much?"}).encode()
    asked = urllib.request.Request(f"{address}/ask", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as reply:
        assert json.load(reply)["output"] == {"total": "12"}
    os.kill(program.pid, signal.SIGTERM)
    assert program.wait(20) == 0
    assert market.only()["output"] == {"total": "12"}


def test_an_agent_that_is_away_is_a_bad_gateway(guards: Guards, market: Receiver) -> None:
    guard = guards()
    with pytest.raises(json.JSONDecodeError):
        by_wsgi(guard, "http://127.0.0.1:9", "x")
    assert guard.flush(5)
    assert market.only()["fault"] == "agent"
