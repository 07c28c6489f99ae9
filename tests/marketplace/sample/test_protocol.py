import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from marketplace.sample.agents import AGENTS, SampleAgent
from marketplace.sample.kinds import get_kind
from tests.marketplace.sample.http_agents import INPUTS, call, request, serving

HOSTILE_TEXTS = ["", "\x00\x85\x1b", "{" * 5000, "1." * 5000, "‮" * 50, '{"a": 1e999}', "٣٠" * 40]

MALFORMED_BODIES = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"[" * 60_000,
    b'{"protocol": "earnest-json/1", "call_id": "c", "input": {"text": NaN}}',
    b'{"protocol": "earnest-json/2", "call_id": "c", "input": {}}',
    b'{"protocol": "earnest-json/1", "call_id": 7, "input": {}}',
    b'{"protocol": "earnest-json/1", "call_id": "", "input": {}}',
    b'{"protocol": "earnest-json/1", "call_id": "c", "input": []}',
    b'{"protocol": "earnest-json/1", "call_id": "c"}',
    b'{"protocol": "earnest-json/1", "call_id": "c", "input": {}}',
    b'{"protocol": "earnest-json/1", "call_id": "c", "input": {"text": 7}}',
    b'{"protocol": "earnest-json/1", "call_id": "c", "input": {"text": "\\ud800"}}',
]


@pytest.fixture(scope="module", params=AGENTS, ids=lambda agent: agent.slug)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[SampleAgent, int]]:
    with serving(request.param) as port:
        yield request.param, port


def test_a_call_is_answered_in_the_agreed_form(served: tuple[SampleAgent, int]) -> None:
    agent, port = served
    status, answer = call(port, INPUTS[agent.kind])
    kind = get_kind(agent.kind)
    assert (status, set(answer)) == (200, {"output"})
    jsonschema.validate(answer["output"], kind.output_schema)
    assert answer["output"]["declined"] is False
    assert answer["output"][kind.field] is not None


def test_a_hostile_text_is_answered_or_declined_in_the_agreed_form(
    served: tuple[SampleAgent, int],
) -> None:
    agent, port = served
    for text in HOSTILE_TEXTS:
        status, answer = call(port, INPUTS[agent.kind] | {"text": text})
        assert status == 200
        jsonschema.validate(answer["output"], get_kind(agent.kind).output_schema)


def test_a_malformed_call_is_refused_with_a_reason(served: tuple[SampleAgent, int]) -> None:
    _, port = served
    for body in MALFORMED_BODIES:
        status, kind, answer = request(port, "POST", body=body)
        assert (status, kind) == (400, "application/json"), body[:80]
        assert json.loads(answer)["error"]


def test_a_date_agent_refuses_a_call_without_a_reference_date() -> None:
    with serving(AGENTS[3]) as port:
        status, answer = call(port, {"text": "5 May 2026", "locale": "en-GB"})
        assert (status, answer["error"]) == (400, "input.reference_date must be a string")
        broken = INPUTS["dates"] | {"reference_date": "2026-02-30"}
        assert call(port, broken)[0] == 400


def test_an_unknown_locale_is_refused() -> None:
    with serving(AGENTS[5]) as port:
        status, answer = call(port, INPUTS["dates"] | {"locale": "xx-XX"})
        assert (status, answer["error"]) == (400, "input.locale is not a known locale")


def test_a_body_over_the_limit_is_refused_unread() -> None:
    with serving(AGENTS[2]) as port:
        status, _, answer = request(port, "POST", Content_Length=str(10**9))
        assert status == 413
        assert "larger" in json.loads(answer)["error"]
        assert request(port, "POST", Content_Length="-1")[0] == 400


def test_other_methods_and_paths_are_refused() -> None:
    with serving(AGENTS[2]) as port:
        assert request(port, "GET")[0] == 405
        assert request(port, "POST", "/.well-known/earnest-control")[0] == 405
        assert request(port, "GET", "/elsewhere")[0] == 404


def test_the_control_token_is_answered_once_it_is_there(
    served: tuple[SampleAgent, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, port = served
    path = "/.well-known/earnest-control"
    monkeypatch.delenv("EARNEST_SAMPLE_CONTROL", raising=False)
    assert request(port, "GET", path)[0] == 404
    monkeypatch.setenv("EARNEST_SAMPLE_CONTROL", str(tmp_path))
    assert request(port, "GET", path)[0] == 404
    (tmp_path / agent.slug).write_text("token-of-bob")
    assert request(port, "GET", path) == (200, "text/plain", b"token-of-bob")


def test_an_agent_is_served_by_gunicorn(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "gunicorn", AGENTS[2].wsgi, "--bind", "127.0.0.1:0"]
    command += ["--worker-class", "gthread", "--threads", "8", "--log-file", str(log)]
    with subprocess.Popen(command) as process:
        try:
            status, answer = call(_read_port(log), INPUTS["language"])
        finally:
            process.terminate()
    assert (status, answer) == (200, {"output": {"language": "en", "declined": False}})


def _read_port(log: Path) -> int:
    for _ in range(400):
        text = log.read_text() if log.exists() else ""
        if "Booting worker" in text:
            return int(text.split("http://127.0.0.1:")[1].split()[0])
        time.sleep(0.05)
    raise AssertionError("gunicorn did not start")
