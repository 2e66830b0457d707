"""`raymap context`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raymap.read_cli import AsJson
from raymap.ready_pipe import exit_on_error

context_app = typer.Typer(
    help="Servers by name, so that commands need no address: add, use, list, remove."
)


@context_app.command("add")
def add_context(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    url: Annotated[str, typer.Argument(metavar="URL")],
    key_file: Annotated[
        str,
        typer.Option(
            "--key-file",
            metavar="FILE",
            show_default=False,
            help="With the token; - reads standard input.",
        ),
    ] = "",
) -> None:
    """Store a server, and the token of a key for it, in a file that only you can read."""
    with exit_on_error():
        import sys

        from raymap.commands import contexts
        from raymap.errors import print_status

        text = (
            sys.stdin.read() if key_file == "-" else Path(key_file).read_text() if key_file else ""
        )
        found = contexts.add(name, url, text.strip())
        print_status(f"added to {contexts.path()}; in use is {found.current}")


@context_app.command("use")
def use_context(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Let commands read this server by default."""
    with exit_on_error():
        from raymap.commands import contexts

        contexts.use(name)


@context_app.command("list")
def list_contexts(as_json: AsJson = False) -> None:
    """List the servers, without their keys."""
    with exit_on_error():
        from raymap.commands import contexts
        from raymap.commands.tables import print_list

        known = contexts.load()
        print_list(
            sorted(known.contexts.items()),
            as_json=as_json,
            public=lambda each: {
                "name": each[0],
                "url": each[1].url,
                "key": bool(each[1].token),
                "in_use": each[0] == known.current,
            },
            head=["", "name", "url", "key"],
            row=lambda each: [
                "*" if each[0] == known.current else "",
                each[0],
                each[1].url,
                "yes" if each[1].token else "no",
            ],
            empty="there are no contexts: raymap context add NAME URL",
        )


@context_app.command("remove")
def remove_context(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Forget a server and its key."""
    with exit_on_error():
        from raymap.commands import contexts

        contexts.remove(name)
