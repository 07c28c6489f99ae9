import json
from collections.abc import Iterator
from typing import Any

import pytest

from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.control import control_proved
from pacts.egress import Egress, EgressPolicy
from tests.pacts.strangers import Script, hangs, http, says, stranger


@pytest.fixture
def egress() -> Iterator[Egress]:
    out = Egress(EgressPolicy(allow_loopback=True, deadline_seconds=5))
    yield out
    out.close()


def _ask(egress: Egress, script: Script, **changes: Any) -> tuple[AgentReply, list[bytes]]:
    with stranger(script) as server:
        asked = {"endpoint": server.url, "call_id": "c1", "input": {"text": "grüezi"}, **changes}
        reply = PROTOCOLS["earnest-json/1"].call(egress=egress, **asked)
    return reply, server.heard


def test_a_call_is_one_post_and_its_output_comes_back(egress: Egress) -> None:
    answer = b'{"output": {"language": "de", "confidence": 0.9}, "took": 3}'
    reply, heard = _ask(egress, says(http(answer)))
    assert reply.output == {"language": "de", "confidence": 0.9}
    assert (reply.fault, reply.raw) == ("none", answer)
    assert reply.latency_ms is not None
    assert json.loads(heard[0].partition(b"\r\n\r\n")[2]) == {
        "protocol": "earnest-json/1",
        "call_id": "c1",
        "input": {"text": "grüezi"},
    }


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (says(http(b"busy", status="503 Busy")), "http_503"),
        (says(http(b"{}", status="201 Created")), "http_201"),
        (says(http(b"", status="302 Found", headers="Location: /\r\n")), "redirect"),
        (says(http(b"<html>")), "not_json"),
        (says(http(b'{"output": {"x": NaN}}')), "not_finite"),
        (says(http(b'{"output": {}, "output": {}}')), "duplicate_key"),
        (says(http(b'{"output": {"x": "\\ud800"}}')), "lone_surrogate"),
        (says(http(b'{"output": {"x": 1e999}}')), "number_too_large"),
        (says(http(b'{"output": ' + b"[" * 70 + b"]" * 70 + b"}")), "too_deep"),
        (says(http(b'{"output": null}')), "no_output"),
        (says(http(b'{"output": "text"}')), "no_output"),
        (says(http(b'{"result": {}}')), "no_output"),
        (says(http(b"[]")), "no_output"),
        (says(b""), "broken_off"),
    ],
)
def test_an_unusable_answer_is_the_agent_s_fault_by_name(
    egress: Egress, script: Script, code: str
) -> None:
    reply, _ = _ask(egress, script)
    assert (reply.output, reply.fault, reply.error_code) == (None, "agent", code)
    assert reply.error_message


def test_an_agent_that_hangs_is_timed_out(egress: Egress) -> None:
    reply, _ = _ask(egress, hangs, deadline_seconds=0.2)
    assert (reply.fault, reply.error_code) == ("agent", "timeout")
    assert reply.latency_ms is not None
    assert reply.latency_ms >= 199


@pytest.mark.parametrize("bad", [float("nan"), "\ud800", 2**60, {"x": {1, 2}}])
def test_an_input_that_is_no_json_is_the_buyer_s_fault(egress: Egress, bad: Any) -> None:
    reply, heard = _ask(egress, says(http(b"{}")), input=bad)
    assert (reply.fault, reply.error_code, heard) == ("buyer", "input_malformed", [])


def test_an_input_too_large_to_send_is_the_buyer_s_fault(egress: Egress) -> None:
    reply, heard = _ask(egress, says(http(b"{}")), input="x" * 1_100_000)
    assert (reply.fault, reply.error_code, heard) == ("buyer", "request_too_large", [])


def test_what_breaks_in_here_is_the_platform_s_fault(egress: Egress) -> None:
    class Broken(Egress):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("secret")

    reply, _ = _ask(Broken(), says(http(b"{}")))
    assert (reply.fault, reply.error_code) == ("platform", "egress_broke")
    assert "secret" not in reply.error_message


@pytest.mark.parametrize(
    ("script", "proved"),
    [
        (says(http(b"token-1")), True),
        (says(http(b" token-1\n")), True),
        (says(http(b"token-2")), False),
        (says(http(b"")), False),
        (says(http(b"token-1", status="404 Not Found")), False),
        (says(http(b"", status="302 Found", headers="Location: /x\r\n")), False),
    ],
)
def test_control_is_proved_by_the_token_and_nothing_else(
    egress: Egress, script: Script, proved: bool
) -> None:
    with stranger(script) as server:
        found, reason = control_proved(endpoint=server.url, token="token-1", egress=egress)
        assert found is proved
        assert bool(reason) is not proved
    assert server.heard[0].startswith(b"GET /.well-known/earnest-control HTTP/1.1\r\n")


def test_an_empty_token_proves_nothing(egress: Egress) -> None:
    with stranger(says(http(b""))) as server:
        assert not control_proved(endpoint=server.url, token="", egress=egress)[0]
