import pytest

from marketplace.contract.paths import parameters, shape, why_bad


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/{b}", "/a/{b}.json", "/{a}-{b}", "/{rest*}", "/a/{rest*}", "/a%20b", "/a/"]
)
def test_allowed(path: str) -> None:
    assert why_bad(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "//a",
        "/a//b",
        "/./a",
        "/a/..",
        "/a?b",
        "/a#b",
        "/a b",
        "/ä",
        "/{",
        "/}",
        "/{}",
        "/{a b}",
        "/{a}/{a}",
        "/{r*}/x",
        "/x{r*}",
        "/" + "a" * 300,
    ],
)
def test_refused(path: str) -> None:
    assert why_bad(path)


def test_what_they_say() -> None:
    assert parameters("/a/{b}/{rest*}") == ["b", "rest"]
    assert shape("/a/{b}/c") == shape("/a/{x}/c") != shape("/a/{x*}")
