-- The columns of units/key as units/count names them.
source_account_, source_name_, source_type_, source_region_, account_, name_, type_, region_
