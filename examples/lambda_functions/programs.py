"""The six functions: what each needs, and how it is started under AWS's emulator."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from examples.lambda_layer.emulate import HANDLER, NAME, PYTHON, REGION, Program
from examples.lambda_layer.stand_in import FUNCTION
from examples.two_sdks.live.programs import build_java, build_node, build_python, node

HERE = Path(__file__).parent
OTEL_PYTHON = "examples.lambda_functions.python.otel.handle"
JAVA = "shop.Checkout::handleRequest"
JAVA_WRAPPER = "io.opentelemetry.instrumentation.awslambdaevents.v2_2.TracingRequestWrapper"
RUNTIME_OF_JAVA = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"


class Run(NamedTuple):
    """A function's language and its tracer."""

    language: str
    tracer: str

    def __str__(self) -> str:
        return f"{self.language}, {self.tracer}"


XRAY, OTEL = "X-Ray SDK", "OpenTelemetry"
REFERENCE = Run("Python", XRAY)
RUNS = [
    Run(language, tracer) for language in ("Python", "Node.js", "Java") for tracer in (XRAY, OTEL)
]


def prepare(language: str, build: Path) -> None:
    """Build a language's function in ``build``; `examples.two_sdks.live.programs.Missing` says why not."""
    folder = build / language
    if language != "Python":
        shutil.copytree(HERE / _SOURCES[language], folder, dirs_exist_ok=True)
    _PREPARE[language](folder)


_SOURCES = {"Node.js": "node", "Java": "java"}
_PREPARE: dict[str, Callable[[Path], None]] = {
    "Python": lambda folder: build_python(folder, HERE / "python" / "requirements.txt"),
    "Node.js": build_node,
    "Java": build_java,
}


def program(run: Run, build: Path, otlp: str) -> Program:
    """The function of a run; ``otlp`` is where OpenTelemetry sends its spans."""
    folder = build / run.language
    command: tuple[str, ...]
    environment = {"TRACER": "xray"} if run.tracer == XRAY else opentelemetry(otlp)
    match run.language:
        case "Python":
            handler = HANDLER if run.tracer == XRAY else OTEL_PYTHON
            command = (str(folder / "bin" / "python"), "-m", "awslambdaric", handler)
            folder = PYTHON.folder
        case "Node.js":
            handler = "handler.handle"
            first = () if run.tracer == XRAY else ("--require", "./otel.js")
            command = (node(), *first, "runtime.js")
        case _:
            handler = JAVA if run.tracer == XRAY else JAVA_WRAPPER
            jars = f"{folder}/target/checkout.jar:{folder}/target/lib/*"
            command = ("java", "-cp", jars, RUNTIME_OF_JAVA, handler)
            environment |= {"OTEL_INSTRUMENTATION_AWS_LAMBDA_HANDLER": JAVA}
    return Program(command, folder, handler, environment)


def opentelemetry(otlp: str) -> dict[str, str]:
    """The variables that OpenTelemetry's layers set."""
    resource = {
        "cloud.provider": "aws",
        "cloud.region": REGION,
        "faas.name": NAME,
        "faas.version": FUNCTION["functionVersion"],
    }
    return {
        "OTEL_SERVICE_NAME": NAME,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={value}" for key, value in resource.items()),
        "OTEL_PROPAGATORS": "xray-lambda",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
