"""Encryption, indexing rules, destination, insights: what is true of this server, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.shop import END, START

INSIGHT = "0c11f1a2-7b3c-4d5e-8f90-123456789abc"


def test_encryption_is_left_to_the_disk(xray: Any) -> None:
    config = {"Status": "ACTIVE", "Type": "NONE"}
    assert xray.get_encryption_config()["EncryptionConfig"] == config
    assert xray.put_encryption_config(Type="NONE")["EncryptionConfig"] == config
    for body, said in (
        ({"Type": "KMS", "KeyId": "alias/x"}, "cannot encrypt with a KMS key"),
        ({"Type": "NONE", "KeyId": "alias/x"}, "KeyId must be absent"),
        ({"Type": "AES"}, "Type must be NONE or KMS"),
    ):
        with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
            xray.put_encryption_config(**body)


def test_segments_come_here(xray: Any) -> None:
    here = {"Destination": "XRay", "Status": "ACTIVE"}

    def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in answer.items() if k != "ResponseMetadata"}

    assert without_metadata(xray.get_trace_segment_destination()) == here
    assert without_metadata(xray.update_trace_segment_destination(Destination="XRay")) == here
    for destination, said in (("CloudWatchLogs", "stores segments itself"), ("S3", "XRay or")):
        with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
            xray.update_trace_segment_destination(Destination=destination)


def test_the_indexing_rule_is_stored_and_everything_is_indexed(xray: Any) -> None:
    (rule,) = xray.get_indexing_rules()["IndexingRules"]
    assert (rule["Name"], rule["ModifiedAt"].timestamp()) == ("Default", 0)
    value = {"Probabilistic": {"DesiredSamplingPercentage": 5.5}}
    changed = xray.update_indexing_rule(Name="Default", Rule=value)["IndexingRule"]
    assert changed["Rule"]["Probabilistic"] == {
        "DesiredSamplingPercentage": 5.5,
        "ActualSamplingPercentage": 100.0,
    }
    assert changed["ModifiedAt"].timestamp() > 0
    assert xray.get_indexing_rules()["IndexingRules"] == [changed]
    with pytest.raises(xray.exceptions.ResourceNotFoundException, match="no indexing rule 'x'"):
        xray.update_indexing_rule(Name="x", Rule=value)
    too_much = {"Probabilistic": {"DesiredSamplingPercentage": 100.5}}
    with pytest.raises(xray.exceptions.InvalidRequestException, match="between 0 and 100"):
        xray.update_indexing_rule(Name="Default", Rule=too_much)


def test_there_are_no_insights(xray: Any) -> None:
    window = {"StartTime": START, "EndTime": END}
    xray.create_group(GroupName="g", InsightsConfiguration={"InsightsEnabled": True})
    summaries = xray.get_insight_summaries(GroupName="g", States=["ACTIVE"], **window)
    assert summaries["InsightSummaries"] == []
    refused = xray.exceptions.InvalidRequestException
    for operation, more in (
        (xray.get_insight, {}),
        (xray.get_insight_events, {}),
        (xray.get_insight_impact_graph, window),
    ):
        with pytest.raises(refused, match=f"no insight {INSIGHT}"):
            operation(InsightId=INSIGHT, **more)
    with pytest.raises(refused, match="must be a UUID"):
        xray.get_insight(InsightId="x")
    with pytest.raises(refused, match="MaxResults must lie between 1 and 50"):
        xray.get_insight_events(InsightId=INSIGHT, MaxResults=51)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "GroupName or GroupARN is missing"),
        ({"GroupName": "none"}, "no group 'none'"),
        ({"GroupName": "g", "States": ["OPEN"]}, "States may have"),
        ({"GroupName": "g", "MaxResults": 101}, "between 1 and 100"),
        ({"GroupName": "g", "NextToken": "x"}, "not given by this server"),
    )
    for more, said in wrong:
        with pytest.raises(refused, match=said):
            xray.get_insight_summaries(**window, **more)
