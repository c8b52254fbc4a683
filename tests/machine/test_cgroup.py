"""Limits of containers and units, in both versions of cgroups."""

from __future__ import annotations

import math
from pathlib import Path

from harness.machine.cgroup import Limits, read_limits


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own"
    path.write_text(text)
    return path


def test_the_tightest_limit_of_all_groups_above_counts(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    write(root, cgroup__controllers="cpu memory")
    write(root / "a", cpu__max="150000 100000", cpu__stat="nr_throttled 3\nthrottled_usec 4000", memory__max="max")
    write(root / "a/b", cpu__max="max 100000", memory__max="5000", memory__current="2000")
    assert read_limits(own(tmp_path, "0::/a/b\n"), root) == Limits(
        quota_cores=1.5, throttled_us=4000, memory_left_bytes=3000
    )


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    write(root, cgroup__controllers="cpu", cpu__max="50000 100000")
    assert read_limits(own(tmp_path, "0::/not/visible/here\n"), root).quota_cores == 0.5


def test_without_a_limit_there_is_none(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    write(root, cgroup__controllers="cpu")
    assert read_limits(own(tmp_path, "0::/\n"), root) == Limits(quota_cores=math.inf, memory_left_bytes=math.inf)


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    write(
        root / "cpu,cpuacct/x",
        cpu__cfs_quota_us="200000",
        cpu__cfs_period_us="100000",
        cpu__stat="throttled_time 5000000",
    )
    write(root / "memory/x", memory__limit_in_bytes="900", memory__usage_in_bytes="100")
    text = "5:cpu,cpuacct:/x\n4:memory:/x\n1:name=systemd:/\n"
    assert read_limits(own(tmp_path, text), root) == Limits(quota_cores=2.0, throttled_us=5000, memory_left_bytes=800)


def test_a_quota_of_minus_one_is_none(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    write(root / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert read_limits(own(tmp_path, "1:cpu:/\n"), root).quota_cores == math.inf


def test_a_system_without_cgroups_reports_nothing(tmp_path: Path) -> None:
    assert read_limits(tmp_path / "none", tmp_path / "nothing") == Limits()
