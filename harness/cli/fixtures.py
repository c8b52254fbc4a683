"""`voice-harness fixtures`: makes WAV fixtures from texts, and checks all fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.errors import EXIT_OK, EXIT_USAGE
from harness.text.counted import counted

app = typer.Typer(help="WAV fixtures: create them from text, check them against their manifest.", no_args_is_help=True)
FolderOption = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The folder with the manifest.")]
HERE = Path("audio_fixtures")


@app.command("say")
def say(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text to speak.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The fixture's name; derived from the text by default.")
    ] = None,
    voice: Annotated[str | None, typer.Option("--voice", help="joe (English), espeak (any), or cough.")] = None,
    language: Annotated[str, typer.Option("--language", help="Such as en, fr, de.")] = "en",
    folder: FolderOption = HERE,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing fixture of that name.")] = False,
) -> int:
    """Speak a text into a new fixture; no network is needed."""
    import asyncio

    from harness.cli.pictures import show
    from harness.stack.speech import Speech
    from harness.utterances.find import load_wav
    from harness.utterances.picture import picture_of
    from harness.utterances.say import make_fixture

    async def make() -> Path:
        speech = await Speech.start()
        try:
            spoken_by = voice or ("joe" if language.startswith("en") else "espeak")
            return await make_fixture(
                text, out_dir=folder, speech=speech, name=name, voice=spoken_by, language=language, force=force
            )
        finally:
            await speech.close()

    path = asyncio.run(make())
    typer.echo(f"wrote {path} and its entry in {path.parent / 'manifest.yaml'}")
    show(path.stem, picture_of(load_wav(path)))
    return EXIT_OK


@app.command("check")
def check(folder: FolderOption = HERE) -> int:
    """Check every fixture against the manifest (hash, format, voiced bounds, level), and show where its voice is."""
    from harness.cli.pictures import show
    from harness.utterances.check import check_folder, look_over

    for name, look in look_over(folder):
        show(name, look)
    problems = check_folder(folder)
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    typer.echo(f"{folder}: {counted(len(problems), 'problem') if problems else 'all fixtures are valid'}")
    return EXIT_USAGE if problems else EXIT_OK
