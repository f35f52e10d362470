"""World: countries, currencies and time zones as a small read-only HTTP API, so that there is something real to call.

The data is Unicode CLDR's, as Babel carries it, and the IANA time zone database, as `zoneinfo` reads it.
"""
