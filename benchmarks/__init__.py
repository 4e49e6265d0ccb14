"""What multicloud costs, beside the frameworks that one would use in its place: ``python -m benchmarks``."""
