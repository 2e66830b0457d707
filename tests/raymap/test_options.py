"""The options of all commands: one name for one thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from raymap.cli import app

TIMES = {"TIME": {"--from", "--to"}, "DURATION": {"--since", "--wait", "--retention"}}
"""Which names have an instant, and which a length of time."""
UNITS = {
    "--metrics": {"DAYS", "NAMES"},  # of retention, and of stats
    "--wait": {"DURATION", "SECONDS"},  # of verdict, which takes 10m, and of forget
}
"""Names that have more than one form of value."""
SERVER = "Where the server listens."


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words, groups opened."""
    waiting: list[tuple[str, Any]] = [("raymap", typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        if isinstance(command, TyperGroup):
            waiting += [(f"{words} {name}", each) for name, each in command.commands.items()]
        else:
            yield words, command


def options() -> Iterator[tuple[str, str, TyperOption]]:
    """Command, name and option, of every name."""
    for words, command in commands():
        for option in command.params:
            if isinstance(option, TyperOption):
                yield from ((words, name, option) for name in option.opts)


def test_the_server_is_the_url_in_every_command() -> None:
    """With the same default and the same variable: nothing else says where a server listens."""
    found = {words: option for words, name, option in options() if name == "--url"}
    talking = (
        "aws doctor",
        "declare",
        "demo",
        "import",
        "journal send",
        "logs",
        "mcp",
        "sam",
        "verdict",
    )
    reading = ("compare", "map", "services", "stats", "tail", "top", "trace", "traces")
    assert sorted(found) == sorted(f"raymap {name}" for name in (*talking, *reading))
    for words, option in found.items():
        assert (option.metavar, option.envvar, option.help) == ("URL", "RAYMAP_URL", SERVER)
        if words.removeprefix("raymap ") in reading:
            assert (option.default, option.show_default) == (
                "",
                "the context's, else http://127.0.0.1:2000",
            )
        elif not option.required:
            assert option.default == "http://127.0.0.1:2000", words
    assert {name for _, name, option in options() if option.help == SERVER} == {"--url"}


def test_times_have_the_same_names_in_every_command() -> None:
    for metavar, names in TIMES.items():
        assert {name for _, name, option in options() if option.metavar == metavar} == names
    for words, name, option in options():
        if name in ("--from", "--to"):
            assert option.metavar == "TIME", words


def test_a_name_has_values_of_one_form() -> None:
    forms = defaultdict(set)
    for _, name, option in options():
        if option.metavar:
            forms[name].add(option.metavar)
    assert {name: each for name, each in forms.items() if len(each) > 1} == UNITS
