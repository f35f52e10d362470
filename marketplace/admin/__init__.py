"""Operators' pages of the marketplace. Every write is an action, so it is audited and the gateway learns of it."""

from marketplace.admin import apis, holdings, plan_versions, plans

__all__ = ("apis", "holdings", "plan_versions", "plans")
