"""The lines of configuration that mend a cause of a missing edge, by SDK, with the page or source that documents them.

`tests/api/v1/broken_apps.py` runs some of those for Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from store.missing_edges.model import Cause

SDKS = {
    "xray-python": "X-Ray SDK for Python",
    "xray-node": "X-Ray SDK for Node.js",
    "xray-java": "X-Ray SDK for Java",
    "xray-go": "X-Ray SDK for Go",
    "otel-python": "OpenTelemetry Python",
    "otel-node": "OpenTelemetry Node.js",
    "otel-java": "OpenTelemetry Java",
    "otel-go": "OpenTelemetry Go",
    "brave": "Brave",
    "any": "Any",
}
"""Names of SDKs by their keys."""

_AWS = "https://docs.aws.amazon.com/xray/latest/devguide"
_OTEL = "https://opentelemetry.io/docs"
_BRAVE = "https://github.com/openzipkin/brave/tree/master"
_PARENT_BASED = "OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1"
_DAEMON = "AWS_XRAY_DAEMON_ADDRESS=<this server>:2000"
_ENDPOINT = (
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://<this server>:2000\n"
    "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<key of this tenant>"
)
_QUEUE = "OTEL_BSP_MAX_QUEUE_SIZE=8192 OTEL_BSP_SCHEDULE_DELAY=1000"


class Lines(NamedTuple):
    """What to write, and where it is documented."""

    text: str
    source: str


def _xray(lines: str) -> dict[str, Lines]:
    """Lines that are the same for X-Ray's SDKs."""
    source = f"{_AWS}/xray-daemon.html"
    return {key: Lines(lines, source) for key in SDKS if key.startswith("xray-")}


def _otel(lines: str, source: str) -> dict[str, Lines]:
    """Environment variables that are the same for OpenTelemetry's SDKs that read them."""
    return {f"otel-{language}": Lines(lines, source) for language in ("python", "node", "java")}


_GO = "https://pkg.go.dev/go.opentelemetry.io"

MENDING: Mapping[Cause, Mapping[str, Lines]] = {
    Cause.NO_EXIT_SPAN: {
        "xray-python": Lines(
            "from aws_xray_sdk.core import patch_all\npatch_all()  # before clients are made",
            f"{_AWS}/xray-sdk-python-patching.html",
        ),
        "xray-node": Lines(
            "const AWSXRay = require('aws-xray-sdk')\n"
            "AWSXRay.captureHTTPsGlobal(require('http'))\n"
            "AWSXRay.captureHTTPsGlobal(require('https'))\n"
            "AWSXRay.capturePromise()\n"
            "// the built-in fetch: const fetch = require('aws-xray-sdk-fetch').captureFetchGlobal()",
            f"{_AWS}/xray-sdk-nodejs-httpclients.html",
        ),
        "xray-java": Lines(
            "// com.amazonaws:aws-xray-recorder-sdk-apache-http\n"
            "import com.amazonaws.xray.proxies.apache.http.HttpClientBuilder;",
            f"{_AWS}/xray-sdk-java-httpclients.html",
        ),
        "xray-go": Lines(
            "resp, err := ctxhttp.Get(ctx, xray.Client(nil), url)  // ctx of the request",
            f"{_AWS}/xray-sdk-go-httpclients.html",
        ),
        "otel-python": Lines(
            "# pip install opentelemetry-instrumentation-requests\n"
            "from opentelemetry.instrumentation.requests import RequestsInstrumentor\n"
            "RequestsInstrumentor().instrument()",
            f"{_OTEL}/languages/python/libraries/",
        ),
        "otel-node": Lines(
            "registerInstrumentations({\n"
            "  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],\n"
            "})  // before http is loaded; undici is the built-in fetch",
            f"{_OTEL}/languages/js/libraries/",
        ),
        "otel-java": Lines(
            "java -javaagent:opentelemetry-javaagent.jar -jar app.jar",
            f"{_OTEL}/zero-code/java/agent/getting-started/",
        ),
        "otel-go": Lines(
            "client := http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}\n"
            "req, err := http.NewRequestWithContext(ctx, method, url, body)  // ctx of the request",
            f"{_GO}/contrib/instrumentation/net/http/otelhttp",
        ),
        "brave": Lines(
            "httpclient = TracingHttpClientBuilder.create(tracing).build();",
            f"{_BRAVE}/instrumentation/httpclient",
        ),
    },
    Cause.HEADER_NOT_PASSED: {
        "xray-python": Lines(
            "# in the callee; proxies must pass X-Amzn-Trace-Id\n"
            "from aws_xray_sdk.ext.flask.middleware import XRayMiddleware\n"
            "XRayMiddleware(app, xray_recorder)",
            f"{_AWS}/xray-sdk-python-middleware.html",
        ),
        "xray-node": Lines(
            "app.use(AWSXRay.express.openSegment('name'))  // before all routes of the callee",
            f"{_AWS}/xray-sdk-nodejs-middleware.html",
        ),
        "xray-java": Lines(
            'new AWSXRayServletFilter(new FixedSegmentNamingStrategy("name"))  // in the callee',
            f"{_AWS}/xray-sdk-java-filters.html",
        ),
        "xray-go": Lines(
            'http.Handle("/", xray.Handler(xray.NewFixedSegmentNamer("name"), handler))  // in the callee',
            f"{_AWS}/xray-sdk-go-handler.html",
        ),
        "otel-python": Lines(
            "# pip install opentelemetry-propagator-aws-xray; the same on both sides\n"
            "OTEL_PROPAGATORS=tracecontext,baggage,xray",
            f"{_OTEL}/languages/sdk-configuration/general/",
        ),
        "otel-node": Lines(
            "// the same on both sides\n"
            "new NodeSDK({ textMapPropagator: new CompositePropagator({ propagators: [\n"
            "  new W3CTraceContextPropagator(), new AWSXRayPropagator()] }) })",
            f"{_OTEL}/languages/js/propagation/",
        ),
        "otel-java": Lines(
            "OTEL_PROPAGATORS=tracecontext,baggage,xray  # the same on both sides",
            f"{_OTEL}/languages/java/configuration/",
        ),
        "otel-go": Lines(
            "// without this line Go passes nothing on\n"
            "otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(\n"
            "  propagation.TraceContext{}, propagation.Baggage{}))",
            f"{_OTEL}/languages/go/instrumentation/",
        ),
        "brave": Lines(
            "tracingBuilder.propagationFactory(B3Propagation.FACTORY)  // the same on both sides",
            f"{_BRAVE}/brave",
        ),
    },
    Cause.PARENT_MISSING: {
        **_xray(_DAEMON),
        **_otel(_QUEUE, f"{_OTEL}/languages/sdk-configuration/"),
        "otel-python": Lines(
            f"{_QUEUE}\nprovider.shutdown()  # at the end of the process: sends what waits",
            f"{_OTEL}/languages/python/exporters/",
        ),
        "otel-node": Lines(
            f"{_QUEUE}\nprocess.on('SIGTERM', () => sdk.shutdown())",
            f"{_OTEL}/languages/js/exporters/",
        ),
        "otel-go": Lines(
            "defer tp.Shutdown(ctx)  // sends what waits", f"{_OTEL}/languages/go/exporters/"
        ),
        "brave": Lines(
            "tracing.close();\nzipkinSpanHandler.close();\nsender.close();  // at the end: sends what waits",
            f"{_BRAVE}/brave",
        ),
    },
    Cause.NOT_SAMPLED: {
        **_xray("# let the caller decide: the same sampling rule for both, or none for the callee"),
        **_otel(_PARENT_BASED, f"{_OTEL}/languages/sdk-configuration/general/"),
        "otel-go": Lines(
            "trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(0.1)))",
            f"{_OTEL}/languages/go/sampling/",
        ),
        "brave": Lines(
            "httpTracing.toBuilder().serverSampler(SamplerFunctions.deferDecision()).build()",
            f"{_BRAVE}/instrumentation/http",
        ),
    },
    Cause.CLOCK_SKEW: {
        "any": Lines(
            "# /etc/chrony/chrony.conf on both machines; on AWS this address\n"
            "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4",
            "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-ec2-ntp.html",
        )
    },
    Cause.OTHER_ACCOUNT: {
        **_xray(_DAEMON),
        **_otel(_ENDPOINT, f"{_OTEL}/languages/sdk-configuration/otlp-exporter/"),
        "otel-go": Lines(_ENDPOINT, f"{_OTEL}/languages/sdk-configuration/otlp-exporter/"),
        "brave": Lines(
            'sender = URLConnectionSender.create("http://<this server>:2000/api/v2/spans");',
            f"{_BRAVE}/brave",
        ),
    },
    Cause.PLATFORM_RECORD_MISSING: {
        "any": Lines(
            "# Lambda: add the layer raymap-lambda to the function, or subscribe its log group to\n"
            "# a Firehose stream to /firehose/logs (docs/lambda.md)\n"
            "# API Gateway: send the stage's access log there (docs/access-logs.md)",
            "docs/lambda.md",
        )
    },
    Cause.STILL_RUNNING: {
        "any": Lines(
            "# Nothing to mend: it is drawn when it ends. Of work that runs for hours record each item\n"
            "# as a trace of its own.",
            "docs/api.md",
        )
    },
}


def key_of(sdk: str) -> str:
    """The key of an SDK by the name that it gives itself (``aws.xray.sdk``); '' of one that is not known."""
    name = sdk.lower()
    if name.startswith("opentelemetry"):
        language = name.rpartition(" ")[2]
        key = f"otel-{'node' if language in ('nodejs', 'webjs') else language}"
    else:
        words = set(name.replace("-", " ").split())
        language = next(
            (each for each in ("python", "node", "node.js", "java", "go") if each in words), ""
        )
        key = f"xray-{'node' if language.startswith('node') else language}"
    return key if key in SDKS else ""
