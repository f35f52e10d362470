"""Java 11 and later, standard library only; one file that `java Call.java` runs."""

from portal.docs.samples.values import Sampled, c_string


def render(request: Sampled) -> str:
    body = f"BodyPublishers.ofString({c_string(request.body)})" if request.body else "BodyPublishers.noBody()"
    headers = "".join(f"            .header({c_string(n)}, {c_string(v)})\n" for n, v in request.headers)
    return (
        "import java.net.URI;\n"
        "import java.net.http.HttpClient;\n"
        "import java.net.http.HttpRequest;\n"
        "import java.net.http.HttpRequest.BodyPublishers;\n"
        "import java.net.http.HttpResponse.BodyHandlers;\n\n"
        "public class Call {\n"
        "    public static void main(String[] args) throws Exception {\n"
        f"        var request = HttpRequest.newBuilder(URI.create({c_string(request.url)}))\n"
        f"            .method({c_string(request.method)}, {body})\n"
        f"{headers}"
        "            .build();\n"
        "        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());\n"
        '        System.out.println(response.statusCode() + " " + response.body());\n'
        "    }\n"
        "}"
    )
