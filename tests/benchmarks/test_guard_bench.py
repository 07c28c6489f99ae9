"""The bench of the guard makes its yardstick's environment, or says in a sentence why it cannot."""

import shutil
from pathlib import Path

import pytest

from marketplace.benches import guard
from marketplace.benches.crowd import BenchFailed
from marketplace.local.folder import ROOT


def test_without_a_package_index_it_says_what_to_do_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".data" / "uv" / "bin"))):
        pytest.skip("making an environment without uv takes long")
    monkeypatch.setenv("EARNEST_PEERS", str(tmp_path / "peers"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(BenchFailed, match="Connect and repeat this, or name one that is made"):
        guard.peers(lambda _: None)
    assert not (tmp_path / "peers").exists()
