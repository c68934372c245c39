"""Addresses of cards, receipts, the demo bank and experts' earnings."""

from django.urls import path

from billing import views, views_payouts

urlpatterns = [
    path("billing/", views.overview, name="billing"),
    path("billing/cards/add/", views.card_add, name="card_add"),
    path("billing/cards/<uuid:pk>/remove/", views.card_remove, name="card_remove"),
    path("billing/cards/<uuid:pk>/default/", views.card_default, name="card_default"),
    path("billing/demo/<uuid:pk>/", views.demo_bank, name="demo_bank"),
    path("billing/demo/account/<uuid:pk>/", views_payouts.demo_account, name="demo_account"),
    path("expert/earnings/", views_payouts.earnings, name="earnings"),
    path("expert/earnings/statement.csv", views_payouts.statement, name="earnings_csv"),
    path("expert/payouts/account/", views_payouts.account_setup, name="payout_account"),
    path("expert/payouts/return/", views_payouts.account_return, name="payout_return"),
    path("expert/payouts/dashboard/", views_payouts.dashboard, name="payout_dashboard"),
]
