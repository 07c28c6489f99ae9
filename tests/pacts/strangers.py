"""Servers that behave as badly as strangers do: real sockets on loopback, one script each."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, "Stranger"], None]


@dataclass
class Stranger:
    """A listening server; `heard` holds each request as it came, `connections` counts them."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/call"


@contextlib.contextmanager
def stranger(
    script: Script, *, tls: ssl.SSLContext | None = None, reads: bool = True
) -> Iterator[Stranger]:
    """Serve every connection by the script, which gets the socket after one request was read."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.02)
    server = Stranger(port=listener.getsockname()[1])

    def serve() -> None:
        while not server.over.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            server.connections += 1
            threading.Thread(target=handle, args=(sock,), daemon=True).start()

    def handle(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            sock.settimeout(10)
            talking = tls.wrap_socket(sock, server_side=True) if tls else sock
            if reads:
                server.heard.append(read_request(talking))
            script(talking, server)
            with contextlib.suppress(OSError):
                talking.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        thread.join()
        listener.close()


def read_request(sock: socket.socket) -> bytes:
    """One request with its body, by Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(v)
            for n, _, v in (h.partition(b":") for h in head.split(b"\r\n"))
            if n.lower() == b"content-length"
        ),
        0,
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def http(
    body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    """A response; `length` lies about the body's."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n"
    return head.encode() + body


def says(data: bytes) -> Script:
    """Send these bytes and hang up."""

    def script(sock: socket.socket, server: Stranger) -> None:
        sock.sendall(data)

    return script


def hangs(sock: socket.socket, server: Stranger) -> None:
    """Take the request and say nothing."""
    server.over.wait(10)


def drips(start: bytes, drop: bytes = b"x", every: float = 0.02) -> Script:
    """Send a start, then a drop at a time, for as long as anybody listens."""

    def script(sock: socket.socket, server: Stranger) -> None:
        sock.sendall(start)
        while not server.over.wait(every):
            sock.sendall(drop)

    return script
