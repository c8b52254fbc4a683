"""The tab "Voice" on Locust's web page: calls alive, TTFA over time, failures by kind, fitness of each worker.

Locust's page shows one table in a tab of somebody else's, and asks for its rows with its own numbers every two seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from flask import Response, request

from harness.counted import counted
from harness.load.locust_board import Board, Worker

KEY = "voice"
# No column is called "name": Locust would sort the rows by it.
COLUMNS = {"what": "What", "value": "Value", "detail": "Detail"}
WINDOWS = 12  # of ten seconds each: two minutes

Row = dict[str, str]


def add_voice_tab(web_ui: Any, board: Board, clock: Callable[[], float] = time.monotonic) -> None:
    """Adds the tab to Locust's page.

    Args:
        web_ui: Locust's, of the master or of a process alone.
        board: What is shown.
        clock: The one of the board, in seconds.
    """
    structure = [{"key": key, "title": title} for key, title in COLUMNS.items()]
    web_ui.template_args["extended_tabs"] = [{"title": "Voice", "key": KEY}]
    web_ui.template_args["extended_tables"] = [{"key": KEY, "structure": structure}]

    def add_rows(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            rows = voice_rows(board, clock())
            told = {**(response.get_json() or {}), "extended_stats": [{"key": KEY, "data": rows}]}
            response.set_data(json.dumps(told))
        return response

    web_ui.app.after_request(add_rows)


def voice_rows(board: Board, now: float) -> list[Row]:
    """The tab's rows from top to bottom: calls, TTFA of the last two minutes, failures, workers.

    Args:
        board: Of the load.
        now: By the board's clock, in seconds.
    """
    status = board.status()
    ended = ", ".join(f"{count} {how}" for how, count in sorted(status["ended"].items())) or "none"
    dropped = f", {status['dropped']} dropped" if status["dropped"] else ""
    rows = [
        _row(
            f"calls alive ({status['phase']})", status["alive"], f"{status['started']} started; ended: {ended}{dropped}"
        )
    ]
    windows = [window for window in board.ttfa_windows(now) if window[0] < WINDOWS * 10]
    rows += [
        _row(
            f"TTFA, {ago_s:.0f} to {ago_s + 10:.0f} s ago",
            f"median {median_ms:,.0f} ms, p95 {p95_ms:,.0f} ms",
            counted(samples, "turn"),
        )
        for ago_s, median_ms, p95_ms, samples in windows
    ]
    if not windows and status["unfit"]:
        rows.append(_row("TTFA", "-", "no turn of the last two minutes was measured on time"))
    rows += [_row(f"failed: {kind}", count, "") for kind, count in board.failures.most_common()]
    rows += [_row(f"refused: {why}", "", "") for why in board.refused]
    return rows + [_worker_row(worker) for worker in board.workers.values()]


def _worker_row(worker: Worker) -> Row:
    told = worker.second
    turns, unfit = int(told.get("turns", 0)), int(told.get("unfit", 0))
    name = f"worker {worker.number} on {worker.host}, process {worker.pid}"
    if worker.gone:
        return _row(name, "vanished", "its calls have failed as harness.shard_died")
    if not turns:
        fitness = "no turn yet"
    else:
        fitness = f"{unfit} of {counted(turns, 'turn')} unfit" if unfit else f"fit ({counted(turns, 'turn')})"
    detail = (
        f"{counted(int(told.get('alive', 0)), 'call')} in {counted(int(told.get('shards', 0)), 'shard')}, "
        f"the last second at most {told.get('lag_ms', 0.0):.0f} ms late, {told.get('cpu', 0.0):.2f} of a core"
    )
    died = f", {told['died']} shards died" if told.get("died") else ""
    return _row(name, fitness, detail + died)


def _row(what: str, value: object, detail: str) -> Row:
    return {"what": what, "value": str(value), "detail": detail}
