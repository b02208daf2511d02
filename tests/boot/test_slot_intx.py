"""Cards that come and go where a slot has nothing but a wire to tell of it."""

import machine
import pytest
import test_pci
from test_pci import slot, test_pulled_out  # noqa: F401  (a fixture, a test)


@pytest.fixture(autouse=True)
def wires(row):
    if any('its=off' in word for word in row.args):
        pytest.skip('QEMU has no ports where it has no MSI controller')
    if machine.irq_mode(row) != 'intx':
        pytest.skip('messages here: see test_pci')


def test_plug_and_unplug(slot):  # noqa: F811
    """The card shares the line of its port."""
    guest = slot.guest
    name = slot.plug()
    slot.settle()
    line, = machine.lines_of(guest.json('irqs'), 'virtio1')
    assert 'pci-hotplug' in line['actions'] and sum(line['counts'])
    test_pci.check_same(guest, slot.monitor)
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')
    slot.unplug(name)
    slot.settle()
    assert [d['disk'] for d in guest.json('blk info')] == [0]
    slot.plug()
    slot.settle()
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')


def test_port_without_any(row, disk):
    """The ports of this switch have no wire: they are looked at, now and then."""
    extra = test_pci.root_port('a', 1) + test_pci.switch('s', 'a', 10, 2)
    result = machine.run(row, 'lspci --json; blk stress 100 --json', disks=[disk], extra=extra)
    functions, stress = result.documents
    assert [f['driver'] for f in functions if f['device'] == '8233'] == ['pci-port'] * 2
    assert stress['errors'] == 0
    assert len([line for line in result.lines if 'looked at every second' in line]) == 2
