from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        """Show what is counted, and let backups and copies compare what the ledger sums to."""
        from billing import checks  # noqa: F401  says what must hold to start
        from billing.ledger import addends  # the models must be there first
        from billing.metrics import money
        from hopps.metrics import register
        from hopps.rows.facts import add_up

        register("money", money)
        add_up("billing.posting", addends)
