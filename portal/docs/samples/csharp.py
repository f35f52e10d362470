"""C# 9 and later, as a top-level program."""

from portal.docs.samples.values import Sampled, c_string


def render(request: Sampled) -> str:
    own = [(name, value) for name, value in request.headers if name != "Content-Type"]
    headers = "".join(f"request.Headers.TryAddWithoutValidation({c_string(n)}, {c_string(v)});\n" for n, v in own)
    method = c_string(request.method)
    return (
        "using System.Net.Http;\n\n"
        "using var client = new HttpClient();\n"
        f"using var request = new HttpRequestMessage(new HttpMethod({method}), {c_string(request.url)});\n"
        f"{headers}{_body(request)}"
        "using var response = await client.SendAsync(request);\n"
        'Console.WriteLine($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");'
    )


def _body(request: Sampled) -> str:
    if not request.body:
        return ""
    kind = dict(request.headers).get("Content-Type", "application/json")
    return (
        f"request.Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes({c_string(request.body)}));\n"
        f'request.Content.Headers.TryAddWithoutValidation("Content-Type", {c_string(kind)});\n'
    )
