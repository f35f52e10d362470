import pytest
from django.contrib.auth import get_user_model


@pytest.mark.django_db
def test_user():
    u = get_user_model().objects.create_user("A@Example.com", "x")
    assert get_user_model().objects.get_by_natural_key("a@example.com") == u
