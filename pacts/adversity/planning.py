"""Which adversities a run holds: every one that the sample tasks have a place for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pacts.adversity.changes import Inputs, asked
from pacts.adversity.suite import SUITE, Adversity
from pacts.perturb import Draws
from pacts.probes import Attack


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One adversity done to one sample task (`task`, its place). `attack` is what was planted."""

    one: Adversity
    task: int
    input: Inputs
    attack: Attack | None = None


def plan(
    samples: Sequence[Inputs], *, seed: int, families: Sequence[str] = ()
) -> tuple[list[Planned], list[Adversity]]:
    """The run's cases, each adversity on one of the samples in turn, and what none has a place
    for. `families` narrows the suite; none is all."""
    planned, without = [], []
    for number, one in enumerate(SUITE):
        if families and one.family not in families:
            continue
        for turn in range(len(samples)):
            task = (number + turn) % len(samples)
            found = made(one, samples[task], task=task, seed=seed)
            if found is not None:
                planned.append(found)
                break
        else:
            without.append(one)
    return planned, without


def made(one: Adversity, input: Inputs, *, task: int, seed: int) -> Planned | None:
    """One case, made again from its name and the run's seed; None where it has no place."""
    found = asked(one, input, draws=Draws("adversity", seed, task, one.key))
    if found is None:
        return None
    return Planned(one=one, task=task, input=found[0], attack=found[1])
