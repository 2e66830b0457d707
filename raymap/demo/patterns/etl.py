"""A nightly ETL: a state machine that runs a Glue job and announces its report on EventBridge.

The job reports itself when it starts, reads many objects for half a minute, and writes one.
"""

from __future__ import annotations

from raymap.demo import aws, latency
from raymap.demo.failures import NoSuchKey
from raymap.demo.latency import Latency
from raymap.demo.patterns import events, workflow
from raymap.demo.sdk import PYTHON
from raymap.demo.trace import Entity, Scope, Trace

MACHINE = "sales-etl"
JOB = "sales-report"
_PARTITIONS = 36


def sales_etl(trace: Trace) -> None:
    """A schedule starts the machine, so that no caller is known."""
    scope = workflow.machine(trace, MACHINE, trace.start)
    with scope.subsegment("ListPartitions") as state:
        aws.list_objects(state, aws.LAKE, "clicks/")
    with scope.subsegment("RunJob") as state:
        succeeded = _start_job(state)
    if succeeded:
        with scope.subsegment("AnnounceReport") as state:
            events.put_event(state)
    workflow.end(scope, succeeded)


def _start_job(scope: Scope) -> bool:
    """The call lasts as long as the job, as Step Functions' ``startJobRun.sync`` does."""
    with scope.subsegment(scope.sdk.service("Glue"), "aws") as call:
        call.entity.set_aws({"operation": "StartJobRun", "region": aws.REGION})
        call.announce()
        end, succeeded = sales_report(scope.trace, call.now, call.entity.id)
        call.reach(end)
        call.entity.put_http_meta("status", 200)
    if not succeeded:
        scope.entity.add_fault_flag()
    return succeeded


def sales_report(trace: Trace, at: float, parent: str) -> tuple[float, bool]:
    """The job's run, by the SDK in its script: its end, and whether it succeeded."""
    segment = trace.segment(JOB, at, "", parent)
    segment.set_aws({"account_id": aws.ACCOUNT, "region": aws.REGION, "xray": PYTHON.mark()})
    segment.set_service({"version": "5.0", **PYTHON.runtime})
    segment.put_annotation("stage", "prod")
    segment.put_metadata("arguments", {"--enable-metrics": True, "--workers": 4}, "glue")
    trace.send(segment, at)
    scope = Scope(trace, segment, at, PYTHON)
    succeeded = _steps(scope, segment)
    trace.finish(segment, scope.now)
    return scope.now, succeeded


def _steps(scope: Scope, segment: Entity) -> bool:
    try:
        for number in range(_PARTITIONS):
            aws.get_object(scope, aws.LAKE, f"clicks/part-{number:04d}.parquet", missing=0.002)
            with scope.subsegment("transform") as transform:
                transform.wait(latency.ETL_TRANSFORM)
        aws.put_object(scope, aws.LAKE, "reports/sales.parquet")
        scope.wait(Latency(0.4))
    except NoSuchKey as error:
        scope.failed(error)
        segment.put_metadata("state", "FAILED", "glue")
        return False
    return True
