"""Who may do what: the one matrix of role × permission."""

from typing import Literal, get_args

Permission = Literal[
    "organization.read",
    "organization.write",
    "members.read",
    "members.write",
    "projects.read",
    "projects.write",
    "apis.read",
    "apis.write",
    "plans.read",
    "plans.write",
    "subscriptions.read",
    "subscriptions.write",
    "keys.read",
    "keys.write",
    "usage.read",
    "billing.read",
    "billing.write",
    "tokens.read",
    "tokens.write",
    "audit.read",
]

PERMISSIONS: frozenset[str] = frozenset(get_args(Permission))

_READ: frozenset[str] = frozenset(
    {
        "organization.read",
        "members.read",
        "projects.read",
        "apis.read",
        "plans.read",
        "subscriptions.read",
        "keys.read",
        "usage.read",
    }
)

# A token or a session always acts with its member's role of this moment.
MATRIX: dict[str, frozenset[str]] = {
    "owner": PERMISSIONS,
    "admin": PERMISSIONS - {"billing.write"},
    "billing": _READ | {"billing.read", "billing.write", "subscriptions.write", "audit.read"},
    "developer": _READ
    | {"projects.write", "apis.write", "subscriptions.write", "keys.write", "tokens.read", "tokens.write"},
    "read_only": _READ,
}


def allows(role: str, permission: Permission) -> bool:
    """Whether a role has a permission. Raises KeyError for an unknown role."""
    return permission in MATRIX[role]
