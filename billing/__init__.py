"""Rated periods, ledger, invoices, payments and payouts. Nothing is built yet: see docs/status.md."""
