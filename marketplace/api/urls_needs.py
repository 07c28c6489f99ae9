"""Needs and the offers on them."""

from marketplace.api import needs
from marketplace.api.addresses import path

urlpatterns = [
    path("needs", needs.Needs.as_view(), name="needs"),
    path("needs/<id:id>", needs.OneNeed.as_view(), name="need"),
    path("needs/<id:id>/withdrawal", needs.NeedWithdrawal.as_view(), name="need-withdrawal"),
    path("needs/<id:id>/offers", needs.NeedOffers.as_view(), name="need-offers"),
    path(
        "needs/<id:id>/offers/withdrawal",
        needs.NeedOfferWithdrawal.as_view(),
        name="need-offer-withdrawal",
    ),
    path("needs/<id:id>/pick", needs.NeedPick.as_view(), name="need-pick"),
    path("sealed-offers/<id:id>", needs.OneSealedOffer.as_view(), name="sealed-offer"),
]
