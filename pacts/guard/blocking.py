"""`block`: critical clauses are checked before an answer is returned.

A breach stands in the way by what the host chose: its `instead` gives another answer, or
`PactBreached` is raised. An answer that could not be decided passes when the gate was made open and
is held back when it was made closed; there is no default.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from pacts.guard.capture import Plainer
from pacts.guard.captured import Captured
from pacts.guard.clauses import Clause
from pacts.guard.recording import facts_of, seen_of
from pacts.guard.records import LocalCheck
from pacts.guard.settings import Settings


class PactBreached(Exception):
    """The answer breaks a critical clause of the pact, so it is not returned. `checks` are the
    clauses that stood against it; `undecided` says that none failed but one could not be checked
    and the guard was told to stay closed."""

    def __init__(self, checks: tuple[LocalCheck, ...], *, undecided: bool) -> None:
        self.checks = checks
        self.undecided = undecided
        why = "could not be checked" if undecided else "breaks the pact"
        said = "; ".join(f"{check.clause}: {check.reason or check.outcome}" for check in checks)
        super().__init__(f"the answer {why}: {said}")


class Gate:
    """What stands between an answer and the caller. `closed` is False outside `block`."""

    def __init__(self, settings: Settings, clauses: tuple[Clause, ...]) -> None:
        self.closed = settings.mode == "block"
        self._strict = settings.when_undecided == "closed"
        self._instead = settings.instead
        self._clauses = clauses

    def judge(self, captured: Captured) -> None:
        """Check the call, and note on it what was found and whether the answer is held back."""
        checks = self._checked(captured)
        captured.checks = checks
        captured.blocked = self._against(checks) is not None

    def through(self, captured: Captured, answer: Any) -> Any:
        """The answer, or what stands in for it. Raises PactBreached."""
        if captured.fault != "none":
            return answer
        breach = self._breach(captured)
        if breach is None:
            return answer
        if self._instead is None:
            raise breach
        return self._instead(breach)

    def held(self, stream: Iterator[Any], captured: Captured) -> Iterator[Any]:
        """The parts of a stream, once the whole of it has passed."""
        parts = list(stream)
        breach = self._breach(captured)
        if breach is None:
            yield from parts
        elif self._instead is None:
            raise breach
        else:
            yield self._instead(breach)

    async def held_async(
        self, stream: AsyncIterator[Any], captured: Captured
    ) -> AsyncIterator[Any]:
        """The same for an asynchronous stream."""
        parts = [part async for part in stream]
        breach = self._breach(captured)
        if breach is None:
            for part in parts:
                yield part
        elif self._instead is None:
            raise breach
        else:
            yield self._instead(breach)

    def _checked(self, captured: Captured) -> tuple[LocalCheck, ...]:
        """Every clause on this call; what breaks on the way leaves the critical ones in error."""
        try:
            plainer, facts = Plainer(), facts_of(captured)
            output = plainer.plain(facts.pop("output", None))
            named = {name: plainer.plain(value) for name, value in facts.items()}
            cut = plainer.truncated or captured.truncated
            seen = seen_of(captured, output, named, cut)
            return tuple(clause.answer(seen) for clause in self._clauses)
        except Exception as problem:
            why = f"the guard itself broke ({type(problem).__name__})"
            return tuple(
                LocalCheck(clause=c.key, check=c.check, outcome="error", reason=why)
                for c in self._clauses
            )

    def _against(self, checks: tuple[LocalCheck, ...]) -> PactBreached | None:
        critical = {clause.key for clause in self._clauses if clause.critical}
        weighed = [check for check in checks if check.clause in critical]
        failed = tuple(check for check in weighed if check.outcome == "fail")
        if failed:
            return PactBreached(failed, undecided=False)
        unknown = tuple(check for check in weighed if check.outcome in ("error", "skipped"))
        return PactBreached(unknown, undecided=True) if unknown and self._strict else None

    def _breach(self, captured: Captured) -> PactBreached | None:
        if captured.checks is None:
            captured.checks = self._checked(captured)
        return self._against(captured.checks)
