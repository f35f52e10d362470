"""A schema as a tree: names, types, rules; loops and hostile sizes end."""

from portal.docs.schema import WIDEST, Node, schema_tree


def names(node: Node) -> list[str]:
    return [child.name for child in node.children]


def count(node: Node) -> int:
    return 1 + sum(count(child) for child in node.children)


def test_properties_with_types_and_rules():
    tree = schema_tree(
        {
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string", "minLength": 2, "maxLength": 2, "description": "Two letters"},
                "at": {"type": ["string", "null"], "format": "date"},
                "size": {"type": "integer", "minimum": 1, "maximum": 250, "default": 50},
                "kind": {"enum": ["a", "b"]},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "old": {"type": "string", "deprecated": True},
            },
        }
    )
    by = {child.name: child for child in tree.children}
    assert by["code"].required and by["code"].rules == ("2 to 2 characters",)
    assert by["at"].type == "string or null · date"
    assert by["size"].rules == ("1 to 250", "default 50")
    assert by["kind"].rules == ("one of: a, b",)
    assert (by["tags"].type, by["tags"].rules) == ("array of string", ("at least 1 items",))
    assert by["old"].deprecated


def test_references_and_choices():
    tree = schema_tree(
        {
            "oneOf": [{"$ref": "#/$defs/Cat"}, {"type": "object", "title": "Dog", "properties": {"bark": {}}}],
            "$defs": {"Cat": {"title": "Cat", "type": "object", "properties": {"purr": {"type": "boolean"}}}},
        }
    )
    assert names(tree) == ["Cat", "Dog"]
    assert names(tree.children[0]) == ["purr"]


def test_arrays_show_what_is_in_them():
    tree = schema_tree({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}})
    assert (tree.type, names(tree)) == ("array of object", ["a"])


def test_a_loop_is_said_once():
    tree = schema_tree(
        {"$ref": "#/$defs/N", "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}}
    )
    assert tree.children[0].type == "object (as above)"
    assert tree.children[0].children == ()


def test_hostile_sizes_end():
    wide = schema_tree({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5_000)}})
    assert count(wide) <= WIDEST + 1
    deep: dict = {"type": "string"}
    for _n in range(200):
        deep = {"type": "object", "properties": {"d": deep}}
    assert count(schema_tree(deep)) < 12
    bush: dict = {"type": "string"}
    for _n in range(8):
        bush = {"type": "object", "properties": {f"p{n}": bush for n in range(8)}}
    assert count(schema_tree(bush)) <= WIDEST + 8


def test_what_is_no_schema_is_any_value():
    for odd in (None, True, [], "x", {"$ref": 7}, {"$ref": "#/nowhere"}, {"properties": []}, {"items": [1]}):
        assert isinstance(schema_tree(odd), Node)
