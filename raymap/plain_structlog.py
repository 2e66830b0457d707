"""Imports structlog as if rich were not installed: it imports rich, which takes longer than the rest of it, for a
format of tracebacks that `raymap.logging` does not use."""

from __future__ import annotations

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
if "rich" not in _modules:
    _modules["rich"] = None  # lets `import rich` fail
    import structlog  # noqa: F401

    del _modules["rich"]
