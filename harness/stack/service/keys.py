"""API keys: made, found and revoked. A key is shown once and kept only as its SHA-256.

A slow hash with a salt (bcrypt, Argon2) protects passwords, because people choose words that can be guessed. A key is
256 random bits: nobody can try them all, however fast the hash is, and no two are equal, so a salt adds nothing. A fast
hash is right here, since each request is checked, and without a salt the key's row is found by the index on the hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from harness.clock import NS_PER_S, Clock, SystemClock
from harness.secret import KEY_PREFIX, Secret
from harness.stack.service.store import Store

RANDOM_BYTES = 32
LABEL_LIMIT = 100
# Requests that may come at once, in seconds of the limit.
BURST_S = 1.0
DEFAULT_RATE_PER_S = 1000.0
# `last_used` is written no more often than this, so that most requests only read.
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What is known of a stored key; times are UTC in ISO 8601."""

    id: str
    label: str
    created: str
    last_used: str | None
    revoked: str | None


def new_key() -> Secret:
    """A new random key."""
    return Secret(f"{KEY_PREFIX}{secrets.token_urlsafe(RANDOM_BYTES)}")


def hash_of(key: str) -> bytes:
    """The hash under which a key is stored."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()


def utc_text(at: datetime) -> str:
    """A time as it is stored: UTC in ISO 8601."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def keep_key(database: sqlite3.Connection, key: Secret, *, label: str, at: datetime) -> str:
    """Stores a key's hash; returns its id."""
    key_id = f"key_{secrets.token_hex(4)}"
    database.execute(
        "INSERT INTO keys (id, hash, label, created) VALUES (?, ?, ?, ?)",
        (key_id, hash_of(key.reveal()), label, utc_text(at)),
    )
    return key_id


def all_keys(database: sqlite3.Connection) -> list[KeyRow]:
    """All keys, the oldest first."""
    rows = database.execute("SELECT id, label, created, last_used, revoked FROM keys ORDER BY created, id")
    return [KeyRow(*row) for row in rows]


def revoke_key(database: sqlite3.Connection, key_id: str, *, at: datetime) -> bool:
    """Revokes a key for good; False if there is none of that id. A key that is revoked already stays so."""
    found = database.execute(
        "UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ?", (utc_text(at), key_id)
    ).rowcount
    return found > 0


def has_valid_key(database: sqlite3.Connection) -> bool:
    """Whether there is a key that is not revoked."""
    return database.execute("SELECT 1 FROM keys WHERE revoked IS NULL LIMIT 1").fetchone() is not None


class KeyRing:
    """The keys that the service accepts: those of the database, and the one of this run.

    Args:
        store: The database, if there is one; read at each request, so a key that is revoked is refused at once.
        given: The key of this run, from the environment; stored nowhere.
        clock: Tells when a key was used.
    """

    GIVEN = "given"

    def __init__(self, store: Store | None, given: Secret | None = None, clock: Clock | None = None) -> None:
        self._store = store
        self._given = None if not given else hash_of(given.reveal())
        self._clock = clock or SystemClock()

    async def find(self, offered: str) -> str | None:
        """The id of the key `offered`, or None if it is not valid. Comparisons take constant time."""
        offered_hash = hash_of(offered)
        store = self._store
        found = None if store is None else await store.read(lambda database: _row_of(database, offered_hash))
        if store is None or found is None:  # a row of the database decides: it may be that of a revoked key
            return self.GIVEN if self._given is not None and hmac.compare_digest(offered_hash, self._given) else None
        key_id, last_used, revoked = found
        if revoked is not None:
            return None
        now = self._clock.utc()
        if last_used is None or datetime.fromisoformat(last_used) < now - USED_EVERY:
            with contextlib.suppress(sqlite3.Error):  # locked, say: no reason to refuse a session
                await store.run(
                    lambda database: database.execute(
                        "UPDATE keys SET last_used = ? WHERE id = ?", (utc_text(now), key_id)
                    )
                )
        return key_id


def _row_of(database: sqlite3.Connection, offered_hash: bytes) -> tuple[str, str | None, str | None] | None:
    """The id of a key, when it was last used, and when it was revoked."""
    row = database.execute("SELECT id, last_used, revoked, hash FROM keys WHERE hash = ?", (offered_hash,)).fetchone()
    if row is None or not hmac.compare_digest(row[3], offered_hash):
        return None
    return row[0], row[1], row[2]


@dataclass
class RateLimit:
    """How many sessions each key may create: `per_s` a second, and as many at once.

    Attributes:
        per_s: Requests per second.
        clock: Measures the time between requests.
    """

    per_s: float = DEFAULT_RATE_PER_S
    clock: Clock = field(default_factory=SystemClock)
    _left: dict[str, tuple[float, int]] = field(default_factory=dict)

    def wait_s(self, key_id: str) -> int:
        """Counts one request; 0 if it may be answered, else the whole seconds after which one may."""
        now_ns = self.clock.now_ns()
        burst = max(1.0, self.per_s * BURST_S)
        left, at_ns = self._left.get(key_id, (burst, now_ns))
        left = min(burst, left + (now_ns - at_ns) / NS_PER_S * self.per_s)
        may = left >= 1
        self._left[key_id] = (left - 1 if may else left, now_ns)
        return 0 if may else max(1, math.ceil((1 - left) / self.per_s))
