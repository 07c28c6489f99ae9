"""Sockets that keep to a call's budget: its deadline, its bytes, and addresses that were checked.

The pool (httpcore2) asks this backend for connections by name; the backend resolves once, checks
every answer and connects to a checked address, so there is nothing left to rebind. A kept-alive
connection goes to the address that was checked when it was opened.
"""

import errno
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from pacts.addresses import denial
from pacts.faults import AgentMisbehaved, AgentTimedOut, AgentUnreachable, EgressRefused, OutageHere

Resolve = Callable[[str, int], Sequence[str]]

RESOLVE_SECONDS = 5.0
# Out of our own files, memory, ports or routes: nothing the other side did.
_OURS = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL),
    *(errno.ENETUNREACH, errno.ENETDOWN, errno.EACCES, errno.EPERM, errno.EAFNOSUPPORT),
}
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(slots=True, kw_only=True)
class Budget:
    """What one call may still use. `resolving` is the time spent on names, which is nobody's."""

    deadline: float
    bytes_left: int
    bytes_read: int = 0
    connected: bool = False
    resolving: float = field(default=0.0)

    def remaining(self) -> float:
        """Seconds left; raises AgentTimedOut when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise AgentTimedOut("timeout", "no whole answer before the deadline")
        return left

    def took(self, size: int) -> None:
        self.bytes_read += size
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise AgentMisbehaved("too_large", "the answer is too large")


BUDGET: ContextVar[Budget] = ContextVar("budget")


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Every address the operating system knows for the name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedBackend(httpcore2.NetworkBackend):
    """Opens connections only to addresses that passed the list."""

    def __init__(self, *, resolve: Resolve, executor: Executor, allow_loopback: bool) -> None:
        self._resolve = resolve
        self._executor = executor
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        budget = BUDGET.get()
        addresses = self._checked(host, port, budget)
        problem: OSError | None = None
        for tried, address in enumerate(addresses):
            share = budget.remaining() / (len(addresses) - tried)
            try:
                sock = socket.create_connection((address, port), timeout=share)
            except OSError as error:
                problem = _worse(problem, error)
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            budget.connected = True
            return BudgetedStream(sock)
        raise _unreachable(host, problem)

    def _checked(self, host: str, port: int, budget: Budget) -> Sequence[str]:
        started = time.monotonic()
        try:
            addresses = self._addresses(host, port, budget)
        finally:
            # Looking a name up is not the agent's doing, so it costs the call nothing.
            took = time.monotonic() - started
            budget.resolving += took
            budget.deadline += took
        for address in addresses:
            why = denial(address, allow_loopback=self._allow_loopback)
            if why:
                raise EgressRefused("address_denied", f"{host} is at {address} ({why})")
        return addresses

    def _addresses(self, host: str, port: int, budget: Budget) -> Sequence[str]:
        if ":" in host or host.replace(".", "").isdigit():
            return [host]
        looking = self._executor.submit(self._resolve, host, port)
        try:
            addresses = looking.result(timeout=min(budget.remaining(), RESOLVE_SECONDS))
        except TimeoutError as error:
            looking.cancel()
            raise OutageHere("resolver_slow", f"resolving {host} took too long") from error
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise AgentUnreachable("unknown_host", f"there is no host {host}") from error
            raise OutageHere("resolver_failed", f"resolving {host} failed") from error
        except OSError as error:
            raise OutageHere("resolver_failed", f"resolving {host} failed") from error
        if not addresses:
            raise AgentUnreachable("unknown_host", f"{host} has no address")
        return addresses


class BudgetedStream(httpcore2.NetworkStream):
    """A socket whose every wait ends at the deadline of the call that is using it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        budget = BUDGET.get()
        self._sock.settimeout(budget.remaining())
        try:
            data = self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise AgentTimedOut("timeout", "no whole answer before the deadline") from error
        except OSError as error:
            raise AgentMisbehaved("broken_off", "the connection broke off") from error
        budget.took(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        budget = BUDGET.get()
        view = memoryview(buffer)
        while view:
            self._sock.settimeout(budget.remaining())
            try:
                view = view[self._sock.send(view) :]
            except TimeoutError as error:
                raise AgentTimedOut("timeout", "the request was not taken in time") from error
            except OSError as error:
                # The pool goes on to read: a server may close early and still have answered.
                raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            self._sock.settimeout(BUDGET.get().remaining())
            secured = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise AgentTimedOut("timeout", "no TLS session before the deadline") from error
        except (OSError, ssl.CertificateError) as error:
            self.close()
            raise AgentUnreachable("tls_failed", f"no TLS session: {error}"[:200]) from error
        return BudgetedStream(secured)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        """On an idle connection: the other side has closed it, or says what nobody asked for."""
        if self._sock.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))


def _worse(before: OSError | None, now: OSError) -> OSError:
    """Of two failures the one that tells more: the far side's answer over our own lack of a way."""
    return before if before is not None and now.errno in _OURS else now


def _unreachable(host: str, problem: OSError | None) -> Exception:
    if isinstance(problem, TimeoutError):
        return AgentTimedOut("connect_timeout", f"{host} took no connection before the deadline")
    if problem is not None and problem.errno in _OURS:
        return OutageHere("no_route", f"no connection could be opened from here: {problem}"[:200])
    return AgentUnreachable("refused", f"{host} takes no connection: {problem}"[:200])
