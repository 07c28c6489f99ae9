"""The yardstick, by the interpreter of its own environment: guardrails-ai, same regex, same schema.

`python -P marketplace/benches/guard_theirs.py CALLS` prints one line of JSON. It is tuned: one
guard made once, warm, no telemetry, no model, an answer that passes.
"""

import json
import os
import re
import sys
import time
from importlib import import_module
from typing import Any

FORM = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
ANSWER = '{"day": "2024-02-29", "total": 12}'


def main(calls: int) -> None:
    os.environ["OTEL_SDK_DISABLED"] = "true"
    guard = yardstick()
    took = []
    for n in range(calls + 20):
        since = time.perf_counter_ns()
        outcome = guard.parse(ANSWER)
        if n >= 20:
            took.append(time.perf_counter_ns() - since)
        if not outcome.validation_passed:
            raise SystemExit("guardrails-ai refused a good answer")
    took.sort()
    found = {"p50_us": took[len(took) // 2] / 1000, "p99_us": took[len(took) * 99 // 100] / 1000}
    sys.stdout.write(json.dumps(found) + "\n")


def yardstick() -> Any:
    """A guard for an object with a day in a form and a whole number."""
    guardrails = import_module("guardrails")
    bones, pydantic = import_module("guardrails.validator_base"), import_module("pydantic")

    def form(value: Any, metadata: Any) -> Any:
        kept = FORM.fullmatch(value) is not None
        return bones.PassResult() if kept else bones.FailResult(error_message="another form")

    validator = bones.register_validator(name="earnest/form", data_type="string")(form)
    day = pydantic.Field(json_schema_extra={"validators": [validator(on_fail="noop")]})
    answer = pydantic.create_model("Answer", day=(str, day), total=(int, ...))
    return guardrails.Guard.for_pydantic(answer)


if __name__ == "__main__":
    main(int(sys.argv[1]))
