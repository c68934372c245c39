"""Addresses of cards, receipts, the demo bank and experts' earnings."""

from django.urls import path

from billing import views

urlpatterns = [
    path("billing/", views.overview, name="billing"),
    path("billing/cards/add/", views.card_add, name="card_add"),
    path("billing/cards/<uuid:pk>/remove/", views.card_remove, name="card_remove"),
    path("billing/cards/<uuid:pk>/default/", views.card_default, name="card_default"),
    path("billing/demo/<uuid:pk>/", views.demo_bank, name="demo_bank"),
    path("expert/earnings/", views.earnings, name="earnings"),
]
