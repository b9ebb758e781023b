"""HTML pages that need nothing else: no script, no network, screen and paper."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def pages_of(package: str) -> Environment:
    """The templates of a package, which may include `page.css`: colours, light and dark, and what all pages share."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("fer_live")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
