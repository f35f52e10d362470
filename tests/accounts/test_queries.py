"""Tenancy: every query takes the organization first and alone, and answers no row of another."""

import inspect
from uuid import UUID

import pytest

from accounts import public, queries
from kit.errors import ProblemError
from kit.ids import uuid7

QUERIES = {
    name: function
    for name, function in inspect.getmembers(queries, inspect.isfunction)
    if function.__module__ == queries.__name__ and not name.startswith("_")
}


@pytest.mark.parametrize("name", QUERIES)
def test_the_organization_is_the_first_and_only_positional_argument(name):
    parameters = list(inspect.signature(QUERIES[name]).parameters.values())
    assert parameters[0].name == "org"
    assert parameters[0].annotation is UUID
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters[1:])


@pytest.mark.parametrize("name", ["projects", "members", "tokens", "audit_events"])
def test_lists_hold_no_row_of_another(name, acme, evil):
    mine, theirs = (set(QUERIES[name](tenant.org).values_list("id", flat=True)) for tenant in (acme, evil))
    assert mine
    assert theirs
    assert not mine & theirs


@pytest.mark.parametrize(("name", "field"), [("project", "project"), ("token", "token_id")])
def test_another_organization_s_row_is_not_found(name, field, acme, evil):
    assert QUERIES[name](acme.org, id=getattr(acme, field))
    for id in (getattr(evil, field), uuid7()):
        with pytest.raises(ProblemError) as caught:
            QUERIES[name](acme.org, id=id)
        assert caught.value.code == "not_found"


def test_a_stranger_has_no_role(acme, evil):
    assert public.role_of(acme.org, user_id=evil.owner.id) is None


PUBLIC = {
    name: function
    for name, function in vars(public).items()
    if inspect.isfunction(function) and "org" in inspect.signature(function).parameters
}


@pytest.mark.parametrize("name", PUBLIC)
def test_for_other_apps_too_the_organization_comes_first_and_alone(name):
    parameters = list(inspect.signature(PUBLIC[name]).parameters.values())
    assert parameters[0].name == "org"
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters[1:])
