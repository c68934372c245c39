"""How forms look: one renderer for all of them."""

from django.forms.renderers import TemplatesSetting


class HouseRenderer(TemplatesSetting):
    """Renders every form field through templates/components/field.html."""

    field_template_name = "components/field.html"
