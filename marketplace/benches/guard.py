"""`manage.py bench guard`: what the guard adds to a call, beside guardrails-ai's same two checks.

Ours observes: capture, both checks, redaction, spool and upload to a server on loopback run behind.
guardrails-ai has no such mode: its figure is one validation, which is what it adds to a call. It
needs versions ours cannot live with, so it has an environment of its own (requirements-peers.lock).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import Figure
from marketplace.benches.ground import machine
from marketplace.local.folder import ROOT

Say = Callable[[str], None]
HERE = Path(__file__).parent
LOCK = ROOT / "requirements-peers.lock"
IMPORTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Calls back to back, paced (one a millisecond), for memory, and by guardrails-ai."""

    entries: int = 1_000_000
    samples: int = 40_000
    small: int = 10_000
    theirs: int = 1_000


QUICK = {"entries": 200_000, "samples": 8_000, "small": 3_000, "theirs": 100}


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return (
        f"--quick: memory over {plan.entries:,} calls instead of a million, fewer calls of each.\n"
    )


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed."""
    say(f"{machine()}\n")
    python = peers(say)
    ours = _ours(plan)
    theirs = _said([str(python), "-P", str(HERE / "guard_theirs.py"), str(plan.theirs)])
    imports = median(_import_seconds() for _ in range(IMPORTS))
    for name in ("back_to_back", "paced"):
        said = ours[name]
        say(f"{name:<14} adds {said['p50_us']:8.1f} µs at p50, {said['p99_us']:8.1f} at p99")
    say(f"guardrails-ai  adds {theirs['p50_us']:8.1f} µs at p50, {theirs['p99_us']:8.1f} at p99")
    counts = ours["status"]
    say(f"memory: {ours['peak_mb']:.0f} MB at most, {counts['seen']:,} calls seen")
    say(
        f"dropped while the times were taken: {ours['dropped_while_measured']:,}; in the million "
        f"without a pause, where nothing keeps up, {counts['dropped']:,} were dropped and counted "
        f"rather than waited for; {counts['accepted']:,} arrived"
    )
    return [
        Figure("p50_us", ours["back_to_back"]["p50_us"], 50, at_most=True),
        Figure("paced_p50_us", ours["paced"]["p50_us"], 100, at_most=True),
        Figure("p99_us", max(_p99s(ours)), 1_000, at_most=True),
        Figure("vs_guardrails_p50", theirs["p50_us"] / max(_p50s(ours)), 30),
        Figure("import_s", imports, 0.3, at_most=True),
        Figure("memory_growth_mb", ours["growth_mb"], 8, at_most=True),
    ]


def peers(say: Say) -> Path:
    """The interpreter of the yardstick's environment, made from its lock where it is missing.
    `EARNEST_PEERS` names another folder. Raises BenchFailed."""
    folder = Path(os.environ.get("EARNEST_PEERS", ROOT / ".data" / "peers"))
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"making {folder} from {LOCK.name}: this takes minutes, once")
        _make(folder, python)
    return python


def _make(folder: Path, python: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".data" / "uv" / "bin"))
    if uv:
        made = [uv, "venv", "-q", "-p", sys.executable, str(folder)]
        filled = [uv, "pip", "sync", "-q", "--require-hashes", "-p", str(folder), str(LOCK)]
    else:
        made = [sys.executable, "-m", "venv", str(folder)]
        filled = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)]
    for command in (made, filled):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise BenchFailed(
                f"the environment of guardrails-ai could not be made: it is installed once from "
                f"{LOCK.name} and needs a package index for that. Connect and repeat this, or name "
                f"one that is made in EARNEST_PEERS. {Path(command[0]).name} said: "
                f"{done.stderr.strip()[-500:]}"
            )


def _ours(plan: Plan) -> Any:
    sizes = (plan.samples, plan.small, plan.entries)
    with _sink() as address, tempfile.TemporaryDirectory() as spool:
        script = str(HERE / "guard_ours.py")
        return _said([sys.executable, "-P", script, address, spool, *map(str, sizes)])


def _said(command: Sequence[str]) -> Any:
    done = subprocess.run(  # noqa: S603 - our own scripts
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OTEL_SDK_DISABLED": "true"},
    )
    if done.returncode:
        raise BenchFailed(f"{command[2]} ended with {done.returncode}: {done.stderr[-800:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _import_seconds() -> float:
    timing = (
        "import time; a = time.perf_counter(); import pacts.guard; print(time.perf_counter() - a)"
    )
    return float(_said([sys.executable, "-P", "-c", timing]))


def _p50s(ours: Any) -> list[float]:
    return [ours[name]["p50_us"] for name in ("back_to_back", "paced")]


def _p99s(ours: Any) -> list[float]:
    return [ours[name]["p99_us"] for name in ("back_to_back", "paced")]


@contextmanager
def _sink() -> Iterator[str]:
    """A server that takes every batch."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Quiet."""
