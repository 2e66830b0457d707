-- A number for a node or an edge. Of a node, the source is empty.
cityHash64(kind, $settled_account, source_name, source_type, source_region, account, name, type, region)
