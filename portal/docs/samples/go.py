"""Go, standard library only."""

from portal.docs.samples.values import Sampled, go_string


def render(request: Sampled) -> str:
    body = f"strings.NewReader({go_string(request.body)})" if request.body else "nil"
    imports = ["fmt", "io", "net/http"] + (["strings"] if request.body else [])
    lines = [
        f"request, err := http.NewRequest({go_string(request.method)}, {go_string(request.url)}, {body})",
        "if err != nil {",
        "\tpanic(err)",
        "}",
        *(f"request.Header.Set({go_string(name)}, {go_string(value)})" for name, value in request.headers),
        "response, err := http.DefaultClient.Do(request)",
        "if err != nil {",
        "\tpanic(err)",
        "}",
        "defer response.Body.Close()",
        "body, _ := io.ReadAll(response.Body)",
        "fmt.Println(response.StatusCode, string(body))",
    ]
    head = "package main\n\nimport (\n" + "".join(f'\t"{name}"\n' for name in imports) + ")\n\nfunc main() {\n"
    return head + "".join(f"\t{line}\n" for line in lines) + "}"
