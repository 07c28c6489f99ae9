"""What is said of a check is true, and plain JSON."""

import json
from dataclasses import replace
from itertools import count

import jsonschema
import pytest

from pacts.checks import CHECKS, Check, CheckProvesNothing, table
from pacts.checks.catalogue import published
from pacts.checks.preparing import MOST_KEPT, prepared_once
from reputation.canonical import check as check_canonical


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_a_check_is_published_as_plain_json_with_its_proof(check: Check) -> None:
    found = published(check)
    check_canonical(found)
    assert json.loads(json.dumps(found)) == found
    assert found["meaning"]
    jsonschema.Draft202012Validator.check_schema(check.params_schema)


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_a_check_says_in_its_first_words_which_it_is(check: Check) -> None:
    assert check.meaning.startswith(f"{check.kind}/{check.version}: ")


def test_parameters_called_vacuous_must_be_found_out() -> None:
    harmless = replace(
        CHECKS["regex"], vacuous=({"field": "x", "pattern": "[0-9]+"},), neighbours={}
    )
    with pytest.raises(CheckProvesNothing, match="let through"):
        table([harmless])["regex"]


def test_a_neighbour_must_be_a_check() -> None:
    alone = replace(CHECKS["latency"], neighbours={"nobody": "does something else"})
    with pytest.raises(CheckProvesNothing):
        table([alone])


def test_names_from_elsewhere_name_one_kind_each() -> None:
    names = [name for check in CHECKS.values() for name in check.also_called]
    assert len(names) == len(set(names))
    assert not set(names) & set(CHECKS)


def test_parameters_are_compiled_once_and_never_for_others() -> None:
    numbers = count(1)
    prepare = prepared_once(lambda params: next(numbers))
    first, second = {"a": 1}, {"a": 1}
    assert [prepare(first), prepare(second), prepare(first)] == [1, 2, 1]
    for i in range(MOST_KEPT + 1):
        prepare({"n": i})
    assert prepare(first) > 2
