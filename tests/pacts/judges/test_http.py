"""The OpenAI-compatible provider against a real server on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pacts.egress import Egress, EgressPolicy
from pacts.judges.prompt import messages
from pacts.judges.providers import JurorSilent, OpenAiCompatible, installed, request_body
from pacts.judges.words import read_word
from reputation.canonical import sha256

ASKED = messages(rubric="Be right.", task={"n": 1}, reference=None, answer={"text": "one"})
KEY = "not-a-real-key"


@contextmanager
def model_server(answer: Callable[[dict[str, Any]], tuple[int, Any]]) -> Iterator[tuple[str, Any]]:
    """A server of models: `answer(request)` gives status and body. Yields its address and what
    it heard."""
    heard: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, dict(self.headers), body))
            status, said = answer(json.loads(body))
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", heard
    finally:
        server.shutdown()
        server.server_close()


def completion(content: str, model: str = "m-1") -> dict[str, Any]:
    return {
        "model": model,
        "choices": [{"message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 1500, "completion_tokens": 40},
    }


def provider(address: str, **prices: int) -> OpenAiCompatible:
    found = installed(
        {"main": {"address": address, "key": KEY, **prices}},
        Egress(EgressPolicy(allow_loopback=True)),
    )["main"]
    assert isinstance(found, OpenAiCompatible)
    return found


def test_a_question_goes_out_and_a_word_with_its_cost_comes_back() -> None:
    word = json.dumps({"verdict": "pass", "quote": "one", "reason": "r"})
    with model_server(lambda asked: (200, completion(word, asked["model"]))) as (address, heard):
        said = provider(address, input_price=2_000_000, output_price=8_000_000).ask(
            model="m-1", messages=ASKED
        )
    assert read_word(said.text, answer={"text": "one"}).said == "pass"
    assert (said.model, said.input_tokens, said.output_tokens) == ("m-1", 1500, 40)
    assert said.cost_micros == 1500 * 2 + 40 * 8
    ((path, headers, body),) = heard
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == request_body(model="m-1", messages=ASKED)
    assert said.request_digest == sha256(body)
    assert json.loads(body)["temperature"] == 0
    assert KEY not in repr(provider(address))


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (503, {}, "http_503"),
        (200, b"not json", "not_json"),
        (200, [], "no_reply"),
        (200, {"model": "m-1", "choices": []}, "no_reply"),
        (200, {"model": "m-1", "choices": [{"message": {"content": 7}}]}, "no_reply"),
    ],
)
def test_whatever_is_not_a_reply_is_silence(status: int, said: Any, code: str) -> None:
    with (
        model_server(lambda asked: (status, said)) as (address, _),
        pytest.raises(JurorSilent) as silent,
    ):
        provider(address).ask(model="m-1", messages=ASKED)
    assert silent.value.code == code


def test_a_provider_nobody_may_call_is_not_called() -> None:
    guarded = installed({"main": {"address": "http://127.0.0.1:9/v1"}}, Egress())["main"]
    with pytest.raises(JurorSilent):
        guarded.ask(model="m-1", messages=ASKED)


def test_a_count_of_tokens_that_is_none_costs_nothing() -> None:
    said = completion("{}") | {"usage": {"prompt_tokens": "many", "completion_tokens": -4}}
    with model_server(lambda asked: (200, said)) as (address, _):
        found = provider(address, input_price=10**6).ask(model="m-1", messages=ASKED)
    assert (found.input_tokens, found.output_tokens, found.cost_micros) == (0, 0, 0)
