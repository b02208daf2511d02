"""Cards that come and go where a slot has nothing but a wire to tell of it, as in test_pci on the
machines without messages."""

import machine
import pytest
from test_pci import slot, test_plug_and_unplug, test_pulled_out  # noqa: F401

pytestmark = pytest.mark.rows(where=machine.takes_messages)
BOOTARGS = 'pci=nomsi'
