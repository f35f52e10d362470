"""Operators' pages of usage: look, do not touch. Single calls are in the request log, not here."""

from django.contrib import admin

from kit.django.admin import ReadOnlyAdmin
from usage.models import DeadLetter, Producer, Quarantine, UsageBill, UsageHour


@admin.register(Producer)
class ProducerAdmin(ReadOnlyAdmin):
    """Which gateway workers report, and how far each is counted."""

    list_display = (
        "boot_id",
        "gateway",
        "worker",
        "committed_seq",
        "heard_seq",
        "committed_clock",
        "last_beat_at",
        "closed",
    )
    list_filter = ("closed", "gateway")
    search_fields = ("boot_id",)
    ordering = ("-last_beat_at",)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Journal lines that could not be read."""

    list_display = ("received_at", "boot_id", "file", "seq", "reason")
    fields = ("received_at", "boot_id", "file", "seq", "reason", "line")
    readonly_fields = ("line",)
    search_fields = ("boot_id", "reason")
    ordering = ("-received_at",)

    @admin.display(description="Line")
    def line(self, letter: DeadLetter) -> str:
        return bytes(letter.raw).decode(errors="backslashreplace")


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    """Events too old, or too far in the future, to be counted without a decision."""

    list_display = ("ts", "organization", "reason", "boot_id", "seq", "received_at")
    fields = ("event_id", "ts", "organization", "boot_id", "seq", "reason", "received_at", "line")
    readonly_fields = ("line",)
    list_filter = ("reason",)
    search_fields = ("organization", "event_id")
    ordering = ("-ts",)

    @admin.display(description="Line")
    def line(self, event: Quarantine) -> str:
        return bytes(event.raw).decode(errors="backslashreplace")


@admin.register(UsageBill)
class UsageBillAdmin(ReadOnlyAdmin):
    """What rating reads."""

    list_display = ("hour", "organization", "subscription", "period_id", "billable", "dimensions", "calls", "units")
    list_filter = ("billable",)
    search_fields = ("organization", "subscription", "period_id")
    ordering = ("-hour",)


@admin.register(UsageHour)
class UsageHourAdmin(ReadOnlyAdmin):
    """What dashboards read."""

    list_display = ("hour", "organization", "key", "operation", "status_class", "test", "calls", "billable")
    list_filter = ("status_class", "test")
    search_fields = ("organization", "key", "operation")
    ordering = ("-hour",)
