"""The proxy for ASGI servers: `AsgiGuard` around any application, `AsgiUpstream` before a server.

application = AsgiGuard(PactGuard(agent_version="agv_…"), AsgiUpstream("http://127.0.0.1:9000"))
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pacts.guard.blocking import PactBreached
from pacts.guard.capture import hold
from pacts.guard.captured import Captured
from pacts.guard.exchanges import EXCHANGE, MOST_BODY, asked_of, blame_status, refusal
from pacts.guard.guard import PactGuard
from pacts.guard.proxy import CHUNK, Upstream, kept

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiGuard:
    """An ASGI application under guard; everything but HTTP passes untouched."""

    def __init__(self, guard: PactGuard, application: Application) -> None:
        self._guard, self._application = guard, application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        captured = None
        if scope["type"] == "http" and self._guard.sampled():
            captured = self._guard.begin(EXCHANGE, (), {})
        if captured is None:
            await self._application(scope, receive, send)
            return
        watch = _Watch(captured, receive, send, held=self._guard.blocks)
        try:
            await self._application(scope, watch.receive, watch.send)
        except BaseException as error:
            watch.asked(scope)
            self._guard.finish(captured, watch.since, error)
            raise
        watch.asked(scope)
        blame_status(captured, watch.status)
        try:
            self._guard.finish(captured, watch.since, None, watch.parts)
        except PactBreached as breach:
            await _refuse(send, breach)
            return
        await watch.release()


class _Watch:
    """Sees what passes; with `held` what is sent waits for `release`."""

    def __init__(self, captured: Captured, receive: Receive, send: Send, *, held: bool) -> None:
        self._captured, self._receive, self._send, self._held = captured, receive, send, held
        self.since = time.perf_counter_ns()
        self.status = 200
        self.parts: list[bytes] = []
        self._body: list[bytes] = []
        self._kept = self._taken = 0
        self._waiting: list[Message] = []

    async def receive(self) -> Message:
        message = await self._receive()
        part = message.get("body", b"")
        self._taken += len(part)
        if self._taken <= MOST_BODY:
            self._body.append(part)
        else:
            self._captured.truncated = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self._keep(message.get("body", b""))
        if self._held:
            self._waiting.append(message)
        else:
            await self._send(message)

    def asked(self, scope: Scope) -> None:
        """The request has been read by now, as far as the application wanted it."""
        query = scope.get("query_string", b"").decode("latin-1")
        asked = asked_of(scope["method"], scope["path"], query, b"".join(self._body))
        self._captured.input = hold(((asked,), {}))

    async def release(self) -> None:
        for message in self._waiting:
            await self._send(message)

    def _keep(self, part: bytes) -> None:
        if self._captured.first_ns is None:
            self._captured.first_ns = time.perf_counter_ns() - self.since
        self._kept += len(part)
        if self._kept <= MOST_BODY:
            self.parts.append(part)
        else:
            self._captured.truncated = True


async def _refuse(send: Send, breach: PactBreached) -> None:
    body = refusal(breach)
    headers = [(b"content-type", b"application/problem+json")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 502, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class AsgiUpstream:
    """An ASGI application that asks another server, in threads, and streams what it says."""

    def __init__(self, url: str, seconds: float = 60.0) -> None:
        self._upstream = Upstream(url, seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = scope.get("query_string", b"").decode("latin-1")
        target = self._upstream.target(scope["path"], query)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        headers.pop("host", None)
        try:
            reply = await asyncio.to_thread(
                self._upstream.ask, scope["method"], target, headers, body
            )
        except Exception as error:
            await _unreachable(send, error)
            return
        told = [
            (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in kept(reply.getheaders())
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": told})
        with reply:
            while part := await asyncio.to_thread(reply.read1, CHUNK):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _unreachable(send: Send, error: Exception) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    body = f"the agent cannot be reached ({type(error).__name__})".encode()
    await send({"type": "http.response.start", "status": 502, "headers": headers})
    await send({"type": "http.response.body", "body": body})
