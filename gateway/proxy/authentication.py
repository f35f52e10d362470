"""The DRF door's authentication: keys and tokens, never a session."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from gateway.call import Credential
from gateway.policies.credentials import presented
from gateway.proxy.incoming import headers_of


class KeyAuthentication(BaseAuthentication):
    """Reads which key is presented: `request.auth` is a Credential, and there is no user.

    It refuses nobody: the flow answers 400 and 401 in their turn, after the target and the API.
    """

    def authenticate(self, request: Request) -> tuple[None, Credential]:
        return None, presented(headers_of(request.META))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="tollgate"'
