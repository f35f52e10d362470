"""Mail, outgoing webhooks and alert rules. Nothing is built yet: see docs/status.md."""
