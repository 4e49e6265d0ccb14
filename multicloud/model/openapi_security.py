"""The ``security`` of an OpenAPI document as authorizers and scopes.

Who may call is never guessed: what cannot be expressed by an authorizer is a problem, not an open route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from multicloud.errors import DefinitionError, Problem
from multicloud.model.authorizers import PUBLIC, ApiKeyAuthorizer, Authorizer, JwtAuthorizer
from multicloud.model.checks import report, report_together, show, unknown_names
from multicloud.model.openapi_node import Node

AUTHORIZER = "x-multicloud-authorizer"
_DISCOVERY = "/.well-known/openid-configuration"


@attrs.frozen
class Security:
    """authorizer: alternatives, None where nothing is stated. scopes: what each of them must grant."""

    authorizer: tuple[Authorizer, ...] | None = None
    scopes: tuple[str, ...] = ()


class SecurityReader:
    """Reads ``security`` lists against the document's security schemes; each scheme is read, and reported, once."""

    def __init__(self, schemes: Node) -> None:
        self._schemes = schemes
        self._read: dict[str, Authorizer | None] = {}

    def read(self, owner: Node) -> Security:
        """Return what the ``security`` of a document or an operation says; problems go to the open report."""
        if not owner.has("security"):
            return Security()
        security = owner.at("security")
        if security.value is None:
            security.refuse("a list", "nothing", "write [] to let anyone in")
        alternatives: list[Authorizer] = []
        scopes: list[tuple[str, ...]] = []
        for requirement in security.elements():
            names = list(requirement.items())
            if len(names) > 1:
                hint = "write them as items of the list, of which any one is enough"
                requirement.refuse("one security scheme", f"{len(names)} at once", hint)
            for name, wanted in names[:1]:
                if wanted.value is None:
                    wanted.refuse("a list of scopes", "nothing", "write [] for none")
                authorizer = self._scheme(name, wanted)
                alternatives += [authorizer] if authorizer else []
                scopes.append(tuple(scope.text() for scope in wanted.elements()))
            if not names:
                alternatives.append(PUBLIC)
        if len(set(scopes)) > 1:
            security.refuse("the same scopes in every alternative", f"{len(set(scopes))} different lists")
        return Security(tuple(alternatives) or (PUBLIC,), scopes[0] if scopes else ())

    def _scheme(self, name: str, used: Node) -> Authorizer | None:
        if name not in self._read:
            scheme = self._schemes.at(name)
            if scheme.value is None:
                used.refuse(f"a scheme of {self._schemes.pointer}", show(name))
            self._read[name] = None if scheme.value is None else _authorizer(scheme.resolved())
        return self._read[name]


def _authorizer(scheme: Node) -> Authorizer | None:
    """Return the authorizer that a security scheme describes; None if it is none, which is reported."""
    kind = scheme.at("type").text()
    settings = {key: node.value for key, node in scheme.at(AUTHORIZER).items()}
    if kind == "apiKey" and scheme.at("in").value == "header":
        settings.setdefault("header", scheme.at("name").text())
        return _make(ApiKeyAuthorizer, settings, ("keys",), scheme)
    if kind in ("openIdConnect", "oauth2") or (kind == "http" and scheme.at("scheme").text().lower() == "bearer"):
        url = scheme.at("openIdConnectUrl").text()
        if url.endswith(_DISCOVERY):
            settings.setdefault("issuer", url.removesuffix(_DISCOVERY))
        return _make(JwtAuthorizer, settings, ("issuer", "audience"), scheme)
    hint = "put a FunctionAuthorizer on the Api for anything else"
    scheme.refuse("an apiKey in a header, http bearer, oauth2 or openIdConnect", f"{kind or 'no type'}", hint)
    return None


def _make(
    cls: type[JwtAuthorizer] | type[ApiKeyAuthorizer],
    settings: Mapping[str, Any],
    needed: tuple[str, ...],
    scheme: Node,
) -> Authorizer | None:
    place = scheme.at(AUTHORIZER).pointer
    known = attrs.fields_dict(cls)
    problems = list(unknown_names(place, settings, known))
    problems += [
        Problem(f"{place}/{name}", f"the {name} of a {cls.__name__}", "none") for name in needed if name not in settings
    ]
    if not problems:
        try:
            with report_together():  # of its own, so that the problems can be placed by the document's pointer
                return cls(**settings)
        except DefinitionError as error:
            problems = [attrs.evolve(problem, place=f"{place} ({problem.place})") for problem in error.problems]
    report(problems)
    return None
