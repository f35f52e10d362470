"""JavaScript and TypeScript: fetch, as browsers, Node 18+, Deno and Bun have it."""

from portal.docs.samples.values import Sampled, c_string


def render(request: Sampled) -> str:
    headers = "".join(f"    {c_string(name)}: {c_string(value)},\n" for name, value in request.headers)
    body = f"  body: {c_string(request.body)},\n" if request.body else ""
    return (
        f"const response = await fetch({c_string(request.url)}, {{\n"
        f"  method: {c_string(request.method)},\n"
        f"  headers: {{\n{headers}  }},\n"
        f"{body}"
        "});\n"
        "console.log(response.status, await response.text());"
    )
