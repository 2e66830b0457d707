"""Our events and the libraries' come in one format, on standard error, without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import logging, sys, structlog
from raymap.logging import set_up_logging
set_up_logging("info", sys.argv[1])
log = structlog.get_logger()
log.debug("invisible")
log.info("stored", documents=3)
logging.getLogger("some.library").info("invisible")
logging.getLogger("some.library").warning("odd %s", "thing")
password = "hunter2"
try:
    raise ValueError("broken")
except ValueError:
    log.exception("failed")
    logging.getLogger("some.library").exception("failed too")
logging.getLogger("clickhouse_driver").error("invisible")
"""


def logged(log_format: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format], capture_output=True, check=True, text=True
    )
    assert done.stdout == ""
    assert "invisible" not in done.stderr
    assert "hunter2" not in done.stderr, "no local variables in tracebacks"
    return done.stderr


def test_json() -> None:
    lines = [json.loads(line) for line in logged("json").splitlines()]
    assert all(line.pop("timestamp").endswith("Z") for line in lines)
    stored, odd, failed, too = lines
    assert stored == {"event": "stored", "level": "info", "documents": 3}
    assert odd == {"event": "odd thing", "level": "warning", "logger": "some.library"}
    assert "ValueError: broken" in failed["exception"]
    assert "ValueError: broken" in too["exception"]


UNCAUGHT = """
import threading, warnings
from raymap.logging import set_up_logging
set_up_logging("info", "json")
warnings.warn("old", DeprecationWarning, stacklevel=1)
warnings.warn("odd", UserWarning, stacklevel=1)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("the end")
"""


def test_what_no_one_handles_is_json_too() -> None:
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True)
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [each["level"] for each in events][-2:] == ["critical", "critical"]
    assert "ZeroDivisionError" in events[-2]["exception"]
    assert "the end" in events[-1]["exception"]
    assert "odd" in "".join(each["event"] for each in events)


def test_console_without_colours_and_a_reader_that_left() -> None:
    said = logged("console")
    assert "stored documents=3" in said.replace("  ", " ")
    assert "\x1b" not in said
    gone = PROGRAM.replace(
        'log.debug("invisible")',
        "import os; reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 2)",
    )
    assert gone != PROGRAM
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for environment in (buffered, buffered | {"PYTHONUNBUFFERED": "1"}):
        done = subprocess.run(
            [sys.executable, "-c", gone + "\nprint('went on')", "console"],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert (done.returncode, done.stdout) == (0, "went on\n")
