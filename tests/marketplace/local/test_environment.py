"""`manage.py` before anything is installed: which lock, when, and never half."""

import fcntl
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from marketplace.local.folder import ROOT


@pytest.fixture
def manage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module, on an empty checkout of its own."""
    spec = importlib.util.spec_from_file_location("manage_under_test", ROOT / "manage.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    places = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "PYTHON": tmp_path / ".venv" / "bin" / "python",
        "STAMP": tmp_path / ".venv" / ".earnest",
        "DATA": tmp_path / ".data",
        "LOG": tmp_path / ".data" / "log" / "environment.log",
        "RUNTIME_LOCK": tmp_path / "requirements.lock",
        "DEVELOPMENT_LOCK": tmp_path / "requirements-dev.lock",
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / lock).write_text(f"# {lock}\n")
    return module


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(==\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def have_environment(manage: ModuleType, *programs: str) -> None:
    manage.PYTHON.parent.mkdir(parents=True)
    manage.PYTHON.symlink_to(sys.executable)
    for program in programs:
        (manage.PYTHON.parent / program).touch()


def test_what_runs_is_what_was_tested() -> None:
    tested = pins("requirements-dev.lock")
    assert {name: tested.get(name) for name in pins("requirements.lock")} == pins(
        "requirements.lock"
    )


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"]
)
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    requirements = [part for part in re.split(r"\n(?=\S)", text) if "==" in part]
    assert requirements
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text


@pytest.mark.parametrize(
    ("command", "programs", "lock"),
    [
        ("up", (), "requirements.lock"),
        ("migrate", (), "requirements.lock"),
        ("test", (), "requirements-dev.lock"),
        ("up", ("pytest",), "requirements-dev.lock"),
    ],
)
def test_a_development_environment_is_never_cut_back(
    manage: ModuleType, command: str, programs: tuple[str, ...], lock: str
) -> None:
    have_environment(manage, *programs)
    assert manage.wanted_lock(command).name == lock


def test_a_finished_environment_is_left_alone_without_any_installer(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_environment(manage)
    manage.STAMP.write_text(manage.fingerprint(manage.RUNTIME_LOCK))
    monkeypatch.setattr(manage, "step", None)
    manage.ensure_environment(manage.RUNTIME_LOCK)


def test_a_changed_lock_a_moved_checkout_and_a_new_python_are_noticed(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_environment(manage)
    first = manage.fingerprint(manage.RUNTIME_LOCK)
    monkeypatch.setattr(manage, "ROOT", Path("/elsewhere"))
    moved = manage.fingerprint(manage.RUNTIME_LOCK)
    manage.PYTHON.unlink()
    manage.PYTHON.symlink_to("/bin/sh")
    upgraded = manage.fingerprint(manage.RUNTIME_LOCK)
    manage.RUNTIME_LOCK.write_text("django==1\n")
    changed = manage.fingerprint(manage.RUNTIME_LOCK)
    assert len({first, moved, upgraded, changed}) == 4


def test_an_installation_that_fails_leaves_no_stamp_and_says_why(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_environment(manage)
    manage.STAMP.write_text("of an older lock")

    def fail(title: str, _command: object) -> None:
        raise manage.EnvironmentFailed(f"{title} failed\nno route to host")

    monkeypatch.setattr(manage, "step", fail)
    with pytest.raises(SystemExit, match=r"could not be made(.|\n)*no route to host"):
        manage.ensure_environment(manage.RUNTIME_LOCK)
    assert not manage.STAMP.exists()


def test_a_python_without_pip_is_told_how_to_get_it(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manage.shutil, "which", lambda _name: None)
    with pytest.raises(manage.EnvironmentFailed, match="apt install python3-pip"):
        manage.find_uv("/bin/false")


def test_two_starts_at_once_take_turns(
    manage: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "environment.lock"
    with path.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)

        def let_go(line: str) -> None:
            assert "another start" in line
            fcntl.flock(first, fcntl.LOCK_UN)

        monkeypatch.setattr(manage, "say", let_go)
        with manage.alone(path):
            pass


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["tests/pacts"], ["tests/pacts"]),
        (["-n", "0"], ["-n", "0"]),
        (["-k", "escrow"], ["-k", "escrow"]),
        (["--pdb"], ["--pdb"]),
    ],
)
def test_a_chosen_part_of_the_tests_runs_as_asked(
    manage: ModuleType, given: list[str], passed: list[str]
) -> None:
    assert manage.test_arguments(given) == passed


def test_the_whole_suite_runs_side_by_side_without_the_slow(manage: ModuleType) -> None:
    assert manage.test_arguments([])[0] == "-n"
    assert manage.test_arguments(["-x"])[2:] == ["-m", "not slow", "-x"]
    assert manage.test_arguments(["-mslow"])[2:] == ["-mslow"]
