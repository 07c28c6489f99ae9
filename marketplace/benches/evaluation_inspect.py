"""The yardstick, in a process of its own: inspect_ai on the same samples with the same checks.

`python -m marketplace.benches.evaluation_inspect SAMPLES FOLDER` prints one line of JSON:
`{"seconds": …, "peak_kb": …, "right": …}`. It is tuned: an instant model in the same process, all
samples at once up to `max_samples`, no display, no real-time log, a log buffer, logs on disk.
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any

from marketplace.benches.evaluation_samples import PATTERN, question, reply_to, target

AT_ONCE = 200
LOG_BUFFER = 1000
WARMING = 20


def main(samples: int, folder: str) -> None:
    os.environ["INSPECT_LOG_LEVEL"] = "error"
    model = _instant_model()
    _evaluate(model, WARMING, folder)  # imported, compiled and warm before the clock starts
    began = time.monotonic()
    log = _evaluate(model, samples, folder)
    seconds = time.monotonic() - began
    if log.status != "success" or log.results.completed_samples != samples:
        raise SystemExit(f"inspect_ai ended with {log.status}: {log.error}")
    (found,) = (score for score in log.results.scores if score.name == "includes")
    right = found.metrics["accuracy"].value
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_kb": peak, "right": right}) + "\n")


def _evaluate(model: Any, samples: int, folder: str) -> Any:
    inspect_ai, data = import_module("inspect_ai"), import_module("inspect_ai.dataset")
    scorer, solver = import_module("inspect_ai.scorer"), import_module("inspect_ai.solver")
    task = inspect_ai.Task(
        dataset=data.MemoryDataset(
            [data.Sample(input=question(n), target=target(n), id=n) for n in range(samples)]
        ),
        solver=[solver.generate()],
        scorer=[scorer.exact(), scorer.includes(), scorer.pattern(f"({PATTERN})")],
    )
    (log,) = inspect_ai.eval(
        task,
        model=model,
        log_dir=folder,
        display="none",
        log_format="eval",
        log_level="error",
        log_realtime=False,
        log_images=False,
        log_model_api=False,
        log_buffer=LOG_BUFFER,
        score_display=False,
        max_samples=AT_ONCE,
        max_connections=AT_ONCE,
    )
    return log


def _instant_model() -> Any:
    models = import_module("inspect_ai.model")

    class Instant(models.ModelAPI):  # type: ignore[misc, name-defined]
        async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> Any:
            return models.ModelOutput.from_content(self.model_name, reply_to(input[-1].text))

        def max_connections(self) -> int:
            return AT_ONCE

    models.modelapi(name="instant")(Instant)
    return models.get_model("instant/instant")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
