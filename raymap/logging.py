"""structlog and the standard library's logging, in one format, on standard error."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import structlog

from raymap.errors import use_json_lines, writes_json


def set_up_logging(level: str = "warning", log_format: str = "console") -> None:
    """Log our events from ``level`` on, and the libraries' from warning on."""
    number = logging.getLevelName(level.upper())
    use_json_lines(log_format == "json")
    shared: Sequence[structlog.typing.Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    renderer: structlog.typing.Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=_Stderr()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # else rich's: local variables, passwords
                renderer,
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(True)
    if writes_json():
        sys.excepthook = threading.excepthook = sys.unraisablehook = _log_uncaught
    # It logs a traceback for every refused connection; the error itself is raised to us.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)


def _log_uncaught(*error: Any) -> None:
    """The hooks for exceptions that no one handles, with three arguments or one that has them."""
    kind, value, trace = error if len(error) == 3 else error[0][:3]
    logging.getLogger("raymap").critical("uncaught exception", exc_info=(kind, value, trace))


class _Stderr:
    """Standard error whose reader may be gone: a lost log line must not end the process."""

    def write(self, text: str) -> int:
        with _lossy():
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with _lossy():
            sys.stderr.flush()


@contextlib.contextmanager
def _lossy() -> Iterator[None]:
    """A time in which writing to standard error may fail."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes what is left at the end of the process, which would fail then, with exit code 120.
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
    except OSError:
        pass
