"""REST routes of this app."""

urlpatterns: list = []
