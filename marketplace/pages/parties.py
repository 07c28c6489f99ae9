"""Parties and the people who act for them; keys for programs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from marketplace import keys as api_keys
from marketplace import membership
from marketplace.acting import choose_party
from marketplace.models import ApiKey
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.forms import KeyForm, MemberForm, PartyForm
from marketplace.pages.visitors import acting_of, find, now_of, party_of, user_of
from pacts.models import Member, Party
from reputation.clock import database_now


def parties(request: HttpRequest) -> HttpResponse:
    """Whom the user may act for, and the members of the one acted for."""
    return _show(request, MemberForm())


def party_new(request: HttpRequest) -> HttpResponse:
    """Found a party; its founder owns it and acts for it from now on."""
    form = PartyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _found(request, form))
        if done:
            return done
    return render(request, "parties/new.html", {"form": form})


def _found(request: HttpRequest, form: PartyForm) -> str:
    party = membership.found_party(by=user_of(request), **form.cleaned_data)
    choose_party(request, party)
    return reverse("parties")


def party_choice(request: HttpRequest, party_id: str) -> HttpResponse:
    """Act for another of one's parties."""
    mine = Party.objects.filter(members__user=user_of(request))
    choose_party(request, find(mine, pk=party_id))
    return redirect("parties")


def members(request: HttpRequest) -> HttpResponse:
    """Let somebody act for the party."""
    form = MemberForm(request.POST)
    if form.is_valid():
        done = attempt(request, form, lambda: _add(request, form), field="email")
        if done:
            return done
    return _show(request, form)


def _add(request: HttpRequest, form: MemberForm) -> str:
    membership.add_member(
        party=party_of(request),
        email=form.cleaned_data["email"],
        role=Member.Role(form.cleaned_data["role"]),
    )
    return reverse("parties")


def member_removal(request: HttpRequest, member_id: int) -> HttpResponse:
    """End a membership; a party always keeps an owner."""
    member = find(Member.objects.filter(party=party_of(request)), pk=str(member_id))
    back = reverse("parties")

    def remove() -> str:
        membership.remove_member(member=member)
        return back

    return attempt_button(request, remove, back=back)


def _show(request: HttpRequest, form: MemberForm) -> HttpResponse:
    acting = acting_of(request)
    party = acting.party if acting else None
    mine = Member.objects.filter(user=user_of(request)).select_related("party").order_by("id")
    rows = Member.objects.filter(party=party).select_related("user").order_by("id") if party else []
    context = {"mine": mine, "party": party, "members": rows, "form": form}
    return render(request, "parties/parties.html", context)


def keys(request: HttpRequest) -> HttpResponse:
    """Keys of the party; a new one's secret is shown this once and stored nowhere."""
    form = KeyForm(request.POST or None, initial={"scopes": [ApiKey.Scope.READ]})
    issued: list[api_keys.IssuedKey] = []
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _issue(request, form, issued))
        if done and not issued:
            return done
        form = KeyForm(initial={"scopes": [ApiKey.Scope.READ]}) if issued else form
    return _show_keys(request, form, issued)


def _show_keys(
    request: HttpRequest, form: KeyForm, issued: list[api_keys.IssuedKey]
) -> HttpResponse:
    rows = ApiKey.objects.filter(party=party_of(request)).select_related("user")
    context = {
        "form": form,
        "keys": rows.order_by("-created_at"),
        "issued": issued,
        "now": now_of(request),
    }
    response = render(request, "keys/keys.html", context)
    response["Cache-Control"] = "no-store"
    return response


def key_rotation(request: HttpRequest, key_id: str) -> HttpResponse:
    """A successor for a key; its secret is shown this once, and the old one works on for a day."""
    key = find(ApiKey.objects.filter(party=party_of(request)), pk=key_id)
    issued: list[api_keys.IssuedKey] = []

    def rotate() -> str:
        issued.append(api_keys.rotate_key(key=key, by=user_of(request), now=database_now()))
        return reverse("keys")

    done = attempt_button(request, rotate, back=reverse("keys"))
    if not issued:
        return done
    return _show_keys(request, KeyForm(initial={"scopes": [ApiKey.Scope.READ]}), issued)


def _issue(request: HttpRequest, form: KeyForm, issued: list[api_keys.IssuedKey]) -> str:
    issued.append(
        api_keys.issue_key(
            party=party_of(request),
            user=user_of(request),
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            now=database_now(),
        )
    )
    return reverse("keys")


def key_end(request: HttpRequest, key_id: str) -> HttpResponse:
    """Revoke a key at once."""
    key = find(ApiKey.objects.filter(party=party_of(request)), pk=key_id)
    back = reverse("keys")

    def revoke() -> str:
        api_keys.revoke_key(key=key, now=database_now())
        return back

    return attempt_button(request, revoke, back=back)
