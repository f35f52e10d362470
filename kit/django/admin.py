"""The base of every admin page: writes go through an app's actions, and what they refuse is said, not thrown.

A subclass that lets people write overrides `save_model` (and `delete_model`) to call its action. Deleting and bulk
edits are off unless a subclass says otherwise.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from kit.django import outbox
from kit.django.models import Outbox
from kit.django.outbox import Undelivered
from kit.problems import PROBLEMS


class Admin(ModelAdmin):
    """Add and change as the subclass allows; no delete, no bulk action but its own."""

    list_per_page = 50
    show_full_result_count = False  # a count over millions of rows
    compressed_fields = True
    ordering = ("-pk",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._told(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._told(request, super().delete_view, *args, **kwargs)

    def _told(self, request: HttpRequest, page: Callable[..., HttpResponse], *args: Any, **kwargs: Any) -> HttpResponse:
        """As Django's, but an action's refusal becomes a message; the page's transaction is rolled back by then."""
        if request.method != "POST":
            return page(request, *args, **kwargs)
        answer: list[HttpResponse] = []
        if attempt(request, lambda: answer.append(page(request, *args, **kwargs))):
            return answer[0]
        return HttpResponseRedirect(request.get_full_path())

    def each(self, request: HttpRequest, rows: QuerySet[Any], work: Callable[[Any], object], *, done: str) -> None:
        """Do `work` on each selected row, and say for how many it is `done`."""
        count = sum(attempt(request, lambda row=row: work(row)) for row in rows)  # type: ignore[misc]
        if count:
            self.message_user(request, f"{done}: {count}.", messages.SUCCESS)


class ReadOnlyAdmin(Admin):
    """Look, do not touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def attempt(request: HttpRequest, work: Callable[[], object]) -> bool:
    """Do `work`; a refusal with a problem's `code`, or a change not delivered yet, becomes a message and False."""
    try:
        work()
    except Undelivered:
        messages.warning(request, PROBLEMS["propagation_pending"].detail)
        return False
    except Exception as error:
        code = getattr(error, "code", None)
        if code not in PROBLEMS:
            raise
        messages.error(request, _said(error, PROBLEMS[code].detail))
        return False
    return True


def _said(error: Exception, fallback: str) -> str:
    fields = [f"{each.field}: {each.message}".removeprefix(": ") for each in getattr(error, "errors", ())]
    return " ".join(fields) or str(getattr(error, "detail", "")) or fallback


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who did what in these pages; beside the audit log, which knows every door."""

    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__email")


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    """What had to be told, and whether it was."""

    list_display = ("id", "topic", "key", "created_at", "done_at", "attempts", "last_error")
    list_filter = ("topic", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("key",)
    actions = ("deliver_now",)

    @admin.action(description="Deliver now")
    def deliver_now(self, request: HttpRequest, rows: QuerySet[Outbox]) -> None:
        self.each(request, rows, lambda row: outbox.deliver([row.id]), done="Delivered")
