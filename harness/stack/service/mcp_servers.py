"""`/api/agents/ID/mcp-servers/`: the MCP servers whose tools an agent calls, over streamable HTTP.

A program (stdio) is never set here: that would let a client run one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from harness.stack.service.access import Access
from harness.stack.service.agents import AGENT_PATH, NothingAnswer
from harness.stack.service.answers import RefusedError, success
from harness.stack.service.fields import Line, Url, wrong_fields
from harness.stack.service.reading import read_model
from harness.stack.service.routes import add
from harness.stack.service.store import Store
from harness.stack.service.stored_servers import NamedServer, forget_server, keep_server, known_server, servers_of
from harness.stack.tools.declared import TOKEN_PREFIX, McpServer, missing_extra

SERVERS_PATH = f"{AGENT_PATH}mcp-servers/"
SERVER_PATH = f"{SERVERS_PATH}{{name}}/"

Variable = Annotated[str, Field(pattern=rf"^{TOKEN_PREFIX}[A-Za-z0-9_]*$", max_length=100)]


class NewServer(NamedServer):
    """An MCP server for an agent."""

    url: Url
    token_env: Variable | None = Field(
        None,
        description=f"The stack's variable with the token for `url`; its name begins with {TOKEN_PREFIX}.",
    )
    timeout: Line = Field("5s", description="For listing its tools, and for each call.")


class ServerShown(BaseModel):
    """An MCP server of an agent."""

    name: str
    url: str
    token_env: str | None
    timeout: str


class ServerAnswer(BaseModel):
    """One MCP server."""

    success: Literal[True]
    message: str
    data: ServerShown


class ServerList(BaseModel):
    """All MCP servers of an agent."""

    mcp_servers: list[ServerShown]


class ServersAnswer(BaseModel):
    """All MCP servers of an agent."""

    success: Literal[True]
    message: str
    data: ServerList


def mcp_routes(store: Store, access: Access) -> APIRouter:
    """The routes of an agent's MCP servers."""

    async def attach(request: Request, agent_id: str) -> Response:
        body = await read_model(request, NewServer)
        declared = _declared(body)

        await store.run(lambda database: keep_server(database, agent_id, body.name, declared))
        return success(_shown(body.name, declared), HTTPStatus.CREATED)

    async def show_all(_request: Request, agent_id: str) -> Response:
        found = await store.read(lambda database: servers_of(database, agent_id))
        return success({"mcp_servers": [_shown(name, declared) for name, declared in found.items()]})

    async def show(_request: Request, agent_id: str, name: str) -> Response:
        return success(_shown(name, await store.read(lambda database: known_server(database, agent_id, name))))

    async def remove(_request: Request, agent_id: str, name: str) -> Response:
        await store.run(lambda database: forget_server(database, agent_id, name))
        return success(None)

    router = APIRouter(tags=["MCP servers"], dependencies=[Depends(access)])
    known = (400, 401, 403, 404, 500, 503)
    sent = (*known, 409, 413, 415)
    add(router, "POST", SERVERS_PATH, attach, body=NewServer, answer=ServerAnswer, refused=sent, status=201)
    add(router, "GET", SERVERS_PATH, show_all, answer=ServersAnswer, refused=known)
    add(router, "GET", SERVER_PATH, show, answer=ServerAnswer, refused=known)
    add(router, "DELETE", SERVER_PATH, remove, answer=NothingAnswer, refused=known)
    return router


def _declared(body: NewServer) -> McpServer:
    hint = missing_extra()
    if hint is not None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"MCP is not installed on the stack's machine; {hint}.")
    try:
        return McpServer(url=body.url, token_env=body.token_env, timeout=body.timeout)
    except ValidationError as problem:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, wrong_fields(problem.errors(include_url=False), whole="url")
        ) from None


def _shown(name: str, server: McpServer) -> dict[str, Any]:
    return {"name": name, "url": server.url, "token_env": server.token_env, "timeout": server.timeout}
