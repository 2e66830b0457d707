"""Root causes in trace summaries, in the form that clients dereference unchecked."""

from __future__ import annotations

from typing import Any

from api.xray.trace_summary import render_root_causes
from collector.decode.document import decode_document
from store.root_causes import RootCauses, root_causes
from tests.builders import trace_of
from tests.collector.samples import segment_bytes
from tests.store.filters.test_evaluate import shop


def test_paths_from_the_entry_to_the_cause() -> None:
    rendered = render_root_causes(root_causes(shop()))
    (fault,) = rendered["FaultRootCauses"]
    assert fault["ClientImpacting"] is True
    (service,) = fault["Services"]
    assert (service["Name"], service["Type"]) == ("shop", "AWS::ECS::Container")
    assert service["AccountId"] == "123456789012"
    assert [entity["Name"] for entity in service["EntityPath"]] == ["shop", "## place"]
    assert service["EntityPath"][-1]["Exceptions"] == [
        {"Name": "Denied", "Message": 'Access "denied"'}
    ]
    (slow,) = rendered["ResponseTimeRootCauses"]
    paths = [[(e["Name"], e["Coverage"]) for e in s["EntityPath"]] for s in slow["Services"]]
    assert paths == [[("shop", 1.0), ("orders", 0.93)], [("orders", 0.9)]]


def test_errors_below_an_entry_that_is_no_error_do_not_impact_the_client() -> None:
    (error,) = render_root_causes(root_causes(shop()))["ErrorRootCauses"]
    assert error["ClientImpacting"] is False
    assert [service["Name"] for service in error["Services"]] == ["orders"]


def test_a_call_whose_id_is_none_leads_to_its_node() -> None:
    call = {"id": "no id", "name": "DynamoDB", "namespace": "aws", "aws": {"table_name": "orders"}}
    failed: dict[str, Any] = {"start_time": 1795560000.0, "end_time": 1795560001.0, "fault": True}
    document = decode_document(
        segment_bytes("00000000000000a1", **failed, subsegments=[{**call, **failed}]), 1
    )
    (stored,) = document.calls
    (fault,) = root_causes(trace_of(document)).fault
    assert [service.node for service in fault.services] == [document.node, stored.node]
    assert stored.node.name == "orders"


def test_every_member_is_present() -> None:
    assert render_root_causes(RootCauses()) == {
        "FaultRootCauses": [],
        "ErrorRootCauses": [],
        "ResponseTimeRootCauses": [],
    }
