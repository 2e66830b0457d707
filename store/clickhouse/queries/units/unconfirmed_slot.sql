-- When the roots behind an unconfirmed source arrived, as a store.model.SETTLE_SLOT; 0 of any other source.
toUInt64OrZero(extract(toString(source_account), '^unconfirmed ([0-9]+)'))
