"""The database: a file that cannot be used is refused at the start, in words, and left as it is."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.stack.service.store import APPLICATION_ID, FILE, VERSION, Store


def refused(folder: Path, *, within_s: float = 0.1) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Store.opened(folder, within_s=within_s)
    assert (caught.value.where, bool(caught.value.hint)) == ("--data", True)
    return caught.value


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store.opened(tmp_path / "a" / "b")
    store.run_now(lambda database: database.execute("INSERT INTO keys VALUES ('k', x'00', '', 'now', NULL, NULL)"))
    store.close()
    again = Store.opened(tmp_path / "a" / "b")
    assert again.run_now(lambda database: database.execute("SELECT id FROM keys").fetchall()) == [("k",)]
    again.close()


def test_a_newer_a_foreign_and_a_damaged_database_are_refused_and_not_changed(tmp_path: Path) -> None:
    for name, pragmas, words in (
        ("newer", f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION + 1};", "format version"),
        ("foreign", "PRAGMA user_version=1;", "another program"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        made = sqlite3.connect(folder / FILE)
        made.executescript(f"{pragmas} CREATE TABLE theirs (a);")
        made.close()
        before = (folder / FILE).read_bytes()
        assert words in refused(folder).what
        assert (folder / FILE).read_bytes() == before
    (tmp_path / FILE).write_bytes(b"this is no database, whatever its name says" * 100)
    assert "damaged" in refused(tmp_path).what


def test_a_locked_database_is_told(tmp_path: Path) -> None:
    Store.opened(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "locked by another process" in refused(tmp_path).what
    other.close()


_OPENS = "import sys; from harness.stack.service.store import *; input(); Store.opened(Path(sys.argv[1])).close()"


def test_several_threads_may_open_a_new_one_at_once(tmp_path: Path) -> None:
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        with ThreadPoolExecutor(4) as threads:
            for store in threads.map(lambda _, folder=folder: Store.opened(folder), range(4)):
                store.close()


def test_several_processes_may_open_a_new_one_at_once(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", _OPENS, tmp_path], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == [b""] * 3
    assert [process.returncode for process in processes] == [0] * 3


def test_another_process_that_does_not_finish_opening_is_told(tmp_path: Path) -> None:
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "locked by another process" in refused(tmp_path).what
    os.close(lock)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "cannot be opened for writing" in refused(tmp_path / "file").what


def test_in_memory_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store.in_memory()
    assert list(tmp_path.iterdir()) == []
    path = store.passages("doc_1")
    path.parent.mkdir()
    path.write_text("{}")
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_a_transaction_is_not_done(tmp_path: Path) -> None:
    store = Store.opened(tmp_path)

    def work(database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO keys VALUES ('k', x'00', '', 'now', NULL, NULL)")
        raise ValueError("half done")

    with pytest.raises(ValueError, match="half done"):
        store.run_now(work)
    assert store.run_now(lambda database: database.execute("SELECT count(*) FROM keys").fetchone()) == (0,)
    store.close()
