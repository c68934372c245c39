from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        """Let backups and copies compare what the ledger sums to."""
        from billing.ledger import addends  # the models must be there first
        from hopps.rows.facts import add_up

        add_up("billing.posting", addends)
