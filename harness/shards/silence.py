"""Detects frozen shards: one that is silent for too long would never end its calls. Pure."""

from __future__ import annotations

READY_S = 60.0
SILENT_S = 30.0  # a shard sends a message once a second
LOOK_S = 1.0


def stood_still(looked_s: float, now_s: float) -> bool:
    """Returns whether we, or the whole machine, were suspended since the last look: no shard is to blame then."""
    return now_s - looked_s > 2 * LOOK_S


class Silence:
    """The silence of one shard, checked every `LOOK_S`. Times are in seconds of one monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self._heard_s = self._looked_s = now_s

    def heard(self, now_s: float) -> None:
        """Records that the shard sent a message."""
        self._heard_s = now_s

    def look(self, now_s: float, *, ready: bool) -> str | None:
        """Returns why the shard counts as frozen; None if it does not. It has more time before it is `ready`."""
        slept = stood_still(self._looked_s, now_s)
        self._looked_s = now_s
        if slept:  # its messages from that time are not read yet
            self._heard_s = now_s
        limit_s = SILENT_S if ready else READY_S
        return f"it sent nothing for {limit_s:g} s" if now_s - self._heard_s > limit_s else None
