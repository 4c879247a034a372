"""What every test shares: the toolchain's summary line, and one hypothesis profile for every machine."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.plugins.toolchain"]

# A run is the same everywhere: no wall-clock deadline, examples derived from the test itself.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
