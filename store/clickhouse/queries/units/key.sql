-- Columns that identify a node (without a source) or an edge.
source_account, source_name, source_type, source_region, account, name, type, region
