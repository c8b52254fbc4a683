"""voice-harness: calls a voice agent over LiveKit and measures how it behaves."""

__version__ = "0.1.0"
