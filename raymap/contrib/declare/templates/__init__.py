"""Templates of AWS (SAM, CloudFormation, Step Functions) → what a stack declares (docs/declared.md)."""
