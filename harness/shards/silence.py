"""When a shard has been silent for so long that it is frozen: a call in it would never end. Pure."""

from __future__ import annotations

READY_S = 60.0
SILENT_S = 30.0  # a shard tells of itself once a second
LOOK_S = 1.0


def stood_still(looked_s: float, now_s: float) -> bool:
    """Whether we, or the whole machine, stood still since the last look: no shard is to blame for that time."""
    return now_s - looked_s > 2 * LOOK_S


class Silence:
    """One for each shard, looked at every `LOOK_S`; times in seconds of one monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self._heard_s = self._looked_s = now_s

    def heard(self, now_s: float) -> None:
        """The shard said something."""
        self._heard_s = now_s

    def look(self, now_s: float, *, ready: bool) -> str | None:
        """Why it is taken for frozen, if it is; before it was `ready` it has longer."""
        slept = stood_still(self._looked_s, now_s)
        self._looked_s = now_s
        if slept:  # what it said meanwhile is not read yet
            self._heard_s = now_s
        limit_s = SILENT_S if ready else READY_S
        return f"it said nothing for {limit_s:g} s" if now_s - self._heard_s > limit_s else None
