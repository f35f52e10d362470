"""The form of one operation: its parameters as fields, prefilled so that the first Run works."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from marketplace.public import OperationView, ParameterView
from portal.docs.outgoing import field_name, is_array, media_types

LONGEST_VALUE = 2_000
LONGEST_BODY = 256 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tab, line feed, carriage return
_OURS = {
    "x-api-key",
    "authorization",
    "cookie",
    "host",
    "content-length",
    "content-type",
    "connection",
    "transfer-encoding",
}


class OperationForm(forms.Form):
    """Fields are named as in the address bar: `path.code`, `query.lang`, `body`."""

    def __init__(self, operation: OperationView, data: QueryDict | Mapping[str, str] | None = None) -> None:
        super().__init__(data, initial=example_values(operation))
        self.operation = operation
        for parameter in shown_parameters(operation):
            self.fields[field_name(parameter)] = _field(parameter)
        if operation.body:
            self.fields["body"] = forms.CharField(
                label="Body",
                required=operation.body.required,
                max_length=LONGEST_BODY,
                strip=False,
                widget=forms.Textarea,
            )
            kinds = media_types(operation.body)
            if len(kinds) > 1:
                choices = [(kind, kind) for kind in kinds]
                self.fields["content_type"] = forms.ChoiceField(label="Content type", choices=choices, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.operation.body and cleaned.get("body"):
            self._check_body(cleaned, cleaned.get("content_type") or media_types(self.operation.body)[0])
        return cleaned

    def _check_body(self, cleaned: dict[str, Any], kind: str) -> None:
        if not kind.partition(";")[0].strip().endswith("json"):
            return
        try:
            json.loads(cleaned["body"])
        except json.JSONDecodeError as error:
            self.add_error("body", f"Not valid JSON: {error.msg} (line {error.lineno}, column {error.colno}).")
        except RecursionError:
            self.add_error("body", "Nested too deeply.")


def shown_parameters(operation: OperationView) -> list[ParameterView]:
    """The parameters a reader may fill in: no cookies, and no header that is the gateway's or not a header name."""
    return [
        parameter
        for parameter in operation.parameters
        if parameter.where in ("path", "query")
        or (parameter.where == "header" and parameter.name.lower() not in _OURS and _TOKEN.fullmatch(parameter.name))
    ]


def example_values(operation: OperationView) -> dict[str, str]:
    """What the form opens with: the operation's example request."""
    example = operation.example
    values = {f"path.{name}": value for name, value in example.path.items()}
    for where, pairs in (("query", example.query), ("header", example.headers)):
        for name, value in pairs:
            field = f"{where}.{name}"
            values[field] = f"{values[field]},{value}" if field in values else value
    if operation.body and example.body:
        values |= {"body": example.body, "content_type": example.content_type}
    return values


def typed_values(operation: OperationView, data: QueryDict) -> dict[str, str]:
    """The fields as an address carries them; the example when it carries none.

    Control characters are dropped: these values are printed in samples that people paste into a shell.
    """
    names = [*(field_name(parameter) for parameter in shown_parameters(operation)), "body", "content_type"]
    typed = {name: _CONTROL.sub("", str(data[name]))[:LONGEST_BODY] for name in names if name in data}
    return typed or example_values(operation)


def _field(parameter: ParameterView) -> forms.Field:
    schema = parameter.schema if isinstance(parameter.schema, dict) else {}
    label, required = parameter.name, parameter.required
    choices = _choices(schema)
    if choices:
        empty = [] if required else [("", "not sent")]
        return forms.ChoiceField(choices=empty + choices, label=label, required=required)
    field = forms.CharField(max_length=LONGEST_VALUE, validators=[_no_control], label=label, required=required)
    field.widget.attrs.update({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"})
    if parameter.example or is_array(parameter):
        field.widget.attrs["placeholder"] = parameter.example or "a, b, c"
    if schema.get("type") in ("integer", "number"):
        field.widget.attrs["inputmode"] = "decimal"
        field.validators.append(_whole if schema["type"] == "integer" else _number)
    if parameter.where == "path":
        field.validators.append(_segment)
    return field


def _choices(schema: dict[str, Any]) -> list[tuple[str, str]]:
    if schema.get("type") == "boolean":
        return [("true", "true"), ("false", "false")]
    values = schema.get("enum")
    if not isinstance(values, list) or len(values) > 300:
        return []
    return [(str(value), str(value)) for value in values if isinstance(value, (str, int, float))]


def _no_control(text: str) -> None:
    if _CONTROL.search(text) or "\n" in text or "\r" in text:
        raise forms.ValidationError("Control characters are not allowed.")


def _whole(text: str) -> None:
    if not re.fullmatch(r"-?\d+", text, re.ASCII):
        raise forms.ValidationError("A whole number, such as 10.")


def _number(text: str) -> None:
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII):
        raise forms.ValidationError("A number, such as 12.5.")


def _segment(text: str) -> None:
    if text in (".", ".."):
        raise forms.ValidationError("A dot segment is not a value.")
