"""`voice-harness stack agent`: the stored agents of `stack up --data`.

It works on the database, so the stack need not run, and no key has to be at hand; a stack that runs reads the database
at each session. What reaches into this machine is set here or in the agents file only, never over HTTP: a program as an
MCP server, and a file as a reference voice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.stack_database import DataOption, checked, database
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.stack.service.allowed import Allowed

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
VOICE = "--reference-audio"
VoiceOption = Annotated[
    str | None,
    typer.Option(
        VOICE,
        metavar="FILE|URL",
        help="A recording of the voice that it speaks like: a sound file of this machine, or an https URL.",
    ),
]
PrivateUrlsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-private-urls",
        metavar="HOST[:PORT],…",
        help=f"Private hosts that {VOICE} may name; `stack up` needs the same.",
    ),
]


@app.command("create")
def create(
    data: DataOption,
    prompt: PromptOption,
    name: NameOption = None,
    greeting: GreetingOption = None,
    language: LanguageOption = None,
    voice: VoiceOption = None,
    private_urls: PrivateUrlsOption = None,
) -> int:
    """Create an agent and print its id."""
    from harness.clock import SystemClock
    from harness.stack.service.agents import NewAgent
    from harness.stack.service.stored_agents import new_agent

    given = _given(name=name or "agent", prompt=prompt, greeting=greeting, language=language, voice=voice)
    fields, allowed, at = checked(NewAgent, given).model_dump(), _allowed(private_urls), SystemClock().utc()
    with database(data, create=True) as store:
        typer.echo(store.run_now(lambda opened: new_agent(opened, fields, allowed=allowed, at=at)))
    return 0


@app.command("list")
def show_all(data: DataOption) -> int:
    """List the agents: id, name, language, and the first words of the greeting."""
    from harness.stack.service.stored_agents import all_agents

    with database(data) as store:
        found = store.run_now(all_agents)
    for agent in found:
        of_file = "  (agents file)" if agent.of_file else ""
        greeting = " ".join(agent.greeting.split())[:60]
        typer.echo(f"{agent.id}  {agent.name}  {agent.language}  {greeting}{of_file}".rstrip())
    return 0


@app.command("show")
def show(agent_id: AgentId, data: DataOption) -> int:
    """Print an agent as JSON, with its documents and MCP servers."""
    from harness.stack.service.agents import shown
    from harness.stack.service.stored_agents import known_agent
    from harness.stack.service.stored_documents import documents_of
    from harness.stack.service.stored_servers import servers_of

    def read(opened: Any) -> dict[str, Any]:
        agent = known_agent(opened, agent_id)
        own = {"reference_audio_url": agent.reference_audio_url, "documents": documents_of(opened, agent_id)}
        kept = {name: server.model_dump(exclude_none=True) for name, server in servers_of(opened, agent_id).items()}
        return shown(agent) | own | {"mcp_servers": kept}

    with database(data) as store:
        typer.echo(json.dumps(store.run_now(read), indent=2, ensure_ascii=False))
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
    own_voice: Annotated[bool, typer.Option("--no-reference-audio", help="It speaks in its own voice again.")] = False,
    private_urls: PrivateUrlsOption = None,
) -> int:
    """Change an agent; its next session has the change."""
    from harness.clock import SystemClock
    from harness.stack.service.agents import ChangedAgent
    from harness.stack.service.stored_agents import change_agent

    if own_voice and voice is not None:
        raise UsageError(f"{VOICE} and --no-reference-audio contradict each other", hint="leave out one of them")
    given: dict[str, str | None] = {"reference_audio_url": None} if own_voice else {}
    given |= _given(name=name, prompt=prompt, greeting=greeting, language=language, voice=voice)
    if not given:
        raise UsageError("nothing to change", hint=f"add --prompt, --greeting, --language, --name or {VOICE}")
    fields, at = checked(ChangedAgent, given).model_dump(exclude_unset=True), SystemClock().utc()
    allowed = _allowed(private_urls)
    with database(data) as store:
        store.run_now(lambda opened: change_agent(opened, agent_id, fields, allowed=allowed, at=at))
    typer.echo(f"{agent_id} is changed")
    return 0


@app.command("delete")
def delete(agent_id: AgentId, data: DataOption) -> int:
    """Delete an agent, with its documents and MCP servers."""
    from harness.stack.service.stored_agents import delete_agent

    with database(data) as store:
        store.remove_passages(store.run_now(lambda opened: delete_agent(opened, agent_id)))
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
    from harness.stack.service.stored_documents import keep_document

    document, at = read_file(file), SystemClock().utc()
    with database(data) as store:
        kept = store.run_now(lambda opened: keep_document(opened, store, agent_id, document, at=at))
    typer.echo(f"{kept['id']}  {kept['name']}: {kept['passages']} passages")
    return 0


@documents.command("remove")
def remove_document(
    agent_id: AgentId,
    document_id: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its id, from `stack agent show`.")],
    data: DataOption,
) -> int:
    """Detach a document."""
    from harness.stack.service.stored_documents import forget_document

    with database(data) as store:
        store.run_now(lambda opened: forget_document(opened, agent_id, document_id))
        store.remove_passages([document_id])
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

    from harness.stack.service.stored_servers import NamedServer, keep_server
    from harness.stack.tools.declared import McpServer

    program = None if command is None else shlex.split(command)
    cwd = None if command is None else str(Path.cwd())
    given = {"url": url, "command": program, "token_env": token_env, "cwd": cwd}
    declared = checked(McpServer, {key: value for key, value in given.items() if value is not None})
    named = checked(NamedServer, {"name": name})
    with database(data) as store:
        store.run_now(lambda opened: keep_server(opened, agent_id, named.name, declared))
    typer.echo(f"{name} is added to {agent_id}")
    return 0


@servers.command("remove")
def remove_server(
    agent_id: AgentId, name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")], data: DataOption
) -> int:
    """Detach an MCP server."""
    from harness.stack.service.stored_servers import forget_server

    with database(data) as store:
        store.run_now(lambda opened: forget_server(opened, agent_id, name))
    typer.echo(f"{name} is removed from {agent_id}")
    return 0


def _given(
    *, name: str | None, prompt: str | None, greeting: str | None, language: str | None, voice: str | None
) -> dict[str, str]:
    """The fields that were given; a prompt's file is read, and a reference voice's is checked."""
    from harness.errors import Place
    from harness.scenario.prompt import read_prompt

    text = None if prompt is None else read_prompt(prompt, Path(), Place("--prompt")).text
    given = {
        "name": name,
        "system_prompt": text,
        "greeting": greeting,
        "language": language,
        "reference_audio_url": None if voice is None else _reference(voice),
    }
    return {key: value for key, value in given.items() if value is not None}


def _reference(named: str) -> str:
    """A reference voice as a URL; a file is checked now, so that the error reaches the person who names it.

    Raises:
        ConfigError: There is no such file, or it holds no voice.
    """
    from harness.errors import ConfigError
    from harness.stack.reference_voice.owner import is_file, reference_of_owner
    from harness.stack.reference_voice.references import file_content, measure
    from harness.stack.reference_voice.refused import RefusedError

    url = reference_of_owner(named, Path(), VOICE)
    if is_file(url):
        try:
            measure(file_content(url))
        except RefusedError as problem:
            what = f"{named} {str(problem).rstrip('.')}"
            raise ConfigError(what, where=VOICE, hint="use a recording of one person's speech") from None
    return url


def _allowed(private_urls: list[str] | None) -> Allowed:
    """What a reference voice may be that is named by a command: also a file."""
    from harness.stack.reference_voice.url_rules import PrivateHosts
    from harness.stack.service.allowed import Allowed

    return Allowed(PrivateHosts.parse(private_urls or ()), files=True)
