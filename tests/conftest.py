"""What every test shares: the toolchain's summary line, one hypothesis profile for every machine, and the order."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.plugins.toolchain"]

# A run is the same everywhere: no wall-clock deadline, examples derived from the test itself.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: one that began last would keep one worker busy when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
