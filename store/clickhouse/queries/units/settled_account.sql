-- The account of a source long after its calls, when it is no longer unconfirmed (store.model.confirmed).
if(/*include units/is_unconfirmed*/, replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account))
