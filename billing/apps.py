from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        """Show what is counted, let backups compare what the ledger sums to, and say what there is of a person."""
        from accounts.erasing import register as register_erasing
        from accounts.my_data import register as register_data
        from billing import (
            checks,  # noqa: F401  says what must hold to start
            erasing,
            my_data,
        )
        from billing.ledger import addends  # the models must be there first
        from billing.metrics import money
        from hopps.metrics import register
        from hopps.rows.facts import add_up

        register("money", money)
        add_up("billing.posting", addends)
        register_data(my_data.TABLES)
        register_erasing(objects=erasing.objection, removes=erasing.remove)
