"""What an operation's document says a good reply looks like."""

import json

from marketplace.public import OperationView, example_of


def example_reply(operation: OperationView) -> str:
    """The body of a successful reply as indented JSON; "" when the document says nothing of one."""
    for response in operation.responses:
        for content in response.content if response.status.startswith("2") else ():
            if content.type.partition(";")[0].strip().endswith("json"):
                value = example_of(content.schema)
                return json.dumps(value, indent=2, ensure_ascii=False) if value not in (None, {}, []) else ""
    return ""
