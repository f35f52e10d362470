"""Management tokens at the REST door."""

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import people
from accounts.actions.tokens import note_use
from accounts.models import User
from accounts.values import Principal
from kit.django.rest import address_of
from kit.errors import ProblemError


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tgm_…` → `request.auth`, a frozen Principal. Raises ProblemError token_invalid."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise ProblemError("token_invalid")
        at = timezone.now()
        row = people.bearer(secret.strip(" "), at=at)
        note_use(row, at=at)
        return row.user, people.principal(row, ip=address_of(request))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="tollgate"'


class TokenScheme(OpenApiAuthenticationExtension):
    """How OpenAPI names it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A management token: tgm_…"}
