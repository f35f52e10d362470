"""The matrix of role × permission, and that every endpoint asks it."""

import pytest

from accounts.models import Membership
from accounts.permissions import MATRIX, PERMISSIONS, allows
from accounts.rest.permissions import permission_of
from accounts.rest.urls import urlpatterns


def test_every_role_of_the_database_has_a_row():
    assert set(MATRIX) == set(Membership.Role.values)


def test_a_row_names_only_permissions_there_are():
    assert all(row <= PERMISSIONS for row in MATRIX.values())


def test_the_owner_may_everything_and_read_only_writes_nothing():
    assert MATRIX["owner"] == PERMISSIONS
    assert not [each for each in MATRIX["read_only"] if each.endswith(".write")]


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        ("admin", "members.write", True), ("admin", "billing.write", False), ("billing", "billing.write", True),
        ("billing", "keys.write", False), ("billing", "tokens.write", False), ("developer", "keys.write", True),
        ("developer", "tokens.write", True), ("developer", "members.write", False), ("developer", "audit.read", False),
        ("developer", "organization.write", False), ("read_only", "keys.read", True),
        ("read_only", "audit.read", False),
    ],
)  # fmt: skip
def test_who_may_what(role, permission, allowed):
    assert allows(role, permission) is allowed


def test_who_writes_may_read():
    for role, row in MATRIX.items():
        for permission in row:
            noun, _, verb = permission.partition(".")
            assert verb == "read" or f"{noun}.read" in row, (role, permission)


def test_an_unknown_role_is_an_error():
    with pytest.raises(KeyError):
        allows("king", "keys.read")


@pytest.mark.parametrize("route", urlpatterns, ids=lambda route: str(route.pattern))
def test_every_endpoint_says_what_it_needs(route):
    view = route.callback.view_class
    for method in view().allowed_methods:
        permission_of(view, method)
