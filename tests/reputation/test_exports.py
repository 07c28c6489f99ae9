"""Anybody's standing from a file of public envelopes equals the database, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reputation import exports, standings
from reputation.identifiers import new_id
from reputation.sequencer import sequence_batch
from tests.reputation.cast import (
    ALICE,
    BOB,
    NOON,
    clause,
    days,
    disputed,
    record,
    ruled,
    settlement,
    started,
    taskset,
    verdict,
)

pytestmark = pytest.mark.django_db


def play() -> None:
    """A little of everything a standing rests on, folded."""
    for number in range(6):
        milestone, run = new_id("mst"), new_id("evl")
        record(started(run, milestone=milestone), taskset())
        (found,) = record(
            verdict(
                clause(40 + number, 3),
                clause(9, number, dimension="safety"),
                milestone=milestone,
                evaluation=run,
                canaries=(5, 4),
                at=NOON - days(number),
            )
        )
        record(disputed(f"dsp_{number}"))
        record(ruled(f"dsp_{number}", share=5_000, verdict=found.pk))
        named = found.pk if number % 2 else None
        record(settlement(named, milestone=milestone, buyer=ALICE, builder=BOB))
    record(started(new_id("evl"), milestone=new_id("mst")), verdict(clause(1, 1)))
    while sequence_batch():
        pass
    while standings.update_standings(limit=7):
        pass


def test_an_export_computed_in_a_process_without_a_database_equals_the_database(
    tmp_path: Path,
) -> None:
    play()
    log, shown = tmp_path / "log.jsonl", tmp_path / "standing.json"
    call_command("standing", "export", "--to", str(log))
    call_command("standing", "show", "--to", str(shown))
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "EARNEST_DEVELOPMENT": "1"}
    again = subprocess.run(
        [sys.executable, "-m", "django", "standing", "recompute", str(log)],
        env=os.environ | nowhere | {"DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        capture_output=True,
        check=True,
    )
    assert again.stdout == shown.read_bytes()
    assert b'"passes":129' in again.stdout
    call_command("standing", "recompute", str(log), "--against", str(shown))


def test_an_altered_envelope_gives_other_bytes(tmp_path: Path) -> None:
    play()
    log, shown = tmp_path / "log.jsonl", tmp_path / "standing.json"
    call_command("standing", "export", "--to", str(log))
    call_command("standing", "show", "--to", str(shown))
    log.write_text(log.read_text().replace('"passes":45', '"passes":44'))
    with pytest.raises(CommandError, match="is not what"):
        call_command("standing", "recompute", str(log), "--against", str(shown))


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([], "no head"),
        (['{"kind":"escrow.settled"}'], "no head"),
        ([exports.head_of(2), '{"kind":"taskset.committed"}'], "promises 2 entries and 1 follow"),
        ([exports.head_of(1), "nothing"], "line 2 is not an envelope"),
        ([exports.head_of(0).replace("standing-2", "standing-9")], "the export is standing-9"),
    ],
)
def test_a_file_that_is_no_whole_export_is_refused_with_what_to_do(
    lines: list[str], wrong: str
) -> None:
    with pytest.raises(exports.ExportMalformed, match=wrong):
        exports.recompute(lines)
