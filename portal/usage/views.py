"""The usage page: what was called, how it ended, and how fresh the count is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from marketplace import public as marketplace
from portal.docs.highlight import highlighted
from portal.docs.run import own_test_key
from portal.home.first_call import first_call, held_now
from portal.usage.chart import bar_chart, step_name
from portal.usage.ranges import MODES, RANGES, Asked, asked
from portal.who import Member, MemberRequest, demand, member_required
from usage.public import CallRow, UsagePoint, UsageReport, UsageRow, as_of, recent_calls, usage_report, usage_series

LOG_LINES = 25
KeyRow = tuple[marketplace.KeyView | None, UsageRow]


@dataclass(frozen=True)
class Totals:
    calls: int
    billable: int
    refused: int
    failed: int

    @property
    def error_rate(self) -> str:
        return f"{100 * (self.refused + self.failed) / self.calls:.1f} %" if self.calls else "0.0 %"


@require_safe
@member_required
def usage(request: MemberRequest) -> HttpResponse:
    member = request.member
    demand(member, "usage.read")
    wish = asked(request.GET)
    now = timezone.now()
    keys = {key.id: key for key in marketplace.keys(member.org)}
    calls = _last_calls(member, wish)
    points, report = _counted(member, wish, now) if calls else ((), None)
    context = {
        "page": "usage",
        "asked": wish,
        "filters": _filters(wish, list(keys.values())),
        "totals": totals(points),
        "chart": bar_chart(points, step=wish.range.step),
        "table": [(step_name(point.at, wish.range.step), point) for point in points],
        "by_key": _by_key(report, keys) if report else [],
        "calls": [(call, keys.get(call.key)) for call in calls],
        "as_of": report.as_of if report else as_of(),
        "curl": "" if calls else _first_curl(member, list(keys.values())),
    }
    return render(request, "portal/usage/page.html", context)


def _last_calls(member: Member, wish: Asked) -> list[CallRow]:
    """The newest lines of the log in the chosen environment; the log itself knows keys, not environments."""
    found = recent_calls(member.org, limit=LOG_LINES * (4 if wish.mode else 1), key=wish.key)
    return [call for call in found if wish.mode in (None, "test" if call.test else "live")][:LOG_LINES]


def _counted(member: Member, wish: Asked, now: datetime) -> tuple[tuple[UsagePoint, ...], UsageReport]:
    org, start, key, mode = member.org, wish.start(now), wish.key, wish.mode
    points = usage_series(org, start=start, end=now, step=wish.range.step, key=key, mode=mode)
    return points, usage_report(org, start=start, end=now, key=key, mode=mode, group_by="key")


def _first_curl(member: Member, keys: Sequence[marketplace.KeyView]) -> SafeString:
    return highlighted(first_call(held_now(member), key=own_test_key(member, keys=keys)), "shell")


def totals(points: tuple[UsagePoint, ...]) -> Totals:
    return Totals(
        sum(point.calls for point in points),
        sum(point.billable for point in points),
        sum(point.refused for point in points),
        sum(point.failed for point in points),
    )


def _by_key(report: UsageReport, keys: dict[UUID, marketplace.KeyView]) -> list[KeyRow]:
    """Most calls first; a key of the log that is not there any more stands as None."""
    named = [(keys.get(UUID(row.group)) if row.group else None, row) for row in report.rows]
    return sorted(named, key=lambda pair: -pair[1].calls)


def _filters(wish: Asked, keys: list[marketplace.KeyView]) -> dict[str, list[tuple[str, str, bool]]]:
    """Links of name, address and whether it is chosen."""
    return {
        "ranges": [(row.name, wish.address(range=row.slug), row is wish.range) for row in RANGES],
        "modes": [(name, wish.address(mode=slug), (wish.mode or "") == slug) for slug, name in MODES.items()],
        "keys": [(f"{key.name} · {key.prefix}…{key.last4}", str(key.id), key.id == wish.key) for key in keys],
    }
