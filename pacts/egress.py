"""The one way out: every request to an agent, a webhook or any other stranger goes through here.

A URL is parsed once; every address of its name is checked; the connection goes to a checked
address with the name as Host and SNI; redirects, proxies, cookies and the environment play no part
(this speaks to the connection pool under httpx2 directly, which knows none of them). One deadline
covers connecting, sending and receiving, dripped bodies included; headers, bytes on the wire and
bytes after decoding are capped while they arrive.
"""

import os
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpcore2

from pacts.addresses import Url, UrlRefused, split_url
from pacts.faults import (
    AgentMisbehaved,
    AgentTimedOut,
    AgentUnreachable,
    EgressError,
    EgressRefused,
    Fault,
    OutageHere,
    RequestTooLarge,
)
from pacts.wire import BUDGET, Budget, PinnedBackend, Resolve, system_resolve

__all__ = [
    "AgentMisbehaved",
    "AgentTimedOut",
    "AgentUnreachable",
    "Egress",
    "EgressError",
    "EgressPolicy",
    "EgressRefused",
    "Fault",
    "OutageHere",
    "Reply",
    "RequestTooLarge",
    "Url",
    "parse_url",
]

# Shorter than what servers commonly keep (5 s), so they rarely close a connection under a request.
KEEP_ALIVE_SECONDS = 4.0
ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """The limits of one way out. `allow_loopback` is for development: a system check refuses it in
    production. Sizes are bytes."""

    allow_loopback: bool = False
    deadline_seconds: float = 20.0
    max_request_bytes: int = 1_000_000
    max_header_bytes: int = 64 * 1024
    max_wire_bytes: int = 1_000_000
    max_decoded_bytes: int = 5_000_000
    max_kept_connections: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, whole and decoded. `headers` has lower-case names, repeated values joined by
    commas; `latency_ms` runs from the start to the last byte, name resolution left out."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_ms: float
    wire_bytes: int


def parse_url(text: str) -> Url:
    """Take a URL apart. Raises EgressRefused for one nobody may call."""
    try:
        return split_url(text)
    except UrlRefused as error:
        raise EgressRefused("url_refused", str(error)) from error


class Egress:
    """A way out under one policy, for any number of threads; a forked child opens its own pool."""

    def __init__(
        self,
        policy: EgressPolicy | None = None,
        *,
        resolve: Resolve = system_resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy or EgressPolicy()
        self._resolve = resolve
        self._ssl_context = ssl_context or ssl.create_default_context()
        self._lock = threading.Lock()
        self._owner = 0
        self._pool: httpcore2.ConnectionPool | None = None

    def get(
        self,
        url: str | Url,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float | None = None,
    ) -> Reply:
        """GET. Raises an EgressError."""
        return self.request(
            "GET", url, headers=headers, body=b"", deadline_seconds=deadline_seconds
        )

    def post(
        self,
        url: str | Url,
        *,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float | None = None,
    ) -> Reply:
        """POST. Raises an EgressError."""
        return self.request(
            "POST", url, headers=headers, body=body, deadline_seconds=deadline_seconds
        )

    def request(
        self,
        method: str,
        url: str | Url,
        *,
        headers: Mapping[str, str] | None,
        body: bytes,
        deadline_seconds: float | None,
    ) -> Reply:
        """One request, one answer of any status but a redirect. Raises an EgressError, whose
        `fault` says who answers for it. A deadline longer than the policy's is cut to it."""
        to = parse_url(url) if isinstance(url, str) else url
        if len(body) > self.policy.max_request_bytes:
            raise RequestTooLarge("request_too_large", f"the request has {len(body)} bytes")
        limit = self.policy.deadline_seconds
        seconds = limit if deadline_seconds is None else min(deadline_seconds, limit)
        request = _request(method, to, headers or {}, body)
        return self._within_deadline(request, started=time.monotonic(), seconds=seconds)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _within_deadline(
        self, request: httpcore2.Request, *, started: float, seconds: float
    ) -> Reply:
        for attempt in range(ATTEMPTS):
            budget = Budget(
                deadline=started + seconds,
                bytes_left=self.policy.max_header_bytes + self.policy.max_wire_bytes,
            )
            token = BUDGET.set(budget)
            try:
                return self._answer(request, budget, started)
            except EgressError as error:
                # A kept connection that the server had just closed says nothing about the agent.
                stale = not budget.connected and not budget.bytes_read
                if stale and error.code == "broken_off" and attempt + 1 < ATTEMPTS:
                    continue
                error.latency_ms = _elapsed_ms(started, budget)
                raise
            finally:
                BUDGET.reset(token)
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, request: httpcore2.Request, budget: Budget, started: float) -> Reply:
        try:
            response = self._current_pool().handle_request(request)
            try:
                return self._reply(response, budget, started)
            finally:
                response.close()
        except httpcore2.RemoteProtocolError as error:
            raise _misbehaved(str(error)) from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise AgentMisbehaved("broken_off", "the connection broke off") from error

    def _reply(self, response: httpcore2.Response, budget: Budget, started: float) -> Reply:
        size = sum(len(name) + len(value) + 4 for name, value in response.headers)
        if size > self.policy.max_header_bytes:
            raise AgentMisbehaved("headers_too_large", "the headers are too large")
        if 300 <= response.status < 400:
            raise AgentMisbehaved(
                "redirect", f"it answered {response.status}; redirects are not followed"
            )
        headers = _joined(response.headers)
        assert isinstance(response.stream, Iterable)
        body, wire = self._body(response.stream, headers.get("content-encoding", ""))
        return Reply(
            status=response.status,
            headers=headers,
            body=body,
            latency_ms=_elapsed_ms(started, budget),
            wire_bytes=wire,
        )

    def _body(self, chunks: Iterable[bytes], encoding: str) -> tuple[bytes, int]:
        """The decoded body and its size on the wire; stops at the first byte over a cap."""
        decoder = _Decoder(encoding, self.policy.max_decoded_bytes)
        wire = 0
        for chunk in chunks:
            wire += len(chunk)
            if wire > self.policy.max_wire_bytes:
                raise AgentMisbehaved("too_large", "the answer is too large")
            decoder.add(chunk)
        return decoder.whole(), wire

    def _current_pool(self) -> httpcore2.ConnectionPool:
        with self._lock:
            if self._pool is None or self._owner != os.getpid():
                self._owner = os.getpid()
                self._pool = self._new_pool()
            return self._pool

    def _new_pool(self) -> httpcore2.ConnectionPool:
        executor = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")
        return httpcore2.ConnectionPool(
            ssl_context=self._ssl_context,
            # No queue in here: waiting for a place would count as the agent's latency. Callers
            # bound their own concurrency, per agent.
            max_connections=None,
            max_keepalive_connections=self.policy.max_kept_connections,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            retries=0,
            network_backend=PinnedBackend(
                resolve=self._resolve,
                executor=executor,
                allow_loopback=self.policy.allow_loopback,
            ),
        )


class _Decoder:
    """Undoes gzip as it arrives and never holds more than the cap."""

    def __init__(self, encoding: str, most: int) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if names not in ([], ["gzip"], ["x-gzip"]):
            raise AgentMisbehaved("encoding", "the answer's encoding was not asked for")
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS) if names else None
        self._most = most
        self._body = bytearray()

    def add(self, chunk: bytes) -> None:
        if self._inflate is None:
            self._body += chunk
        else:
            try:
                self._body += self._inflate.decompress(chunk, self._most - len(self._body) + 1)
            except zlib.error as error:
                raise AgentMisbehaved("encoding", "the answer is not valid gzip") from error
            if self._inflate.unused_data:
                raise AgentMisbehaved("encoding", "the answer goes on after its gzip data")
        if len(self._body) > self._most:
            raise AgentMisbehaved("too_large_decoded", "the answer is too large once decoded")

    def whole(self) -> bytes:
        if self._inflate is not None and not self._inflate.eof:
            raise AgentMisbehaved("encoding", "the gzip data ends early")
        return bytes(self._body)


def _request(method: str, to: Url, headers: Mapping[str, str], body: bytes) -> httpcore2.Request:
    sent = {
        "Host": to.authority,
        "User-Agent": "earnest",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        **headers,
    }
    if body or method != "GET":
        sent["Content-Length"] = str(len(body))
    return httpcore2.Request(
        method=method,
        url=httpcore2.URL(
            scheme=to.scheme.encode(),
            host=to.host.encode(),
            port=to.port,
            target=to.target.encode(),
        ),
        headers=[(name.encode(), value.encode()) for name, value in sent.items()],
        content=body,
    )


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _misbehaved(said: str) -> AgentMisbehaved:
    """What h11 found wrong, in our words."""
    if said.startswith(("Server disconnected", "peer closed", "peer unexpectedly closed")):
        return AgentMisbehaved("broken_off", "the connection broke off before the answer was whole")
    if "too long" in said:
        return AgentMisbehaved("headers_too_large", "the headers are too large")
    return AgentMisbehaved("malformed_http", f"the answer is not HTTP: {said}"[:200])


def _elapsed_ms(started: float, budget: Budget) -> float:
    return max(0.0, time.monotonic() - started - budget.resolving) * 1000
