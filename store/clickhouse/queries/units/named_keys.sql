-- The columns of units/key_aliases under the names of units/key.
source_account_ AS source_account, source_name_ AS source_name, source_type_ AS source_type, source_region_ AS source_region, account_ AS account, name_ AS name, type_ AS type, region_ AS region
