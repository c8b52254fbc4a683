"""One speech worker for the tests of a module: its models are loaded once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.stack.speech import Speech


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Speech]:
    speech = await Speech.start(cache_dir=tmp_path_factory.mktemp("cache"))
    yield speech
    await speech.close()
