"""The data folder: one instance at a time, secrets that stay, sockets only we can reach."""

import stat
from pathlib import Path

import pytest

from marketplace.local import folder as folders
from marketplace.local.folder import (
    SOCKET_NAME,
    SOCKET_PATH_BYTES,
    DataFolder,
    FolderInUse,
    FolderUnreachable,
    forget_sockets,
    server_home,
    socket_folder,
)
from marketplace.local.owner import Owner, server_owner


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_instance_is_refused_and_told_who_holds_the_folder(folder: DataFolder) -> None:
    second = DataFolder(folder.path).held("another")
    held = r"in use by manage\.py up .process"
    with folder.held("manage.py up"), pytest.raises(FolderInUse, match=held):
        second.__enter__()
    with folder.held("another"):
        pass


def test_what_a_killed_instance_published_is_forgotten_by_the_next(folder: DataFolder) -> None:
    folder.publish({"DATABASE_URL": "postgresql://old"})
    with folder.held("manage.py up"):
        assert folder.published() == {}


def test_published_addresses_are_read_back_by_others_of_the_same_user(folder: DataFolder) -> None:
    folder.publish({"REDIS_URL": "unix:///x"})
    assert DataFolder(folder.path).published() == {"REDIS_URL": "unix:///x"}
    assert mode(folder.path / "instance.json") == 0o600


def test_a_secret_is_made_once_and_private(folder: DataFolder) -> None:
    first = folder.secret("secret-key")
    assert folder.secret("secret-key") == first
    assert len(first) >= 50
    assert mode(folder.path / "secret-key") == 0o600


def test_the_folder_of_sockets_is_private_to_the_servers_user(folder: DataFolder) -> None:
    owner = server_owner()
    sockets = socket_folder(folder, folder.path, owner)
    assert sockets == folder.path / "run"
    assert mode(sockets) == 0o700
    assert sockets.stat().st_uid == owner.uid


@pytest.mark.parametrize("name", ["x" * 90, "with space", "with,comma", "ünïcode", "per%cent"])
def test_a_path_no_socket_can_have_gets_a_short_folder_instead(place: Path, name: str) -> None:
    folder = DataFolder(place / name)
    folder.make()
    sockets = socket_folder(folder, folder.path, server_owner())
    assert folder.path not in sockets.parents
    assert len(str(sockets / SOCKET_NAME)) <= SOCKET_PATH_BYTES
    assert mode(sockets) == 0o700
    forget_sockets(folder, server_owner())
    assert not sockets.exists()


def test_the_short_folder_of_a_killed_run_is_removed_by_the_next(place: Path) -> None:
    folder = DataFolder(place / ("x" * 90))
    folder.make()
    first = socket_folder(folder, folder.path, server_owner())
    second = socket_folder(folder, folder.path, server_owner())
    assert first != second
    assert not first.exists()
    forget_sockets(folder, server_owner())


def test_a_temporary_folder_somebody_else_owns_by_now_is_left_alone(folder: DataFolder) -> None:
    theirs = folder.path / "theirs"
    theirs.mkdir()
    folder.sockets_note.write_text(str(theirs))
    forget_sockets(folder, Owner(name="other", uid=54321, gid=54321, changes=False))
    assert theirs.exists()
    assert not folder.sockets_note.exists()


@pytest.mark.usefixtures("as_root")
class TestBelowAPrivateFolder:
    def test_a_chosen_folder_the_servers_cannot_enter_is_refused_by_name(self, place: Path) -> None:
        private = place / "private"
        private.mkdir(mode=0o700)
        with pytest.raises(FolderUnreachable, match=f"may not enter {private}"):
            server_home(private / "data", server_owner())

    def test_the_usual_folder_of_a_private_checkout_is_kept_where_servers_can_be(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        private = place / "private"
        (private / ".data").mkdir(parents=True)
        private.chmod(0o700)
        monkeypatch.setattr(folders, "ROOT", private)
        monkeypatch.setattr(folders, "STATE", place)

        home = server_home(private / ".data", server_owner())

        assert home.parent == place
        assert server_owner().blocked_at(home) is None
        assert server_home(private / ".data", server_owner()) == home
