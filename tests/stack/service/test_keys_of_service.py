"""API keys: kept as hashes, accepted in one header only, revoked at once, limited in how many sessions they create."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from harness.stack.service.keys import RateLimit, all_keys, has_valid_key, hash_of, keep_key, new_key, revoke_key
from harness.stack.service.store import FILE, Store
from harness.testing.fake_clock import FakeClock
from tests.stack.service.running import AGENTS, KEY, SESSIONS, running

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_a_key_is_random_and_kept_only_as_a_hash(tmp_path: Path) -> None:
    store, key = Store.opened(tmp_path), new_key()
    key_id = store.run_now(lambda database: keep_key(database, key, label="site", at=AT))
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert key.reveal().startswith("sk_")
    assert len(key.reveal()) >= 46
    assert key.reveal().encode() not in kept
    assert hash_of(key.reveal()) in kept
    assert key_id.encode() in kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


async def test_a_stored_key_is_accepted_until_it_is_revoked(tmp_path: Path) -> None:
    store, key = Store.opened(tmp_path), new_key()
    key_id = await store.run(lambda database: keep_key(database, key, label="", at=AT))
    async with running(store) as service:
        assert (await service.ask("GET", AGENTS, key=key.reveal()))[0] == 200
        assert (await store.read(all_keys))[0].last_used is not None
        other = Store.opened(tmp_path, create=False)  # as `stack key revoke` does while the stack runs
        other.run_now(lambda database: revoke_key(database, key_id, at=AT))
        other.close()
        assert await service.ask("GET", AGENTS, key=key.reveal()) == (
            401,
            {"success": False, "message": "Invalid or missing API key."},
        )
        assert not await store.read(has_valid_key)
        assert (await service.ask("GET", AGENTS))[0] == 200, "the key of this run is not in the database"
    store.close()


async def test_a_revoked_key_is_refused_though_it_is_that_of_this_run(tmp_path: Path) -> None:
    store = Store.opened(tmp_path)
    key_id = await store.run(lambda database: keep_key(database, KEY, label="stack up", at=AT))
    async with running(store) as service:
        assert (await service.ask("GET", AGENTS))[0] == 200
        await store.run(lambda database: revoke_key(database, key_id, at=AT))
        assert (await service.ask("GET", AGENTS))[0] == 401
    store.close()


async def test_a_database_that_another_process_has_locked_does_not_stop_sessions(tmp_path: Path) -> None:
    store, key = Store.opened(tmp_path, within_s=0.1), new_key()
    await store.run(lambda database: keep_key(database, key, label="", at=AT))
    async with running(store, faults={"demo": None}) as service:
        other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert (await service.ask("POST", SESSIONS, {"agent": "demo"}, key=key.reveal()))[0] == 200
        status, body = await service.ask("POST", AGENTS, {"name": "A", "system_prompt": "x"}, key=key.reveal())
        assert (status, "try again" in body["message"]) == (503, True)
        other.close()
        assert (await service.ask("POST", AGENTS, {"name": "A", "system_prompt": "x"}, key=key.reveal()))[0] == 201
    store.close()


async def test_a_key_anywhere_but_in_its_header_is_refused_and_not_repeated() -> None:
    store = Store.in_memory()
    async with running(store, faults={"demo": None}) as service:
        for query in (f"?key={KEY.reveal()}", "?x-api-key=abc", "?api_key="):
            status, body = await service.ask("POST", SESSIONS + query, {"agent": "demo"})
            assert (status, "header only, not in the URL" in body["message"]) == (400, True)
            assert KEY.reveal() not in body["message"]
        for field in ({"api_key": "abc"}, {"comment": KEY.reveal()}):
            status, body = await service.ask("POST", SESSIONS, {"agent": "demo", **field})
            assert (status, "not in the body" in body["message"]) == (400, True)
            assert KEY.reveal() not in body["message"]
        status, body = await service.ask("POST", SESSIONS, {"agent": "demo"}, headers={"Origin": "https://a.example"})
        assert (status, "belongs on a server" in body["message"]) == (403, True)
        assert service.sent == []
    store.close()


async def test_each_key_has_a_limit_of_its_own(tmp_path: Path) -> None:
    store, key = Store.opened(tmp_path), new_key()
    await store.run(lambda database: keep_key(database, key, label="", at=AT))
    async with running(store, faults={"demo": None}, per_s=0.01) as service:
        assert (await service.ask("POST", SESSIONS, {"agent": "demo"}))[0] == 200
        async with service.http.post(
            service.host + SESSIONS, json={"agent": "demo"}, headers={"x-api-key": KEY.reveal()}
        ) as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 100
        assert (await service.ask("POST", SESSIONS, {"agent": "demo"}, key=key.reveal()))[0] == 200
        assert (await service.ask("GET", AGENTS))[0] == 200, "only sessions are limited"
    store.close()


def test_the_limit_is_a_rate_and_a_burst_of_a_second() -> None:
    clock = FakeClock()
    limit = RateLimit(2.0, clock)
    assert [limit.wait_s("a") for _ in range(3)] == [0, 0, 1]
    clock.advance(0.5)
    assert [limit.wait_s("a") for _ in range(2)] == [0, 1]
    assert limit.wait_s("b") == 0
