"""A project of a user for each test."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.project import Project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)
