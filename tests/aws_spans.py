"""Records of the log group ``aws/spans``, as the demo makes them of X-Ray documents, in a request of Firehose."""

from __future__ import annotations

import json
from typing import Any

from raymap.demo.relayed import records_of
from tests.lambda_samples import ACCOUNT, delivery, log_batch, record

__all__ = ["delivered", "records_of"]
Json = dict[str, Any]


def delivered(*records: Json, owner: str = ACCOUNT, group: str = "aws/spans") -> Json:
    """A request of Firehose with records as log events."""
    batch = log_batch(*map(json.dumps, records), owner=owner, logGroup=group, logStream="default")
    return delivery(record(batch))
