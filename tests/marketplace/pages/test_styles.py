"""The style sheet that ships is the one its source makes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE, BUILT = ROOT / "marketplace/styles/site.css", ROOT / "marketplace/static/site.css"


def test_a_fresh_build_of_the_style_sheet_is_the_committed_one(tmp_path: Path) -> None:
    tool = shutil.which("tailwindcss", path=str(Path(sys.executable).parent))
    if tool is None:
        pytest.skip("the style sheet's compiler comes with the development requirements")
    fresh = tmp_path / "site.css"
    subprocess.run(
        [tool, "-i", str(SOURCE), "-o", str(fresh), "--minify"],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    assert fresh.read_bytes() == BUILT.read_bytes()


def test_the_style_sheet_loads_nothing_from_elsewhere_and_stays_small() -> None:
    css = BUILT.read_text()
    assert "@import" not in css
    assert "url(" not in css
    assert len(css) < 40_000
