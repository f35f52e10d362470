"""What usage can be counted in. A meter is one line here; the gateway or an ingest source counts it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Meter:
    name: str
    one: str
    many: str
    bytes: bool = False  # priced by the gigabyte


METERS: dict[str, Meter] = {
    meter.name: meter
    for meter in (
        Meter("calls", "call", "calls"),
        Meter("bytes_in", "byte received", "bytes received", bytes=True),
        Meter("bytes_out", "byte sent", "bytes sent", bytes=True),
        Meter("bytes_inter_region", "byte between regions", "bytes between regions", bytes=True),
        Meter("compute_ms", "millisecond of compute", "milliseconds of compute"),
        Meter("tokens_in", "input token", "input tokens"),
        Meter("tokens_out", "output token", "output tokens"),
        Meter("complexity", "complexity unit", "complexity units"),
        Meter("money", "unit of currency", "units of currency"),
    )
}
