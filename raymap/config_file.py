"""A configuration file: TOML with the names of the flags, for all commands or for one.

    data-dir = "/var/lib/raymap"      # all commands that have --data-dir
    [serve]
    workers = 4                       # raymap serve only
    [[redact]]                        # a list of tables
    rule = "users"

Flags override environment variables, which override the file.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from raymap.errors import CommandError
from raymap.settings import ApiSettings, ClickHouseSettings, CollectSettings, ServeSettings

Value = str | int | float | bool
COMMANDS = {
    "serve": ServeSettings,
    "collect": CollectSettings,
    "api": ApiSettings,
    "clickhouse": ClickHouseSettings,
}
"""The commands with a table of their own."""
_HIDDEN = {"lock_wait"}
_TABLES = {"redact"}
"""Settings that are lists of tables, such as [[redact]]."""


class ConfigFile:
    """The settings of a file, checked for names; values are checked where they are used."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises CommandError with the place of a mistake."""
        self._path = path
        self._tables: dict[str, dict[str, Value]] = {"": {}}
        for key, value in _parse(path).items():
            if isinstance(value, Mapping):
                self._add_table(key, value)
            else:
                self._tables[""] |= self._setting("", key, value, _names_of(*COMMANDS))

    def defaults(self, command: str) -> dict[str, Value]:
        """The values for one command, by name of the field; its own table comes first."""
        return {**self._tables[""], **self._tables.get(command, {})}

    def _add_table(self, command: str, table: Mapping[str, Any]) -> None:
        if command not in COMMANDS:
            raise self._unknown("table", f"[{command}]", command, COMMANDS)
        self._tables[command] = {}
        for key, value in table.items():
            self._tables[command] |= self._setting(command, key, value, _names_of(command))

    def _setting(
        self, table: str, key: str, value: object, known: Collection[str]
    ) -> dict[str, Value]:
        name = key.replace("-", "_")
        where = f"{table}.{key}" if table else key
        if name not in known:
            raise self._unknown("setting", where, name, known)
        if name in _TABLES and isinstance(value, list):
            return {name: json.dumps(value, default=str)}
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return {name: ",".join(value)}
        if not isinstance(value, (str, int, float)):
            raise CommandError(f"{self._path}: {where}: expected a text, number, boolean or texts.")
        return {name: value}

    def _unknown(self, kind: str, where: str, name: str, known: Collection[str]) -> CommandError:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0].replace('_', '-')}?" if near else "."
        return CommandError(f"{self._path}: there is no {kind} {where}{hint}")


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"The configuration file {path}: {reason}.") from None


def _names_of(*commands: str) -> set[str]:
    return {each.name for command in commands for each in fields(COMMANDS[command])} - _HIDDEN
