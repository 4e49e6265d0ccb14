from __future__ import annotations

import copy
import pickle
from http import HTTPStatus

import pytest

import multicloud
from multicloud.runtime import errors
from multicloud.runtime.errors import CLASSES, REASONS, HttpError, error_class


@pytest.mark.parametrize(("name", "status"), CLASSES.items())
def test_a_reason_phrase_is_a_class_of_its_status(name, status):
    cls = getattr(multicloud, name)
    error = cls("Sold out.", headers={"Retry-After": "5"}, sku="a1")
    assert issubclass(cls, HttpError)
    assert (error.status_code, error.detail, error.headers) == (status, "Sold out.", {"Retry-After": "5"})
    assert list(error.problem("r1").items()) == [
        ("type", "about:blank"),
        ("title", REASONS[status]),
        ("status", status),
        ("detail", "Sold out."),
        ("request_id", "r1"),
        ("sku", "a1"),
    ]
    assert cls().problem("")["detail"] == REASONS[status]
    assert (cls.__name__, cls.__module__) == (name, "multicloud.runtime.errors")


def test_a_class_is_made_once():
    assert error_class("NotFound") is errors.NotFound is multicloud.NotFound
    with pytest.raises(AttributeError):
        error_class("Teapot")
    with pytest.raises(AttributeError):
        errors.NoSuchThing  # noqa: B018 - the look-up is what fails


def test_the_phrases_are_those_of_the_registry():
    # Of those that Python knows by an older name, RFC 9110 is the newer.
    renamed = {
        413: "Content Too Large",
        414: "URI Too Long",
        416: "Range Not Satisfiable",
        422: "Unprocessable Content",
    }
    for status, phrase in REASONS.items():
        assert phrase == renamed.get(status, HTTPStatus(status).phrase)


@pytest.mark.parametrize("status", [200, 399, 600, 0, -1])
def test_a_status_that_is_no_error_is_refused(status):
    with pytest.raises(ValueError, match="400 to 599"):
        HttpError(status)


@pytest.mark.parametrize("member", ["type", "title", "status", "request_id"])
def test_an_extension_cannot_take_the_place_of_a_member(member):
    with pytest.raises(ValueError, match=member):
        HttpError(400, "x", **{member: "mine"})


def test_a_status_without_a_phrase_is_an_error_all_the_same():
    assert HttpError(499).problem("")["title"] == "Error"


def test_an_error_says_what_it_is_where_it_is_printed():
    assert "418" in str(HttpError(418, "short and stout"))
    assert "short and stout" in str(HttpError(418, "short and stout"))


@pytest.mark.parametrize("clone", [copy.copy, lambda value: pickle.loads(pickle.dumps(value))])
def test_an_error_survives_a_copy(clone):
    for error in (HttpError(409, "No.", headers={"a": "b"}, sku="a1"), multicloud.NotFound("No.", sku="a1")):
        made = clone(error)
        assert type(made) is type(error)
        assert (made.status_code, made.detail, made.headers) == (error.status_code, error.detail, error.headers)
        assert made.extensions == error.extensions
