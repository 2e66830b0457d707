"""Step Functions: reserve stock, charge the card, wait for the carrier, record, tell; retries."""

from __future__ import annotations

from raymap.demo import aws, latency
from raymap.demo.failures import OutOfStock, ProvisionedThroughputExceededException
from raymap.demo.functions import PAYMENTS, RESERVE_STOCK, Function, Handler, invoke
from raymap.demo.patterns import events, payments
from raymap.demo.sdk import SERVICE
from raymap.demo.trace import Scope, Trace

MACHINE = "order-fulfilment"


def start(scope: Scope, order: str, version: str) -> None:
    """StartExecution answers at once; the machine goes on in the same trace, for seconds."""
    with scope.subsegment(scope.sdk.service("Sfn"), "aws") as call:
        call.entity.set_aws(
            {
                "operation": "StartExecution",
                "region": aws.REGION,
                "state_machine_arn": aws.arn("states", f"stateMachine:{MACHINE}"),
            }
        )
        call.wait(latency.START_EXECUTION)
        call.entity.put_http_meta("status", 200)
    _execute(scope.trace, order, version, call.entity.id, call.now)


def _execute(trace: Trace, order: str, version: str, parent: str, at: float) -> None:
    scope = machine(trace, MACHINE, at, parent, version)
    scope.entity.put_annotation("order_id", order)
    end(scope, _states(scope, order))


def machine(trace: Trace, name: str, at: float, parent: str = "", version: str = "1") -> Scope:
    """A running state machine, which reports itself in progress."""
    segment = trace.segment(name, at, "AWS::StepFunctions::StateMachine", parent)
    segment.set_aws({"account_id": aws.ACCOUNT, "version": version})
    segment.resource_arn = aws.arn("states", f"stateMachine:{name}")
    trace.send(segment, at)
    return Scope(trace, segment, at, SERVICE, announces=True)


def end(scope: Scope, succeeded: bool) -> None:
    """The end of a state machine's execution."""
    if not succeeded:
        scope.entity.add_fault_flag()
    scope.trace.finish(scope.entity, scope.now)


def _states(scope: Scope, order: str) -> bool:
    if not _task(scope, "ReserveStock", RESERVE_STOCK, lambda inner: reserve(inner, order), 3):
        return False
    if not _task(scope, "ChargeCard", PAYMENTS, lambda inner: payments.charge(inner, order), 2):
        return False
    with scope.subsegment("WaitForCarrier") as carrier:
        carrier.wait(latency.CARRIER_WAIT)
    if not _record(scope):
        return False
    with scope.subsegment("TellCustomer") as tell:
        events.publish(tell, "plus")
    return True


def _record(scope: Scope) -> bool:
    """A state that writes to DynamoDB without a function; a throttled write is tried again."""
    with scope.subsegment("RecordShipment") as record:
        for _attempt in range(3):
            try:
                aws.put_item(record, aws.ORDERS)
            except ProvisionedThroughputExceededException:
                record.wait(latency.STATE_CHANGE.times(40.0))
            else:
                return True
        record.entity.add_fault_flag()
    return False


def _task(scope: Scope, state: str, function: Function, handler: Handler, attempts: int) -> bool:
    """A Task state: the machine retries a failed function, one call each time."""
    with scope.subsegment(state) as task:
        for _attempt in range(attempts):
            task.wait(latency.STATE_CHANGE)
            if invoke(task, function, handler) < 500:
                return True
            task.wait(latency.STATE_CHANGE.times(20.0))
        task.entity.add_fault_flag()
    return False


def reserve(scope: Scope, order: str) -> int:
    with scope.subsegment("## reserve") as handler:
        handler.entity.put_annotation("order_id", order)
        aws.get_item(handler, aws.PRODUCTS)
        if handler.trace.chance(0.04):
            raise OutOfStock(f"{order}: nothing left of A-113")
        aws.put_item(handler, aws.PRODUCTS, "UpdateItem", conflicts=0.005)
    return 200
