"""No file tells a lie about the floors: what imports, what points where, who speaks to whom."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("reputation", "pacts", "settlement", "marketplace")
LOWER = FLOORS[:-1]
FACES = {
    "django.http",
    "django.shortcuts",
    "django.template",
    "django.urls",
    "django.views",
    "django.forms",
    "django.contrib.admin",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "unfold",
}
CLIENTS = {
    *("httpx2", "httpcore2", "httpx", "requests", "urllib3", "aiohttp", "urllib.request"),
    *("http.client", "socket", "smtplib", "ftplib", "ssl"),
}
# The one way out, and this machine's own processes asking each other whether they are up.
SPEAKERS = {
    *("pacts/egress.py", "pacts/wire.py", "marketplace/local"),
    "marketplace/benches/oracle_reads.py",
    "reputation/verifier",  # a stranger's programs: they run without us, and ask us
    "pacts/guard",  # runs in a stranger's process and speaks to the market its owner names
}
SIGNALS = {"django.dispatch", "django.db.models.signals", "django.core.signals"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("timezone", "now")}
NAMELESS = {"utils", "helpers", "services", "common", "core", "base", "managers", "signals"}


@cache
def sources() -> dict[str, ast.Module]:
    """Every file of the four apps but migrations, parsed, by its path."""
    found = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for path in found
        if "migrations" not in path.parts
    }


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module a file imports, inside functions too, with what it takes from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import says in full where it goes"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def offenders(modules: set[str], floors: tuple[str, ...] = FLOORS) -> list[tuple[str, str]]:
    return [
        (path, name)
        for path, tree in sources().items()
        if path.split("/")[0] in floors
        for name in imports(tree)
        if within(name, modules)
    ]


def test_the_contracts_of_pyproject_hold(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert broken == 0, capsys.readouterr().out


def test_imports_only_go_down_inside_functions_too() -> None:
    up = [
        (path, name)
        for path, tree in sources().items()
        for name in imports(tree)
        if (other := name.split(".")[0]) in FLOORS
        and FLOORS.index(other) > FLOORS.index(path.split("/")[0])
    ]
    assert up == []


def test_foreign_keys_only_go_down() -> None:
    up = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for floor in FLOORS
        for model in apps.get_app_config(floor).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and isinstance(field.related_model, type)
        if (other := field.related_model._meta.app_label) in FLOORS
        and FLOORS.index(other) > FLOORS.index(floor)
    ]
    assert up == []


def test_only_the_roof_has_a_face() -> None:
    assert offenders(FACES, LOWER) == []
    pages = [
        str(path.relative_to(ROOT))
        for floor in LOWER
        for path in (ROOT / floor).rglob("*")
        if path.stem in {"views", "urls", "forms", "admin", "templates", "templatetags", "static"}
    ]
    assert pages == []


def test_only_the_egress_speaks_to_the_outside() -> None:
    found = offenders(CLIENTS)
    assert [who for who in found if not who[0].startswith(tuple(SPEAKERS))] == []


def test_no_app_listens_to_anothers_signals() -> None:
    assert offenders(SIGNALS) == []


def test_below_the_roof_nobody_looks_at_a_clock_of_its_own() -> None:
    hidden = [
        (path, f"{node.value.id}.{node.attr}")
        for path, tree in sources().items()
        if path.split("/")[0] in LOWER
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) in CLOCKS
    ]
    assert hidden == []


def test_a_format_is_the_name_of_one_kind_of_document() -> None:
    named = [
        str(node.value.value)
        for tree in sources().values()
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and [ast.unparse(target) for target in node.targets] == ["FORMAT"]
    ]
    assert len(named) > 5
    assert sorted(named) == sorted(set(named))


def test_no_module_is_called_after_nothing() -> None:
    named = {path for path in sources() if NAMELESS & set(Path(path).with_suffix("").parts)}
    assert named == set()


def test_no_file_is_two_files() -> None:
    assert [path for path in sources() if lines_of(ROOT / path) > 400] == []


def test_no_function_does_the_work_of_two() -> None:
    long = [
        f"{path}:{node.name}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and work_of(node) > 50
    ]
    assert long == []


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def work_of(function: ast.FunctionDef) -> int:
    """Lines of a function after its signature and docstring."""
    first = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - first[0].lineno + 1 if first else 0
