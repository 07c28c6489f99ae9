"""The log is served as C2SP says, to everybody alike, and private parts to whom they belong."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from marketplace.log import PROGRAMS
from reputation import checkpoints, keys, merkle, notes, schemas
from reputation.models import Evidence
from reputation.sequencer import sequence_batch
from settlement import paper
from settlement.models import Receipt
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import one_of_everything
from tests.reputation.cast import NOON, days, record, taskset

pytestmark = pytest.mark.django_db


def grown(many: int, *, later: int = 0) -> None:
    record(*[taskset(f"tst_{number}", private={"n": number}) for number in range(many)])
    while sequence_batch():
        pass
    checkpoints.sign_now(now=NOON + days(later))


def got(path: str) -> Any:
    return Client().get(f"/log/{path}")


def test_a_stranger_rebuilds_the_root_from_tiles_and_the_tiles_from_entries() -> None:
    grown(300)
    head = notes.read_checkpoint(got("checkpoint").content.decode(), keys.vkeys())
    leaves = got("tile/0/000").content + got("tile/0/001.p/44").content
    assert merkle.root_of(leaves) == head.root
    assert got("tile/1/000.p/1").content == merkle.root_of(leaves[:8192])
    framed, hashed = got("tile/entries/000").content + got("tile/entries/001.p/44").content, b""
    while framed:
        length = int.from_bytes(framed[:2], "big")
        hashed += merkle.leaf_hash(framed[2 : 2 + length])
        framed = framed[2 + length :]
    assert hashed == leaves


def test_what_never_changes_may_be_kept_for_ever_and_what_does_may_not() -> None:
    grown(300)
    for path in ("tile/0/000", "tile/0/001.p/7", "tile/entries/000"):
        response = got(path)
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response["Content-Type"] == "application/octet-stream"
        assert "Cookie" not in response.get("Vary", "")
    assert got("checkpoint")["Cache-Control"] == "public, max-age=2"
    assert got("checkpoint")["Content-Type"] == "text/plain; charset=utf-8"
    packed = Client().get("/log/tile/entries/000", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == got("tile/entries/000").content


@pytest.mark.parametrize(
    "path",
    [
        *("tile/0/002", "tile/0/001", "tile/0/001.p/45", "tile/1/000", "tile/9/000", "tile/0/1"),
        *("tile/entries/001", "tile/0/000.p/256", "proof/evd_0", "schema/nothing/1"),
        *("schema/payload.erased/2", "tile/0/" + "x999/" * 5 + "999", "tile/63/000"),
    ],
)
def test_what_no_head_covers_is_not_there(path: str) -> None:
    grown(300)
    assert got(path).status_code == 404


def test_before_anything_was_signed_there_is_nothing_to_serve() -> None:
    assert [got(path).status_code for path in ("checkpoint", "policy", "keys")] == [404, 404, 200]
    assert Client().get("/log/").status_code == 200
    assert Program().get("log").json()["head"] is None


def test_heads_contain_each_other_over_the_api() -> None:
    for many in (4, 300, 7):
        grown(many, later=many)
    heads = Program().get("log/heads").json()["results"]
    assert [head["size"] for head in heads] == [311, 304, 4]
    for old in heads:
        answer = Program().get(f"log/consistency?from={old['size']}").json()
        merkle.verify_consistency(
            old=old["size"],
            old_root=base64.b64decode(old["root"]),
            new=311,
            new_root=base64.b64decode(heads[0]["root"]),
            proof=[base64.b64decode(step) for step in answer["proof"]],
        )
    for wrong in ("from=312", "from=-1", "from=x", "from=5&to=4", "to=٣", "from=" + "9" * 30):
        assert Program().get(f"log/consistency?{wrong}").status_code == 400, wrong


def test_every_piece_of_evidence_fits_the_schema_published_for_its_kind_and_version() -> None:
    one_of_everything()
    for row in Evidence.objects.all():
        envelope = row.read()
        schema = got(f"schema/{row.kind}/{envelope['version']}").json()
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(envelope)
        with_more = {**envelope, "facts": {**envelope["facts"], "name": "somebody"}}
        assert not Draft202012Validator(schema).is_valid(with_more)


def test_every_version_there_ever_was_is_published() -> None:
    from reputation.kinds import KINDS

    listed = Program().get("evidence-kinds").json()["results"]
    assert {(one["kind"], one["version"]) for one in listed} == {
        (kind, version) for kind, found in KINDS.items() for version in range(1, found.version + 1)
    }, "a kind whose version grew: say in reputation/schemas.py what it was before"
    assert len(listed) == len(list(schemas.published()))


def test_a_receipt_of_the_market_and_its_bundle_verify_without_us(tmp_path: Path) -> None:
    market = one_of_everything()
    receipt = Receipt.objects.order_by("pk").first()
    assert receipt is not None
    body = json.loads(receipt.body)
    assert (
        notes.read_checkpoint(body["log"]["checkpoint"], keys.vkeys()).size == body["log"]["size"]
    )
    assert body["log"]["checkpoint"].split("\n")[2] in paper_text(receipt)
    grown(5)
    alice = program_of(market.alice)
    answer = alice.get(f"engagements/{body['engagement']}/bundle?since={body['log']['size']}")
    (tmp_path / "bundle.json").write_bytes(answer.content)
    (tmp_path / "receipt.json").write_bytes(alice.get(f"receipts/{receipt.pk}").content)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            str(PROGRAMS / "verify.py"),
            "bundle.json",
            "--seen",
            "receipt.json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert answer.json()["entries"]
    assert any("private" in entry for entry in answer.json()["entries"])


def paper_text(receipt: Receipt) -> str:
    from io import BytesIO

    from pypdf import PdfReader

    pages = PdfReader(BytesIO(paper.pdf_of(receipt))).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "")


def test_private_parts_are_opened_to_those_they_belong_to_alone() -> None:
    market = one_of_everything()
    grown(1)
    dispute = Evidence.objects.filter(kind="dispute.opened").first()
    assert dispute is not None

    def opened(program: Program) -> bool:
        (entry,) = program.get(f"evidence/{dispute.pk}/bundle").json()["entries"]
        return "private" in entry

    assert opened(program_of(market.alice))
    assert opened(program_of(market.bob))
    assert opened(program_of(cast.carol()))
    assert not opened(Program())
    assert not opened(program_of(cast.mallory()))
    pact = Evidence.objects.filter(kind="pact.published").first()
    assert pact is not None
    (entry,) = Program().get(f"evidence/{pact.pk}/bundle").json()["entries"]
    assert "private" in entry


def test_bundles_of_an_agent_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    market = one_of_everything()
    grown(1)
    monkeypatch.setattr("reputation.bundles.MOST_ENTRIES", 2)
    found, older = [], ""
    while older is not None:
        page = Program().get(f"agents/{market.ids['agent']}/bundle{older and '?before=' + older}")
        found += [entry["id"] for entry in page.json()["entries"]]
        older = page.json()["older"]
    named = Evidence.objects.filter(subjects__subject_id=market.ids["agent"])
    assert sorted(found) == sorted(set(named.values_list("pk", flat=True)))


def test_pages_show_the_proof_the_head_and_how_to_check_both() -> None:
    grown(3)
    one = Evidence.objects.order_by("pk")[0]
    entry = Client().get(f"/evidence/{one.pk}/").content.decode()
    assert "number 0 below a head" in entry
    assert f"/api/v1/evidence/{one.pk}/bundle" in entry
    page = Client().get("/log/").content.decode()
    assert str(keys.vkeys()[0]).replace("+", "+") in page.replace("&#43;", "+").replace(
        "&#x2B;", "+"
    )
    assert Client().get("/log/verify.py").content == (PROGRAMS / "verify.py").read_bytes()
    assert Client().get("/evidence/kinds/").status_code == 200
    (late,) = record(taskset())
    waiting = Client().get(f"/evidence/{late.pk}/").content.decode()
    assert "signs a head every few seconds" in waiting


def test_the_policy_and_the_proof_are_in_the_public_formats() -> None:
    grown(3)
    assert got("policy").content.decode().startswith(f"log {keys.vkeys()[0]} http")
    one = Evidence.objects.order_by("pk")[0]
    proof = notes.read_proof(got(f"proof/{one.pk}").content.decode())
    assert proof.index == 0
