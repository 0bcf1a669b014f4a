"""The published JSON Schemas of manifest.json and of a page, generated from the classes that read them."""

import json
from typing import Any, Final

from pydantic import BaseModel

from gateway.model.errors import NotFound
from tv_apps.miniapps.manifest import Manifest
from tv_apps.miniapps.template import PageModel

SCHEMAS: Final[dict[str, tuple[type[BaseModel], str]]] = {
    "miniapp-manifest.json": (Manifest, "Linli mini-app manifest (W3C MiniApp field names)"),
    "miniapp-page.json": (PageModel, "Linli mini-app page, runtime data"),
}


def schema(name: str) -> dict[str, Any]:
    """Return one schema (JSON Schema 2020-12). Raises NotFound."""
    if name not in SCHEMAS:
        raise NotFound("no such schema", place=name, cure=f"There are: {', '.join(SCHEMAS)}.")
    model, title = SCHEMAS[name]
    made = model.model_json_schema(by_alias=True)
    made.pop("description", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}


def text_of(name: str) -> str:
    """Return one schema as it stands in docs/schemas."""
    return json.dumps(schema(name), ensure_ascii=False, indent=1) + "\n"
