"""What a locustfile imports: `from harness.locust import VoiceCallUser`.

A module of its own, for to import Locust is to patch the process with gevent: `import harness` must not do that.
"""

from __future__ import annotations

from harness.load.locust.user import VoiceCallUser

__all__ = ["VoiceCallUser"]
