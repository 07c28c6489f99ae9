"""From every number on a page to its evidence in two clicks, and the parts add up to it."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import now as clock

from settlement import escrow as escrows
from settlement.turnover import turnover_of
from tests import cast
from tests.marketplace.pages.browsers import browser
from tests.marketplace.pages.test_showing import text_of
from tests.marketplace.pages.test_standing import catch_up, judged
from tests.reputation.cast import disputed, record, ruled, settlement
from tests.settlement.hires import START, Hire, funded

pytestmark = pytest.mark.django_db
LINK = re.compile(r'href="(\?[^"]*about=[^"]*)"')


def page_of(path: str) -> str:
    return browser().get(path).content.decode()


def links_of(path: str) -> dict[str, str]:
    """What the numbers of a page are about → the address they lead to."""
    found = {}
    for query in map(unescape, LINK.findall(page_of(path))):
        (about,) = parse_qs(urlsplit(query).query)["about"]
        found[about] = path + query.removesuffix("#made")
    return found


def sums_of(path: str) -> str:
    section = page_of(path).split('data-test="sum"')[1].split("</tr>")[0]
    return " ".join(text_of(section).replace("\u00a0", " ").split())


def evidence_of(path: str) -> list[str]:
    section = page_of(path).split('data-test="parts"')[1].split("</section>")[0]
    return re.findall(r'href="(/evidence/evd_\w+/)"', section)


def test_every_number_of_an_agent_leads_to_its_parts_and_each_part_to_its_evidence() -> None:
    judged()
    path = "/agents/seasoned/standing/"
    links = links_of(path)
    assert set(links) == {
        *("everything", "accuracy", "claim", "compliance", "disputes", "evaluations", "money")
    }
    for address in links.values():
        parts = evidence_of(address)
        assert parts or address.endswith(("evaluations", "money"))
        assert all(browser().get(one).status_code == 200 for one in parts)
    assert sums_of(links["accuracy"]).endswith("180 kept, 20 failed")
    assert sums_of(links["everything"]).endswith("180 kept, 20 failed")
    assert sums_of(links["compliance"]).endswith("1 met, 0 breached")
    assert sums_of(links["disputes"]).endswith("0 disputes, 200 tasks")
    assert "90.0 % claimed" in text_of(page_of(links["claim"])).replace("\u00a0", " ")


def test_the_overall_number_has_a_lower_and_an_upper_bound_beside_it() -> None:
    judged()
    shown = text_of(page_of("/agents/seasoned/standing/")).replace("\u00a0", " ")
    assert re.search(r"at least \d\d\.\d % 90\.0 % measured, \d\d\.\d % to \d\d\.\d %", shown)


def settled(**changes: int) -> Hire:
    made = funded(**changes)
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=1))
    catch_up()
    return made


def test_money_and_bonds_add_up_from_the_evidence_of_each_escrow() -> None:
    made = settled(price=10_000, bond=700)
    agent = made.engagement.agent_version.agent
    (money,) = turnover_of(agent_id=agent.pk)
    path = f"/agents/{agent.slug}/standing/"
    assert "money" in links_of(path)
    assert len(evidence_of(f"{path}?about=money")) == 2
    said = sums_of(f"{path}?about=money")
    assert (money.settled, money.earned, money.held) == (10_000, 10_000, 0)
    assert "100.00 earned" in said
    assert "0.00 returned" in said
    assert "0.00 held" in said
    api = browser().get(f"/api/v1/agents/{agent.pk}/standing-evidence?about=bond").json()
    assert [one["adds"] for one in api["results"]] == [
        {"staked": -700, "slashed": 0},
        {"staked": 700},
    ]


def test_every_number_of_a_buyer_leads_to_its_parts() -> None:
    alice, (found, _) = cast.alice().party.pk, judged()
    record(disputed("dsp_1", by=alice))
    record(ruled("dsp_1", share=0, verdict=found))
    record(settlement(None, milestone="mst_2", buyer=alice, builder="pty_2", silently=True))
    catch_up()
    path = f"/buyers/{alice}/"
    links = links_of(path)
    assert set(links) == {"hires", "disputes", "rulings", "silences", "builders"}
    assert sums_of(links["hires"]).endswith("1 hires")
    assert sums_of(links["disputes"]).endswith("1 disputes")
    assert sums_of(links["rulings"]).endswith("1 rulings, 1 upheld")
    assert sums_of(links["silences"]).endswith("1 silences")
    assert "No evidence moved this number" in page_of(links["builders"])


def test_a_program_gets_the_same_parts_and_is_told_what_there_is() -> None:
    found, counted = judged()
    agent = browser().get("/api/v1/standings").json()["results"][0]["agent"]
    path = f"/api/v1/agents/{agent}/standing-evidence?about="
    (one,) = browser().get(f"{path}accuracy").json()["results"]
    assert (one["evidence"], one["cause"]) == (found, counted)
    assert one["adds"] == {"kept": 180, "failed": 20}
    alice = cast.alice().party.pk
    wrong = browser().get(f"/api/v1/parties/{alice}/buyer-evidence?about=karma")
    assert wrong.status_code == 400
    assert "silences" in wrong.content.decode()
    assert browser().get(f"/buyers/{alice}/?about=karma").status_code == 404


def test_the_parts_come_in_pages() -> None:
    made = cast.alice().party.pk
    for number in range(26):
        record(settlement(None, milestone=f"mst_{number}", buyer=made, builder="pty_2", at=clock()))
    catch_up()
    first = f"/buyers/{made}/?about=hires"
    assert len(evidence_of(first)) == 25
    older = re.search(r'href="(\?about=hires&amp;seen=[^"]*)"', page_of(first))
    assert older
    assert len(evidence_of(f"/buyers/{made}/{unescape(older[1])}")) == 1
