"""Two Flask services with the unmodified AWS X-Ray SDK, and a stand-in for DynamoDB."""
