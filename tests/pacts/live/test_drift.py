"""Change is found soon, and seldom where there is none. The table is STATISTICS §5's."""

import math
import random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pacts.drift import ACT, WARN, OutcomeDrift, TraitDrift, Watch, ticket_of
from pacts.drift_traits import traits_of
from reputation.canonical import JsonValue
from reputation.confidence import breach_grid

CALM = 2_000
HORIZON = 4_000


def runs(
    *, after: float, count: int, seed: int, calls: int, before: float = 0.97
) -> NDArray[np.float64]:
    """Σ w_j M_j of `count` streams after every call: 97 % in control, then `after`."""
    rng = np.random.default_rng(seed)
    grid = breach_grid(promise=0.95, floor=0.90)
    fractions = np.array([fraction for fraction, _ in grid])
    weights = np.array([weight for _, weight in grid])
    won = 1 + fractions * 1.0 * 0.95 / 0.05
    lost = 1 - fractions
    sums, levels = np.zeros((count, len(grid))), np.empty((calls, count))
    for call in range(calls):
        rate = before if call < CALM else after
        failed = rng.random(count) >= rate
        sums = (sums + 1) * np.where(failed[:, None], won, lost)
        levels[call] = sums @ weights
    return levels


def delays(levels: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Calls from the change to the alarm; infinite where it was missed. Streams that had raised a
    false alarm before are left out, as the detector would have been started anew."""
    calm = levels[:CALM].max(axis=0) < threshold
    late = levels[CALM:, calm] >= threshold
    return np.where(late.any(axis=0), late.argmax(axis=0) + 1.0, math.inf)


def check_row(
    after: float, threshold: float, median: float, most: float, *, count: int, slack: float
) -> None:
    found = delays(runs(after=after, count=count, seed=5, calls=CALM + HORIZON), threshold)
    assert float(np.median(found)) == pytest.approx(median, rel=slack)
    assert float(np.quantile(found, 0.9, method="lower")) == pytest.approx(most, rel=slack)


def test_a_fall_to_eighty_percent_is_found_as_soon_as_the_table_says() -> None:
    levels = runs(after=0.80, count=300, seed=5, calls=CALM + 400)
    for threshold, median, most in ((ACT, 69, 112), (WARN, 51, 90)):
        found = delays(levels, threshold)
        assert float(np.median(found)) == pytest.approx(median, rel=0.15)
        assert float(np.quantile(found, 0.9)) == pytest.approx(most, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "threshold", "median", "most"),
    [
        (0.90, ACT, 274, 522),
        (0.90, WARN, 196, 410),
        (0.80, ACT, 69, 112),
        (0.80, WARN, 51, 90),
    ],
)
def test_the_table_of_delays(after: float, threshold: float, median: float, most: float) -> None:
    check_row(after, threshold, median, most, count=4_000, slack=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("threshold", "median", "missed"), [(ACT, 2223, 0.45), (WARN, 1526, 0.12)])
def test_a_slow_decline_is_often_missed_as_the_table_says(
    threshold: float, median: float, missed: float
) -> None:
    found = delays(runs(after=0.94, count=2_000, seed=5, calls=CALM + HORIZON), threshold)
    assert float(np.isinf(found).mean()) == pytest.approx(missed, abs=0.08)
    heard = found[np.isfinite(found)]
    assert float(np.median(heard)) == pytest.approx(median, rel=0.15)


# What the table compares with: how the sum goes on, where it starts, and its threshold. `single`
# bets from the first call on; LR-CUSUM bets on a fall to 90 % alone.
RIVALS: dict[str, tuple[Any, float, float]] = {
    "e-CUSUM": (lambda sums, won: np.maximum(sums, 1) * won, 0.0, WARN),
    "LR-CUSUM": (lambda sums, won: np.maximum(sums, 1) * won, 0.0, WARN),
    "single": (lambda sums, factor: sums * factor, 1.0, 20.0),
}


def rival(name: str, *, after: float, count: int, before: float = 0.97) -> NDArray[np.float64]:
    """What a rival of e-SR reaches after every call, over its own threshold."""
    step, start, threshold = RIVALS[name]
    rng = np.random.default_rng(11)
    grid = breach_grid(promise=0.95, floor=0.90)
    fractions = np.array([fraction for fraction, _ in grid])
    weights = np.array([weight for _, weight in grid])
    won, lost = 1 + fractions * 0.95 / 0.05, 1 - fractions
    if name == "LR-CUSUM":
        won, lost, weights = np.array([0.10 / 0.05]), np.array([0.90 / 0.95]), np.array([1.0])
    sums = np.full((count, len(weights)), start)
    levels = np.empty((CALM + HORIZON, count))
    for call in range(CALM + HORIZON):
        failed = rng.random(count) >= (before if call < CALM else after)
        sums = step(sums, np.where(failed[:, None], won, lost))
        levels[call] = sums @ weights / threshold
    return levels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "after", "median", "most"),
    [
        ("e-CUSUM", 0.90, 388, 708),
        ("e-CUSUM", 0.80, 73, 132),
        ("LR-CUSUM", 0.90, 373, 675),
        ("LR-CUSUM", 0.80, 94, 139),
        ("single", 0.90, 1692, 2152),
        ("single", 0.80, 521, 626),
    ],
)
def test_the_rows_of_the_rivals_that_make_the_choice(
    name: str, after: float, median: float, most: float
) -> None:
    found = delays(rival(name, after=after, count=1_500), 1.0)
    assert float(np.median(found)) == pytest.approx(median, rel=0.12)
    assert float(np.quantile(found, 0.9, method="lower")) == pytest.approx(most, rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "missed"), [("e-CUSUM", 0.83), ("LR-CUSUM", 0.86), ("single", 0.995)]
)
def test_rivals_miss_a_slow_decline_more_often(name: str, missed: float) -> None:
    found = delays(rival(name, after=0.94, count=1_500), 1.0)
    assert float(np.isinf(found).mean()) == pytest.approx(missed, abs=0.05)


@pytest.mark.slow
def test_a_sliding_interval_cries_wolf_as_the_table_says() -> None:
    rng, calls, window = np.random.default_rng(12), CALM, 500
    passes = np.cumsum(rng.random((calls, 3_000)) < 0.95, axis=0)
    inside = passes[window - 1 :].astype(float)
    inside[1:] -= passes[:-window]
    rate, z = inside / window, 1.959964
    middle = (rate + z * z / (2 * window)) / (1 + z * z / window)
    half = z * np.sqrt(rate * (1 - rate) / window + z * z / (4 * window**2)) / (1 + z * z / window)
    false_alarms = float(((middle + half) < 0.95).any(axis=0).mean())
    assert 0.35 <= false_alarms <= 0.45


@pytest.mark.slow
@pytest.mark.parametrize(("threshold", "least", "most"), [(ACT, 0.008, 0.033), (WARN, 0.08, 0.13)])
def test_false_alarms_at_the_promise_stay_below_the_bound(
    threshold: float, least: float, most: float
) -> None:
    levels = runs(after=0.95, before=0.95, count=4_000, seed=9, calls=CALM)
    assert least <= float((levels.max(axis=0) >= threshold).mean()) <= most


def test_the_detector_is_the_one_that_is_simulated() -> None:
    detector = OutcomeDrift(0.95, 0.90)
    levels = runs(after=0.80, count=1, seed=3, calls=CALM + 200)[:, 0]
    rng = np.random.default_rng(3)
    for call in range(CALM + 200):
        rate = 0.97 if call < CALM else 0.80
        detector.add(float(rng.random(1)[0] < rate))
    assert detector.level == pytest.approx(float(levels[-1]))


# --- inputs ------------------------------------------------------------------------------------


def mixed(rng: random.Random, german: float) -> str:
    return "de" if rng.random() < german else "en"


def test_an_unchanged_mix_calls_for_action_no_more_often_than_the_bound() -> None:
    # Within T calls at most T / A: one stream in thirty.
    alarmed = 0
    for seed in range(10):
        rng, trait, heard = random.Random(seed), TraitDrift(), set()
        for _ in range(2_000):
            trait.add(mixed(rng, 0.2), ticket=rng.random())
            heard.add(trait.alarm)
        alarmed += "act" in heard
    assert alarmed <= 1


@pytest.mark.parametrize("german", [0.6, 0.0])
def test_another_mix_is_found(german: float) -> None:
    rng, trait = random.Random(1), TraitDrift()
    for _ in range(1_000):
        trait.add(mixed(rng, 0.3), ticket=rng.random())
    assert trait.alarm == ""
    heard = []
    for _ in range(300):
        trait.add(mixed(rng, german), ticket=rng.random())
        heard.append(trait.alarm)
    assert any(heard)


def test_p_values_of_exchangeable_calls_are_uniform() -> None:
    rng, trait = random.Random(2), TraitDrift()
    found = [trait.add(rng.choice("aaaabbc"), ticket=rng.random()) for _ in range(4_000)]
    shares = np.histogram(found, bins=10, range=(0, 1))[0] / len(found)
    assert np.abs(shares - 0.1).max() < 0.03


SENTENCES = {
    "en": "Could you please tell me when the parcel that I ordered last week will be delivered?",
    "de": "Können Sie mir bitte sagen, wann das Paket geliefert wird, das ich bestellt habe?",
    "fr": "Pouvez-vous me dire quand le colis que j'ai commandé la semaine dernière arrivera ?",
}
MIX = {
    "languages": (0.7, 0.2, 0.1),
    "length": 1.0,
    "form": "text",
    "topics": (0.5, 0.3, 0.15, 0.05),
}


def asked(rng: random.Random, mix: dict[str, Any]) -> dict[str, str]:
    """The traits of one question of a support desk's traffic: languages, lengths with a long tail,
    two forms of request, four topics of which one is common and one is rare."""
    language = rng.choices(list(SENTENCES), mix["languages"])[0]
    times = 1 + int(rng.lognormvariate(0.0, 1.0) * mix["length"])
    text = " ".join([SENTENCES[language]] * min(times, 12))
    value: JsonValue = {mix["form"]: text, "customer": rng.randrange(10**6)}
    if rng.random() < 0.3:
        value = {mix["form"]: text, "customer": 1, "order": {"id": "4711", "lines": [1, 2]}}
    topic = rng.choices(["where", "return", "invoice", "other"], mix["topics"])[0]
    return dict(traits_of(input=value, labels={"topic": topic}))


def traffic(seed: int, calls: int, after: dict[str, Any] | None = None) -> dict[str, list[int]]:
    """By trait, the calls at which it called for action; the mix changes in the middle."""
    rng, watch = random.Random(seed), Watch({}, {})
    heard: dict[str, list[int]] = {}
    for call in range(calls):
        mix = MIX if after is None or call < calls // 2 else MIX | after
        for name, category in asked(rng, mix).items():
            alarm = watch.trait(name, category, call_id=rng.randbytes(16), place=call)
            if alarm is not None and alarm.level == "act":
                heard.setdefault(name, []).append(call)
    return heard


@pytest.mark.parametrize(
    ("trait", "after"),
    [
        ("language", {"languages": (0.2, 0.2, 0.6)}),
        ("length", {"length": 6.0}),
        ("shape", {"form": "question"}),
        ("topic", {"topics": (0.1, 0.2, 0.2, 0.5)}),
    ],
)
def test_each_trait_of_real_traffic_is_told_when_it_changes_and_not_before(
    trait: str, after: dict[str, Any]
) -> None:
    heard = traffic(1, 1_600, after)
    assert heard[trait][0] - 800 in range(500)
    assert [name for name, calls in heard.items() if calls[0] < 800] == []


@pytest.mark.slow
def test_unchanged_traffic_calls_for_action_within_the_bound() -> None:
    """Four traits over 2,000 calls: each at most T / A = 3.3 % of the streams."""
    streams, alarmed = 150, {"language": 0, "length": 0, "shape": 0, "topic": 0}
    for seed in range(streams):
        for name in traffic(seed, 2_000):
            alarmed[name] += 1
    print({name: f"{count / streams:.1%}" for name, count in alarmed.items()})  # noqa: T201
    assert max(alarmed.values()) / streams <= 2_000 / ACT + 0.02


def test_categories_without_end_are_taken_together() -> None:
    trait = TraitDrift()
    for each in range(500):
        trait.add(f"shape {each}", ticket=0.5)
    assert len(trait.counts) <= 65


def test_a_watch_resumes_from_what_was_stored_and_says_each_level_once() -> None:
    watch, said = Watch({"form": (0.95, 0.90)}, {}), []
    for place in range(1, 60):
        watch = Watch({"form": (0.95, 0.90)}, watch.to_json())
        if alarm := watch.outcome("form", 0.0, weight=0.2, place=place):
            said.append(alarm.level)
    assert said[:2] == ["warn", "act"]
    assert said == ["warn", "act"] * (len(said) // 2) + ["warn"] * (len(said) % 2)


def test_a_ticket_is_a_calls_own_and_another_for_each_trait() -> None:
    assert ticket_of(b"one", "length") == ticket_of(b"one", "length")
    assert ticket_of(b"one", "length") != ticket_of(b"one", "shape")
    assert 0 <= ticket_of(b"one", "length") < 1


def test_traits_of_an_input() -> None:
    german: JsonValue = {"text": "Wie wird das Wetter morgen im Norden des Landes sein?"}
    found = traits_of(input=german, labels={"stratum": "weather"})
    assert (found["language"], found["topic"]) == ("de", "weather")
    assert found["shape"] == traits_of(input={"text": "kurz"}, labels={})["shape"]
    assert found["shape"] != traits_of(input={"text": 1}, labels={})["shape"]
    assert traits_of(input=None, labels={})["language"] == "unknown"
