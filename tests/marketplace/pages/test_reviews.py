"""Reviews and juries on pages and through the API: blind, once, and for nobody with an interest."""

import json
from typing import Any

import pytest

from pacts.models import Jury, Member, ReviewBatch, ReviewLabel
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import TOKEN, browser_of

pytestmark = pytest.mark.django_db
SPEC: dict[str, Any] = {
    "rubric": "The answer names the sum and shows how it was found.",
    "jurors": [{"provider": "main", "model": "judge-2026-01-01"}],
}


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def press(client: Any, page: str, action: str | None = None, **fields: Any) -> Any:
    token = TOKEN.search(client.get(page).content.decode())
    assert token is not None
    return client.post(action or page, {**fields, "idempotency_key": token[1]})


def test_a_reviewer_labels_blind_and_goes_on_to_the_next(market: Market) -> None:
    client = browser_of(cast.carol())
    page = f"/reviews/{market.ids['review']}/"
    shown = client.get(page).content.decode()
    assert "doubles the number" in shown
    main = shown[shown.index("<main") : shown.index("</main>")]
    assert not any(name in main for name in ("Doubler", "Bob", "Alice", "evl_", "agt_"))
    waiting = ReviewBatch.objects.get().drawn or 0
    response = press(client, page, said="fail", note="It does not.")
    assert response.status_code == 302
    assert response["Location"].startswith("/reviews/rvi_")
    assert client.get(page).status_code == 404
    assert ReviewLabel.objects.get().said == "fail"
    assert client.get("/reviews/").content.decode().count("review-row") == waiting - 1


def test_an_adjudicator_with_an_interest_finds_nothing_to_review(market: Market) -> None:
    dora = cast.actor("dora", is_adjudicator=True)
    Member.objects.create(party=market.bob.party, user=dora.user, role=Member.Role.VIEWER)
    client = browser_of(dora)
    assert "Nothing waits for you" in client.get("/reviews/").content.decode()
    assert client.get(f"/reviews/{market.ids['review']}/").status_code == 404
    program = program_of(dora)
    assert program.ask("GET", "/api/v1/reviews").json()["results"] == []
    path = f"/api/v1/reviews/{market.ids['review']}/label"
    assert program.ask("POST", path, {"said": "pass"}).status_code == 404


def test_a_program_labels_once_and_sees_as_little(market: Market) -> None:
    program = program_of(cast.carol())
    path = f"/api/v1/reviews/{market.ids['review']}"
    assert set(program.ask("GET", path).json()) == {"id", "question", "task", "answer"}
    made = program.ask("POST", f"{path}/label", {"said": "pass"})
    assert (made.status_code, made.json()["said"]) == (201, "pass")
    assert program.ask("POST", f"{path}/label", {"said": "fail"}).status_code == 404


def test_a_jury_is_registered_once_and_shown_to_everybody(market: Market, settings: Any) -> None:
    settings.JUDGE_PROVIDERS = {"main": {"address": "https://models.example/v1"}}
    client = browser_of(cast.carol())
    fields = {"name": "Sums", "rubric": SPEC["rubric"], "rule": "majority"}
    made = press(client, "/juries/new/", jurors="main judge-2026-01-01", **fields)
    assert made.status_code == 302
    again = press(client, "/juries/new/", jurors="main judge-2026-01-01", **fields)
    assert "registered already" in again.content.decode()
    unknown = press(client, "/juries/new/", jurors="other model", **fields)
    assert "no provider called other" in unknown.content.decode().lower()
    shown = browser_of(market.bob).get(made["Location"]).content.decode()
    assert "Never calibrated" in shown
    assert "draw-form" not in shown


def test_a_program_registers_a_jury_and_reads_it(market: Market, settings: Any) -> None:
    settings.JUDGE_PROVIDERS = {"main": {"address": "https://models.example/v1"}}
    program = program_of(cast.carol())
    made = program.ask("POST", "/api/v1/juries", {"name": "Sums", "spec": SPEC})
    assert made.status_code == 201, made.content
    jury = Jury.objects.get(pk=made.json()["id"])
    assert made.json()["digest"] == jury.digest
    bad = program.ask("POST", "/api/v1/juries", {"name": "Sums", "spec": {"rubric": "?"}})
    assert bad.status_code == 422
    assert "jurors" in json.dumps(bad.json())
    mine = program_of(market.alice)
    assert mine.ask("GET", f"/api/v1/juries/{jury.id}").json()["spec"]["rule"] == "majority"
    assert mine.ask("POST", "/api/v1/juries", {"name": "x", "spec": SPEC}).status_code == 403


def test_a_draw_and_a_calibration_say_what_is_missing(market: Market) -> None:
    client = browser_of(cast.carol())
    page = f"/juries/{market.ids['jury']}/"
    absent = press(client, page, f"{page}draw/", evaluation="evl_0", share=100, reviewers=1)
    assert "there is no such run" in absent.content.decode().lower()
    press(client, page, f"{page}calibration/")
    assert "no answer has been decided" in client.get(page).content.decode().lower()
    program = program_of(cast.actor("dora", is_adjudicator=True))
    made = program.ask("POST", f"/api/v1/juries/{market.ids['jury']}/calibrations")
    assert made.status_code == 422
