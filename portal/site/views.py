from django.http import HttpResponse


def csrf_failure(request, reason=""):
    return HttpResponse("CSRF", status=403)


def too_many(request, exception):
    return HttpResponse("Too many", status=429)
