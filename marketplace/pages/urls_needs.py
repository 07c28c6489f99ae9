"""Needs and the offers on them."""

from django.urls import path

from marketplace.pages import needs

urlpatterns = [
    path("needs/", needs.needs, name="needs"),
    path("needs/new/", needs.need_new, name="need_new"),
    path("needs/<str:need_id>/", needs.need, name="need"),
    path("needs/<str:need_id>/offer/", needs.need_offer, name="need_offer"),
    path(
        "needs/<str:need_id>/offer/withdrawal/",
        needs.need_offer_withdrawal,
        name="need_offer_withdrawal",
    ),
    path("needs/<str:need_id>/withdrawal/", needs.need_withdrawal, name="need_withdrawal"),
    path("needs/<str:need_id>/pick/", needs.need_pick, name="need_pick"),
    path("sealed-offers/<str:sealed_id>/", needs.need_offer_one, name="sealed_offer"),
]
