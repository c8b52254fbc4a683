"""The service's database: one SQLite file in WAL mode, with a format version that is checked.

Reads and writes take place on one thread of their own, so a database that is busy never blocks the event loop. The
commands `stack key` and `stack agent` open the same file, also while the stack runs; WAL lets them write meanwhile.

A part that stores something else adds a migration to `MIGRATIONS`; steps that have been released never change.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import math
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from harness.errors import ConfigError

FILE = "service.db"
PASSAGES_SUFFIX = ".passages.json"
WHERE = "--data"
# Marks the file as ours: "vhse" in ASCII.
APPLICATION_ID = 0x76687365
OPENS_WITHIN_S = 2.0
LOOKS_AGAIN_AFTER_S = 0.01
# For each version of the format, what makes it from the one before.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE keys (
            id TEXT PRIMARY KEY,
            hash BLOB NOT NULL UNIQUE,
            label TEXT NOT NULL,
            created TEXT NOT NULL,
            last_used TEXT,
            revoked TEXT
        )""",
        """CREATE TABLE agents (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            system_prompt TEXT NOT NULL,
            greeting TEXT NOT NULL,
            language TEXT NOT NULL,
            reference_audio_url TEXT,
            base TEXT NOT NULL,
            of_file INTEGER NOT NULL,
            is_changed INTEGER NOT NULL,
            created TEXT NOT NULL,
            changed TEXT NOT NULL
        )""",
        """CREATE TABLE documents (
            id TEXT PRIMARY KEY,
            agent TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            passages INTEGER NOT NULL,
            characters INTEGER NOT NULL,
            added TEXT NOT NULL
        )""",
        "CREATE INDEX documents_of_agents ON documents (agent)",
        """CREATE TABLE mcp_servers (
            agent TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            declared TEXT NOT NULL,
            PRIMARY KEY (agent, name)
        )""",
    ),
)
VERSION = len(MIGRATIONS)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Store:
    """An open database, created by `opened` or `in_memory`.

    Args:
        folder: The folder of `--data`; None if nothing is to be left on the disk.
        connection: The database.
    """

    def __init__(self, folder: Path | None, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="service-db")

    @classmethod
    def opened(cls, folder: Path, *, create: bool = True, within_s: float = OPENS_WITHIN_S) -> Store:
        """Opens the database in `folder`, and brings an older one to this version's format.

        Args:
            folder: The folder of `--data`.
            create: Whether to create folder and database if they do not exist.
            within_s: Seconds to wait for another process that has the database locked, at opening and later.

        Raises:
            ConfigError: It cannot be created or written, is locked, damaged, of a newer version or of another program.
        """
        path = folder / FILE
        if not create and not path.exists():
            raise ConfigError(
                f"there is no database {path}",
                where=WHERE,
                hint="use the folder of `voice-harness stack up --data DIR`",
            )
        with _opening_alone(folder, within_s):
            _make_file(path)
            connection = sqlite3.connect(path, timeout=within_s, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection, path)
                path.chmod(0o600)
            except sqlite3.Error as problem:
                connection.close()
                raise _unusable(path, problem) from None
            except BaseException:
                connection.close()
                raise
        return cls(folder, connection)

    @classmethod
    def in_memory(cls) -> Store:
        """A database that is gone with the process; only documents are kept in files, until it is closed."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _prepare(connection, Path(":memory:"))
        return cls(None, connection)

    def passages(self, document: str) -> Path:
        """The file with a document's passages."""
        if self._folder is None and self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="voice-harness-")
        folder = self._folder if self._temporary is None else Path(self._temporary.name)
        return (folder or Path()) / "documents" / f"{document}{PASSAGES_SUFFIX}"

    def remove_passages(self, documents: Iterable[str]) -> None:
        """Removes the files of documents that the database has no more."""
        for document in documents:
            self.passages(document).unlink(missing_ok=True)

    async def run(self, work: Work[T]) -> T:
        """Carries out `work` in one transaction on the database's thread.

        Raises:
            sqlite3.Error: It failed; nothing of it was done.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._in_transaction, work)

    async def read(self, work: Work[T]) -> T:
        """As `run`, for work that only reads; it waits for no other process.

        Raises:
            sqlite3.Error: It failed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    def run_now(self, work: Work[T]) -> T:
        """As `run`, for commands, which have no event loop.

        Raises:
            ConfigError: The database is not usable.
        """
        try:
            return self._thread.submit(self._in_transaction, work).result()
        except sqlite3.Error as problem:
            raise _unusable((self._folder or Path()) / FILE, problem) from None

    def close(self) -> None:
        """Waits for what is under way, and closes the file."""
        self._thread.shutdown()
        self._connection.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _in_transaction(self, work: Work[T]) -> T:
        with _transaction(self._connection):
            return work(self._connection)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself may have rolled back
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _opening_alone(folder: Path, within_s: float) -> Iterator[None]:
    """Lets one process or thread at a time open the database, and creates its folder.

    SQLite does not wait for another connection while a file turns to WAL (it is `SQLITE_BUSY` at once), and closing any
    descriptor of the file drops the locks of all connections that this process has to it.

    Raises:
        ConfigError: The folder cannot be used, or another process has been opening the database for too long.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise _unwritable(folder / FILE, problem) from None
    try:
        looks = 1 + math.ceil(within_s / LOOKS_AGAIN_AFTER_S)
        if not any(_locked(lock, wait_s=LOOKS_AGAIN_AFTER_S if number else 0.0) for number in range(looks)):
            raise _locked_by_another(folder / FILE)
        yield
    finally:
        os.close(lock)


def _locked(descriptor: int, *, wait_s: float) -> bool:
    time.sleep(wait_s)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without such locks; SQLite's own have to do
    return True


def _make_file(path: Path) -> None:
    """Creates the file, private, if it is not there; SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise _unwritable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES))) from None
    except OSError as problem:
        raise _unwritable(path, problem) from None


def _unwritable(path: Path, problem: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be opened for writing: {problem.strerror}",
        where=WHERE,
        hint="name a folder that you may write to, or leave --data out",
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Checks the file before anything in it is changed, then migrates it."""
    version = _number(connection, "user_version")
    is_new = version == 0 and not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if not is_new and _number(connection, "application_id") != APPLICATION_ID:
        raise ConfigError(
            f"{path} is a database of another program",
            where=WHERE,
            hint="name another folder",
        )
    if version > VERSION:
        raise ConfigError(
            f"{path} has format version {version}, and this voice-harness knows {VERSION} and older",
            where=WHERE,
            hint="use the voice-harness that wrote it, or a newer one",
        )
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("its pages contradict each other")
    connection.execute("PRAGMA foreign_keys = ON")
    with _transaction(connection):
        # Read again: another process may have made the file's content in the meantime.
        for step in MIGRATIONS[_number(connection, "user_version") :]:
            for statement in step:
                connection.execute(statement)
        # Written even if nothing is new, so that a database that cannot be written is found out now.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _unusable(path: Path, problem: sqlite3.Error) -> ConfigError:
    name = getattr(problem, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _locked_by_another(path)
    if name.startswith("SQLITE_READONLY"):
        what, hint = "is read-only", "make folder and file writable for you, or name another folder"
    elif name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")):
        what, hint = f"cannot be used: {problem}", "check the disk and the permissions of the folder"
    else:
        what, hint = f"is damaged: {problem}", "restore it from a backup, or name another folder"
    return ConfigError(f"{path} {what}", where=WHERE, hint=hint)


def _locked_by_another(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} is locked by another process", where=WHERE, hint="end the program that has it open, and try again"
    )
