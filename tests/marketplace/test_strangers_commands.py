"""The commands of the page about the log, copied and pasted into a shell in an empty folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace import oracle
from reputation import checkpoints, exports, standings
from reputation.fold import SETTLEMENT
from reputation.sequencer import sequence_batch
from reputation.tallies import METHOD
from tests.marketplace.test_oversight import World
from tests.reputation.cast import record, taskset

ROOT = Path(__file__).parents[2]
FETCH = ROOT / "reputation/verifier/fetch.py"
COMMAND = re.compile(r'<pre [^>]*data-test="command">(.*?)</pre>', re.DOTALL)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(live_server: Any) -> Iterator[str]:
    """A market whose log takes more than one bundle of entries, over HTTP."""
    world = World()
    world.score(40, 10)
    record(*[taskset(f"tst_{number}") for number in range(300)])
    while sequence_batch():
        pass
    while standings.update_standings():
        pass
    checkpoints.sign_now(now=clock())
    oracle._kept.clear()
    oracle.publish(agent_id=world.agent_id, now=clock())
    yield live_server.url
    oracle._kept.clear()


def commands(url: str) -> list[str]:
    page = Client(SERVER_NAME=url.removeprefix("http://").split(":")[0]).get(
        "/log/", SERVER_PORT=url.rsplit(":", 1)[1]
    )
    return [unescape(found) for found in COMMAND.findall(page.content.decode())]


def shell(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """As a stranger would, but that this checkout is where they have the source."""
    ours = f"{sys.executable} -m django"
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "EARNEST_DEVELOPMENT": "1"}
    programs = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    source = {"DJANGO_SETTINGS_MODULE": "marketplace.settings", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-ec", command.replace("python3 manage.py", ours)],
        cwd=folder,
        env=os.environ | nowhere | programs | source,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_command_on_the_page_does_what_it_says(url: str, tmp_path: Path) -> None:
    steps = commands(url)
    assert len(steps) == 7
    assert "manage.py witness" in steps.pop()  # runs until it is stopped; tested beside it
    said = []
    for step in steps:
        done = shell(step, tmp_path)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        said.append(done.stdout)
    size = checkpoints.newest_or_first(now=clock()).size
    assert said[1] == f"{size} entries are the ones that were signed\n"
    assert "1 entries and 0 earlier heads hold" in said[3]
    assert "1 entries and 1 earlier heads hold" in said[4]
    assert "every number of oracle.json follows from export.jsonl" in said[5]


def test_an_entry_that_was_changed_since_is_refuted_by_the_fetcher(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = commands(url)
    assert shell(steps[0], tmp_path).returncode == 0
    monkeypatch.setattr("marketplace.log._framed", bad)
    done = shell(steps[1], tmp_path)
    assert done.returncode == 1
    assert "not the ones that were signed" in done.stderr


def bad(entry: bytes) -> bytes:
    changed = entry.replace(b'"tasks":50', b'"tasks":51')
    return len(changed).to_bytes(2, "big") + changed


def test_a_document_that_says_more_than_the_log_is_refuted_number_by_number(
    url: str, tmp_path: Path
) -> None:
    steps = commands(url)
    for step in (steps[0], steps[1], steps[5]):
        assert shell(step, tmp_path).returncode == 0
    document = json.loads((tmp_path / "oracle.json").read_text())
    lines = (tmp_path / "export.jsonl").read_text().splitlines()
    assert exports.differences(lines, document=document) == []
    document["composite"]["score_bps"] += 1
    document["dimensions"]["accuracy"]["passes"] = 41
    document["record"]["met"] += 1
    found = exports.differences(lines, document=document)
    assert [one.split(":")[0] for one in found] == ["composite", "record", "accuracy"]
    assert "passes is 41, and the log comes to 40" in found[2]
    fewer = [line for line in lines if SETTLEMENT not in line]
    fewer[0] = exports.head_of(len(fewer) - 1)
    assert "the log has the dimensions none" in exports.differences(fewer, document=document)[-1]


def test_the_fetcher_is_short_speaks_of_this_method_and_knows_nothing_of_the_product() -> None:
    text = FETCH.read_text()
    assert len(text.splitlines()) <= 100
    assert f'METHOD = "{METHOD}"' in text
    named = {
        line.split()[1].split(".")[0]
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert named <= {*sys.stdlib_module_names, "verify"}
    assert Client().get("/log/fetch.py").content == FETCH.read_bytes()
