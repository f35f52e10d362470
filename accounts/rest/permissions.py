"""What a token may do at the REST door: its member's role decides, by the matrix.

DRF reads this module while it loads its views, so it names none of them.
"""

from collections.abc import Mapping
from typing import Protocol

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.permissions import PERMISSIONS, Permission, allows
from accounts.values import Principal
from kit.errors import ProblemError

# One for all methods, or one for each; None: any token will do.
Needed = Permission | Mapping[str, Permission | None] | None


class Asking(Protocol):
    """A view that says what it needs."""

    permission: Needed

    @property
    def allowed_methods(self) -> list[str]: ...


class HasToken(BasePermission):
    """A valid token whose role has the view's `permission`; in a suspended organization it only reads."""

    def has_permission(self, request: Request, view: Asking) -> bool:  # type: ignore[override]
        principal = request.auth
        if not isinstance(principal, Principal):
            raise NotAuthenticated
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in view.allowed_methods:
            return True  # 405 says more than 403
        if principal.suspended and method not in SAFE_METHODS:
            raise ProblemError("organization_suspended")
        needed = permission_of(view, method)
        return needed is None or allows(principal.role, needed)


def permission_of(view: Asking, method: str) -> Permission | None:
    """What a view asks for this method. Raises AttributeError or KeyError if it does not say: nothing is open because
    somebody forgot it."""
    needed = view.permission[method] if isinstance(view.permission, Mapping) else view.permission
    if needed is not None and needed not in PERMISSIONS:
        raise KeyError(needed)
    return needed
