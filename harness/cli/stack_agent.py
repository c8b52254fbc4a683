"""`voice-harness stack agent`: the stored agents of `stack up --data`.

It works on the database, so the stack need not run, and no key has to be at hand; a stack that runs reads the database
at each session. A program as an MCP server is set here or in the agents file only, never over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from harness.cli.stack_key import DataOption
from harness.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from harness.stack.service.store import Store

T = TypeVar("T")

app = typer.Typer(help="Agents of `stack up --data`; also while the stack runs.", no_args_is_help=True)
documents = typer.Typer(help="The documents that an agent answers from.", no_args_is_help=True)
servers = typer.Typer(help="The MCP servers whose tools an agent calls.", no_args_is_help=True)
app.add_typer(documents, name="document")
app.add_typer(servers, name="mcp")

AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id, from `stack agent list`.")]
NameOption = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="A name for people.")]
PromptOption = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEXT|FILE", help="Its system prompt, or a .md or .txt file with it."),
]
GreetingOption = Annotated[str | None, typer.Option("--greeting", metavar="TEXT", help="What it says first.")]
LanguageOption = Annotated[str | None, typer.Option("--language", metavar="en", help="The language that it speaks.")]
VoiceOption = Annotated[
    str | None,
    typer.Option("--reference-audio-url", metavar="URL", help="A recording of the voice that it speaks like."),
]


@app.command("create")
def create(
    data: DataOption,
    prompt: PromptOption,
    name: NameOption = None,
    greeting: GreetingOption = None,
    language: LanguageOption = None,
    voice: VoiceOption = None,
) -> int:
    """Create an agent and print its id."""
    from harness.clock import SystemClock
    from harness.stack.service.agents import NewAgent
    from harness.stack.service.stored_agents import new_agent

    given = _given(name=name or "agent", prompt=prompt, greeting=greeting, language=language, voice=voice)
    fields, at = _checked(NewAgent, given).model_dump(), SystemClock().utc()
    typer.echo(
        _with(data, lambda store: store.run_now(lambda database: new_agent(database, fields, at=at)), create=True)
    )
    return 0


@app.command("list")
def show_all(data: DataOption) -> int:
    """List the agents: id, name, language, and the first words of the greeting."""
    from harness.stack.service.stored_agents import all_agents

    for agent in _with(data, lambda store: store.run_now(all_agents)):
        of_file = "  (agents file)" if agent.of_file else ""
        typer.echo(
            f"{agent.id}  {agent.name}  {agent.language}  {' '.join(agent.greeting.split())[:60]}{of_file}".rstrip()
        )
    return 0


@app.command("show")
def show(agent_id: AgentId, data: DataOption) -> int:
    """Print an agent as JSON, with its documents and MCP servers."""
    from harness.stack.service.agents import shown
    from harness.stack.service.documents import documents_of
    from harness.stack.service.mcp_servers import servers_of

    def read(database: Any) -> dict[str, Any]:
        agent = _known(database, agent_id)
        kept = {name: server.model_dump(exclude_none=True) for name, server in servers_of(database, agent_id).items()}
        return shown(agent) | {"documents": documents_of(database, agent_id), "mcp_servers": kept}

    typer.echo(json.dumps(_with(data, lambda store: store.run_now(read)), indent=2, ensure_ascii=False))
    return 0


@app.command("change")
def change(
    agent_id: AgentId,
    data: DataOption,
    prompt: PromptOption = None,
    name: NameOption = None,
    greeting: GreetingOption = None,
    language: LanguageOption = None,
    voice: VoiceOption = None,
) -> int:
    """Change an agent; its next session has the change."""
    from harness.clock import SystemClock
    from harness.stack.service.agents import ChangedAgent
    from harness.stack.service.stored_agents import change_agent

    given = _given(name=name, prompt=prompt, greeting=greeting, language=language, voice=voice)
    if not given:
        raise UsageError(
            "nothing to change", hint="add --prompt, --greeting, --language, --name or --reference-audio-url"
        )
    fields, at = _checked(ChangedAgent, given).model_dump(exclude_unset=True), SystemClock().utc()

    def work(database: Any) -> None:
        _known(database, agent_id)
        change_agent(database, agent_id, fields, at=at)

    _with(data, lambda store: store.run_now(work))
    typer.echo(f"{agent_id} is changed")
    return 0


@app.command("delete")
def delete(agent_id: AgentId, data: DataOption) -> int:
    """Delete an agent, with its documents and MCP servers."""
    from harness.stack.service.stored_agents import delete_agent

    def work(store: Store) -> None:
        def in_database(database: Any) -> list[str]:
            if _known(database, agent_id).of_file:
                raise UsageError(f"{agent_id} is of the agents file", hint="remove it there")
            return delete_agent(database, agent_id)

        store.remove_passages(store.run_now(in_database))

    _with(data, work)
    typer.echo(f"{agent_id} is deleted")
    return 0


@documents.command("add")
def add_document(
    agent_id: AgentId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A text, Markdown, HTML or PDF file.")],
    data: DataOption,
) -> int:
    """Attach a document; the agent answers from it what its prompt does not hold."""
    from harness.clock import SystemClock
    from harness.stack.knowledge import read_file
    from harness.stack.service.documents import keep_document

    document, at = read_file(file), SystemClock().utc()

    def work(store: Store) -> dict[str, Any]:
        def in_database(database: Any) -> dict[str, Any]:
            _known(database, agent_id)
            return keep_document(database, store, agent_id, document, at=at)

        return store.run_now(in_database)

    kept = _with(data, work)
    typer.echo(f"{kept['id']}  {kept['name']}: {kept['passages']} passages")
    return 0


@documents.command("remove")
def remove_document(
    agent_id: AgentId,
    document_id: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its id, from `stack agent show`.")],
    data: DataOption,
) -> int:
    """Detach a document."""
    from harness.stack.service.documents import forget_document

    def work(store: Store) -> None:
        if not store.run_now(lambda database: forget_document(database, agent_id, document_id)):
            raise UsageError(f"agent {agent_id!r} has no document {document_id!r}", hint="see `stack agent show`")
        store.remove_passages([document_id])

    _with(data, work)
    typer.echo(f"{document_id} is removed")
    return 0


@servers.command("add")
def add_server(
    agent_id: AgentId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for the server.")],
    data: DataOption,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="A server over streamable HTTP.")] = None,
    command: Annotated[
        str | None,
        typer.Option("--command", metavar="'PROGRAM ARGUMENT…'", help="A program that speaks MCP over stdio."),
    ] = None,
    token_env: Annotated[
        str | None, typer.Option("--token-env", metavar="NAME", help="With --url: the variable that holds its token.")
    ] = None,
) -> int:
    """Attach an MCP server: one at a URL, or a program that each session starts for itself."""
    import shlex

    from harness.stack.service.mcp_servers import keep_server, servers_of
    from harness.stack.tools.declared import McpServer

    program = None if command is None else shlex.split(command)
    given = {
        "url": url,
        "command": program,
        "token_env": token_env,
        "cwd": None if command is None else str(Path.cwd()),
    }
    declared = _checked(McpServer, {key: value for key, value in given.items() if value is not None})

    def work(database: Any) -> None:
        _known(database, agent_id)
        if name in servers_of(database, agent_id):
            raise UsageError(f"agent {agent_id!r} has an MCP server {name!r} already", hint="remove it first")
        keep_server(database, agent_id, name, declared)

    _with(data, lambda store: store.run_now(work))
    typer.echo(f"{name} is added to {agent_id}")
    return 0


@servers.command("remove")
def remove_server(
    agent_id: AgentId, name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")], data: DataOption
) -> int:
    """Detach an MCP server."""
    from harness.stack.service.mcp_servers import forget_server

    if not _with(data, lambda store: store.run_now(lambda database: forget_server(database, agent_id, name))):
        raise UsageError(f"agent {agent_id!r} has no MCP server {name!r}", hint="see `stack agent show`")
    typer.echo(f"{name} is removed from {agent_id}")
    return 0


def _with(data: Path, work: Callable[[Store], T], *, create: bool = False) -> T:
    """Carries out `work` on the database of the folder."""
    from harness.stack.service.store import Store

    store = Store.opened(data, create=create)
    try:
        return work(store)
    finally:
        store.close()


def _known(database: Any, agent_id: str) -> Any:
    from harness.parsing.plain_words import nearest
    from harness.stack.service.stored_agents import all_agents, find_agent

    agent = find_agent(database, agent_id)
    if agent is None:
        known = [each.id for each in all_agents(database)]
        alike = nearest(agent_id, known)
        what = f"there is no agent {agent_id!r}" + (f"; did you mean {alike!r}?" if alike else "")
        raise UsageError(
            what, hint=f"use one of: {', '.join(known[:20])}" if known else "create one: stack agent create"
        )
    return agent


def _given(
    *, name: str | None, prompt: str | None, greeting: str | None, language: str | None, voice: str | None
) -> dict[str, str]:
    """The fields that were given; a prompt's file is read."""
    from harness.errors import Place
    from harness.scenario.prompt import read_prompt

    text = None if prompt is None else read_prompt(prompt, Path(), Place("--prompt")).text
    given = {
        "name": name,
        "system_prompt": text,
        "greeting": greeting,
        "language": language,
        "reference_audio_url": voice,
    }
    return {key: value for key, value in given.items() if value is not None}


M = TypeVar("M", bound="BaseModel")


def _checked(model: type[M], fields: dict[str, Any]) -> M:
    """Validates what was given.

    Raises:
        UsageError: A field is wrong.
    """
    from pydantic import ValidationError

    from harness.stack.service.fields import wrong_fields

    try:
        return model.model_validate(fields)
    except ValidationError as problem:
        raise UsageError(wrong_fields(problem.errors(include_url=False)).rstrip(".")) from None
