"""The run's folder: never another run's, whole files or none, readable after a kill."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import EXIT_USAGE, ConfigError
from harness.judge.verdict import judge_run
from harness.record.result import DEFINITIONS, CallResult, GreetingResult
from harness.record.run_directory import RunDirectory, read_run
from harness.record.summary import Ending
from tests.report.sample_run import bare_settings

DiskFullAt = Callable[[int], AbstractContextManager[None]]

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def result(call: str, **values: object) -> CallResult:
    return CallResult.model_validate({"call": call, "scenario": "x", "started": "2030", "ok": True, **values})


def run_with(folder: Path, *lines: str) -> Path:
    directory = RunDirectory.create(folder / "run", name="x", now=NOW)
    directory.write_settings(bare_settings(run="run"))
    (directory.path / "calls.jsonl").write_text("".join(lines), encoding="utf-8")
    return directory.path


def test_without_out_a_run_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = RunDirectory.create(None, name="smoke", now=NOW).path
    second = RunDirectory.create(None, name="smoke", now=NOW).path
    assert first == Path("reports/20300102-030405-smoke")
    assert second == Path("reports/20300102-030405-smoke-2")
    assert [path.name for path in first.iterdir()] == ["timelines"], "the probe of the disk leaves nothing"


def test_a_run_that_is_recorded_there_is_never_overwritten(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, name="x", now=NOW).write_settings(bare_settings())
    with pytest.raises(ConfigError, match="recorded there already") as caught:
        RunDirectory.create(tmp_path, name="x", now=NOW)
    assert caught.value.exit_code == EXIT_USAGE


def test_runs_that_begin_in_the_same_instant_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    together = threading.Barrier(16)

    def begin(_: int) -> Path:
        together.wait()
        return RunDirectory.create(None, name="smoke", now=NOW).path

    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(begin, range(16)))
    assert len(set(paths)) == 16


def test_of_two_runs_that_begin_in_one_folder_one_is_refused(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, name="x", now=NOW)  # which has written nothing yet
    with pytest.raises(ConfigError, match="recorded there already"):
        RunDirectory.create(tmp_path, name="x", now=NOW)


def test_out_that_is_a_file_or_lies_below_one_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match="cannot be written there"):
            RunDirectory.create(out, name="x", now=NOW)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_a_read_only_disk_is_a_usage_error() -> None:
    with pytest.raises(ConfigError, match="cannot be written there") as caught:
        RunDirectory.create(Path("/proc/voice-harness-run"), name="x", now=NOW)
    assert caught.value.exit_code == EXIT_USAGE


def test_a_full_disk_is_a_usage_error_and_nothing_of_it_stays(tmp_path: Path, disk_full_at: DiskFullAt) -> None:
    with disk_full_at(10_000), pytest.raises(ConfigError, match="has space"):
        RunDirectory.create(tmp_path / "run", name="x", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_each_call_is_on_the_disk_when_it_was_added_and_is_read_back_as_it_was(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, name="x", now=NOW)
    directory.write_settings(bare_settings(run="r"))
    calls = [result("1", notes=["a\u2028b\u2029c\x85d\x0be"]), result("2", tags=["caf\u00e9 \U0001f600"])]
    for number, call in enumerate(calls, 1):
        directory.append_call(call)
        assert read_run(tmp_path).calls == calls[:number]
    assert directory.broken is None


def test_the_last_line_of_a_killed_run_may_be_cut_off(tmp_path: Path) -> None:
    whole = result("1").model_dump_json() + "\n"
    folder = run_with(tmp_path, whole, whole[: len(whole) // 2])
    assert [call.call for call in read_run(folder).calls] == ["1"]


def test_a_folder_that_is_no_run_or_is_broken_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run directory"):
        read_run(tmp_path)
    folder = run_with(tmp_path, "not a call\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_run(folder)
    (folder / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_run(folder)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, name="x", now=NOW)
    assert directory.write_text("turns.csv", "old")
    assert directory.write_text("turns.csv", "new")
    assert (tmp_path / "turns.csv").read_text(encoding="utf-8") == "new"
    (tmp_path / "report.html").mkdir()
    assert not directory.write_text("report.html", "page")
    assert directory.broken is not None
    assert directory.broken.startswith("report.html cannot be written")
    assert {path.name for path in tmp_path.iterdir()} == {"turns.csv", "report.html", "timelines"}


def test_a_line_that_a_full_disk_takes_half_of_is_taken_back(tmp_path: Path, disk_full_at: DiskFullAt) -> None:
    directory = RunDirectory.create(tmp_path, name="x", now=NOW)
    directory.write_settings(bare_settings())
    directory.append_call(result("1"))
    size = (tmp_path / "calls.jsonl").stat().st_size
    with disk_full_at(size + 40):
        directory.append_call(result("2"))
    directory.append_call(result("3"))
    assert [call.call for call in read_run(tmp_path).calls] == ["1", "3"]
    assert directory.broken is not None


def test_a_disk_that_takes_no_call_is_kept_as_broken_and_raised_by_nothing(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, name="x", now=NOW)
    (tmp_path / "calls.jsonl").symlink_to("/dev/full")
    directory.append_call(result("1"))
    assert directory.broken is not None
    assert "calls.jsonl" in directory.broken


def test_a_line_of_older_definitions_is_known_as_such(tmp_path: Path) -> None:
    old = json.loads(result("1", greeting=GreetingResult(ttfa_ms=520.0)).model_dump_json())
    for name in ("definitions", "held_back_ms", "since_due"):
        del old[name]
    del old["greeting"]["onset_ms"]
    folder = run_with(tmp_path, json.dumps(old) + "\n", result("2").model_dump_json() + "\n")
    first, second = read_run(folder).calls
    assert (first.definitions, second.definitions) == (1, DEFINITIONS)
    assert first.greeting is not None
    assert first.greeting.onset_ms == 520  # it counted from connected, as positions do
    assert judge_run([first, second], [], target="x", ending=Ending()).definitions == 1
    assert judge_run([second], [], target="x", ending=Ending()).definitions == DEFINITIONS


def test_a_format_that_is_not_known_is_refused_by_its_version(tmp_path: Path) -> None:
    newer = json.loads(result("1").model_dump_json()) | {"version": 7, "something": "new"}
    folder = run_with(tmp_path, json.dumps(newer) + "\n")
    with pytest.raises(ConfigError, match="its format is version 7, and this voice-harness reads 1") as caught:
        read_run(folder)
    assert str(caught.value.where).endswith("calls.jsonl:1")
    settings = json.loads((folder / "run.json").read_text(encoding="utf-8")) | {"version": "2.0", "something": "new"}
    (folder / "run.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ConfigError, match=r'run\.json cannot be read: its format is version "2\.0"'):
        read_run(folder)
    (folder / "capacity.json").write_text('{"version": 2}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"capacity\.json cannot be read: its format is version 2"):
        RunDirectory(folder).read_capacity()


def test_files_from_before_they_had_a_version_are_read(tmp_path: Path) -> None:
    old = json.loads(result("1").model_dump_json())
    del old["version"]
    assert [call.call for call in read_run(run_with(tmp_path, json.dumps(old) + "\n")).calls] == ["1"]
