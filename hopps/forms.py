"""How forms look: one renderer for all of them."""

from typing import Any

from django.forms import BoundField
from django.forms.renderers import TemplatesSetting


class HouseBoundField(BoundField):
    """A field that takes the focus when it is the first one to mend, so that the page opens where the mistake is."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Any = None) -> dict[str, Any]:
        """Return the control's attributes; Django's own, and `autofocus` on the first field with an error."""
        built = dict(super().build_widget_attrs(attrs, widget))
        if self.form.is_bound and self.name == next(iter(self.form.errors), None):
            built["autofocus"] = True
        return built


class HouseRenderer(TemplatesSetting):
    """Renders every form field through templates/components/field.html."""

    field_template_name = "components/field.html"
    bound_field_class = HouseBoundField
