"""docs/reference/commands.md: every command with its arguments and options, from the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperGroup

from raymap.cli import app

HEAD = """\
# Commands and settings

Written from the program (`python -m tests.docs`); `raymap COMMAND --help` prints the same. Every option with a variable
can be set in the environment, too, and by its name in the file of `--config`: options override the environment, which
overrides the file. [Operating](../operating.md#flags) says more about those of `serve`, `collect` and `api`.
"""


def page() -> str:
    """The page as Markdown."""
    command: Any = typer.main.get_command(app)
    sections = [section(words, each) for words, each in commands("raymap", command)]
    return "\n".join([HEAD, *sections])


def commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every visible command by its words, in the order of `--help`."""
    if not isinstance(command, TyperGroup):
        yield words, command
        return
    for name, each in command.commands.items():
        if not each.hidden:
            yield from commands(f"{words} {name}", each)


def section(words: str, command: Any) -> str:
    """Heading, usage, help and options of a command."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and not each.hidden and each.name != "help"
    ]
    usage = " ".join([words, *(["[OPTIONS]"] if options else []), *map(metavar, arguments)])
    text = [f"## {words}", "", f"```\n{usage}\n```", "", prose(command.help), ""]
    if rows := [f"| `{metavar(each)}` | {prose(each.help)} |" for each in arguments if each.help]:
        text += ["| argument | |", "|---|---|", *rows, ""]
    if options:
        text += ["| option, variable | default | |", "|---|---|---|", *map(row, options), ""]
    return "\n".join(text)


def row(option: Any) -> str:
    """A line of the table of options."""
    value = "" if option.is_flag else f" {metavar(option)}"
    names = ", ".join(f"`{name}{value}`" for name in [*option.opts, *option.secondary_opts])
    variable = f"<br>`{option.envvar}`" if option.envvar else ""
    values = ", ".join(f"`{each}`" for each in choices(option))
    one_of = f" One of {values}." if values else ""
    return f"| {names}{variable} | {default(option)} | {prose(option.help)}{one_of} |"


def default(option: Any) -> str:
    """What applies without the option."""
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return option.show_default
    if not option.show_default:
        return ""
    value = option.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value == "" or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def metavar(parameter: Any) -> str:
    """The name of a value, as usage has it."""
    if parameter.metavar:
        return str(parameter.metavar)
    return str(parameter.name).upper()


def choices(parameter: Any) -> tuple[str, ...]:
    """The values of a parameter that has a few."""
    annotation = parameter.type_descriptor.annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def prose(text: str | None) -> str:
    """Help in one paragraph, fit for a cell of a table."""
    joined = re.sub(r"\s+", " ", (text or "").replace("\b", "")).strip()
    return joined.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
