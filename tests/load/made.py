"""A load made by hand: the master's board, its clock and its workers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.caller.lost_call import lost_call
from harness.errors import OwnFailure
from harness.load.locust.board import Board
from harness.load.order import AbortOrder, LoadOrder, LoadPlan, Role
from harness.load.order import Load as AskedLoad
from harness.shards.protocol import ShardOrder
from tests.prepared import prepared


class Load:
    """A board, a clock of its own, and what it told its workers."""

    def __init__(self, folder: Path, plan: LoadPlan, workers: int = 1, aborts: Sequence[AbortOrder] = ()) -> None:
        (folder / "timelines").mkdir(parents=True)
        self.folder = folder
        self.now = 100.0
        self.told: list[dict[int, dict[str, Any]]] = []
        self.stops = self.cuts = 0
        self.scenario = prepared("x")
        calls = ShardOrder(
            engine="light",
            prepared="",
            directory=str(folder),
            record="none",
            target="fake",
            described="fake",
            kind="session",
            url="",
            api_key=None,
            seed=1,
        )
        role: Role = "local" if workers == 1 else "master"
        asked = AskedLoad(plan=plan, weights=(1.0,), role=role, expect_workers=workers)
        order = LoadOrder(load=asked, role=role, calls=calls, aborts=tuple(aborts))
        told: dict[str, Any] = {"go": self.told.append, "stop": self._stop, "cut": self._cut}
        self.board = Board(order, [self.scenario], **told, clock=lambda: self.now)
        self.clients = [f"client {number}" for number in range(1, workers + 1)]

    def _stop(self) -> None:
        self.stops += 1

    def _cut(self) -> None:
        self.cuts += 1

    def all_ready(self) -> None:
        for number, client in enumerate(self.clients, start=1):
            self.board.joined(client, "here", 1000 + number)
            self.board.ready(client)

    def ended(self, client: str, call: str, timeline: bytes | None = None) -> None:
        result = lost_call(
            call, self.scenario, target="fake", started="2026-01-01T00:00:00Z", failure=OwnFailure("harness.bug", "")
        )
        self.board.call_ended(client, result.model_dump_json(), timeline)

    def lines(self) -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def after(self, seconds: float, **pending: int) -> tuple[int, float] | None:
        """Time passes, every worker says its second, and Locust asks."""
        self.now += seconds
        for client in self.clients:
            self.board.second(client, {"pending": pending.get(client.replace(" ", "_"), 0)})
        return self.board.tick()
