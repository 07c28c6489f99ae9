"""`manage.py bench evidence`: the log at size, the standings over it, the oracle before it.

One durable server; contenders in turns, medians over the rounds. The past is written by
`evidence_log.write_past`, which says what it leaves out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from marketplace.benches import oracle_reads
from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import Figure
from marketplace.benches.fleet import Fleet, fleet, surroundings
from marketplace.benches.ground import Ground, ground, machine
from marketplace.benches.oracle_reads import Reads

Say = Callable[[str], None]
OURS, MODULE = "marketplace.settings", "marketplace.benches.evidence_log"
FULL = 10_000_000
AUDIT_SECONDS = 300.0

WHAT = """\
A batch is appended by evidence.append_all (sealed, hashed, subjects, queue) in one commit, then
sequenced by sequencer.sequence_batch (index, log row, tiles) in one commit. Each fact is one of the
nine of a hire. The bare INSERT puts the same log rows and the tiles they fill, once more, into
tables of the same columns and indexes without triggers, checks or foreign keys: one multi-row
INSERT … SELECT FROM unnest(arrays) each, by the same Django connection, one commit a batch."""


# Batches of one measured pass, by their size.
_BATCHES = {1: 40, 10: 20, 100: 8, 1_000: 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: entries of the past, rounds, proofs, and seconds of one pass.

    `share` divides the batches of a pass.
    """

    entries: int = FULL
    rounds: int = 5
    samples: int = 2_000
    seconds: float = 3.0
    share: int = 1


QUICK = {"entries": 20_000, "rounds": 2, "samples": 200, "seconds": 0.5, "share": 2}
_CLIENTS = 4


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return (
        f"--quick: a past of {plan.entries:,} entries instead of {FULL:,}, {plan.rounds} rounds, "
        f"{plan.samples} proofs. Smaller than the bars are meant for; the full run decides.\n"
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """What was measured of the long log."""

    proof_p95_ms: float
    tile_overhead: float
    growth: float
    audit_seconds: float


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed, also where the audit's bar is missed:
    the figures are ratios and rates that a past of any size gives, the audit is of the full one.
    """
    say(WHAT)
    with ground() as server:
        say(f"\nPostgreSQL of its own, fsync and synchronous_commit on; {machine()}")
        empty = server.create("empty")
        with fleet(MODULE, settings=OURS, url=empty, data=server.data) as first:
            first.call("make_tables")
        rate, ratio = _sequencing(plan, server, say)
        log, reads = _at_size(plan, server, say)
        say(f"\nat the end: {machine()}")
    if plan.entries >= FULL and log.audit_seconds > AUDIT_SECONDS:
        raise BenchFailed(f"a full audit took {log.audit_seconds:.0f} s; the bar is 300 s")
    return [
        Figure("sequence_1000_per_s", rate, 10_000),
        Figure("sequence_vs_insert", ratio, 0.5),
        Figure("proof_p95_ms", log.proof_p95_ms, 50, at_most=True),
        Figure("tile_overhead", log.tile_overhead, 0.12, at_most=True),
        Figure("standing_growth", log.growth, 1.5, at_most=True),
        Figure("oracle_vs_constant", reads, 0.7),
    ]


def _sequencing(plan: Plan, server: Ground, say: Say) -> tuple[float, float]:
    url = server.create("batches", template="empty")
    rates: dict[tuple[str, int], list[float]] = {}
    with fleet(MODULE, settings=OURS, url=url, data=server.data) as ours:
        ours.call("prepare_bare")
        for _ in range(plan.rounds):
            for size, batches in ((size, most // plan.share) for size, most in _BATCHES.items()):
                for name in ("append", "sequence", "insert_bare"):
                    took = ours.call(name, batch=size, batches=batches)
                    rates.setdefault((name, size), []).append(size * batches / sum(took))
    typical = {key: median(found) for key, found in rates.items()}
    say("\nentries per second, medians" + "".join(f"{size:>10,}" for size in _BATCHES))
    shown = {"append": "append", "sequence": "sequence", "insert_bare": "bare INSERT"}
    for name, title in shown.items():
        row = "".join(f"{typical[name, size]:10,.0f}" for size in _BATCHES)
        say(f"  {title:<25}{row}")
    ratios = {size: typical["sequence", size] / typical["insert_bare", size] for size in _BATCHES}
    row = "".join(f"{ratios[size]:10.2f}" for size in _BATCHES)
    say(f"  {'sequence / bare INSERT':<25}{row}")
    return typical["sequence", 1_000], ratios[1_000]


def _at_size(plan: Plan, server: Ground, say: Say) -> tuple[_Log, float]:
    small, large = (server.create(name, template="empty") for name in ("ten", "past"))
    with (
        fleet(MODULE, settings=OURS, url=small, data=server.data) as young,
        fleet(MODULE, settings=OURS, url=large, data=server.data) as old,
    ):
        young.call("write_past", entries=10)
        past = old.call("write_past", entries=plan.entries)
        say(
            f"\na log of {past['entries']:,.0f} entries written in {past['write_seconds']:.0f} s, "
            f"its tree built in {past['tile_seconds']:.0f} s"
        )
        proofs = old.call("prove", count=plan.samples)
        say(
            f"inclusion proofs of random entries, each verified: p50 {proofs['p50']:.1f} ms, "
            f"p95 {proofs['p95']:.1f} ms, worst {proofs['worst']:.1f} ms"
        )
        audited = _audited(plan, old, say)
        overhead = _overhead(old, say)
        growth = _growth(plan, young, old, say)
        agents = young.call("publish_oracle")
    reads = _reads(plan, server, small, agents, say)
    return _Log(proofs["p95"], overhead, growth, audited), reads


def _audited(plan: Plan, old: Fleet, say: Say) -> float:
    found = old.call("audit_all")
    seconds = float(found["seconds"])
    per_second = found["entries"] / seconds
    say(
        f"full audit: every envelope hashed again in {seconds:.1f} s, {per_second:,.0f} entries "
        f"per second; {FULL:,} at this rate take {FULL / per_second:.0f} s (bar: 300 s)"
    )
    return seconds


def _overhead(old: Fleet, say: Say) -> float:
    sizes = old.call("sizes")
    share = float(sizes["tiles"] / sizes["entries"])
    say(
        f"tiles, and hashes kept with heads: {sizes['tiles']:,} bytes beside "
        f"{sizes['entries']:,} bytes of envelopes ({share:.1%}); at most twice that where every "
        "entry was signed before its tile was complete"
    )
    return share


def _growth(plan: Plan, young: Fleet, old: Fleet, say: Say) -> float:
    young.call("fold_past")
    say(f"the past folded into standings in {old.call('fold_past'):.0f} s")
    taken: dict[str, list[float]] = {"young": [], "old": []}
    for _ in range(plan.rounds):
        taken["young"] += young.call("update_standing", rounds=20)
        taken["old"] += old.call("update_standing", rounds=20)
    one, many = median(taken["young"]), median(taken["old"])
    full = "" if plan.entries >= FULL else f" (less than the {FULL:,} of the full run)"
    say(
        f"one hire folded into the standings: {one:.1f} ms over about 10 pieces of evidence, "
        f"{many:.1f} ms over {plan.entries:,}{full}"
    )
    return many / one


def _reads(plan: Plan, server: Ground, url: str, agents: Sequence[str], say: Say) -> float:
    asked = {
        "constant": Reads(["/bench/constant"]),
        "constant of two bytes": Reads(["/bench/short"]),
        "oracle": Reads([f"/api/v1/oracle/{agent}" for agent in agents]),
        "oracle, 304": Reads([f"/api/v1/oracle/{agent}" for agent in agents], tags=True),
    }
    settings = surroundings(settings=oracle_reads.SETTINGS, url=url, data=server.data)
    with oracle_reads.server(settings) as port:
        turns = oracle_reads.reads_per_second(
            port, asked, clients=_CLIENTS, seconds=plan.seconds * plan.rounds
        )
    say(
        f"\nreads per second over a socket, one gunicorn, {_CLIENTS} clients, {len(agents)} agents "
        f"in turn; medians of {len(turns)} short turns, and of the ratios within each. The "
        "constant has as many bytes as a document and passes the same middleware"
    )
    ratios = {name: median(turn[name] / turn["constant"] for turn in turns) for name in asked}
    for name, ratio in ratios.items():
        say(f"  {name:<25}{median(turn[name] for turn in turns):10,.0f}{ratio:10.2f}")
    return ratios["oracle"]
