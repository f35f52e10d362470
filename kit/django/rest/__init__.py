"""The bricks of the management REST API, as settings and apps name them."""

from kit.django.rest.pagination import KeysetPagination
from kit.django.rest.parsing import AlwaysJson, StrictJSONParser
from kit.django.rest.problems import JsonProblems, problem_handler
from kit.django.rest.requests import RequestIds, address_of, request_id
from kit.django.rest.schema import tell_the_rest
from kit.django.rest.serializers import Strict, StrictModelSerializer, StrictSerializer

__all__ = [
    "AlwaysJson",
    "JsonProblems",
    "KeysetPagination",
    "RequestIds",
    "Strict",
    "StrictJSONParser",
    "StrictModelSerializer",
    "StrictSerializer",
    "address_of",
    "problem_handler",
    "request_id",
    "tell_the_rest",
]
