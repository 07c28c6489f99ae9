"""The log as a stranger's program reads it: the files of C2SP tlog-tiles, and what goes with them.

The same bytes for everybody, so caches may keep them: complete tiles and bundles for ever.
"""

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.gzip import gzip_page

from marketplace.settings import ROOT
from reputation import checkpoints, keys, notes, proofs, schemas, tiles
from reputation.merkle import TILE_WIDTH
from reputation.models import Evidence
from reputation.witnesses import trusted_witnesses

FOR_EVER = "public, max-age=31536000, immutable"
A_MOMENT = "public, max-age=2"
AN_HOUR = "public, max-age=3600"
PROGRAMS = ROOT / "reputation/verifier"


def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest signed head, with every cosignature that came so far."""
    head = checkpoints.newest()
    if head is None:
        raise Http404("nothing was signed yet")
    return _text(checkpoints.text_of(head), A_MOMENT)


def tile(request: HttpRequest, level: int, place: str) -> HttpResponse:
    """Up to 256 hashes of one row of the tree, 32 bytes each."""
    first, width = _placed(level, place)
    hashes = tiles.row(level=level, first=first, count=width)
    return _bytes(hashes)


@gzip_page
def entries(request: HttpRequest, place: str) -> HttpResponse:
    """Up to 256 envelopes, each after its length in two bytes."""
    first, width = _placed(0, place)
    found = Evidence.objects.filter(entries__index__gte=first, entries__index__lt=first + width)
    texts = found.order_by("entries__index").values_list("envelope", flat=True)
    return _bytes(b"".join(_framed(text.encode()) for text in texts))


def proof(request: HttpRequest, evidence_id: str) -> HttpResponse:
    """The proof of one piece of evidence below the newest head (C2SP tlog-proof)."""
    try:
        found = proofs.tlog_proof(evidence_id=evidence_id)
    except proofs.NotYetProvable as error:
        raise Http404(str(error)) from error
    response = _text(str(found), A_MOMENT)
    response["Content-Disposition"] = f'attachment; filename="{evidence_id}.tlog-proof"'
    return response


def log_keys(request: HttpRequest) -> HttpResponse:
    """Every key of the log, as vkeys, the one in use first."""
    return _text("".join(f"{key}\n" for key in keys.vkeys()), AN_HOUR)


def policy(request: HttpRequest) -> HttpResponse:
    """Whom to trust for what (C2SP tlog-policy): the log's key, and its witnesses."""
    known = keys.vkeys()
    if not known:
        raise Http404("the log has no key yet")
    url = request.build_absolute_uri(".")
    text = notes.policy(log=known[0], url=url, witnesses=trusted_witnesses())
    return _text(text, AN_HOUR)


def schema(request: HttpRequest, kind: str, version: int) -> JsonResponse:
    """The JSON Schema of the envelopes of one kind and version."""
    try:
        found = schemas.schema_of(kind=kind, version=version)
    except schemas.SchemaUnknown as error:
        raise Http404(str(error)) from error
    response = JsonResponse(found, content_type="application/schema+json")
    response["Cache-Control"] = AN_HOUR
    return response


def verifier(request: HttpRequest) -> HttpResponse:
    """The stand-alone verifier, to read and to run."""
    return _program("verify.py")


def fetcher(request: HttpRequest) -> HttpResponse:
    """The program beside it that fetches the whole log and checks it against its signed head."""
    return _program("fetch.py")


app_name = "log"
urlpatterns = [
    path("checkpoint", checkpoint, name="checkpoint"),
    path("tile/entries/<path:place>", entries, name="entries"),
    path("tile/<int:level>/<path:place>", tile, name="tile"),
    path("proof/<str:evidence_id>", proof, name="proof"),
    path("keys", log_keys, name="keys"),
    path("policy", policy, name="policy"),
    path("schema/<str:kind>/<int:version>", schema, name="schema"),
    path("verify.py", verifier, name="verifier"),
    path("fetch.py", fetcher, name="fetcher"),
]


def _program(name: str) -> HttpResponse:
    response = _text(_source(name), AN_HOUR)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@cache
def _source(name: str) -> str:
    return (PROGRAMS / name).read_text("utf-8")


def _placed(level: int, place: str) -> tuple[int, int]:
    """The first hash and the width that an address names, if a signed head covers them, or 404."""
    try:
        tile, width = tiles.read_place(place)
    except ValueError as error:
        raise Http404(str(error)) from error
    head = checkpoints.newest()
    first = tile * TILE_WIDTH
    if head is None or level > tiles.HIGHEST or first + width > head.size >> 8 * level:
        raise Http404("no signed head covers this tile")
    return first, width


def _framed(entry: bytes) -> bytes:
    return len(entry).to_bytes(2, "big") + entry


def _text(content: str, caching: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = caching
    return response


def _bytes(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Cache-Control"] = FOR_EVER
    return response
