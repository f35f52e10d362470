"""The journal as an access log."""

import pytest
from django.core.management import CommandError, call_command

from gateway.journal_files import boots, segment_path
from gateway.journal_tail import Tail, rendered
from tests.gateway.journal_events import AT_MS, event, journal
from tests.gateway.stores import settings_for


def test_it_reads_onwards_over_boots_segments_and_deletions(tmp_path):
    one, other = journal(tmp_path, boot="boot-a", segment_bytes=500), journal(tmp_path, boot="boot-b")
    tail = Tail(tmp_path)
    other.append([event(AT_MS + 1)])
    one.append([event(AT_MS)])
    one.append([event(AT_MS + 2)])
    assert [line.ts - AT_MS for line in tail.lines()] == [0, 1, 2]
    segment_path(tmp_path, "boot-a", boots(tmp_path)["boot-a"][0]).unlink()
    one.append([event(AT_MS + 3)])
    assert [line.ts - AT_MS for line in tail.lines()] == [3]
    assert tail.lines() == []


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({}, "200 GET v1 list key=key-1 12ms 345B billable"),
        ({"billable": False, "test": True}, "200 GET v1 list key=key-1 12ms 345B test"),
        (
            {"billable": False, "status": 429, "problem": "quota_exceeded"},
            "429 GET v1 list key=key-1 12ms 345B quota_exceeded",
        ),
        ({"status": 0, "billable": False, "version": "", "operation": ""}, "- GET - - key=key-1 12ms 345B free"),
        ({"operation": "GET /a b\n"}, "200 GET v1 GET_/a_b_ key=key-1 12ms 345B billable"),
    ],
)
def test_a_call_is_one_line_of_words(tmp_path, told, shown):
    journal(tmp_path).append([event(latency_ms=12, bytes_out=345, **told)])
    (line,) = Tail(tmp_path).lines()
    assert rendered(line) == f"2027-01-15T08:00:00.000Z {shown} {line.event_id}"


def test_collapsed_refusals_say_how_many(tmp_path):
    journal(tmp_path).append([event(count=40)])
    assert rendered(Tail(tmp_path).lines()[0]).endswith(" x40")


def test_the_command_shows_the_last_calls(tmp_path, settings, capsys):
    settings.GATEWAY = settings_for("redis://x", tmp_path)
    with pytest.raises(CommandError, match="start the gateway first"):
        call_command("tail")
    journal(tmp_path / "journal").append([event(AT_MS + n) for n in range(5)])
    call_command("tail", lines=2)
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["2027-01-15T08:00:00.003Z", "2027-01-15T08:00:00.004Z"]
