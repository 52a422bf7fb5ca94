"""Files are replaced whole or not at all."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from musicgen.files import check_writable, remove_leftovers, write_atomically


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "a"
    write_atomically(file, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(file, b"new")
    assert caught.value.filename == str(file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_follow_the_umask(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_bytes(b"")
    write_atomically(ours, b"")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_check_writable_makes_the_folder_and_leaves_nothing(tmp_path):
    folder = tmp_path / "a" / "b"
    check_writable(folder)
    assert list(folder.iterdir()) == []


def test_check_writable_refuses_a_folder_under_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):  # noqa: PT011
        check_writable(tmp_path / "file" / "folder")


def test_threads_write_one_file_whole(tmp_path):
    path = tmp_path / "shared"
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]

    def work(content):
        for _ in range(30):
            write_atomically(path, content)
            assert path.read_bytes() in contents

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, contents))
    assert [file.name for file in tmp_path.iterdir()] == ["shared"]


def test_permissions_stay(tmp_path):
    path = tmp_path / "private"
    write_atomically(path, b"1")
    path.chmod(0o600)
    write_atomically(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_long_name(tmp_path):
    path = tmp_path / ("n" * 250)
    write_atomically(path, b"1")
    assert path.read_bytes() == b"1"


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="is a file; expected a folder"):
        check_writable(tmp_path / "file")


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    file, other = tmp_path / "a[1].safetensors", tmp_path / "b.safetensors"
    for path in (file, other):
        path.write_bytes(b"whole")
        (tmp_path / f".{path.name}.99-99.tmp").write_bytes(b"ha")
    remove_leftovers(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".b.safetensors.99-99.tmp", "a[1].safetensors", "b.safetensors"
    ]  # fmt: skip


def test_what_a_killed_write_leaves_is_a_leftover(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(tmp_path / "a", b"whole")
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path / "a")
    assert not list(tmp_path.iterdir())
