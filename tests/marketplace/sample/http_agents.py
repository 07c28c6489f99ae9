"""Serves the sample agents over real HTTP on loopback, and calls them."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from marketplace.sample.agents import SampleAgent

INPUTS: dict[str, dict[str, Any]] = {
    "language": {"text": "The train leaves every half hour from the old station."},
    "dates": {"text": "April 5, 2026", "locale": "en-GB", "reference_date": "2026-03-14"},
    "documents": {"text": '{"order": 7}'},
}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@contextmanager
def serving(agent: SampleAgent) -> Iterator[int]:
    """The agent's WSGI application on a free loopback port, which is yielded."""
    application = import_module(agent.module).application
    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def request(
    port: int, method: str, path: str = "/", body: bytes | None = None, **headers: str
) -> tuple[int, str, bytes]:
    """Status, content type and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers.get_content_type(), response.read()
    finally:
        connection.close()


def call(port: int, fields: Any) -> tuple[int, dict[str, Any]]:
    """Status and answer of one call with this input."""
    body = {"protocol": "earnest-json/1", "call_id": "call-1", "input": fields}
    status, kind, answer = request(port, "POST", body=json.dumps(body).encode())
    assert kind == "application/json"
    decoded: dict[str, Any] = json.loads(answer)
    return status, decoded
