toUInt64OrZero(extract(toString(source_account), '^unconfirmed ([0-9]+)'))
