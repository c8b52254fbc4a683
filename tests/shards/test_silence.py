"""When a shard is taken for frozen."""

from __future__ import annotations

from harness.shards.silence import LOOK_S, READY_S, SILENT_S, Silence


def looks(silence: Silence, from_s: float, to_s: float, *, ready: bool = True) -> list[str | None]:
    count = round((to_s - from_s) / LOOK_S)
    return [silence.look(from_s + LOOK_S * number, ready=ready) for number in range(1, count + 1)]


def test_a_shard_that_says_nothing_any_more_is_frozen() -> None:
    silence = Silence(100.0)
    silence.heard(105.0)
    assert set(looks(silence, 100.0, 105.0 + SILENT_S)) == {None}
    assert silence.look(106.0 + SILENT_S, ready=True) == "it sent nothing for 30 s"


def test_before_it_is_ready_it_has_longer() -> None:
    silence = Silence(0.0)
    assert set(looks(silence, 0.0, READY_S, ready=False)) == {None}
    assert silence.look(READY_S + 1.0, ready=False) is not None


def test_where_we_stood_still_ourselves_no_shard_is_blamed() -> None:
    silence = Silence(0.0)
    assert set(looks(silence, 0.0, 10.0)) == {None}
    assert silence.look(500.0, ready=True) is None, "the machine slept"
    assert set(looks(silence, 500.0, 500.0 + SILENT_S)) == {None}
    assert silence.look(501.0 + SILENT_S, ready=True) is not None
