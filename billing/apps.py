from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        """Show what is counted."""
        from billing.metrics import money
        from hopps.metrics import register

        register("money", money)
