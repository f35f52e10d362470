"""The console's first page: the state in one look, and the next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from marketplace import public as marketplace
from portal.account.start import mint_account
from portal.docs.highlight import highlighted
from portal.docs.run import own_test_key
from portal.home.first_call import Held, api_slugs, first_call, held_now
from portal.keys import once
from portal.usage.views import totals
from portal.who import Member, MemberRequest, member_of, member_required
from usage.public import CallRow, UsagePoint, UsageReport, as_of, recent_calls, usage_report, usage_series

MOST_SHOWN = 6


@dataclass(frozen=True)
class Step:
    title: str
    hint: str
    done: bool
    action: str = ""
    url: str = ""
    post: bool = False


@dataclass(frozen=True)
class Quota:
    """How much of a subscription's hard limit is used up in its period."""

    subscription: marketplace.SubscriptionView
    used: int
    limit: int
    resets_at: datetime

    @property
    def width(self) -> float:
        """Of a track of 100."""
        return min(100.0, round(100 * self.used / max(1, self.limit), 2))

    @property
    def tone(self) -> str:
        return "-bad" if self.used >= self.limit else "-warn" if self.used >= 0.8 * self.limit else ""


@require_safe
@member_required
def home(request: MemberRequest) -> HttpResponse:
    member, now = request.member, timezone.now()
    held = held_now(member)
    calls = recent_calls(member.org, limit=50)
    steps = checklist(member, calls, held)
    reports = quota_reports(member, held, at=now) if calls else {}
    own_key = "" if any(not call.console for call in calls) else own_test_key(member)
    context = {
        "page": "home",
        "steps": steps,
        "done": sum(step.done for step in steps),
        "totals": totals(_last_day(member, now) if calls else ()),
        "calls": calls[:8],
        "quotas": quotas(held, reports),
        "as_of": next(iter(reports.values())).as_of if reports else as_of(),
        "curl": highlighted(first_call(held, key=own_key), "shell"),
        "waiting": once.waiting(request),
    }
    return render(request, "portal/home/page.html", context)


def _last_day(member: Member, now: datetime) -> tuple[UsagePoint, ...]:
    return usage_series(member.org, start=now - timedelta(hours=23), end=now, step="hour")


def checklist(member: Member, calls: Sequence[CallRow], held: Held) -> list[Step]:
    """Four steps from nothing to a program that calls; what is done is read from what happened, not from clicks."""
    slug = next(iter(api_slugs(held)), "")
    page = reverse("api", args=[slug]) if slug else reverse("catalogue")
    good = [call for call in calls if 200 <= call.status < 300]
    own_code = any(not call.console for call in good)
    verified = member.organization.verified
    again = reverse("verify_again")
    return [
        Step("Create your account", "Organization, project, keys and the free plan came with it.", True),
        Step("Run a call with your own key", "In the sandbox; it costs nothing.", bool(good), "Open the API", page),
        Step("Call from your own code", "Paste the command below, or take a sample.", own_code, "See samples", page),
        Step(
            "Verify your e-mail address",
            "Until then live calls are limited.",
            verified,
            "Send the link again",
            again,
            True,
        ),
    ]


def _quota_of(row: marketplace.SubscriptionView) -> marketplace.LimitView | None:
    return next((limit for limit in row.version.limits if limit.kind == "quota" and limit.window == "period"), None)


def quota_reports(member: Member, held: Held, *, at: datetime) -> dict[datetime, UsageReport]:
    """What was used in the current periods, by their start; subscriptions of one rhythm share a report."""
    starts = dict.fromkeys(row.period.start_at for row in held[:MOST_SHOWN] if _quota_of(row))
    return {
        start: usage_report(member.org, start=start, end=at, mode="live", group_by="subscription") for start in starts
    }


def quotas(held: Held, reports: Mapping[datetime, UsageReport]) -> list[Quota]:
    """The period quota of each subscription with what is used up of it; without a report, nothing is."""
    out = []
    for row in held[:MOST_SHOWN]:
        report = reports.get(row.period.start_at)
        used = sum(group.billable for group in report.rows if group.group == str(row.id)) if report else 0
        if limit := _quota_of(row):
            out.append(Quota(row, used, limit.amount, row.period.end_at))
    return out


@require_POST
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Give an organization to a person who has none (an account made by an operator). Twice is once."""
    if member_of(request) is not None:
        return redirect("home")
    at = timezone.now()
    with transaction.atomic():
        minted = mint_account(request, user=request.user, at=at)
    messages.success(request, "Your organization is ready.")
    response = redirect("home")
    once.hand_over(
        response, user_id=cast(UUID, request.user.pk), key_id=minted.live_key.id, secret=minted.live_secret, at=at
    )
    return response
