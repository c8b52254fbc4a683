"""The import for a locustfile: `from harness.locust import VoiceCallUser`.

A module of its own, because importing Locust patches the process with gevent: `import harness` must not do that.
"""

from __future__ import annotations

from harness.load.locust.user import VoiceCallUser

__all__ = ["VoiceCallUser"]
