"""Bricks with no business meaning: ids, money, problems, the SSRF guard, secrets."""
