"""The tab on Locust's page: its rows, and that they go out with Locust's own numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from flask import Flask, jsonify

from harness.load.locust.voice_tab import add_voice_tab, voice_rows
from harness.load.order import LoadPlan
from tests.load.made import Load


def busy(folder: Path) -> Load:
    """A load of two workers: one has a call, one has failed calls and is gone."""
    load = Load(folder, LoadPlan(stages=((60.0, 4),)), workers=2)
    load.all_ready()
    load.after(0)
    second = {"alive": 1, "shards": 1, "lag_ms": 2.4, "cpu": 0.31, "turns": 10, "unfit": 2, "died": 0}
    load.board.second("client 1", second)
    load.board.call_started("client 1", "w1-0001-x", 0)
    load.board.call_started("client 2", "w2-0001-x", 0)
    load.board.over_time.at(3.0).ttfa_ms += [800.0, 900.0]
    load.now += 12
    load.board.tick()
    load.board.vanished("client 2")
    return load


def test_calls_ttfa_failures_and_the_fitness_of_each_worker_are_shown(tmp_path: Path) -> None:
    load = busy(tmp_path)
    rows = voice_rows(load.board)
    assert [(row["what"], row["value"]) for row in rows] == [
        ("calls alive (running)", "1"),
        ("0:00 to 0:10", "TTFA p50 800 ms, p95 900 ms"),
        ("0:10 to 0:20", "TTFA -"),
        ("failed: harness.shard_died", "1"),
        ("worker 1 on here, process 1001", "2 of 10 turns unfit"),
        ("worker 2 on here, process 1002", "vanished"),
    ]
    assert rows[0]["detail"] == "2 started; ended: 1 failed"
    assert rows[1]["detail"] == "2 turns, at most 0 calls alive"
    assert rows[2]["detail"] == "0 turns, at most 2 calls alive, 1 failed: harness.shard_died"
    assert rows[4]["detail"] == "1 call in 1 shard, the last second at most 2 ms late, 0.31 of a core"


def test_the_rows_go_out_with_locusts_own_numbers_and_nothing_else_changes(tmp_path: Path) -> None:
    load = busy(tmp_path)
    app = Flask(__name__)
    app.add_url_rule("/stats/requests", view_func=lambda: jsonify({"stats": [1]}), endpoint="stats")
    app.add_url_rule("/exceptions", view_func=lambda: jsonify({"exceptions": []}), endpoint="exceptions")
    web_ui = SimpleNamespace(app=app, template_args={})
    add_voice_tab(web_ui, load.board)
    client = app.test_client()
    told = client.get("/stats/requests").json or {}
    assert told["stats"] == [1]
    assert told["extended_stats"] == [{"key": "voice", "data": voice_rows(load.board)}]
    assert client.get("/exceptions").json == {"exceptions": []}
    assert web_ui.template_args["extended_tabs"] == [{"title": "Voice", "key": "voice"}]
    columns = [column["key"] for column in web_ui.template_args["extended_tables"][0]["structure"]]
    assert set(columns) == set(told["extended_stats"][0]["data"][0])
