"""A measured recording as tables in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.console import metrics_table

if TYPE_CHECKING:
    from rich.console import Console

    from harness.recordings.foreign import MeasuredRecording, RecordedTurn, Sound

_COLUMNS = ("turn", "kind", "caller", "TTFA", "talk-over", "dead air", "stop", "")


def print_recording(console: Console, measured: MeasuredRecording) -> None:
    """Prints the turns, the metrics and the notes of a measured recording."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(_COLUMNS):
        table.add_column(name, justify="left" if number in {1, len(_COLUMNS) - 1} else "right", no_wrap=True)
    for turn in measured.turns:
        table.add_row(*_row(turn))
    console.print(table)
    console.print(metrics_table(measured.metrics, ("min", "p50", "p95", "max")))
    for who, sound in (("caller", measured.caller_sound), ("agent", measured.agent_sound)):
        console.print(f"{who}: {_sound(sound)}")
    for note in measured.notes:
        console.print(f"note: {note}")
    console.print(
        f"{measured.file}: {measured.duration_s:,.1f} s, caller {measured.caller}; from the sound alone: the times are "
        "the recording's"
    )


def _row(turn: RecordedTurn) -> list[str]:
    said = "interrupted by the agent" if turn.interrupted else ""
    if turn.agent_onset_ms is None and not turn.interrupted:
        said = "undecided: the caller's own voice" if turn.own_voice_db is not None else "no reply"
    elif turn.doubtful:
        said = f"{said}, doubtful" if said else "doubtful"
    return [
        str(turn.turn),
        turn.kind,
        f"{turn.caller_start_ms / 1000:,.2f} to {turn.caller_end_ms / 1000:,.2f} s",
        _ms(turn.ttfa_ms),
        _ms(turn.talk_over_ms),
        _ms(turn.dead_air_ms),
        _ms(turn.stop_ms),
        said,
    ]


def _sound(sound: Sound) -> str:
    if sound.level_dbfs is None:
        return "no voice of its own"
    broke = f"broke off {sound.dropouts} times ({sound.dropout_ms:.0f} ms)" if sound.dropouts else "never broke off"
    return f"{sound.level_dbfs:.1f} dBFS, {100 * (sound.clipped or 0.0):.2f} % clipped, {broke}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} ms"
