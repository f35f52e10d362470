from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "kit.django"
    label = "kit"
    default_auto_field = "django.db.models.BigAutoField"
