"""Named servers with their keys, in a file that its owner alone reads: `raymap context`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from msgspec import Struct

from raymap.commands.client import Client
from raymap.errors import CommandError
from raymap.options import LOCAL
from store.private_files import make_private, read_ours, write_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


class Context(Struct, frozen=True):
    """A server, and the token of a key for it; '' for none."""

    url: str
    token: str = ""


class Contexts(Struct, frozen=True):
    """Servers by name, and the name of the one that commands read by default."""

    current: str = ""
    contexts: dict[str, Context] = {}


def path() -> Path:
    """Where they are stored."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "raymap" / "contexts.json"


def load() -> Contexts:
    """Those that are stored. CommandError for a file that is none."""
    import msgspec

    try:
        return msgspec.json.decode(read_ours(path()), type=Contexts)
    except FileNotFoundError:
        return Contexts()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandError(f"{path()} is no file of contexts: {error}.") from None


def add(name: str, url: str, token: str) -> Contexts:
    """Store a server; the first one becomes the current one."""
    if not _NAME.fullmatch(name):
        raise CommandError(f"{name!r} is no name of a context: expected letters, digits, . _ and -")
    known = load()
    found = Contexts(known.current or name, known.contexts | {name: Context(url, token)})
    return _save(found)


def use(name: str) -> Contexts:
    """Make a server the current one."""
    known = load()
    _named(known, name)
    return _save(Contexts(name, known.contexts))


def remove(name: str) -> Contexts:
    """Forget a server and its key."""
    known = load()
    _named(known, name)
    rest = {each: context for each, context in known.contexts.items() if each != name}
    return _save(Contexts("" if known.current == name else known.current, rest))


def client(url: str, name: str) -> Client:
    """The server that a command reads: by its address, by its name, the current one, or that of this machine. A key is
    sent to the address alone that it was stored with."""
    if url:
        return Client(url)
    known = load()
    if not (name or known.current):
        return Client(LOCAL)
    context = _named(known, name or known.current)
    return Client(context.url, context.token or None)


def _named(known: Contexts, name: str) -> Context:
    context = known.contexts.get(name)
    if context is None:
        names = ", ".join(sorted(known.contexts))
        hint = f"there are {names}" if names else "add it with  raymap context add NAME URL"
        raise CommandError(f"There is no context {name!r}: {hint}.")
    return context


def _save(found: Contexts) -> Contexts:
    file = path()
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    make_private(file.parent)
    content = {
        "current": found.current,
        "contexts": {
            name: {"url": each.url, "token": each.token} for name, each in found.contexts.items()
        },
    }
    write_private(file, json.dumps(content, indent=1).encode() + b"\n")
    return found
