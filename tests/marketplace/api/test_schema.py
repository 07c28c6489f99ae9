"""The OpenAPI description is whole, served here, and true."""

import re
from typing import Any

import pytest
import schemathesis
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from marketplace import access
from marketplace.wsgi import application
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import one_of_everything

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)
    return found


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method.upper(), operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def test_it_is_valid_openapi(description: dict[str, Any]) -> None:
    validate_schema(description)  # type: ignore[no-untyped-call]


def test_it_describes_every_row_of_the_access_table(description: dict[str, Any]) -> None:
    described = len(operations(description))
    assert described == sum(len(methods) for methods in access.API.values())


def test_no_two_operations_share_a_name(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(set(names)) == len(names)


def test_what_moves_money_requires_a_key_and_nothing_else_does(
    description: dict[str, Any],
) -> None:
    required = {
        path.rsplit("/", 1)[-1]
        for path, _, operation in operations(description)
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key" and parameter.get("required")
    }
    assert required == {
        *("deposits", "payouts", "cancellation", "engagements", "funding", "acceptance"),
        *("return", "revision", "dispute", "answer", "withdrawal", "ruling", "refund"),
        *("resolution", "appeal", "confirmation"),
        *("negotiations", "proposals", "decline", "tryout-hires"),
        *("meters", "top-up", "pause", "resumption", "waiver", "ending"),
    }


def test_the_docs_load_nothing_from_elsewhere_and_nothing_inline() -> None:
    page = Client().get("/api/docs/")
    html = page.content.decode()
    assert page.status_code == 200
    assert "'unsafe" not in page["Content-Security-Policy"]
    assert not re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", html)
    assert all(found.startswith("/") for found in re.findall(r'(?:src|href)="([^"]+)"', html))
    script = re.findall(r'src="([^"]+script[^"]*)"', html)[-1]
    assert (
        Client()
        .get(script.replace("&amp;", "&"))["Content-Type"]
        .startswith("application/javascript")
    )


@pytest.mark.django_db(transaction=True)
def test_whatever_the_description_allows_is_never_a_fault_and_answers_as_described() -> None:
    """A few generated requests for each operation, by somebody who owns what is there."""
    market = one_of_everything()
    program = program_of(market.alice)
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
    wrong = []
    for result in schema.get_all_operations():
        try:
            _try_out(result.ok(), program, market.ids)  # type: ignore[union-attr]
        except FailureGroup as failures:
            wrong += [str(failure) for failure in failures.exceptions]
    assert not wrong, "\n\n".join(wrong)


def _try_out(operation: Any, program: Program, ids: dict[str, str]) -> None:
    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(case=operation.as_strategy(), known=st.booleans())
    def attempt(case: Any, known: bool) -> None:
        if known and case.path_parameters:
            noun = operation.path.removeprefix("/api/v1/").split("/")[0].removesuffix("s")
            case.path_parameters["id"] = ids.get(noun, "xyz_1")
        case.headers = {
            **(case.headers or {}),
            "Authorization": f"Bearer {program.secret}",
            "Idempotency-Key": "generated",
            "Accept-Encoding": "identity",  # the tool reads bodies as they are
        }
        case.call_and_validate(checks=[not_a_server_error, response_schema_conformance])

    attempt()
