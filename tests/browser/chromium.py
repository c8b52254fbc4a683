"""Real headless Chromium: where it is found, how it is started, and what it hears and speaks."""

from __future__ import annotations

import shutil
import sys
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Playwright, async_playwright

from harness.audio_files.pcm import as_int16
from harness.audio_files.wav import read_wav

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_INSTALL = f"{Path(sys.executable).name} -m playwright install --with-deps chromium"
RATE = 48_000
STARTS_WITHIN_MS = 120_000

# Notes in `voices` when the caller's microphone and the agent's voice are loud: [{who, at_ms, until_ms}, …].
LISTENER = """
window.voices = [];
const LOUD = 0.006, QUIET_MS = 300, EVERY_MS = 5;
const listen = (who, stream) => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 256;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let voice = null;
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length) > LOUD;
    const now = performance.now();
    if (loud && (voice === null || now - voice.until_ms > QUIET_MS)) {
      voice = { who, at_ms: now, until_ms: now };
      window.voices.push(voice);
    } else if (loud) {
      voice.until_ms = now;
    }
  }, EVERY_MS);
};
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) {
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    listen('caller', stream);
    return stream;
  };
}
const heard = new WeakSet();
new MutationObserver(() => {
  for (const element of document.querySelectorAll('audio')) {
    if (element.srcObject && !heard.has(element)) {
      heard.add(element);
      listen('agent', element.srcObject);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""


def find(playwright: Playwright) -> str:
    """Chromium's path: a system's, or else Playwright's own."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.fail(f"there is no Chromium; install one: {HOW_TO_INSTALL}")
    return own


@asynccontextmanager
async def chromium(microphone: Path, *options: str) -> AsyncIterator[Browser]:
    """A browser whose microphone plays this WAV once."""
    arguments = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--allow-loopback-in-peer-connection",
        *options,
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find(playwright), args=arguments, timeout=STARTS_WITHIN_MS
        )
        yield browser
        await browser.close()


def write_microphone(path: Path, parts: Sequence[float | Path]) -> Path:
    """Writes what a caller says: seconds of silence, and WAVs, one after the other."""
    pieces = [np.zeros(int(part * RATE)) if isinstance(part, float) else read_wav(part).samples for part in parts]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(as_int16(np.concatenate(pieces).astype(np.float32)).tobytes())
    return path
