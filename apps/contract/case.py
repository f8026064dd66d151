"""The nouns of the contract: a case is one request and its expected reply, an endpoint is a set of cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from pydantic import ValidationError

JSON = "application/json"


class CaseError(LookupError):
    """An endpoint does not have the requested case, or the case does not take the parameters."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request and its expected reply.

    Attributes:
        path: with the query string, percent-encoded.
        headers: to send; without Host and, unless the body is withheld, without Content-Length. ``{token:KIND}`` in
            a value stands for a token (see ``tokens``).
        status: the reply's; 0 for any below 400.
        media_type: the reply's, without parameters; empty where only its status and body are compared.
        json: expected value, where the reply is JSON.
        text: expected exact body, otherwise.
        volatile: JSON paths of the reply, such as ``id``, whose value may vary; its type may not.
        reply_headers: names, in lower case, and values that must be there. A reply's value may list more, separated
            by commas: some frameworks answer HEAD or OPTIONS by themselves and say so in Allow.
        absent_headers: names, in lower case, that the reply must not have.
        withhold: only the head is sent, and the reply must come before the body that it announces.
        preflight: status, type and body of the reply are the CORS package's own; only the headers are compared.
        streamed: the body is sent as it is made, so that its head does not say how long it is; any other reply does.
            A server may know the length of an empty one, as it ends at once.
        least_ms: the least time a right reply can take, in milliseconds: the wait that it stands for. A loop whose
            timers count whole milliseconds may answer up to 1 ms earlier.
    """

    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    media_type: str
    json: Any
    text: bytes | None
    volatile: tuple[str, ...] = ()
    reply_headers: tuple[tuple[str, str], ...] = ()
    absent_headers: tuple[str, ...] = ()
    withhold: bool = False
    preflight: bool = False
    streamed: bool = False
    least_ms: int = 0

    @property
    def is_json(self) -> bool:
        """Whether the reply's body is compared as a JSON value, and not byte for byte."""
        return self.media_type == JSON or bool(self.volatile)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of the contract.

    Attributes:
        path: template, such as ``/items/{item_id}``; empty for ``errors``, whose cases go everywhere.
        cases: everything that is sent to verify an app.
        make: a case from parameters, where the endpoint takes any.
    """

    name: str
    method: str
    path: str
    summary: str
    cases: tuple[Case, ...]
    make: Callable[..., Case] | None = None

    def case(self, name: str, **params: int | str | float) -> Case:
        """The case called ``name``, or, where ``name`` is empty, the one made from ``params``.

        Raises:
            CaseError: there is none.
        """
        if not name:
            return self._made(params)
        if params:
            raise CaseError(f"{self.name}: case {name!r} takes no parameters, but got {', '.join(params)}")
        for case in self.cases:
            if case.name == name:
                return case
        known = ", ".join(case.name for case in self.cases)
        raise CaseError(f"{self.name}: no case {name!r}; there are: {known}")

    def _made(self, params: Mapping[str, int | str | float]) -> Case:
        if self.make is None:
            raise CaseError(f"{self.name}: takes no parameters; name one of its cases")
        try:
            signature(self.make).bind(**params)
            return self.make(**params)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            raise CaseError(f"{self.name}: {'; '.join(faults)}") from error
        except (TypeError, ValueError) as error:
            raise CaseError(f"{self.name}: {error}") from error


def get(name: str, path: str, reply: Any) -> Case:
    """A GET answered with 200 and JSON."""
    return Case(name, "GET", path, (), b"", 200, JSON, reply, None)


def post(name: str, path: str, value: Any, reply: Any) -> Case:
    """A POST of a JSON value, answered with 200 and JSON."""
    return Case(name, "POST", path, (("content-type", JSON),), json.dumps(value).encode(), 200, JSON, reply, None)


def too_large(case: Case) -> Case:
    """The case refused for its length: in words of the framework or the server, since it may never reach the app."""
    return replace(case, status=413, media_type="", json=None)


def refused(name: str, path: str, *faults: dict[str, Any]) -> Case:
    """A GET answered with 422 and these faults."""
    return replace(get(name, path, {"detail": list(faults)}), status=422)


def fault(loc: tuple[str | int, ...], kind: str, message: str) -> dict[str, Any]:
    """One entry of the ``detail`` of a 422 reply."""
    return {"loc": list(loc), "msg": message, "type": kind}


def missing(*loc: str | int) -> dict[str, Any]:
    """The fault of a required value that is not there."""
    return fault(loc, "missing", "Field required")


def number_fault(loc: tuple[str | int, ...], kind: str, bound: int) -> dict[str, Any]:
    """The fault of a number beyond a bound; ``kind`` is ``greater_than_equal`` or ``less_than_equal``."""
    return fault(loc, kind, f"Input should be {kind.replace('_equal', ' or equal').replace('_', ' ')} to {bound}")


def not_a_number(*loc: str | int) -> dict[str, Any]:
    """The fault of a text that is no integer."""
    return fault(loc, "int_parsing", "Input should be a valid integer, unable to parse string as an integer")
