"""Judges against people, on ratings nobody here made; and a jury too lenient moves no money.

Twenty people rated each tweet; their mean's sign is what counts as right. The judges are rules a
reader can check by eye. Skipped where the public files are not there.
"""

import csv
import io
import lzma
from pathlib import Path

import pytest
from django.utils.timezone import now as clock

from marketplace import cases
from pacts import terms
from pacts.judges import agreement, calibrating
from pacts.judges.agreement import DISTANCES
from pacts.judges.calibration import LEAST_LABELS, Agreement, refusal
from pacts.models import Calibration, Jury
from pacts.publishing import PactRefused
from tests import cast
from tests.pacts.judges import panel

pytestmark = pytest.mark.django_db
FILE = Path(__file__).resolve().parents[4] / "shared/data/golden_sentiment"
FILE /= "tweets_GroundTruth.tsv.xz"
BAD = ("not ", "no ", "n't", "never", "hate", "bad", "sad", "sick", "worst", "ugh", "damn", ":(")
GOOD = ("love", "good", "great", "happy", "lucky", "thank", "fun", "nice", "yay", "best", ":)", "!")


def waves_through(text: str) -> str:
    """Fails a text for the plainest complaint alone."""
    return "fail" if "hate" in text else "pass"


def counts_words(text: str) -> str:
    return "pass" if sum(w in text for w in GOOD) >= sum(w in text for w in BAD) else "fail"


JUDGES = {"judge_lenient": waves_through, "judge_words": counts_words}


@pytest.fixture(scope="module")
def labels() -> bytes:
    if not FILE.exists():
        pytest.skip("the public ratings are not here")
    text = lzma.decompress(FILE.read_bytes()).decode("utf-8", errors="replace")
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["item", "oracle", *JUDGES])
    for number, mean, said in csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(mean):
            words = [judge(said.lower()) for judge in JUDGES.values()]
            table.writerow([number, "pass" if float(mean) > 0 else "fail", *words])
    return out.getvalue().encode()


def judge_in(report: dict[str, object], name: str) -> dict[str, object]:
    (found,) = [row for row in report["judges"] if row["name"] == name]  # type: ignore[attr-defined]
    return found  # type: ignore[no-any-return]


def trusted_with(counts: Agreement, jury: Jury) -> None:
    """The jury is known to the market by these very counts."""
    Calibration.objects.create(
        jury=jury,
        pairs_digest=f"sha256:{'0' * 64}",
        calibrated_at=clock(),
        evidence_id="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f",
        pass_pass=counts.pass_pass,
        pass_fail=counts.pass_fail,
        fail_pass=counts.fail_pass,
        fail_fail=counts.fail_fail,
        abstained=counts.abstained,
    )


def test_the_report_says_where_a_judge_is_too_lenient_to_move_money(labels: bytes) -> None:
    carol = cast.carol()
    made = cases.load_agreement(
        name="Tweets, twenty people", source="", data=labels, by=carol.user, now=clock()
    )
    assert made.report["items"] > 4_000
    lenient = judge_in(made.report, "judge_lenient")
    assert lenient["lenient"]
    assert lenient["wrong_passes"] > 10 * lenient["wrong_fails"]  # type: ignore[operator]
    refused = [at["refusal"] for at in lenient["money"]]  # type: ignore[attr-defined]
    assert len(refused) == len(DISTANCES)
    assert all("its bias is +" in why for why in refused)


def test_a_jury_with_those_very_counts_is_published_in_no_pact_and_holds_no_money(
    labels: bytes,
) -> None:
    found = agreement.read(labels.decode())
    words = {rater.name: said for rater, said in found.items()}
    counts = agreement.counts(words["judge_lenient"], words["oracle"])
    assert counts.labels > LEAST_LABELS
    carol, bob = cast.carol(), cast.bob()
    jury = panel.jury_of(carol)
    trusted_with(counts, jury)
    clause = panel.judged(jury, promise_bps=9_000, floor_bps=7_000)
    why = refusal(counts, promise=0.9, floor=0.7)
    assert why
    assert "its bias is +" in why
    version = cast.agent_of(bob, cast.DEAD_END)
    with pytest.raises(PactRefused) as refused:
        cast.pact_of(version, bob, cast.pact_terms(clause))
    assert why in str(refused.value) or any(why in one.message for one in refused.value.findings)
    with pytest.raises(calibrating.JuryNotTrusted) as unfunded:
        calibrating.refuse_distrusted(terms.parse(cast.pact_terms(clause)), now=clock())
    assert why in str(unfunded.value)
