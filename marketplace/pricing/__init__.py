"""Prices: what each kind means. Pure: no database, no clock. One file per kind, one line each in `registry.py`."""
