"""The access table, asked for the API."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from marketplace import access
from marketplace.acting import Acting


class ByTable(BasePermission):
    """Allows what `marketplace.access` allows; a route that it does not list, nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        match = request.resolver_match
        if match is None:
            raise Http404
        method = request.method or ""
        rule = access.rule_of(match.view_name, method)
        if rule is None:
            # A method that the view lacks goes on to its 405; one that it has must be listed.
            return not hasattr(view, method.lower())
        answer = rule.answer(acting_in(request))
        if answer is access.Answer.WHO_ARE_YOU:
            raise NotAuthenticated("Send an API key: Authorization: Bearer ek_….")
        if answer is access.Answer.NO:
            raise PermissionDenied(rule.sentence())
        return True


def acting_in(request: Request) -> Acting | None:
    """Whom an authenticated request acts for."""
    auth: Any = request.auth
    return auth if isinstance(auth, Acting) else None
