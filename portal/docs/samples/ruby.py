"""Ruby, standard library only."""

from portal.docs.samples.values import Sampled, single_quoted

CLASSES = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def render(request: Sampled) -> str:
    headers = "".join(f"request[{single_quoted(n)}] = {single_quoted(v)}\n" for n, v in request.headers)
    body = f"request.body = {single_quoted(request.body)}\n" if request.body else ""
    made = f"Net::HTTP::{request.method.capitalize()}.new(uri)"
    return (
        'require "net/http"\n\n'
        f"uri = URI({single_quoted(request.url)})\n"
        f"request = {made}\n"
        f"{headers}{body}"
        'tls = uri.scheme == "https"\n'
        "response = Net::HTTP.start(uri.host, uri.port, use_ssl: tls) { |http| http.request(request) }\n"
        'puts "#{response.code} #{response.body}"'
    )
