"""Plugins: what installed packages add to the API and to the command line.

A package names its `Plugin` below the entry points `raymap.plugins`. Its module is imported by every process, so
routes and commands are imported when they are called for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter
    from starlette.responses import Response

    from api.context import Context

GROUP = "raymap.plugins"


class PluginError(Exception):
    """An entry point that cannot be loaded, or that is no plugin."""


@dataclass(frozen=True)
class Plugin:
    """What a package adds; all but the name may be left out."""

    name: str
    routes: Callable[[Context], APIRouter] | None = None
    """A router whose routes are served, without a lifespan of its own."""
    tag: Mapping[str, str] | None = None
    """The group of its operations in the OpenAPI document."""
    path: str = ""
    """Begins the addresses of its routes, such as ``/zipkin/``: GET and HEAD below it need the permission `read`, all
    else that ``reads`` and ``edits`` do not name takes an administrator."""
    reads: frozenset[tuple[str, str]] = frozenset()
    """Further methods and paths that need the permission `read` alone; a path that ends in / stands for all below it."""
    error_response: Callable[[str, Exception], Response] | None = None
    """Renders errors of requests below ``path``, in place of X-Ray's form."""
    examples: Mapping[tuple[str, str], str | int | list[str]] = field(default_factory=dict)
    """Examples of parameters for the OpenAPI document by the beginning of a path and the name; the first counts."""
    commands: Callable[[typer.Typer], None] | None = None
    """Adds commands to the command line."""
    edits: frozenset[tuple[str, str]] = frozenset()
    """Methods and paths, as of ``reads``, that need the permission `edit`."""


@cache
def installed() -> tuple[Plugin, ...]:
    """The plugins of this installation by name. PluginError for one that cannot be loaded."""
    found = []
    for point in entry_points(group=GROUP):
        try:
            plugin = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"Plugin {point.name} ({point.value}) cannot be loaded: {error}."
            ) from error
        if not isinstance(plugin, Plugin):
            raise PluginError(
                f"Plugin {point.name} ({point.value}) must be an api.plugins.Plugin, is {type(plugin).__name__}."
            )
        found.append(plugin)
    return tuple(sorted(found, key=lambda plugin: plugin.name))


def plugin_of(path: str) -> Plugin | None:
    """The plugin whose addresses begin like ``path``, if there is one."""
    return next((each for each in installed() if each.path and path.startswith(each.path)), None)


def may_read(method: str, path: str) -> bool:
    """Whether a request only reads from a plugin."""
    if any(_has(plugin.reads, method, path) for plugin in installed()):
        return True
    return method in ("GET", "HEAD") and plugin_of(path) is not None


def is_edit(method: str, path: str) -> bool:
    """Whether a request changes what people configure by a plugin."""
    return any(_has(plugin.edits, method, path) for plugin in installed())


def _has(named: frozenset[tuple[str, str]], method: str, path: str) -> bool:
    return (method, path) in named or any(
        method == each and below.endswith("/") and path.startswith(below) for each, below in named
    )
