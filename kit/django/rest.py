from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    ordering = "-id"


def problem_handler(exc, context):
    return None
