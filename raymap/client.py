"""A client of a running server for scripts and notebooks: ``Client("http://127.0.0.1:2000").traces("fault")`` (docs/python.md)."""

from raymap.commands.answers import Incomplete, ServiceMap, Stats
from raymap.commands.client import Client
from raymap.commands.frames import PackageMissing, Rows
from raymap.commands.server import Refused
from raymap.errors import CommandError

__all__ = [
    "Client",
    "CommandError",
    "Incomplete",
    "PackageMissing",
    "Refused",
    "Rows",
    "ServiceMap",
    "Stats",
]
