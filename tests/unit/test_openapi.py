"""The OpenAPI document of the contract: complete, valid, and FastAPI's own in substance."""

from __future__ import annotations

import copy
import json
import re

import pytest
from jsonschema import Draft202012Validator

from apps.contract import pages
from apps.contract.endpoints import ENDPOINTS
from apps.contract.inbound import Refused
from apps.contract.openapi import document
from apps.contract.operations import OPERATIONS
from apps.fastapi_app import app
from tests.contract.substance import substance


def test_fastapi_says_the_same_by_itself() -> None:
    assert substance(app.openapi()) == substance(document())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_an_endpoint_with_the_statuses_of_its_cases(operation) -> None:
    endpoint = ENDPOINTS[operation.name]
    assert (endpoint.method, endpoint.path) == (operation.method, operation.path)
    statuses = {case.status for case in endpoint.cases}
    assert statuses <= {operation.status, *operation.refusals}


def test_every_endpoint_is_an_operation() -> None:
    assert {operation.name for operation in OPERATIONS} == set(ENDPOINTS) - {"errors", "cors"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_replies_of_cases_match_their_schemas(operation) -> None:
    whole = document()
    described = whole["paths"][operation.path][operation.method.lower()]["responses"]
    for case in ENDPOINTS[operation.name].cases:
        if case.status == 413:
            assert "content" not in described["413"]
            continue
        ((media, content),) = described[str(case.status)]["content"].items()
        assert media == case.media_type
        if case.media_type == "application/json":
            schema = {**content["schema"], "components": whole["components"]}
            Draft202012Validator(schema).validate(case.json if not case.volatile else patched(case))


def patched(case):
    return {**case.json, **({"sku": "GEN-000000001"} if "sku" in case.volatile else {})}


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    whole = document()
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for name in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(whole)):
        assert name in whole["components"]["schemas"]


def test_substance_sees_what_matters_and_nothing_else() -> None:
    base = substance(document())
    worded = copy.deepcopy(document())
    worded["paths"]["/health"]["get"]["summary"] = "other words"
    assert substance(worded) == base
    changed = copy.deepcopy(document())
    changed["paths"]["/items/{item_id}"]["get"]["parameters"][2]["schema"]["maximum"] = 101
    assert substance(changed) != base
    changed = copy.deepcopy(document())
    del changed["paths"]["/orders/full"]["post"]["responses"]["413"]
    assert substance(changed) != base
    changed = copy.deepcopy(document())
    changed["components"]["schemas"]["Line"]["required"].remove("sku")
    assert substance(changed) != base


@pytest.mark.parametrize("page", [pages.SWAGGER_PAGE, pages.REDOC_PAGE], ids=["swagger", "redoc"])
def test_pages_need_nothing_from_elsewhere(page: str) -> None:
    assert "//" not in page
    names = re.findall(rf"{pages.ASSETS_URL}/([\w.-]+)", page)
    assert names
    for name in names:
        content, media_type = pages.asset(name)
        assert len(content) > 500
        assert b"cdn.redoc" not in content
        assert "/" in media_type


@pytest.mark.parametrize("name", ["", "..", "../apps.py", "swagger-ui.css.map", "LICENSE"])
def test_other_files_of_the_package_are_not_served(name: str) -> None:
    with pytest.raises(Refused):
        pages.asset(name)
