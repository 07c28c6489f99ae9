"""Bringing a table, choosing agents, watching the board and reading task by task, in a browser."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.models import TaskSheet, Tryout
from marketplace.pages import press
from marketplace.pages.sheet_forms import prefix_of
from marketplace.tryouts import boards, bringing, starting
from pacts.models import Task, TaskSetVersion
from pacts.sheets import Use
from pacts.tables import TaskSetRefused
from tests import cast
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.marketplace.tryouts.offers import finish, offered
from tests.pacts.runs import wrong_from

pytestmark = pytest.mark.django_db

TABLE = "Nr;Zahl;Ergebnis;Bemerkung\n1;2;4;leicht\n2;3;6;\n3;x;8;falsch\n4;5;10;\n"


def brought(browser: Any, text: str = TABLE, query: str = "") -> str:
    """The page of a table that was pasted."""
    there = f"/task-sheets/new/{query}"
    sent = {"name": "Numbers", "work": "arithmetic", "tasks": text}
    answer = browser.post(there, sent | {press.FIELD: token_in(browser.get(there))})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def mapped(browser: Any, there: str, **changes: str) -> dict[str, str]:
    """The mapping of TABLE as somebody sends it."""
    uses = {"Nr": ("ignore", "nr", "as_is"), "Zahl": ("input", "number", "number")}
    uses |= {"Ergebnis": ("expected", "answer", "number"), "Bemerkung": ("ignore", "note", "as_is")}
    sent = {"name": "Numbers", "work": "arithmetic", "do": "keep"}
    for name, (role, field, kind) in uses.items():
        parts = {"role": role, "field": field, "kind": kind}
        sent |= {f"{prefix_of(name)}-{part}": value for part, value in parts.items()}
    page = browser.get(there)
    return sent | {press.FIELD: token_in(page), "seen": page.context["seen"]} | changes


def test_a_pasted_table_is_mapped_in_two_steps_and_a_bad_line_is_named() -> None:
    browser = browser_of(cast.alice())
    there = brought(browser)
    page = browser.get(there).content.decode()
    assert page.count('data-test="column"') == 4
    refused = browser.post(there, mapped(browser, there)).content.decode()
    assert "“Zahl” is “x”, no number" in refused
    assert "Line 4" in refused
    assert not TaskSetVersion.objects.exists()
    answer = browser.post(there, mapped(browser, there, leave_out="on"))
    kept = TaskSetVersion.objects.get()
    assert answer["Location"] == f"/task-sets/{kept.task_set_id}/"
    assert list(Task.objects.order_by("position").values_list("input", "expected")) == [
        ({"number": 2}, {"answer": 4}),
        ({"number": 3}, {"answer": 6}),
        ({"number": 5}, {"answer": 10}),
    ]
    assert TaskSheet.objects.get().rows == "", "what was brought is forgotten once it is kept"
    assert browser.get(there)["Location"] == f"/task-sets/{kept.task_set_id}/"


def test_a_mapping_without_an_input_says_so_and_loses_nothing() -> None:
    browser = browser_of(cast.alice())
    there = brought(browser)
    sent = mapped(browser, there, do="show") | {f"{prefix_of('Zahl')}-role": "ignore"}
    page = browser.post(there, sent).content.decode()
    assert "Choose at least one column as input" in page
    assert 'value="ignore" selected' in page
    assert TaskSheet.objects.get().size == 4


def test_the_text_itself_is_corrected_on_the_page() -> None:
    browser = browser_of(cast.alice())
    there = brought(browser)
    text = TABLE.replace("3;x;8", "3;4;8").replace("\n", "\r\n")
    browser.post(there, mapped(browser, there, do="read", text=text))
    browser.post(there, mapped(browser, there, text=text))
    assert TaskSetVersion.objects.get().size == 4


def test_what_cannot_be_read_is_said_and_the_paste_is_still_there() -> None:
    browser = browser_of(cast.alice())
    sent = {"name": "Numbers", "work": "arithmetic", "tasks": "[1, 2"}
    token = token_in(browser.get("/task-sheets/new/"))
    page = browser.post("/task-sheets/new/", sent | {press.FIELD: token}).content.decode()
    assert "This is not a JSON list" in page
    assert "[1, 2</textarea>" in page
    assert not TaskSheet.objects.exists()


def test_somebody_elses_table_is_as_absent() -> None:
    there = brought(browser_of(cast.alice()))
    assert browser_of(cast.mallory()).get(there).status_code == 404


def test_agents_wait_while_tasks_are_brought_and_the_forecast_comes_before_the_start() -> None:
    alice, bob = cast.alice(), cast.bob()
    offered(bob, "Good")
    browser = browser_of(alice)
    there = brought(browser, TABLE.replace("x", "4"), "?agent=good")
    answer = browser.post(there, mapped(browser, there))
    assert answer["Location"].startswith("/tryouts/new/?agent=good&set=tsv_")
    page = browser.get(answer["Location"]).content.decode()
    assert 'data-test="forecast-table"' in page
    assert "Too few tasks to prove it" in page
    assert "free; no money moves" in page


@pytest.mark.django_db(transaction=True)
def test_the_board_shows_each_agent_and_the_tasks_show_where_they_differ() -> None:
    alice, bob = cast.alice(), cast.bob()
    browser, tasks = browser_of(alice), cast.golden_set(alice, cast.doubling_tasks(40))
    with cast.agent_service(cast.echo) as good, cast.agent_service(wrong_from(38)) as bad:
        offered(bob, "Good", good)
        offered(bob, "Bad", bad)
        there = f"/tryouts/new/?agent=good&agent=bad&set={tasks.id}"
        sent = {"agent": ["good", "bad"], "set": tasks.id, "currency": "EUR", "full_run": "on"}
        answer = browser.post("/tryouts/new/", sent | {press.FIELD: token_in(browser.get(there))})
        made = Tryout.objects.get()
        assert answer["Location"] == f"/tryouts/{made.id}/"
        live = browser.get(f"/tryouts/{made.id}/live/").content.decode()
        seen = live.split("seen=")[1].split('"')[0]
        assert browser.get(f"/tryouts/{made.id}/live/?seen={seen}").status_code == 204
        finish(made)
    page = browser.get(f"/tryouts/{made.id}/").content.decode()
    assert page.count('data-state="concluded"') == 2
    assert "hx-trigger" not in page.split('id="live"')[1].split(">")[0]
    tasks_page = browser.get(f"/tryouts/{made.id}/tasks/?only=differ").content.decode()
    assert tasks_page.count('data-test="task"') == 2
    assert "77" in tasks_page, "what the other answered stands beside what was expected"
    other = browser_of(cast.mallory())
    for path in ("", "live/", "tasks/"):
        assert other.get(f"/tryouts/{made.id}/{path}").status_code == 404


def test_a_fifth_agent_and_nonsense_in_the_address_are_said_plainly() -> None:
    alice, bob = cast.alice(), cast.bob()
    for name in ("A one", "B two", "C three", "D four", "E five"):
        offered(bob, name)
    browser = browser_of(alice)
    query = "&".join(f"agent={slug}" for slug in ("a-one", "b-two", "c-three", "d-four", "e-five"))
    assert "At most 4 agents" in browser.get(f"/tryouts/new/?{query}").content.decode()
    hostile = browser.get("/tryouts/new/?agent=%27--&set=%C3%A9&pact=nobody&agent=ghost")
    assert hostile.status_code == 200


def test_a_pact_of_ones_own_is_written_from_a_template_and_linted() -> None:
    browser = browser_of(cast.alice())
    page = browser.get("/asked-pacts/new/?template=support")
    text = page.context["form"].initial["text"]
    token = {press.FIELD: token_in(page)}
    bad = text.replace("promise_bps: ", "promise_bps: 1")
    refused = browser.post("/asked-pacts/new/", {"text": bad} | token)
    assert refused.status_code == 200
    kept = browser.post("/asked-pacts/new/", {"text": text} | token)
    assert kept.status_code == 302, kept.context["form"].errors
    assert "clauses" in browser.get(kept["Location"]).content.decode()
    assert browser_of(cast.mallory()).get(kept["Location"]).status_code == 404


def test_a_correction_that_comes_after_the_table_was_kept_changes_nothing() -> None:
    alice = cast.alice()
    row = bringing.bring(
        party=alice.party, name="N", work="arithmetic", data=TABLE, by=alice.user, now=clock()
    )
    stale = TaskSheet.objects.get(pk=row.pk)
    uses = {name: Use("input", name) for name in bringing.sheet_of(row).columns}
    version = bringing.keep(row=row, uses=uses, leave_out=True, now=clock())
    with pytest.raises(TaskSetRefused, match="made a task set already"):
        bringing.bring_again(row=stale, data=TABLE)
    row.refresh_from_db()
    assert (row.task_set_version, row.text, row.rows) == (version, "", "")


@pytest.mark.django_db(transaction=True)
def test_a_board_says_how_many_trials_a_certain_verdict_spared() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(wrong_from(0)) as bad:
        made = starting.start(
            party=alice.party,
            listings=[offered(bob, "Bad", bad)],
            task_set_version=cast.golden_set(alice, cast.doubling_tasks(40)),
            by=alice.user,
            now=clock(),
        )
        finish(made)
    [seat] = boards.seats_of(made)
    spared = 40 - seat.progress["calls"]
    assert spared > 0
    page = browser_of(alice).get(f"/tryouts/{made.id}/").content.decode()
    assert f"{spared} of them were not needed any more" in page
