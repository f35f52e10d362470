"""How often a member may do what here, over all their tokens: counted by django-ratelimit in Redis."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.response import Response

from kit.errors import ProblemError

Handler = Callable[..., Response]
RATES = {"keys": "300/h"}  # the first N of each fixed hour


def limited(name: str) -> Callable[[Handler], Handler]:
    """Decorate a REST view's method: beyond the rate of that name it raises ProblemError too_many_attempts."""

    def decorated(method: Handler) -> Handler:
        @wraps(method)
        def counted(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            who = f"{view.org}:{view.principal.user_id}"
            counted_as = {"group": f"rest:{name}", "key": lambda _group, _request: who, "rate": RATES[name]}
            usage = get_usage(request, **counted_as, increment=True)
            if usage and usage["should_limit"]:
                raise ProblemError("too_many_attempts", retry_after=max(1, int(usage["time_left"])))
            return method(view, request, *args, **kwargs)

        return counted

    return decorated
