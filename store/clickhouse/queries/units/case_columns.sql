-- What makes the case of a row.
is_call, streamed, owner_account, owner_name, owner_type, owner_region, account, name, type, region, service, host, kind, fetched, has_parent, inferred, synthetic, state, status, exception
