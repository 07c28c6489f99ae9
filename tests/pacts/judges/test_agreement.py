"""How often people and judges agree, read from files that strangers made."""

from typing import Any

import pytest

from pacts.judges.agreement import PANEL, AgreementUnreadable, majority, read, report

WIDE = """item,oracle,expert_1,expert_2,judge_a,judge_b
1,pass,pass,pass,pass,pass
2,fail,fail,pass,pass,pass
3,fail,fail,fail,pass,fail
4,pass,pass,pass,fail,pass
5,fail,fail,fail,,n/a
"""


def judge(found: dict[str, Any], name: str) -> dict[str, Any]:
    one: dict[str, Any]
    (one,) = [row for row in found["judges"] if row["name"] == name]
    return one


def test_wrong_passes_and_wrong_fails_are_counted_apart() -> None:
    found = judge(report(read(WIDE)), "judge_a")
    assert (found["pass_pass"], found["wrong_passes"], found["wrong_fails"]) == (1, 2, 1)
    assert found["lenient"]
    assert found["agreed_bps"] == 2_500


def test_an_empty_cell_is_no_label_and_a_strange_word_is_an_abstention() -> None:
    found = report(read(WIDE))
    assert judge(found, "judge_a")["labels"] == 4
    assert (judge(found, "judge_b")["labels"], judge(found, "judge_b")["abstained"]) == (5, 1)


def test_experts_are_held_against_each_other_and_against_the_oracle() -> None:
    found = report(read(WIDE))
    (pair,) = found["people"]
    assert (pair["items"], pair["agreed"], pair["agreed_bps"]) == (5, 4, 8_000)
    assert judge(found, "expert_1")["agreed_bps"] == 10_000
    assert found["truth"] == "oracle"


def test_without_an_oracle_the_experts_majority_counts_and_a_tie_decides_nothing() -> None:
    text = "item\texpert_1\texpert_2\tjudge\n1\t1\t1\t0\n2\tyes\tno\tyes\n"
    found = report(read(text))
    assert found["truth"] == "experts"
    assert judge(found, "judge")["labels"] == 1


def test_the_long_shape_says_the_same_as_the_wide_one() -> None:
    rows = ["task_id,annotator,role,verdict"]
    rows += ["1,ann,human,pass", "1,gold,oracle,pass", "1,m,llm judge,FAIL"]
    found = report(read("\n".join(rows)))
    assert judge(found, "m")["wrong_fails"] == 1
    assert found["raters"] == {"oracle": 1, "expert": 1, "judge": 1}


def test_a_panel_speaks_by_more_than_half() -> None:
    assert majority([{"1": "pass"}, {"1": "fail"}]) == {"1": "abstain"}
    assert majority([{"1": "pass"}, {"1": "pass"}, {"1": "fail"}]) == {"1": "pass"}
    assert judge(report(read(WIDE)), PANEL)["labels"] == 5


def test_a_lenient_judge_may_not_decide_a_narrow_clause() -> None:
    rows = ["item,oracle,judge"]
    rows += [f"{n},pass,pass" for n in range(300)]
    rows += [f"{n},fail,{'pass' if n % 4 == 0 else 'fail'}" for n in range(300, 500)]
    at = {one["promise_bps"]: one for one in judge(report(read("\n".join(rows))), "judge")["money"]}
    assert at[9_500]["refusal"] == ""  # little is failed there, so little can be wrong
    narrow = [one for one in at.values() if one["floor_bps"] == 8_000]
    assert narrow[0]["bias_at_floor_bps"] == 500
    few = report(read(WIDE))
    assert "at least 200" in judge(few, "judge_a")["money"][0]["refusal"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no row"),
        ("item,oracle,judge\n", "no row"),
        ("item,a,b\n1,pass,fail\n", "nobody to compare"),
        ("item,oracle,judge\n1,pass,x\n1,pass,x\n", "before"),
        ("item,oracle,judge\n,pass,x\n", "no item"),
        ("item,oracle,judge\n1,x,y\n", "no label"),
        ("item,rater,kind,label\n1,a,wizard,pass\n", "wizard"),
        ("item,judge_1,judge_1,oracle\n1,pass,pass,pass\n", "same name"),
    ],
)
def test_a_file_that_is_no_table_of_labels_is_told_why(text: str, says: str) -> None:
    with pytest.raises(AgreementUnreadable, match=says):
        read(text)
