"""The extension module of the `chdb-core` wheel: where it is, and how it is loaded."""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from store.clickhouse.embedded.folder import EmbeddedError


def engine_library() -> Path:
    """The file that chdb-core brings."""
    spec = importlib.util.find_spec("chdb")
    package = Path(spec.origin).parent if spec and spec.origin else None
    library = next(package.glob("_chdb*.so"), None) if package else None
    if library is None:
        raise EmbeddedError(
            'The embedded ClickHouse engine is not installed: run  pip install "raymap[embedded]"  '
            "or name a server with --clickhouse clickhouse://user:password@host:9000/raymap"
        )
    return library


def load_engine() -> Any:
    """The extension module of chdb-core, without running chdb/__init__.py."""
    library = engine_library()
    ctypes.CDLL(str(library), mode=sys.getdlopenflags() | getattr(os, "RTLD_DEEPBIND", 0))
    loader = importlib.machinery.ExtensionFileLoader("_chdb", str(library))
    extension = importlib.util.spec_from_file_location("_chdb", library, loader=loader)
    assert extension is not None
    module: ModuleType = importlib.util.module_from_spec(extension)
    loader.exec_module(module)
    return module
