"""Encryption, indexing rules, destination: what is true of this server, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest


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
