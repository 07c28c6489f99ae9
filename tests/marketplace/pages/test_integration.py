"""The page for integrators: what it says to copy runs as it stands."""

import html
import re

import pytest
from django.test import Client

from tests.pacts.guard.receiving import receiver

pytestmark = pytest.mark.django_db


def blocks(kind: str) -> list[str]:
    page = Client().get("/integrate/").content.decode()
    return [
        html.unescape(one) for one in re.findall(rf'data-code="{kind}">(.*?)</pre>', page, re.S)
    ]


def test_the_first_lines_report_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("python")
    with receiver() as market:
        monkeypatch.setenv("EARNEST_URL", market.address)
        monkeypatch.setenv("EARNEST_API_KEY", "ek_test")
        names: dict[str, object] = {}
        wanted = code.replace('"eng_…"', '"eng_0190f3c2", spool=None')
        exec(compile(wanted, "integrate", "exec"), names)
        assert names["guard"].flush(10)  # type: ignore[attr-defined]
        names["guard"].close()  # type: ignore[attr-defined]
        assert market.only()["output"] == {"label": "fine"}


@pytest.mark.parametrize("kind", ["clients", "block", "labels"])
def test_the_other_lines_are_python(kind: str) -> None:
    (code,) = blocks(kind)
    compile(code, kind, "exec")


def test_the_page_names_this_markets_own_address() -> None:
    page = Client().get("/integrate/", HTTP_HOST="localhost").content.decode()
    assert "EARNEST_URL=http://localhost" in page
