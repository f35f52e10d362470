"""What can go wrong before the product stands.

StartError            Tollgate cannot start here; the message is one sentence with the way out
└── StoreError        … because a store cannot run or be used
"""


class StartError(Exception):
    """Tollgate cannot start here; the message is one sentence with the way out. Exit status 1."""


class StoreError(StartError):
    """A store cannot run or be used here."""
