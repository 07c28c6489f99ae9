"""Tasks tried several times: both figures, solved in any of k tries and solved in all of them.

Of n decided tries with c passes, 1 − C(n − c, k) / C(n, k) is unbiased for the chance that k tries
hold a right one (pass@k; Chen et al., 2021) and C(c, k) / C(n, k) for the chance that all k are
right (pass^k; Yao et al., "τ-bench", 2024). The plug-in (c/n)^k is biased upwards. A task with
fewer than k decided tries is null and counted, never guessed.
"""

from collections.abc import Sequence

from pacts.tries import Try
from reputation.confidence import pass_at_k, pass_hat_k


class Repetition:
    """The mean of both figures over tasks, fed one task at a time."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.tasks = self.nulls = 0
        self._any = self._all = 0.0

    def add(self, tries: Sequence[Try]) -> None:
        """All tries of one task as it is."""
        decided = [each for each in tries if each.decided and not each.variant]
        passes = sum(each.outcome == "pass" for each in decided)
        solved = pass_at_k(trials=len(decided), passes=passes, k=self.k)
        reliable = pass_hat_k(trials=len(decided), passes=passes, k=self.k)
        if solved is None or reliable is None:
            self.nulls += 1
            return
        self.tasks += 1
        self._any += solved
        self._all += reliable

    @property
    def any_of_k(self) -> float | None:
        """pass@k; None without tasks."""
        return self._any / self.tasks if self.tasks else None

    @property
    def all_of_k(self) -> float | None:
        """pass^k; None without tasks."""
        return self._all / self.tasks if self.tasks else None

    def __str__(self) -> str:
        """Both figures in a sentence, empty without tasks."""
        if self.any_of_k is None or self.all_of_k is None:
            return ""
        null = f", {self.nulls} null" if self.nulls else ""
        return (
            f"Over {self.tasks} tasks{null}: pass@{self.k} {self.any_of_k:.1%}, "
            f"pass^{self.k} {self.all_of_k:.1%}."
        )
