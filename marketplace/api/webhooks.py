"""Webhooks from rails: no key and no session, only the rail's signature over the raw body.

Whatever is authentic is acknowledged, known or not, first or repeated: a refusal would only make
the rail send it again. What is not authentic is refused before it is read.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from marketplace.api.errors import NOT_FOUND, as_response
from reputation.clock import database_now
from settlement import webhooks
from settlement.rails import RailUnknown, WebhookRefused

MOST_BYTES = 256_000


@csrf_exempt
def receive(request: HttpRequest, rail: str) -> HttpResponse:
    """204 for an authentic webhook, 400 for any other, 413 for one too long, 404 for no rail."""
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return as_response(413, "body-too-large", f"A webhook has at most {MOST_BYTES} bytes.")
    try:
        webhooks.receive(rail=rail, headers=request.headers, body=body, now=database_now())
    except RailUnknown:
        return as_response(404, "not-found", NOT_FOUND)
    except WebhookRefused as error:
        sentence = str(error)
        return as_response(400, "webhook-refused", sentence[:1].upper() + sentence[1:] + ".")
    return HttpResponse(status=204)
