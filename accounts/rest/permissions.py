from rest_framework.permissions import BasePermission


class HasToken(BasePermission):
    pass
