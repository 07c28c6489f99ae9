"""What looks like gaming, and what does not."""

from datetime import date

from marketplace.gaming import signs
from marketplace.gaming.signs import Hires, Score


def hires(buyer: str, builder: str, settled: int = 1, agent: str = "") -> Hires:
    return Hires(buyer=buyer, builder=builder, agent=agent or f"agt_{builder}", settled=settled)


def test_two_who_hire_each_other_are_a_ring_and_so_are_four() -> None:
    two = signs.rings([hires("a", "b", 3), hires("b", "a", 1)])
    assert [(one.parties, one.figures["settled"]) for one in two] == [(("a", "b"), 4)]
    assert two[0].figures["least_settled"] == 1
    four = signs.rings([hires("a", "b"), hires("b", "c"), hires("c", "d"), hires("d", "a")])
    assert [one.parties for one in four] == [("a", "b", "c", "d")]


def test_five_in_a_circle_and_a_chain_are_business() -> None:
    five = [hires(a, b) for a, b in ("ab", "bc", "cd", "de", "ea")]
    assert signs.rings(five) == []
    assert signs.rings([hires("a", "b"), hires("b", "c"), hires("a", "c")]) == []


def test_what_was_never_settled_closes_no_ring() -> None:
    assert signs.rings([hires("a", "b"), hires("b", "a", 0)]) == []


def test_the_same_ring_has_the_same_key_whoever_is_named_first() -> None:
    (one,) = signs.rings([hires("a", "b"), hires("b", "a")])
    (other,) = signs.rings([hires("b", "a"), hires("a", "b")])
    assert one.key == other.key


def test_shared_people_and_shared_purses_are_self_dealing_and_strangers_are_not() -> None:
    bought = [hires("a", "b"), hires("c", "d"), hires("e", "f")]
    found = signs.self_dealing(
        bought,
        members={"a": frozenset({"u"}), "b": frozenset({"u", "v"}), "e": frozenset({"x"})},
        purses={"c": frozenset({"stripe:acct_1"}), "d": frozenset({"stripe:acct_1"})},
    )
    assert [one.parties for one in found] == [("a", "b"), ("c", "d")]
    assert [one.figures["shared_people"] for one in found] == [1, 0]
    assert [one.figures["shared_purses"] for one in found] == [0, 1]


def test_a_party_that_hires_itself_is_named_once() -> None:
    (found,) = signs.self_dealing([hires("a", "a")], members={}, purses={})
    assert found.parties == ("a",)
    assert "the same party" in signs.sentence(found.pattern, found.figures)


def test_one_buyer_is_seen_at_exactly_the_share_and_the_number() -> None:
    at = [hires("a", "b", 4), hires("c", "b", 1)]
    assert [one.figures["share_bps"] for one in signs.one_buyer(at)] == [8_000]
    assert signs.one_buyer([hires("a", "b", 4)]) == []  # too few to say anything
    assert signs.one_buyer([hires("a", "b", 79), hires("c", "b", 21)]) == []


def test_a_jump_is_seen_at_exactly_twenty_points() -> None:
    def score(now: int) -> Score:
        return Score(
            agent="g",
            builder="b",
            version="v",
            now_bps=now,
            was_bps=5_000,
            was_on=date(2026, 1, 1),
            buyers=1,
        )

    assert len(signs.jumps([score(7_000)])) == 1
    assert signs.jumps([score(6_999)]) == []
    assert "1 buyers" not in signs.sentence("ring", {"parties": 2})
