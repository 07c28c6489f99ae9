"""A guard before an agent that nobody can change: a WSGI proxy, and a program that serves it.

    python -m pacts.guard.proxy --upstream http://127.0.0.1:9000 --listen 127.0.0.1:8080 \\
        --agent-version agv_… --base-url https://market.example      (key in EARNEST_API_KEY)

`WsgiGuard` goes around any WSGI application as well; `pacts.guard.asgi` is the same for ASGI. What
the agent answers passes through as it comes; in `block` mode it is read whole and checked first.
"""

import argparse
import io
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import quote, urlsplit

from pacts.guard.blocking import PactBreached
from pacts.guard.captured import Captured
from pacts.guard.exchanges import EXCHANGE, MOST_BODY, asked_of, blame_status, refusal
from pacts.guard.guard import PactGuard
from pacts.guard.settings import GuardMisconfigured
from pacts.guard.streams import GuardedStream, Tape

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailers", "transfer-encoding", "upgrade", "proxy-connection"),
    }
)
CHUNK = 64 * 1024


class WsgiGuard:
    """A WSGI application under guard."""

    def __init__(self, guard: PactGuard, application: Application) -> None:
        self._guard, self._application = guard, application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not self._guard.sampled():
            return self._application(environ, start_response)
        body = _body(environ)
        asked = asked_of(
            environ.get("REQUEST_METHOD", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
            body[:MOST_BODY],
        )
        captured = self._guard.begin(EXCHANGE, (asked,), {})
        if captured is None:
            return self._application(environ, start_response)
        if self._guard.blocks:
            return self._held(environ, start_response, captured)
        return self._passed(environ, start_response, captured)

    def _passed(
        self, environ: Environ, start_response: StartResponse, captured: Captured
    ) -> Iterable[bytes]:
        status: list[Any] = [200, False]
        since = time.perf_counter_ns()

        def start(line: str, headers: Any, *more: Any) -> Any:
            status[:] = [int(line[:3]), _is_event_stream(headers)]
            return start_response(line, headers, *more)

        def ended(call: Captured, error: BaseException | None) -> None:
            call.streamed = status[1]
            if error is None:
                blame_status(call, status[0])
            self._guard.taped(call, error)

        try:
            parts = self._application(environ, start)
        except Exception as error:
            self._guard.finish(captured, since, error)
            raise
        return GuardedStream(_closing(parts), Tape(captured, time.perf_counter_ns() - since, ended))

    def _held(
        self, environ: Environ, start_response: StartResponse, captured: Captured
    ) -> Iterable[bytes]:
        began: list[Any] = []
        since = time.perf_counter_ns()

        def start(*given: Any) -> Any:
            began[:] = given
            return io.BytesIO().write

        parts = list(_closing(self._application(environ, start)))
        blame_status(captured, int(began[0][:3]))
        try:
            self._guard.finish(captured, since, None, parts)
        except PactBreached as breach:
            body = refusal(breach)
            headers = [
                ("Content-Type", "application/problem+json"),
                ("Content-Length", str(len(body))),
            ]
            start_response("502 Bad Gateway", headers)
            return [body]
        start_response(*began[:2])
        return parts


class Upstream:
    """A WSGI application that asks another server, and streams what it says."""

    def __init__(self, url: str, seconds: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GuardMisconfigured(f"{url!r} is no address; write http://host:port")
        self._parts, self._seconds = parts, seconds

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/").encode("latin-1")
        target = self.target(path, environ.get("QUERY_STRING", ""))
        headers = {
            name[5:].replace("_", "-").title(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and name != "HTTP_HOST"
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        try:
            reply = self.ask(environ["REQUEST_METHOD"], target, headers, _body(environ))
        except Exception as error:
            start_response("502 Bad Gateway", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"the agent cannot be reached ({type(error).__name__})".encode()]
        start_response(f"{reply.status} {reply.reason or '-'}", kept(reply.getheaders()))
        return parts_of(reply)

    def target(self, path: str | bytes, query: str) -> str:
        """The other server's path for one of ours (decoded, as WSGI and ASGI give it)."""
        whole = self._parts.path.rstrip("/") + quote(path, safe="/:@!$&'()*+,;=~-._")
        return f"{whole}?{query}" if query else whole

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        """The other server's answer (`http.client.HTTPResponse`), its body not yet read."""
        import http.client

        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._seconds)
        sent = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(method, target, body or None, sent | {"Connection": "close"})
        return connection.getresponse()


def kept(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers that are for the other side and not for this connection (RFC 9110, 7.6.1)."""
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


def parts_of(reply: Any) -> Iterator[bytes]:
    """A body part by part, each as soon as it comes."""
    with reply:
        while part := reply.read1(CHUNK):
            yield part


def _body(environ: Environ) -> bytes:
    """The request's body, left for the next reader to read again."""
    length = environ.get("CONTENT_LENGTH") or "0"
    size = int(length) if length.isascii() and length.isdigit() else 0
    body: bytes = environ["wsgi.input"].read(size) if size else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _closing(parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _is_event_stream(headers: Iterable[tuple[str, str]]) -> bool:
    told = (value for name, value in headers if name.lower() == "content-type")
    return any(value.startswith("text/event-stream") for value in told)


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal says to stop; then send what is pending."""
    asked = _parser().parse_args(arguments)
    try:
        guard = _guard(asked)
        application = WsgiGuard(guard, Upstream(asked.upstream))
    except (GuardMisconfigured, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    host, _, port = asked.listen.rpartition(":")
    server = _server(host or "127.0.0.1", int(port), application)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"guarding {asked.upstream} on http://{host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    guard.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pacts.guard.proxy", description=__doc__)
    parser.add_argument("--upstream", required=True, help="the agent's address")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="host:port; port 0: any")
    parser.add_argument("--agent-version", help="public id, agv_…")
    parser.add_argument("--engagement", help="public id, eng_…")
    parser.add_argument("--base-url", help="the market; or EARNEST_URL")
    parser.add_argument("--pact", type=Path, help="the pact's terms as JSON")
    parser.add_argument("--mode", default="observe", choices=("observe", "block", "sample"))
    parser.add_argument("--sample-rate", type=float, default=1.0)
    parser.add_argument("--when-undecided", choices=("open", "closed"))
    parser.add_argument("--content", default="full", choices=("full", "digests", "none"))
    parser.add_argument("--spool", default="auto")
    return parser


def _guard(asked: argparse.Namespace) -> PactGuard:
    names = ("agent_version", "engagement", "base_url", "mode", "sample_rate", "when_undecided")
    told = {name: getattr(asked, name) for name in (*names, "content", "spool")}
    pact = json.loads(asked.pact.read_text()) if asked.pact else ()
    return PactGuard(**told, pact=pact)


def _server(host: str, port: int, application: Any) -> Any:
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            """The records say it all."""

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    return make_server(host, port, application, Threaded, Quiet)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
