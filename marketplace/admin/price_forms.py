"""The rows of the plan editor: a price or a limit as a person types it, checked by the same readers as any other."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from kit.errors import FieldError, ProblemError
from marketplace.limits import read_limits
from marketplace.models import Limit, Price
from marketplace.pricing.meters import METERS
from marketplace.pricing.price import read_prices
from marketplace.pricing.registry import MODELS

# The fields of all kinds of price, and how each is typed.
AMOUNTS = ("amount", "unit_amount", "percent", "fixed")
COUNTS = ("included", "size")
_REST = ("", "*", "∞", "rest", "null")


def _typed_in(help_text: str) -> forms.CharField:
    """A field for an amount, a count or a name: read as text, so that the readers can say why it is not one."""
    return forms.CharField(required=False, help_text=help_text, widget=UnfoldAdminTextInputWidget)


def _choices(names: Iterable[str], *, empty: bool = False) -> list[tuple[str, str]]:
    return ([("", "—")] if empty else []) + [(name, name.replace("_", " ")) for name in names]


class PriceForm(forms.ModelForm):
    """One price: choose its kind, fill in what that kind has, leave the rest empty."""

    kind = forms.ChoiceField(choices=_choices(MODELS), widget=UnfoldAdminSelectWidget)
    meter = forms.ChoiceField(choices=_choices(METERS, empty=True), required=False, widget=UnfoldAdminSelectWidget)
    amount = _typed_in("flat, one off, package, minimum, maximum")
    unit_amount = _typed_in("per unit, overage, per active, transfer (per GB)")
    included = _typed_in("included overage, per active, transfer (GB)")
    size = _typed_in("package")
    percent = _typed_in("percentage, ad valorem")
    fixed = _typed_in("ad valorem")
    dimension = _typed_in("per active")
    of = forms.CharField(
        required=False,
        help_text="percentage, minimum, maximum: names of prices, one per line",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    tiers = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "placeholder": "100000 0.005\n1000000 0.003\n* 0.0005"}),
        help_text='graduated, volume: one tier per line, "up to" and its unit amount; * for all the rest',
    )

    class Meta:
        model = Price
        fields = ("position", "name", "kind", "meter", "filters")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in (self.instance.config or {}).items():
            if name in self.fields:
                self.initial[name] = _typed(name, value)

    def raw(self) -> dict[str, Any]:
        """The price as JSON; what cannot be read yet goes on as text, for `read_prices` to say why."""
        given = self.cleaned_data
        raw: dict[str, Any] = {name: given.get(name) or "" for name in ("name", "kind", "meter")}
        raw["filters"] = given.get("filters") or {}
        raw |= {name: given[name].strip() for name in (*AMOUNTS, "dimension") if given.get(name, "").strip()}
        raw |= {name: _count(given[name]) for name in COUNTS if given.get(name, "").strip()}
        if lines := _lines(given.get("of", "")):
            raw["of"] = lines
        if lines := _lines(given.get("tiers", "")):
            raw["tiers"] = [_tier(line) for line in lines]
        return raw


class LimitForm(forms.ModelForm):
    class Meta:
        model = Limit
        fields = (
            "position",
            "kind",
            "name",
            "amount",
            "meter",
            "window",
            "hard",
            "refill",
            "refill_ms",
            "per",
            "refusal",
        )

    def raw(self) -> dict[str, Any]:
        """The limit as JSON, with the fields of its kind only."""
        given = self.cleaned_data
        own = ("refill", "refill_ms") if given.get("kind") == "bucket" else ("meter", "window", "refusal")
        names = ("kind", "name", "amount", "hard", "per", *own)
        return {name: given[name] for name in names if given.get(name) is not None}

    def _get_validation_exclusions(self) -> set[str]:
        """The readers say it better than "constraint violated"."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own, not in its stubs
        return excluded | {"refill", "refill_ms", "kind"}


class TermsFormSet(PaginationInlineFormSet):
    """All rows of one table, read together: names, gaps and overlaps concern more than one."""

    prefix_of_errors = ""

    def rows(self) -> list[Any]:
        """The forms that count, in the order of their positions."""
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        return sorted(kept, key=lambda form: form.cleaned_data.get("position") or 0)

    def raws(self) -> list[dict[str, Any]]:
        return [form.raw() for form in self.rows()]

    def read(self) -> None:
        """Raises ProblemError invalid."""
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        try:
            self.read()
        except ProblemError as refusal:
            place(refusal.errors, self.prefix_of_errors, self.rows(), self._whole)

    def _whole(self, message: str) -> None:
        self.non_form_errors().append(message)


class PriceFormSet(TermsFormSet):
    prefix_of_errors = "prices"

    def read(self) -> None:
        read_prices(self.raws(), currency=self.instance.currency)


class LimitFormSet(TermsFormSet):
    prefix_of_errors = "limits"

    def read(self) -> None:
        read_limits(self.raws(), plan=self.instance.plan.slug)


def place(errors: Iterable[FieldError], prefix: str, forms_: list[Any], whole: Callable[[str], None]) -> None:
    """Put each error on the row and field it speaks of: "prices.1.tiers.0.up_to" is row 1's tiers."""
    for error in errors:
        first, _, rest = error.field.partition(".")
        index, _, field = rest.partition(".")
        if first != prefix or not index.isdigit():
            whole(f"{error.field}: {error.message}".removeprefix(": "))
            continue
        form, (name, _, below) = forms_[int(index)], field.partition(".")
        said = f"{_line_of(below)}{error.message}"
        form.add_error(
            name if name in form.fields else None,
            said if name in form.fields else f"{field}: {said}".removeprefix(": "),
        )


def _line_of(below: str) -> str:
    index = below.partition(".")[0]
    return f"Line {int(index) + 1}: " if index.isdigit() else ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _count(text: str) -> int | str:
    plain = text.strip().replace(",", "").replace("_", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 20 else text


def _tier(line: str) -> dict[str, Any]:
    first, *rest = line.split()
    tier: dict[str, Any] = {"up_to": None if first in _REST else _count(first)}
    tier |= dict(zip(("unit_amount", "flat_amount"), rest, strict=False))
    return tier | ({"more": " ".join(rest[2:])} if len(rest) > 2 else {})


def _typed(name: str, value: Any) -> str:
    if name == "tiers" and isinstance(value, list):
        return "\n".join(_typed_tier(tier) for tier in value)
    if name == "of" and isinstance(value, list):
        return "\n".join(map(str, value))
    return str(value)


def _typed_tier(tier: dict[str, Any]) -> str:
    parts = ["*" if tier.get("up_to") is None else str(tier["up_to"]), str(tier.get("unit_amount", ""))]
    return " ".join([*parts, str(tier["flat_amount"])] if "flat_amount" in tier else parts)
