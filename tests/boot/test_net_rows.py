"""The network on the machines that test_net leaves out: with other controllers, the same bytes."""

import conftest
import pytest
from test_net import test_both_ways  # noqa: F401


@pytest.fixture(autouse=True)
def others(row):
    if row.machine in [default.machine for default in conftest.default_rows()]:
        pytest.skip('see test_net')
