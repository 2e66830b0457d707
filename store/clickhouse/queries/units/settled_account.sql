-- The account of a source long after its calls: its client is no longer unconfirmed.
if(/*include units/is_unconfirmed*/, '', toString(source_account))
