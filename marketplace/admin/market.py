"""What is offered: agents, pacts, listings, claims; and requests that were replayed."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from marketplace.admin.reading import History, noted, only
from marketplace.models import BenchmarkClaim, Listing, ReplayedRequest
from pacts.evaluators import end_offer
from pacts.models import (
    Agent,
    AgentVersion,
    EvaluatorOffer,
    Pact,
    PactVersion,
    TaskSet,
    TaskSetVersion,
)
from reputation.clock import database_now


@admin.register(Agent)
class AgentAdmin(History):
    list_display = ("name", "id", "builder", "work", "control_proved_at", "created_at")
    list_filter = ("work", ("control_proved_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "name", "slug", "builder__name", "builder__id")
    exclude = ("control_token",)
    inlines = (only(AgentVersion, "number", "endpoint", "protocol", "fingerprint", "created_at"),)


@admin.register(AgentVersion)
class AgentVersionAdmin(History):
    list_display = ("id", "agent", "number", "endpoint", "protocol", "created_at")
    search_fields = ("id", "agent__name", "agent__id", "endpoint", "fingerprint")


@admin.register(Pact)
class PactAdmin(History):
    list_display = ("title", "id", "agent", "created_at")
    search_fields = ("id", "title", "agent__name", "agent__id")
    inlines = (only(PactVersion, "number", "digest", "published_at"),)


@admin.register(PactVersion)
class PactVersionAdmin(History):
    list_display = ("id", "pact", "number", "digest", "published_at")
    list_filter = (("published_at", admin.EmptyFieldListFilter),)
    search_fields = ("id", "digest", "pact__id", "pact__title")


@admin.register(TaskSet)
class TaskSetAdmin(History):
    """Names and sizes; the tasks themselves are their owner's."""

    list_display = ("name", "id", "owner", "work", "created_at")
    list_filter = ("work",)
    search_fields = ("id", "name", "owner__name", "owner__id")
    inlines = (only(TaskSetVersion, "number", "size", "digest", "created_at"),)


@admin.register(EvaluatorOffer)
class EvaluatorOfferAdmin(History):
    """Third parties' offers to judge. Staff end one; hires agreed on are judged all the same."""

    list_display = ("evaluator", "id", "task_set_version", "opened_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "ended_by_staff")
    search_fields = ("id", "evaluator__name", "evaluator__id")
    actions = ("end",)

    @admin.action(description="End: no new hires on it", permissions=["view"])
    def end(self, request: HttpRequest, chosen: QuerySet[EvaluatorOffer]) -> None:
        """The evaluator may offer a task set again; its record says who ended this one."""
        noted(request, chosen, "evaluator's offer ended")
        for offer in chosen:
            end_offer(offer=offer, now=database_now(), by_staff=True)
        self.message_user(request, f"{len(chosen)} offer(s) ended.")


@admin.register(Listing)
class ListingAdmin(History):
    """Offers. Staff suspend one, or lift the suspension; the terms are the builder's."""

    list_display = ("agent", "id", "price", "currency", "state", "opened_at")
    list_filter = ("state", "currency", "agent__work")
    search_fields = ("id", "agent__name", "agent__id", "agent__builder__name")
    actions = ("suspend", "lift")

    @admin.action(description="Suspend: no new hires", permissions=["view"])
    def suspend(self, request: HttpRequest, chosen: QuerySet[Listing]) -> None:
        """Running engagements go on; new ones are refused."""
        noted(request, chosen, "suspended")
        many = chosen.update(state=Listing.State.SUSPENDED, suspended_by="")
        self.message_user(request, f"{many} listing(s) suspended.")

    @admin.action(description="Lift the suspension", permissions=["view"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Listing]) -> None:
        """Back to paused: the builder decides when to open again."""
        suspended = chosen.filter(state=Listing.State.SUSPENDED)
        noted(request, suspended, "suspension lifted")
        many = suspended.update(state=Listing.State.PAUSED, suspended_by="")
        self.message_user(request, f"{many} listing(s) may open again.")


@admin.register(BenchmarkClaim)
class BenchmarkClaimAdmin(History):
    list_display = ("benchmark", "id", "agent_version", "score_bps", "units", "measured_on")
    list_filter = ("ran_by", "benchmark")
    search_fields = ("id", "benchmark", "agent_version__agent__name", "agent_version__id")


@admin.register(ReplayedRequest)
class ReplayedRequestAdmin(History):
    """Answers kept for requests that are sent again."""

    list_display = ("key", "caller", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("key", "caller")
