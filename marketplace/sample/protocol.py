"""The agents' side of "earnest-json/1", as one WSGI application around one pure function.

`POST /` with `{"protocol": "earnest-json/1", "call_id": str, "input": {...}}` answers 200
`{"output": {...}}`. Every error is 4xx or 5xx with `{"error": str}`. The control token that
proves who runs the endpoint is answered as text under `/.well-known/earnest-control`, read at
each request from the file `$EARNEST_SAMPLE_CONTROL/<slug>`; 404 while there is none.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

PROTOCOL = "earnest-json/1"
CONTROL_PATH = "/.well-known/earnest-control"
BODY_LIMIT_BYTES = 256 * 1024

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]
Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

logger = logging.getLogger(__name__)


class RequestRefused(Exception):
    """The request cannot be answered; the first argument is the status line."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class InputMalformed(ValueError):
    """The call's input lacks a field or holds one of the wrong kind."""


def build_application(*, slug: str, answer: Answer) -> Application:
    """A WSGI application that answers calls with `answer`, a function from input to output."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, kind, body = _respond(environ, slug, answer)
        except RequestRefused as refused:
            status, kind, body = refused.status, "application/json", _error(refused.message)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status.startswith("405"):
            headers.append(("Allow", "GET" if environ["PATH_INFO"] == CONTROL_PATH else "POST"))
        start_response(status, headers)
        return [body]

    return application


def read_text(fields: Mapping[str, Any], name: str) -> str:
    """The string `fields[name]`; InputMalformed when it is absent, not text or not Unicode."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise InputMalformed(f"input.{name} must be a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputMalformed(f"input.{name} holds a lone surrogate") from None
    return value


def _respond(environ: WSGIEnvironment, slug: str, answer: Answer) -> tuple[str, str, bytes]:
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/"
    if path == CONTROL_PATH:
        _require_method(method, "GET")
        return "200 OK", "text/plain; charset=utf-8", _read_control_token(slug)
    if path != "/":
        raise RequestRefused("404 Not Found", "calls go to /")
    _require_method(method, "POST")
    return "200 OK", "application/json", _answer_call(_read_call(environ), slug, answer)


def _require_method(method: str, allowed: str) -> None:
    if method != allowed:
        raise RequestRefused("405 Method Not Allowed", f"only {allowed} is answered here")


def _read_control_token(slug: str) -> bytes:
    folder = os.environ.get("EARNEST_SAMPLE_CONTROL")
    if folder:
        try:
            return (Path(folder) / slug).read_bytes()
        except FileNotFoundError:
            pass
    raise RequestRefused("404 Not Found", "no control token is set")


def _read_call(environ: WSGIEnvironment) -> Mapping[str, Any]:
    try:
        call = json.loads(_read_body(environ), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RequestRefused("400 Bad Request", "the body is not JSON") from None
    if not isinstance(call, dict) or call.get("protocol") != PROTOCOL:
        raise RequestRefused("400 Bad Request", f'"protocol" must be "{PROTOCOL}"')
    if not isinstance(call.get("call_id"), str) or not call["call_id"]:
        raise RequestRefused("400 Bad Request", '"call_id" must be a string')
    fields = call.get("input")
    if not isinstance(fields, dict):
        raise RequestRefused("400 Bad Request", '"input" must be an object')
    return fields


def _read_body(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise RequestRefused("400 Bad Request", "Content-Length is not a number")
    if len(length) > 9 or int(length) > BODY_LIMIT_BYTES:
        limit = f"the body is larger than {BODY_LIMIT_BYTES} bytes"
        raise RequestRefused("413 Content Too Large", limit)
    return bytes(environ["wsgi.input"].read(int(length)))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _answer_call(fields: Mapping[str, Any], slug: str, answer: Answer) -> bytes:
    try:
        return json.dumps({"output": answer(fields)}, allow_nan=False).encode()
    except InputMalformed as malformed:
        raise RequestRefused("400 Bad Request", str(malformed)) from None
    except Exception:
        logger.exception("%s could not answer a call", slug)
        status = "500 Internal Server Error"
        raise RequestRefused(status, "the agent could not answer this call") from None


def _error(message: str) -> bytes:
    return json.dumps({"error": message}).encode()
