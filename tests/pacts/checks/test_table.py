import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import pacts.checks
from pacts.checks import CHECKS, BadParams, Call, Check, CheckProvesNothing, Fixture, table
from pacts.checks.around import around as around_checks
from pacts.checks.check import Answer, Params, failed, passed, prove

EQUALITY = CHECKS["equality"]


def test_the_table_holds_the_kinds_a_pact_can_name() -> None:
    assert set(CHECKS) >= {
        *("solved_within", "invariance", "worst_variant", "variant_drop", "utility"),
        *("utility_under_attack", "attack_resistance", "judged", "judged_anchored", "reviewed"),
        *("equality", "consistency", "no_confident_error", "contains", "regex"),
        *("json_schema", "latency", "scope"),
    }
    assert all(kind == check.kind for kind, check in CHECKS.items())


def test_no_kind_has_a_file_and_no_place_in_the_table() -> None:
    modules = [
        import_module(f"{pacts.checks.__name__}.{found.name}")
        for found in iter_modules(pacts.checks.__path__)
    ]
    assert {module.CHECK.kind for module in modules if hasattr(module, "CHECK")} <= set(CHECKS)


def _always_passes(params: Params, call: Call) -> Answer:
    """Waves everything through."""
    return passed("fine")


def _always_fails(params: Params, call: Call) -> Answer:
    """Waves nothing through."""
    return failed("no")


def _breaks(params: Params, call: Call) -> Answer:
    """Never gets that far."""
    raise RuntimeError("secret detail")


def _undocumented(params: Params, call: Call) -> Answer:
    return EQUALITY.decide(params, call)


@pytest.mark.parametrize(
    "change",
    [
        {"decide": _always_passes},
        {"decide": _always_fails},
        {"decide": _breaks},
        {"decide": _undocumented},
        {"good": ()},
        {"bad": ()},
        {"good": EQUALITY.bad},
    ],
)
def test_a_check_that_proves_nothing_can_be_neither_used_nor_listed(change: dict[str, Any]) -> None:
    checks = table([replace(EQUALITY, **change, neighbours={})])
    with pytest.raises(CheckProvesNothing):
        checks["equality"]
    with pytest.raises(CheckProvesNothing):
        list(checks.values())
    with pytest.raises(CheckProvesNothing):
        checks.get("equality")


def test_no_kind_rests_on_one_that_proves_nothing() -> None:
    lying = replace(EQUALITY, good=EQUALITY.bad, neighbours={})
    around = {check.kind: check for check in around_checks([lying])}
    with pytest.raises(CheckProvesNothing):
        around["invariance"].validate_params(CHECKS["invariance"].good[0].params)


def test_every_kind_there_is_proves_what_it_says() -> None:
    for check in CHECKS.values():
        prove(check)


def test_a_process_loads_no_library_for_kinds_it_does_not_use() -> None:
    said = "import sys, pacts.checks; print({'pint', 'sqlglot', 'numpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "set()"


def test_two_checks_of_one_kind_cannot_be_registered() -> None:
    with pytest.raises(CheckProvesNothing):
        table([EQUALITY, EQUALITY])


def test_an_exception_inside_a_check_is_the_platform_s_error() -> None:
    broken = replace(EQUALITY, decide=_breaks)
    answer = broken.answer({"field": "a"}, Call(expected={"a": 1}, output={"a": 1}))
    assert (answer.outcome, answer.value, answer.fault) == ("error", None, "platform")
    assert (answer.check, answer.version) == ("equality", 1)
    assert "secret" not in answer.reason


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
@pytest.mark.parametrize("fault", ["platform", "buyer"])
def test_no_fault_of_others_is_ever_charged_to_the_agent(check: Check, fault: Any) -> None:
    for fixture in (*check.good, *check.bad):
        call = replace(fixture.call, output=None, fault=fault, error="we broke it")
        answer = check.answer(fixture.params, call)
        assert (answer.outcome, answer.fault) == ("error", fault)


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_an_agent_that_does_not_answer_never_passes(check: Check) -> None:
    for fixture in (*check.good, *check.bad):
        call = replace(fixture.call, output=None, fault="agent", error="timeout")
        assert check.answer(fixture.params, call).outcome in ("fail", "not_applicable")


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_unknown_parameters_are_refused(check: Check) -> None:
    with pytest.raises(BadParams):
        check.validate_params({**check.good[0].params, "surprise": 1})


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_strangers_text_is_clipped_to_one_short_line(check: Check) -> None:
    noise = "x\n\x1b[31m" * 10_000
    for fixture in check.bad:
        call = replace(fixture.call, output={"label": noise, "language": noise, "text": noise})
        reason = check.answer(fixture.params, call).reason
        assert len(reason) <= 200
        assert reason.isprintable()


def test_fixtures_are_data_anybody_can_read() -> None:
    assert all(isinstance(f, Fixture) for check in CHECKS.values() for f in check.good + check.bad)
