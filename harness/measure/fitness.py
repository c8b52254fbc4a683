"""Whether the harness itself was fit to measure a turn. Network jitter is never held against it."""

from __future__ import annotations

from harness.clock import NS_PER_MS
from harness.measure.spans import CallSpans

LATE_SHARE = 0.01  # over 1 % of the packets over 20 ms late: an agent's endpointing hears such gaps
MUCH_LATE_MS = 100.0
PACKET_MS = 10.0
READ_LATE_MS = 10.0


def unfit_reasons(spans: CallSpans, start_ns: int, end_ns: int, onset_ns: int | None) -> list[str]:
    """Why the harness was not fit between two times, each a sentence; empty where it was."""
    reasons = []
    late = [event["late_ms"] for event in spans.late if start_ns <= event["t"] <= end_ns]
    packets = max(1.0, (end_ns - start_ns) / NS_PER_MS / PACKET_MS)
    if late and max(late) > MUCH_LATE_MS:
        reasons.append(f"a packet left {max(late):.0f} ms late")
    elif len(late) / packets > LATE_SHARE:
        reasons.append(f"{len(late)} of {packets:.0f} packets left over 20 ms late")
    if any(start_ns <= t_ns <= end_ns for t_ns in spans.overflows):
        reasons.append("a receive queue overflowed")
    read_late_ms = spans.read_late_ms.get(onset_ns, 0.0) if onset_ns is not None else 0.0
    if read_late_ms > READ_LATE_MS:
        reasons.append(f"our own reading lagged by {read_late_ms:.0f} ms at the agent's onset")
    return reasons
