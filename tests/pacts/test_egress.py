"""Every way a stranger can misbehave, on real sockets."""

import datetime
import gzip
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pacts.egress import (
    AgentMisbehaved,
    AgentTimedOut,
    AgentUnreachable,
    Egress,
    EgressError,
    EgressPolicy,
    EgressRefused,
    OutageHere,
    RequestTooLarge,
)
from tests.pacts.strangers import Script, Stranger, drips, hangs, http, read_request, says, stranger


@pytest.fixture
def egress() -> Iterator[Egress]:
    out = Egress(EgressPolicy(allow_loopback=True, deadline_seconds=5))
    yield out
    out.close()


def _code(egress: Egress, script: Script, *, deadline: float | None = None) -> tuple[str, str]:
    with stranger(script) as server, pytest.raises(EgressError) as caught:
        egress.post(server.url, body=b"{}", deadline_seconds=deadline)
    return caught.value.code, caught.value.fault


def test_an_ordinary_answer_arrives_whole(egress: Egress) -> None:
    with stranger(says(http(b'{"ok": 1}', headers="X-A: 1\r\nX-A: 2\r\n"))) as server:
        reply = egress.post(server.url, body=b'{"q": 1}', headers={"X-Call": "7"})
    assert (reply.status, reply.body, reply.headers["x-a"]) == (200, b'{"ok": 1}', "1, 2")
    assert 0 < reply.latency_ms < 5000
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /call HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert b"X-Call: 7" in head
    assert body == b'{"q": 1}'


def test_any_status_but_a_redirect_is_an_answer(egress: Egress) -> None:
    with stranger(says(http(b"no", status="500 Oops"))) as server:
        assert egress.get(server.url).status == 500


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (says(http(b"", status="302 Found", headers="Location: http://10.0.0.1/\r\n")), "redirect"),
        (says(http(b"", status="308 Moved", headers="Location: /x\r\n")), "redirect"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "malformed_http"),
        (says(b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"), "malformed_http"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "malformed_http"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed_http"),
        (says(b""), "broken_off"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Le"), "broken_off"),
        (says(http(b"half", length=100)), "broken_off"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), "broken_off"),
        (says(http(b"x" * 1_100_000)), "too_large"),
        (says(http(b"", headers="X: " + "y" * 70_000 + "\r\n")), "headers_too_large"),
        (says(http(b"", headers="X: " + "y" * 500_000 + "\r\n")), "headers_too_large"),
        (says(http(b"", headers="X: y\r\n" * 20_000)), "headers_too_large"),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n" * 60_000), "too_large"),
        (says(http(b"not gzip", headers="Content-Encoding: gzip\r\n")), "encoding"),
        (
            says(
                http(gzip.compress(b"x" * 99, mtime=0)[:-4], headers="Content-Encoding: gzip\r\n")
            ),
            "encoding",
        ),
        (
            says(http(gzip.compress(b"x", mtime=0) + b"y", headers="Content-Encoding: gzip\r\n")),
            "encoding",
        ),
        (says(http(b"x", headers="Content-Encoding: br\r\n")), "encoding"),
        (says(http(b"x", headers="Content-Encoding: gzip, gzip\r\n")), "encoding"),
    ],
)
def test_misbehaviour_has_a_name_and_is_the_agent_s_fault(
    egress: Egress, script: Script, code: str
) -> None:
    assert _code(egress, script) == (code, "agent")


@pytest.mark.parametrize(
    "script",
    [
        hangs,
        drips(b""),
        drips(b"HTTP/1.1 200 OK\r\nX: "),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["hang", "drip", "drip headers", "drip body", "drip chunks", "endless continue"],
)
def test_the_deadline_is_for_the_whole_call(egress: Egress, script: Script) -> None:
    started = time.monotonic()
    code, fault = _code(egress, script, deadline=0.4)
    assert (code, fault) in {("timeout", "agent"), ("malformed_http", "agent")}
    if code == "timeout":
        assert 0.3 < time.monotonic() - started < 3


def test_a_request_nobody_reads_ends_at_the_deadline(egress: Egress) -> None:
    body = b"x" * 1_000_000
    with stranger(hangs, reads=False) as server, pytest.raises(AgentTimedOut):
        egress.post(server.url, body=body, deadline_seconds=0.4)


def test_gzip_is_undone(egress: Egress) -> None:
    packed = gzip.compress(b'{"ok": 1}', mtime=0)
    with stranger(says(http(packed, headers="Content-Encoding: gzip\r\n"))) as server:
        reply = egress.get(server.url)
    assert (reply.body, reply.wire_bytes) == (b'{"ok": 1}', len(packed))


def test_a_gzip_bomb_is_stopped_at_the_cap(egress: Egress) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert len(bomb) < 1_000_000
    script = says(http(bomb, headers="Content-Encoding: gzip\r\n"))
    assert _code(egress, script) == ("too_large_decoded", "agent")


def test_a_closed_port_is_the_agent_s_fault(egress: Egress) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(AgentUnreachable) as caught:
            egress.get(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert (caught.value.code, caught.value.fault) == ("refused", "agent")
    assert caught.value.latency_ms is not None


def test_loopback_is_refused_before_connecting_unless_allowed() -> None:
    with stranger(says(http(b""))) as server:
        with pytest.raises(EgressRefused) as caught:
            Egress().get(server.url)
        assert caught.value.code == "address_denied"
        assert server.connections == 0


def _at(*addresses: str) -> Egress:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return Egress(EgressPolicy(allow_loopback=True, deadline_seconds=5), resolve=resolve)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00::1",
    ],
)
def test_a_name_with_one_private_address_among_good_ones_is_refused(address: str) -> None:
    with stranger(says(http(b""))) as server:
        with pytest.raises(EgressRefused):
            _at("127.0.0.1", address).get(f"http://agent.example:{server.port}/")
        assert server.connections == 0


def test_a_name_that_rebinds_after_the_check_changes_nothing() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    def resolve(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    out = Egress(EgressPolicy(allow_loopback=True), resolve=resolve)
    with stranger(says(http(b"", headers="Connection: close\r\n"))) as server:
        url = f"http://agent.example:{server.port}/"
        assert out.get(url).status == 200
        assert len(answers) == 1  # resolved once for the check and the connection
        with pytest.raises(EgressRefused):
            out.get(url)
        assert b"Host: agent.example:" in server.heard[0]


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    with stranger(says(http(b"here"))) as server:
        assert _at("::1", "127.0.0.1").get(f"http://agent.example:{server.port}/").body == b"here"


@pytest.mark.parametrize(
    ("number", "code", "fault"),
    [
        (socket.EAI_NONAME, "unknown_host", "agent"),
        (socket.EAI_AGAIN, "resolver_failed", "platform"),
        (socket.EAI_FAIL, "resolver_failed", "platform"),
    ],
)
def test_only_a_name_that_does_not_exist_is_the_agent_s_fault(
    number: int, code: str, fault: str
) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(number, "no")

    with pytest.raises(EgressError) as caught:
        Egress(resolve=resolve).get("http://agent.example/")
    assert (caught.value.code, caught.value.fault) == (code, fault)


def test_a_resolver_that_hangs_is_the_platform_s_fault() -> None:
    release = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        release.wait(10)
        return []

    with pytest.raises(OutageHere) as caught:
        Egress(resolve=resolve).request(
            "GET", "http://agent.example/", headers=None, body=b"", deadline_seconds=0.2
        )
    release.set()
    assert caught.value.fault == "platform"


def test_time_spent_on_names_costs_the_agent_neither_latency_nor_deadline() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        time.sleep(0.3)
        return ["127.0.0.1"]

    def thinks(sock: socket.socket, server: Stranger) -> None:
        time.sleep(0.3)
        sock.sendall(http(b""))

    out = Egress(EgressPolicy(allow_loopback=True), resolve=resolve)
    with stranger(thinks) as server:
        reply = out.get(f"http://agent.example:{server.port}/", deadline_seconds=0.5)
    assert 300 <= reply.latency_ms < 500


def test_a_request_too_large_is_the_buyer_s_fault(egress: Egress) -> None:
    with pytest.raises(RequestTooLarge) as caught:
        egress.post("http://127.0.0.1/", body=b"x" * 1_000_001)
    assert caught.value.fault == "buyer"


def test_the_environment_s_proxies_are_ignored(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with stranger(says(http(b"direct"))) as server:
        assert egress.get(server.url).body == b"direct"


def test_cookies_are_not_kept(egress: Egress) -> None:
    with stranger(says(http(b"", headers="Set-Cookie: a=b\r\n"))) as server:
        egress.get(server.url)
        egress.get(server.url)
    assert b"cookie" not in b"".join(server.heard).lower()


def _keeps_alive(times: int) -> Script:
    def script(sock: socket.socket, server: Stranger) -> None:
        sock.sendall(http(b"1"))
        for _ in range(times - 1):
            server.heard.append(read_request(sock))
            sock.sendall(http(b"more"))

    return script


def test_a_connection_is_kept_and_used_again(egress: Egress) -> None:
    with stranger(_keeps_alive(3)) as server:
        for _ in range(3):
            egress.get(server.url)
        assert server.connections == 1


def test_a_kept_connection_the_server_dropped_is_not_charged_to_the_agent(egress: Egress) -> None:
    def drops_the_second(sock: socket.socket, server: Stranger) -> None:
        sock.sendall(http(b"1"))
        read_request(sock)

    with stranger(drops_the_second) as server:
        assert egress.get(server.url).status == 200
        assert egress.get(server.url).status == 200
        assert server.connections == 2


def test_many_threads_share_one_way_out(egress: Egress) -> None:
    seen: list[int] = []
    with stranger(says(http(b"x" * 5000))) as server:
        threads = [
            threading.Thread(target=lambda: seen.append(len(egress.get(server.url).body)))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [5000] * 16


def test_a_forked_child_opens_its_own_connections(egress: Egress) -> None:
    with stranger(_keeps_alive(5)) as server:
        egress.get(server.url)
        child = os.fork()
        if child == 0:
            said = 1
            try:
                said = 0 if egress.get(server.url).status == 200 else 1
            finally:
                os._exit(said)
        assert os.waitpid(child, 0)[1] == 0
        assert server.connections == 2


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "agent.pem").write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "agent.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


def test_tls_is_checked_against_the_name_not_the_pinned_address(tmp_path: Path) -> None:
    theirs, ours = _certificate(tmp_path, "agent.example")
    asked: list[str | None] = []
    theirs.sni_callback = lambda _sock, name, _context: asked.append(name)
    out = Egress(
        EgressPolicy(allow_loopback=True), resolve=lambda h, p: ["127.0.0.1"], ssl_context=ours
    )
    with stranger(says(http(b"secret")), tls=theirs) as server:
        assert out.get(f"https://agent.example:{server.port}/").body == b"secret"
        assert asked == ["agent.example"]
        with pytest.raises(AgentUnreachable) as caught:
            out.get(f"https://mallory.example:{server.port}/")
    assert caught.value.code == "tls_failed"


def test_an_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    theirs, _ = _certificate(tmp_path, "agent.example")
    out = Egress(EgressPolicy(allow_loopback=True), resolve=lambda h, p: ["127.0.0.1"])
    with stranger(says(http(b"")), tls=theirs) as server, pytest.raises(AgentUnreachable):
        out.get(f"https://agent.example:{server.port}/")


def test_a_url_that_is_refused_reaches_no_socket(egress: Egress) -> None:
    with pytest.raises(EgressRefused) as caught:
        egress.get("http://user@127.0.0.1/")
    assert (caught.value.code, caught.value.latency_ms) == ("url_refused", None)


def test_misbehaviour_is_an_egress_error_of_one_kind(egress: Egress) -> None:
    with stranger(says(b"nonsense\r\n\r\n")) as server, pytest.raises(AgentMisbehaved):
        egress.get(server.url)
