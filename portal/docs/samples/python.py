"""Python, standard library only."""

from portal.docs.samples.values import Sampled, python_string


def render(request: Sampled) -> str:
    headers = "".join(f"        {python_string(name)}: {python_string(value)},\n" for name, value in request.headers)
    body = f"    data={python_string(request.body)}.encode(),\n" if request.body else ""
    return (
        "from urllib.request import Request, urlopen\n\n"
        "request = Request(\n"
        f"    {python_string(request.url)},\n"
        f"    method={python_string(request.method)},\n"
        f"    headers={{\n{headers}    }},\n"
        f"{body}"
        ")\n"
        "with urlopen(request) as response:\n"
        "    print(response.status, response.read().decode())"
    )
