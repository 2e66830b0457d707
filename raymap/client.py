"""A client of a running server for scripts: ``Client("http://127.0.0.1:2000").traces(filter="fault")`` (docs/terminal.md)."""

from raymap.commands.client import Client
from raymap.commands.server import Refused
from raymap.errors import CommandError

__all__ = ["Client", "CommandError", "Refused"]
