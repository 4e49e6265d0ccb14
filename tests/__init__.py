"""The tests; a package, so that `tests.emulators` can be imported from everywhere below."""
