"""Who sits on a jury: pinned models, one rubric, one rule, as a typed value with a digest. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pacts.judges.prompt import prompt_digest
from pacts.judges.votes import Rule
from pacts.reading import Reader
from reputation.canonical import JsonValue, digest

VERSION = "earnest-jury/1"
MOST_JURORS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Juror:
    """One model. `provider` names an installed provider, `model` the exact snapshot it must answer
    with: one that names itself otherwise is not heard."""

    provider: str
    model: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"provider": self.provider, "model": self.model}


@dataclass(frozen=True, slots=True, kw_only=True)
class JurySpec:
    """A jury: what it is asked (`rubric`), who is asked, and how its words become one."""

    rubric: str
    jurors: tuple[Juror, ...]
    rule: Rule = "majority"

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "version": VERSION,
            "rubric": self.rubric,
            "rule": self.rule,
            "jurors": [juror.to_json() for juror in self.jurors],
        }

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over the jury and the prompt around its rubric: another model, snapshot,
        rubric, rule or prompt is another jury."""
        return digest({**self.to_json(), "prompt": prompt_digest()})


def parse(data: Mapping[str, object]) -> JurySpec:
    """Read a jury from JSON. Raises TermsError, which names the place and the cure."""
    reader = Reader.of(data, "$")
    reader.choice("version", (VERSION,), default=VERSION)
    spec = JurySpec(
        rubric=reader.text("rubric", longest=4000),
        rule=reader.choice("rule", ("majority", "unanimity"), default="majority"),
        jurors=tuple(_juror(inner) for inner in reader.inners("jurors", most=MOST_JURORS)),
    )
    reader.finish()
    return spec


def _juror(reader: Reader) -> Juror:
    juror = Juror(
        provider=reader.slug("provider", longest=40), model=reader.text("model", longest=120)
    )
    reader.finish()
    return juror
