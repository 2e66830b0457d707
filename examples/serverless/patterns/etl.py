"""A Glue job: reports itself when it starts, reads many objects for half a minute, writes one."""

from __future__ import annotations

from examples.serverless import aws, latency
from examples.serverless.failures import NoSuchKey
from examples.serverless.latency import Latency
from examples.serverless.sdk import PYTHON
from examples.serverless.trace import Entity, Scope, Trace

JOB = "sales-report"
_PARTITIONS = 36


def sales_report(trace: Trace) -> None:
    segment = trace.segment(JOB, trace.start, "AWS::Glue::Job")
    segment.set_aws({"account_id": aws.ACCOUNT, "xray": PYTHON.mark()})
    segment.set_service({"version": "5.0", **PYTHON.runtime})
    segment.put_annotation("stage", "prod")
    segment.put_metadata("arguments", {"--enable-metrics": True, "--workers": 4}, "glue")
    trace.send(segment, trace.start)
    scope = Scope(trace, segment, trace.start, PYTHON)
    _steps(scope, segment)
    trace.finish(segment, scope.now)


def _steps(scope: Scope, segment: Entity) -> None:
    try:
        aws.list_objects(scope, aws.LAKE, "clicks/")
        for number in range(_PARTITIONS):
            aws.get_object(scope, aws.LAKE, f"clicks/part-{number:04d}.parquet", missing=0.002)
            with scope.subsegment("transform") as transform:
                transform.wait(latency.ETL_TRANSFORM)
        aws.put_object(scope, aws.LAKE, "reports/sales.parquet")
        scope.wait(Latency(0.4))
    except NoSuchKey as error:
        scope.failed(error)
        segment.put_metadata("state", "FAILED", "glue")
