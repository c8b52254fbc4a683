"""Building the web pages: which Node is used, what its scripts see, and what is said where a step fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.build_pages import PAGES, BuildError, WebPage, find_node, run_scripts

NPM = """#!/bin/sh
echo "$@" >> calls
env > seen
{body}
"""


@pytest.fixture
def page(tmp_path: Path) -> WebPage:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    return WebPage("sample", folder)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_HARNESS_CACHE", str(tmp_path / "cache"))


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "v20.19.0", body: str = "") -> None:
    """Puts a Node of this version and an npm that does this on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in (("node", f"#!/bin/sh\necho {version}\n"), ("npm", NPM.format(body=body))):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


def test_dependencies_come_from_the_lockfile_and_only_when_that_is_due(
    page: WebPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, body="mkdir -p node_modules; touch node_modules/.package-lock.json")
    run_scripts(["build"], page)
    run_scripts(["lint", "test"], page)
    calls = (page.sources / "calls").read_text().splitlines()
    assert calls == [
        "ci --no-audit --no-fund",
        "run --silent build",
        "run --silent lint",
        "run --silent test",
    ]


def test_what_npm_runs_sees_no_key(page: WebPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    monkeypatch.setenv("VOICE_HARNESS_API_KEY", "sk_canary_0123456789")
    run_scripts(["build"], page)
    assert "sk_canary" not in (page.sources / "seen").read_text()


def test_a_step_that_fails_is_named_with_its_last_lines(
    page: WebPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, body="echo ENOTFOUND registry; exit 3")
    with pytest.raises(
        BuildError, match=r"installing the dependencies of the sample page failed \(exit 3\):\nENOTFOUND registry"
    ):
        run_scripts(["build"], page)


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.9", "nonsense"])
def test_a_node_that_is_too_old_is_not_used(
    page: WebPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    install(tmp_path, monkeypatch, version=version)
    assert find_node() is None
    with pytest.raises(BuildError, match=r"no Node 20\.19 or newer"):
        run_scripts(["build"], page, download=False)
    assert not (page.sources / "calls").exists()


def test_a_page_is_built_once_it_has_its_first_file(page: WebPage) -> None:
    assert not page.is_built
    page.built.mkdir()
    (page.built / "index.html").write_text("")
    assert page.is_built


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_lockfile_names_no_registry(page: WebPage) -> None:
    lock = (page.sources / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry." not in lock


@pytest.mark.parametrize("source", ["package-lock.json", "index.html", "src/App.tsx", "src/parts/Table.tsx"])
def test_a_page_is_stale_once_a_source_is_newer(page: WebPage, source: str) -> None:
    changed, built = page.sources / source, page.built / "index.html"
    for path in (changed, built):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert not page.is_stale
    os.utime(changed, (built.stat().st_mtime + 1,) * 2)
    assert page.is_stale
    built.unlink()
    assert not page.is_stale, "it is not built, which is said in other words"
