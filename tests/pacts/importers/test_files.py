"""What people hand over: by any name, packed in any way, damaged, or made to hurt."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pacts.importers import files, read_folder, read_runs
from pacts.importers.figures import counts
from pacts.importers.run import RunsMalformed

TRIALS = [{"task_id": n, "trial": t, "reward": float(t)} for n in range(3) for t in range(2)]
LOG = json.dumps(TRIALS).encode()
TABLE = b"task,passed\nt1,pass\nt2,fail\n"
SUITE = b'<testsuite name="s"><testcase name="one"/></testsuite>'


def packed(entries: dict[str, bytes]) -> bytes:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return pack.getvalue()


def only(name: str, data: bytes, **options: Any) -> dict[str, int]:
    (run,) = read_runs(name=name, data=data, **options)
    return counts(run)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", LOG),
        ("without an ending", LOG),
        ("wrong.csv", LOG),
        ("marked.json", b"\xef\xbb\xbf" + LOG),
        ("wide.json", LOG.decode().encode("utf-16")),
        ("a.json.gz", gzip.compress(LOG, mtime=0)),
        ("a.bz2", bz2.compress(LOG)),
        ("a.xz", lzma.compress(LOG)),
        (
            "a.zip",
            packed({"deep/in/a.json.gz": gzip.compress(LOG, mtime=0), "__MACOSX/._a.json": b"\0"}),
        ),
        ("artifact.zip", packed({"inner.zip": packed({"a.json": LOG})})),
    ],
)
def test_a_log_is_known_by_what_is_in_it_however_it_is_named_and_packed(
    name: str, data: bytes
) -> None:
    assert only(name, data) == {"tasks": 3, "trials": 6, "passes": 3, "failures": 3, "nulls": 0}


def test_an_archive_of_several_formats_is_read_with_each_and_says_what_it_left() -> None:
    data = packed({"a.json": LOG, "b.csv": TABLE, "c.xml": SUITE, "notes.md": b"hello"})
    runs = read_runs(name="all.zip", data=data)
    assert [run.format for run in runs] == ["junit", "tau_bench", "csv"]
    assert {tuple(run.notes) for run in runs} == {("beside it and not read: notes.md",)}


def test_a_folder_on_disk_is_read_as_an_archive_is(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_bytes(LOG)
    (tmp_path / "b.zip").write_bytes(packed({"b.csv": TABLE}))
    assert [run.format for run in read_folder(path=tmp_path)] == ["tau_bench", "csv"]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.json", LOG[:-30], "a.json is not JSON: .*the file ends there, it was cut off"),
        (
            "a.gz",
            gzip.compress(LOG, mtime=0)[:-12],
            "a cannot be unpacked: .*damaged or was cut off",
        ),
        ("a.zip", packed({"a.json": LOG})[:-30], "a.zip is damaged or was cut off"),
        ("b.zip", packed({"a.json": LOG, "b.json": LOG[:-5]}), "b.json is not JSON"),
        ("c.zip", packed({}), "c.zip holds no file"),
        ("empty", b"", "looks like none of"),
        ("n.csv", b"task,passed\nt\x001,1\n", "holds NUL characters"),
    ],
)
def test_a_damaged_file_is_refused_by_its_name_and_its_place(
    name: str, data: bytes, why: str
) -> None:
    with pytest.raises(RunsMalformed, match=why):
        read_runs(name=name, data=data)


def test_an_archive_of_too_many_files_is_refused_before_its_directory_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MOST_MEMBERS", 10)
    with pytest.raises(RunsMalformed, match="more than 10 files"):
        read_runs(name="a.zip", data=packed({f"{n}.txt": b"" for n in range(40)}))


def test_archives_in_archives_in_archives_are_not_followed_for_ever() -> None:
    data = packed({"a.json": LOG})
    for _ in range(4):
        data = packed({"a.zip": data})
    with pytest.raises(RunsMalformed, match="archives in archives in archives"):
        read_runs(name="a.zip", data=data)


def test_bytes_count_once_however_often_a_member_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files._Allowance.__init__, "__defaults__", (3 * len(LOG),))
    assert only("a.zip", packed({"a.json": LOG}))["trials"] == 6


def test_a_number_that_is_none_has_no_outcome_and_tries_that_are_alike_are_refused() -> None:
    nan = b'[{"task_id": 1, "trial": 0, "reward": NaN}, {"task_id": 2, "trial": 0, "reward": 1}]'
    assert only("a.json", nan)["nulls"] == 1
    for trials, why in (
        (TRIALS + TRIALS[:1], "try 0 of the task 0 appears twice"),
        ([{"task_id": None, "reward": 1}], "a trial names no task"),
        ([{"task_id": 1, "trial": 10**12, "reward": 1}], "is no number of a try"),
    ):
        with pytest.raises(RunsMalformed, match=why):
            read_runs(name="a.json", data=json.dumps(trials).encode())


def test_tasks_that_differ_only_after_two_hundred_characters_are_two_tasks() -> None:
    rows = "".join(f"{'x' * 300}{n},1\n" for n in range(2))
    assert only("a.csv", b"task,passed\n" + rows.encode())["tasks"] == 2
