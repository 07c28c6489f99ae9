"""The A2A adapter against the official SDK's own server, in both versions of the protocol."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pacts.agents import PROTOCOLS, AgentReply
from pacts.agents.card import CardUnusable, fetch_card, read_card
from pacts.answers import NOTHING_REPORTED, ToolCall, Usage
from pacts.egress import Egress, EgressPolicy, EgressRefused
from tests.pacts.agents.a2a_server import a2a_agent
from tests.pacts.strangers import http, says, stranger

A2A = PROTOCOLS["a2a/1"]
VERSIONS = pytest.mark.parametrize("version", ["0.3", "1.0"])


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with a2a_agent() as url:
        yield url


@pytest.fixture(scope="module")
def egress() -> Iterator[Egress]:
    out = Egress(EgressPolicy(allow_loopback=True, deadline_seconds=5))
    yield out
    out.close()


def ask(
    egress: Egress, origin: str, version: str, given: dict[str, Any], seconds: float = 5
) -> AgentReply:
    return A2A.call(
        endpoint=f"{origin}/rpc",
        call_id="c1",
        input=given,
        egress=egress,
        deadline_seconds=seconds,
        declared={"protocol_version": version},
    )


@VERSIONS
def test_a_task_that_completes_answers_with_its_artifact(
    egress: Egress, origin: str, version: str
) -> None:
    reply = ask(egress, origin, version, {"number": 21, "unit": "m"})
    assert (reply.fault, reply.output) == ("none", {"answer": 42})


@VERSIONS
def test_a_message_without_a_task_is_an_answer(egress: Egress, origin: str, version: str) -> None:
    assert ask(egress, origin, version, {"text": "message"}).output == {"text": "plain"}


@VERSIONS
@pytest.mark.parametrize("text", ["message", "report"])
def test_what_an_agent_reports_beside_its_answer_is_read_from_its_metadata(
    egress: Egress, origin: str, version: str, text: str
) -> None:
    reply = ask(egress, origin, version, {"text": text})
    assert reply.facts.tool_calls == (ToolCall(name="calculator", arguments={"a": 21}),)
    assert reply.facts.usage == Usage(input_tokens=12, output_tokens=3)
    assert (reply.reported["model"], reply.reported["fingerprint"]) == ("doubler-2", "fp_1")


@VERSIONS
def test_an_agent_that_reports_nothing_said_nothing(
    egress: Egress, origin: str, version: str
) -> None:
    reply = ask(egress, origin, version, {"number": 21, "unit": "m"})
    assert (reply.facts, dict(reply.reported)) == (NOTHING_REPORTED, {})


@VERSIONS
def test_a_task_that_takes_its_time_is_waited_for(
    egress: Egress, origin: str, version: str
) -> None:
    reply = ask(egress, origin, version, {"text": "slow"})
    assert (reply.fault, reply.output) == ("none", {"answer": 0})
    assert (reply.latency_ms or 0) >= 600


def test_a_task_that_is_still_working_is_polled_until_it_ends(egress: Egress) -> None:
    bodies = iter(
        [
            {"kind": "task", "id": "t1", "status": {"state": "submitted"}},
            {"kind": "task", "id": "t1", "status": {"state": "working"}},
            {
                "kind": "task",
                "id": "t1",
                "status": {"state": "completed"},
                "artifacts": [{"parts": [{"kind": "data", "data": {"answer": 4}}]}],
            },
        ]
    )

    def script(sock: Any, server: Any) -> None:
        answer = {"jsonrpc": "2.0", "id": "c1", "result": next(bodies)}
        sock.sendall(http(json.dumps(answer).encode()))

    with stranger(script) as server:
        reply = A2A.call(endpoint=server.url, call_id="c1", input={"n": 2}, egress=egress)
    sent = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in server.heard]
    assert reply.output == {"answer": 4}
    assert [one["method"] for one in sent] == ["message/send", "tasks/get", "tasks/get"]
    assert sent[2]["params"] == {"id": "t1"}
    assert (reply.latency_ms or 0) > 200


def test_a_task_that_never_ends_is_timed_out(egress: Egress) -> None:
    working = {"id": "t1", "status": {"state": "TASK_STATE_WORKING"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"task": working}}).encode()
    with stranger(says(http(body))) as server:
        reply = A2A.call(
            endpoint=server.url, call_id="c1", input={}, egress=egress, deadline_seconds=0.4
        )
    assert (reply.fault, reply.error_code) == ("agent", "timeout")


@VERSIONS
@pytest.mark.parametrize(
    ("text", "code"), [("fail", "task_failed"), ("ask", "task_input_required")]
)
def test_a_task_that_ends_badly_is_the_agents_fault_by_name(
    egress: Egress, origin: str, version: str, text: str, code: str
) -> None:
    reply = ask(egress, origin, version, {"text": text})
    assert (reply.output, reply.fault, reply.error_code) == (None, "agent", code)


@VERSIONS
def test_a_task_that_is_rejected_was_declined(egress: Egress, origin: str, version: str) -> None:
    reply = ask(egress, origin, version, {"text": "reject"})
    assert (reply.fault, (reply.output or {}).get("declined")) == ("none", True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}', "rpc_error"),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', "no_output"),
        (b'{"jsonrpc":"2.0","id":1,"result":{"task":{"id":7,"status":{"state":4}}}}', None),
        (b'{"result":{"message":{"parts":"x"}}}', "no_output"),
        (b"[]", "no_output"),
        (b"<html>", "not_json"),
    ],
)
def test_an_answer_that_is_no_a2a_is_the_agents_fault(
    egress: Egress, body: bytes, code: str | None
) -> None:
    with stranger(says(http(body))) as server:
        reply = A2A.call(
            endpoint=server.url, call_id="c", input={}, egress=egress, deadline_seconds=1
        )
    assert (reply.output, reply.fault) == (None, "agent")
    assert code in (None, reply.error_code)


@VERSIONS
def test_a_kept_answer_reads_as_it_did_when_it_came(
    egress: Egress, origin: str, version: str
) -> None:
    reply = ask(egress, origin, version, {"number": 21, "unit": "m"})
    again = A2A.read(raw=reply.raw, latency_ms=reply.latency_ms, declared={})
    assert again == reply


def test_a_card_is_found_at_its_hosts_well_known_place(egress: Egress, origin: str) -> None:
    card = fetch_card(url=origin, egress=egress)
    assert (card.name, card.description, card.skills) == (
        "Doubler",
        "Doubles numbers.",
        ("Doubling",),
    )
    assert (card.endpoint, card.protocol_version) == (f"{origin}/rpc", "1.0")
    assert card.declared["card_digest"] == card.digest


def test_a_card_of_protocol_0_3_is_read(egress: Egress) -> None:
    card = read_card(
        b'{"name":"Old","url":"https://old.example/grpc","preferredTransport":"GRPC",'
        b'"protocolVersion":"0.3.0","additionalInterfaces":'
        b'[{"url":"https://old.example/rpc","transport":"JSONRPC"}]}'
    )
    assert (card.endpoint, card.protocol_version) == ("https://old.example/rpc", "0.3.0")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name": 3}', b'{"name":"x","url":5}'])
def test_what_is_no_card_is_said_so(body: bytes) -> None:
    with pytest.raises(CardUnusable):
        read_card(body)


def test_a_card_is_not_fetched_from_where_nobody_may_call() -> None:
    with pytest.raises(EgressRefused):
        fetch_card(url="http://127.0.0.1:1/", egress=Egress())
