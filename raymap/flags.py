"""Fields of settings dataclasses as flags and environment variables.

`with_settings` makes a typer command of a function that takes such a dataclass, and
`environment_of` hands one to a child process, which reads it as its own settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.models import OptionInfo

from raymap.config_file import ConfigFile
from raymap.errors import CommandError

CONFIG_VARIABLE = "RAYMAP_CONFIG"


def environment_of(settings: Any) -> dict[str, str]:
    """A child's environment from which it reads exactly these settings.

    Never the command line, which other users of the machine can read: a URL has a password. A value
    that is not set is an empty variable, so that none is inherited.
    """
    role: type = type(settings)
    hints = _hints_of(role)
    options = [
        (_option_in(hints[each.name]), getattr(settings, each.name)) for each in fields(settings)
    ]
    variables = {
        option.envvar: _as_text(value)
        for option, value in options
        if isinstance(option.envvar, str)
    }
    return {**variables, CONFIG_VARIABLE: ""}  # the parent has applied it


def with_settings(function: Callable[..., None]) -> Callable[..., None]:
    """A typer callback: each parameter that is a settings dataclass becomes its fields' flags."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type] = {
        name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)
    }
    parameters = [_config_parameter()] if groups else []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in groups:
            parameters += _parameters(groups[name])
        else:
            parameters.append(
                parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY)
            )

    def callback(config: Path | None = None, **values: Any) -> None:
        made = {
            name: group(**{each.name: values.pop(each.name) for each in fields(group)})
            for name, group in groups.items()
        }
        function(**made, **values)

    callback.__name__, callback.__doc__ = function.__name__, function.__doc__
    callback.__annotations__ = {}
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return callback


def _config_parameter() -> inspect.Parameter:
    """--config: evaluated before all others, whose defaults it changes."""
    hint = Annotated[
        Path | None,
        typer.Option(
            "--config",
            envvar=CONFIG_VARIABLE,
            metavar="FILE",
            dir_okay=False,
            is_eager=True,
            callback=_use_config,
            help="Settings in TOML, overridden by the environment and by flags.",
        ),
    ]
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter("config", kind, default=None, annotation=hint)


def _use_config(context: typer.Context, value: Path | None) -> Path | None:
    if value is not None:
        try:
            defaults = ConfigFile(value).defaults(context.info_name or "")
        except CommandError as error:
            raise typer.BadParameter(str(error)) from None
        context.default_map = {**(context.default_map or {}), **defaults}
    return value


def _parameters(group: type) -> list[inspect.Parameter]:
    """Of each field."""
    hints = _hints_of(group)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(each.name, kind, default=each.default, annotation=hints[each.name])
        for each in fields(group)
    ]


@cache
def _hints_of(group: type) -> dict[str, Any]:
    """Evaluated once: most commands share their settings, and each evaluation compiles every hint."""
    return get_type_hints(group, include_extras=True)


def _option_in(hint: Any) -> OptionInfo:
    found: OptionInfo = next(m for m in hint.__metadata__ if isinstance(m, OptionInfo))
    return found


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return " ".join(value) if isinstance(value, tuple) else str(value)
