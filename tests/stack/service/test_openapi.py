"""The OpenAPI document comes from the models; Schemathesis looks for answers that it does not describe."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness.stack.service.store import Store
from tests.stack.service.running import KEY, running


async def test_it_tells_statuses_and_the_key_as_the_service_answers_them(tmp_path: Path) -> None:
    store = Store.opened(tmp_path)
    async with running(store) as service, service.http.get(f"{service.host}/openapi.json") as answer:
        document = await answer.json()
    store.close()
    session = document["paths"]["/api/agents/agent-session/"]["post"]
    assert {"200", "400", "401", "403", "404", "413", "415", "429", "500"} <= set(session["responses"])
    assert "422" not in str(document["paths"])
    assert list(document["paths"]["/api/agents/agent-session"]["post"]["responses"]) == ["301"]
    assert session["security"] == [{"APIKeyHeader": []}]
    assert document["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "x-api-key"
    body = session["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["agent"]
    assert set(body["properties"]) == {"agent", "language", "system_prompt", "greeting", "reference_audio_url"}


async def test_schemathesis_finds_no_answer_that_the_document_does_not_describe(tmp_path: Path) -> None:
    store = Store.opened(tmp_path / "data")
    async with running(store, faults={"demo": None}) as service:
        await service.create()
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.host}/openapi.json",
            *("--header", f"x-api-key: {KEY.reveal()}", "--max-examples", "4", "--seed", "1", "--no-color"),
            *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
            *("--request-timeout", "10", "--phases", "examples,fuzzing"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    store.close()
    assert process.returncode == 0, said.decode()[-6000:]
