from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = "Marketplace"

    def ready(self) -> None:
        from marketplace import checks  # noqa: F401 - registers them
        from marketplace.celery import app, beat_schedule

        app.conf.beat_schedule = beat_schedule()
