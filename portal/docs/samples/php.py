"""PHP 7.4 and later with its usual curl extension."""

from portal.docs.samples.values import Sampled, single_quoted


def render(request: Sampled) -> str:
    headers = "".join(f"        {single_quoted(f'{name}: {value}')},\n" for name, value in request.headers)
    body = f"    CURLOPT_POSTFIELDS => {single_quoted(request.body)},\n" if request.body else ""
    return (
        "<?php\n"
        f"$call = curl_init({single_quoted(request.url)});\n"
        "curl_setopt_array($call, [\n"
        f"    CURLOPT_CUSTOMREQUEST => {single_quoted(request.method)},\n"
        f"    CURLOPT_HTTPHEADER => [\n{headers}    ],\n"
        f"{body}"
        "    CURLOPT_RETURNTRANSFER => true,\n"
        "]);\n"
        "$body = curl_exec($call);\n"
        'echo curl_getinfo($call, CURLINFO_RESPONSE_CODE), " ", $body;'
    )
