"""`/api/agents/`: creates, shows, changes, lists and deletes agents. A change counts from the next session on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from harness.clock import SystemClock
from harness.stack.reference_voice.owner import file_path, is_file
from harness.stack.service.access import Access
from harness.stack.service.answers import AGENTS_PATH, SESSION_PATH, success
from harness.stack.service.fields import GreetingOrNone, Language, Line, Prompt, Url
from harness.stack.service.reading import read_model
from harness.stack.service.routes import add
from harness.stack.service.state import Service
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import (
    FIELDS,
    StoredAgent,
    all_agents,
    change_agent,
    delete_agent,
    known_agent,
    new_agent,
)

AGENT_PATH = f"{AGENTS_PATH}{{agent_id:agent_id}}/"


class _AgentId(StringConvertor):
    regex = f"(?!{SESSION_PATH.removeprefix(AGENTS_PATH)})[^/]+"  # that is the path of sessions


register_url_convertor("agent_id", _AgentId())


class NewAgent(BaseModel):
    """An agent to be created."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    system_prompt: Prompt
    greeting: GreetingOrNone = Field("", description="What it says first; empty for nothing.")
    language: Language = "en"
    reference_audio_url: Url | None = Field(None, description="A recording of the voice that it speaks like.")


class ChangedAgent(BaseModel):
    """What to change of an agent; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Line = ""
    system_prompt: Prompt = ""
    greeting: GreetingOrNone = ""
    language: Language = ""
    reference_audio_url: Url | None = Field(None, description="null: it speaks in its own voice again.")


class AgentShown(BaseModel):
    """An agent."""

    id: str
    name: str
    system_prompt: str
    greeting: str
    language: str
    reference_audio_url: str | None
    of_file: bool = Field(description="It is of the stack's agents file, which renews it at each start.")
    created: str
    changed: str


class AgentAnswer(BaseModel):
    """One agent."""

    success: Literal[True]
    message: str
    data: AgentShown


class AgentList(BaseModel):
    """All agents."""

    agents: list[AgentShown]


class AgentsAnswer(BaseModel):
    """All agents."""

    success: Literal[True]
    message: str
    data: AgentList


class NothingAnswer(BaseModel):
    """Done; there is nothing to tell."""

    success: Literal[True]
    message: str
    data: None


def agent_routes(service: Service, store: Store, access: Access) -> APIRouter:
    """The routes of agents."""
    clock = SystemClock()

    async def create(request: Request) -> Response:
        fields = (await read_model(request, NewAgent)).model_dump()

        def work(database: Any) -> StoredAgent:
            return known_agent(database, new_agent(database, fields, allowed=service.allowed, at=clock.utc()))

        return success(shown(await store.run(work)), HTTPStatus.CREATED)

    async def show_all(_request: Request) -> Response:
        return success({"agents": [shown(agent) for agent in await store.read(all_agents)]})

    async def show(_request: Request, agent_id: str) -> Response:
        return success(shown(await store.read(lambda database: known_agent(database, agent_id))))

    async def change(request: Request, agent_id: str) -> Response:
        fields = (await read_model(request, ChangedAgent)).model_dump(exclude_unset=True)

        def work(database: Any) -> StoredAgent:
            change_agent(database, agent_id, fields, allowed=service.allowed, at=clock.utc())
            return known_agent(database, agent_id)

        return success(shown(await store.run(work)))

    async def delete(_request: Request, agent_id: str) -> Response:
        store.remove_passages(await store.run(lambda database: delete_agent(database, agent_id)))
        return success(None)

    router = APIRouter(tags=["agents"], dependencies=[Depends(access)])
    sent, known = (400, 401, 403, 413, 415, 500, 503), (400, 401, 403, 404, 500, 503)
    add(router, "POST", AGENTS_PATH, create, body=NewAgent, answer=AgentAnswer, refused=(*sent, 409), status=201)
    add(router, "GET", AGENTS_PATH, show_all, answer=AgentsAnswer, refused=(400, 401, 403, 500, 503))
    add(router, "GET", AGENT_PATH, show, answer=AgentAnswer, refused=known)
    add(router, "PATCH", AGENT_PATH, change, body=ChangedAgent, answer=AgentAnswer, refused=(*sent, 404))
    add(router, "DELETE", AGENT_PATH, delete, answer=NothingAnswer, refused=(*known, 409))
    return router


def shown(agent: StoredAgent) -> dict[str, Any]:
    """An agent as `AgentShown`; of a reference voice that is a file only the name, for clients need no path of ours."""
    names = ("id", *FIELDS, "of_file", "created", "changed")
    found = {name: getattr(agent, name) for name in names}
    if agent.reference_audio_url is not None and is_file(agent.reference_audio_url):
        found["reference_audio_url"] = f"file:{file_path(agent.reference_audio_url).name}"
    return found
