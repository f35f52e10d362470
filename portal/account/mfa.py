"""Two-step sign-in: its secrets stand sealed in the database."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from kit.secrets import decrypt, encrypt

PLACE = "account mfa"


class MfaAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return encrypt(settings.ENCRYPTION_KEY, text, aad=PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(settings.ENCRYPTION_KEY, encrypted_text, aad=PLACE)
