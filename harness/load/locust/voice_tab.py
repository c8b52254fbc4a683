"""The tab "Voice" on Locust's web page: calls alive, TTFA over time, failures by kind, fitness of each worker.

Locust's page can show one table in a custom tab. It fetches its rows together with its own numbers every two seconds.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from harness.load.locust.board import Board
from harness.load.locust.worker import Worker
from harness.load.over_time import OverTime
from harness.text.counted import counted

KEY = "voice"
# No column may be called "name": Locust would sort the rows by it.
COLUMNS = {"what": "What", "value": "Value", "detail": "Detail"}

Row = dict[str, str]


def add_voice_tab(web_ui: Any, board: Board) -> None:
    """Adds the tab to Locust's page.

    Args:
        web_ui: The web UI of Locust's master, or of a single process.
        board: The board to show.
    """
    structure = [{"key": key, "title": title} for key, title in COLUMNS.items()]
    web_ui.template_args["extended_tabs"] = [{"title": "Voice", "key": KEY}]
    web_ui.template_args["extended_tables"] = [{"key": KEY, "structure": structure}]

    def add_rows(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            rows = voice_rows(board)
            told = {**(response.get_json() or {}), "extended_stats": [{"key": KEY, "data": rows}]}
            response.set_data(json.dumps(told))
        return response

    web_ui.app.after_request(add_rows)


def voice_rows(board: Board) -> list[Row]:
    """Returns the tab's rows, from top to bottom: calls, the load over time, failures, workers."""
    status = board.status()
    ended = ", ".join(f"{count} {how}" for how, count in sorted(status["ended"].items())) or "none"
    dropped = f", {status['dropped']} dropped" if status["dropped"] else ""
    rows = [
        _row(
            f"calls alive ({status['phase']})", status["alive"], f"{status['started']} started; ended: {ended}{dropped}"
        )
    ]
    rows += [_slice_row(board.over_time, number) for number in range(len(board.over_time.slices))]
    rows += [_row(f"failed: {kind}", count, "") for kind, count in board.failures.most_common()]
    rows += [_row(f"refused: {why}", "", "") for why in board.refused]
    return rows + [_worker_row(worker) for worker in board.workers.values()]


def _slice_row(over_time: OverTime, number: int) -> Row:
    """Returns the row of one time slice."""
    found = over_time.slices[number]
    p50_ms, p95_ms = found.ttfa(50), found.ttfa(95)
    ttfa = "TTFA -" if p50_ms is None or p95_ms is None else f"TTFA p50 {p50_ms:,.0f} ms, p95 {p95_ms:,.0f} ms"
    parts = [counted(len(found.ttfa_ms), "turn"), f"at most {counted(found.alive, 'call')} alive"]
    parts += [f"{count} failed: {kind}" for kind, count in found.failures.most_common()]
    from_s, until_s = number * over_time.slice_s, (number + 1) * over_time.slice_s
    return _row(f"{_clock(from_s)} to {_clock(until_s)}", ttfa, ", ".join(parts))


def _clock(at_s: float) -> str:
    hours, rest = divmod(round(at_s), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


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
