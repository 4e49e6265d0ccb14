"""What every test of a refusal asks: which problems, and is each of them complete."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from multicloud.errors import DefinitionError, Problem


def problems_of(make: Callable[[], object]) -> tuple[Problem, ...]:
    """Return the problems that making a value raises, each checked to be complete."""
    with pytest.raises(DefinitionError) as caught:
        make()
    for problem in caught.value.problems:
        assert problem.place, problem
        assert problem.expected, problem
        assert problem.got, problem
        assert str(problem) in str(caught.value)
    return caught.value.problems


def places_of(make: Callable[[], object]) -> list[str]:
    """Return the places of those problems."""
    return [problem.place for problem in problems_of(make)]
