"""A Django process of its own for contenders that need other settings or another database.

Spoken to by lines of JSON: `{"contender": "ours", "clients": 4, "seconds": 1.0}` is answered by
`{"rate": 512.3}`; `{"call": "prepare"}` runs a function of the contenders' module.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import django
from django.db import connections

from marketplace.benches.crowd import BenchFailed, rate
from marketplace.local.folder import ROOT


class Fleet:
    """The clients of one module of contenders."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def rate(self, contender: str, *, clients: int, seconds: float) -> float:
        """Cycles per second. Raises BenchFailed."""
        order = {"contender": contender, "clients": clients, "seconds": seconds}
        return float(self._ask(order)["rate"])

    def call(self, function: str, **arguments: object) -> Any:
        """What a function of the module answers. Raises BenchFailed."""
        return self._ask({"call": function, "arguments": arguments})["answer"]

    def _ask(self, order: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"failed": "the clients ended"}
        if "failed" in answer:
            raise BenchFailed(answer["failed"])
        return answer


@contextmanager
def fleet(module: str, *, settings: str, url: str, data: str) -> Iterator[Fleet]:
    """The clients of `module` on the database at `url`, for the length of a block."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "marketplace.benches.fleet", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=surroundings(settings=settings, url=url, data=data),
    )
    try:
        yield Fleet(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(30)


def surroundings(*, settings: str, url: str, data: str) -> Mapping[str, str]:
    """The environment of a Django process that works on the database at `url`."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": url,
        "EARNEST_DATA": data,
        "EARNEST_DEVELOPMENT": "1",
        "EARNEST_PROCESS": "bench",
        "EARNEST_WEB_POOL": "0",
    }


def main(module: str) -> None:
    django.setup()
    contenders = import_module(module)
    for line in sys.stdin:
        try:
            answer = _obey(contenders, json.loads(line))
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _obey(contenders: Any, order: dict[str, Any]) -> dict[str, Any]:
    if "call" in order:
        try:
            return {"answer": getattr(contenders, order["call"])(**order["arguments"])}
        finally:
            connections.close_all()  # a connection shared by forked clients garbles its words
    with contenders.meanwhile():
        prepare = contenders.CONTENDERS[order["contender"]]
        return {"rate": rate(prepare, clients=order["clients"], seconds=order["seconds"])}


if __name__ == "__main__":
    main(sys.argv[1])
