"""`POST /api/agents/agent-session/`: creates a session, as section 2 of the contract says."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from harness.stack.service import faults
from harness.stack.service.access import Access, count_session
from harness.stack.service.answers import SESSION_PATH, RefusedError, SessionAnswer, new_identity, new_room, session
from harness.stack.service.fields import Greeting, Language, Line, Prompt, Url
from harness.stack.service.reading import read_model
from harness.stack.service.routes import add
from harness.stack.service.state import Service
from harness.stack.tokens import caller_token


class SessionBody(BaseModel):
    """The agent, and what to override for this session; what is left out is the agent's own.

    Fields that the contract does not define are ignored.
    """

    agent: Line
    language: Language = ""
    system_prompt: Prompt = ""
    greeting: Greeting = ""
    reference_audio_url: Url = ""

    def overrides(self) -> dict[str, str]:
        """The fields that were sent, but for `agent`."""
        return {name: text for name, text in self.model_dump(exclude_unset=True).items() if name != "agent"}


def session_routes(service: Service, access: Access) -> APIRouter:
    """The route that creates sessions."""

    async def create(request: Request) -> Response:
        body = await read_model(request, SessionBody)
        overrides = body.overrides()
        service.allowed.check(overrides.get("reference_audio_url"))
        stored = await service.stored(body.agent)
        if stored is None and body.agent not in service.faults:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"agent: There is no agent {body.agent!r}.")
        count_session(service.limit, request.state.key_id)
        fault = service.faults.get(body.agent)
        if fault is not None:
            answer = await faults.answer(fault, request, service, body.agent)
            if answer is not None:
                return answer
        wanted = service.shape(body.agent).token
        room, identity = new_room(), new_identity()
        if wanted.shared:
            room, identity = service.shared.setdefault(body.agent, (room, identity))
        service.on_session(room, body.agent, identity)
        await service.dispatch(room, body.agent, overrides, spec=stored)
        token = caller_token(service.keys, room, identity, without=wanted.without)
        return session(token.reveal(), await service.url(body.agent, room), room)

    router = APIRouter(tags=["sessions"], dependencies=[Depends(access)])
    refused = (400, 401, 403, 404, 413, 415, 429, 500, 503)
    add(router, "POST", SESSION_PATH, create, body=SessionBody, answer=SessionAnswer, refused=refused)
    return router
