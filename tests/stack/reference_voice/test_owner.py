from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.stack.reference_voice.owner import file_path, reference_of_owner


@pytest.mark.parametrize(("named", "told"), [("none.wav", "no reference audio"), ("ftp://a.example/b", "scheme 'ftp'")])
def test_what_the_owner_may_not_name(named: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        reference_of_owner(named, tmp_path, "agents.yaml")


def test_urls_stay_as_they_are_and_paths_become_file_urls(tmp_path: Path) -> None:
    (tmp_path / "a #1.wav").touch()
    url = reference_of_owner("a #1.wav", tmp_path, "agents.yaml")
    assert file_path(url) == tmp_path / "a #1.wav"
    assert reference_of_owner(url, Path("elsewhere"), "agents.yaml") == url
    assert reference_of_owner("https://a.example/b.wav", tmp_path, "agents.yaml") == "https://a.example/b.wav"
