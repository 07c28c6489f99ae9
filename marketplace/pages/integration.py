"""How a program reports its production calls: lines to copy, with this market's own address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def integrate(request: HttpRequest) -> HttpResponse:
    """The guard, the wrappers, the proxy, OpenTelemetry and plain HTTP, each ready to paste."""
    address = request.build_absolute_uri("/").rstrip("/")
    return render(request, "integrate/integrate.html", {"address": address})
