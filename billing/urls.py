"""Addresses of cards, receipts, the demo bank and experts' earnings."""

from django.urls import path

from billing import views, views_payouts

urlpatterns = [
    path("billing/", views.overview, name="billing"),
    path("billing/cards/add/", views.card_add, name="card_add"),
    path("billing/cards/new/", views.card_page, name="card_page"),
    path("billing/cards/added/", views.card_added, name="card_added"),
    path("billing/cards/<uuid:pk>/remove/", views.card_remove, name="card_remove"),
    path("billing/cards/<uuid:pk>/default/", views.card_default, name="card_default"),
    path("billing/holds/<uuid:pk>/continue/", views.hold_continue, name="hold_continue"),
    path("billing/holds/<uuid:pk>/return/", views.hold_return, name="hold_return"),
    path("billing/webhooks/stripe/", views.stripe_webhook, name="stripe_webhook"),
    path("billing/demo/<uuid:pk>/", views.demo_bank, name="demo_bank"),
    path("billing/demo/account/<uuid:pk>/", views_payouts.demo_account, name="demo_account"),
    path("expert/earnings/", views_payouts.earnings, name="earnings"),
    path("expert/earnings/statement.csv", views_payouts.statement, name="earnings_csv"),
    path("expert/payouts/account/", views_payouts.account_setup, name="payout_account"),
    path("expert/payouts/return/", views_payouts.account_return, name="payout_return"),
    path("expert/payouts/dashboard/", views_payouts.dashboard, name="payout_dashboard"),
]
