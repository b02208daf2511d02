"""Errors on PCI Express links, and a root port that has two messages where it may: ioh3420 sends
the events of its slot by the first, errors by the second. QEMU's monitor puts errors in anywhere."""

import contextlib
import time

import machine
import pexpect
import pytest
import qemu
from test_pci import Slot, dev, settle, switch

PORT, OTHER, CARD = '00:02.0', '00:03.0', '01:00.0'
MSI, EXPRESS, AER = 0x05, 0x10, 1

# For pcie_aer_inject_error: (severity, QEMU's name, what the kernel says of it)
ERRORS = [('correctable', 'BAD_DLLP', 'bad DLLP'), ('nonfatal', 'COMP_TIME', 'completion timeout'),
          ('fatal', 'MALF_TLP', 'malformed TLP')]


class Registers:
    """Configuration space of a function, as qtest reads it."""

    def __init__(self, row, bus, bdf):
        number, rest = bdf.split(':')
        devfn = int(rest[:2], 16) << 3 | int(rest[3])
        self.bus = bus
        self.space = (0x30000000 if row.arch == 'riscv64' else 0x4010000000) \
            + (int(number, 16) << 20) + (devfn << 12)

    def read(self, where, size=4):
        return self.bus.read(self.space + where, size)

    def capability(self, kind):
        at = self.read(0x34, 1)
        while self.read(at, 1) != kind:
            at = self.read(at + 1, 1)
        return at

    def aer(self):
        assert self.read(0x100, 2) == AER
        return {'uncorrectable': self.read(0x104), 'correctable': self.read(0x110),
                'root': self.read(0x130)}

    def messages(self):
        """The numbers of the messages for slot and errors, and how many the port was given."""
        return (self.read(self.capability(EXPRESS) + 2, 2) >> 9 & 31, self.aer()['root'] >> 27,
                1 << (self.read(self.capability(MSI) + 2, 2) >> 4 & 7))


class Ports(Slot):
    def inject(self, where, name, says=None):
        """An error at a device, and until the kernel has told of it."""
        assert self.monitor.human('pcie_aer_inject_error %s %s' % (where, name)).startswith('OK')
        if says:
            self.guest.child.expect_exact(says)
            self.settle()

    def errors(self):
        return {f['bdf']: f['errors'] for f in self.guest.json('lspci')}

    def lines(self):
        """{action: (irq, how often)} of the first port, which has the lowest irqs."""
        found = {}
        for line in self.guest.json('irqs'):
            for action in line['actions']:
                found.setdefault(action, (line['irq'], sum(line['counts'])))
        return found['pci-hotplug'], found['pci-aer']


@contextlib.contextmanager
def booted(row, port, extra=(), disks=()):
    with qemu.sockets('qmp', 'qtest') as (arguments, path):
        arguments += dev(port, id='rp', chassis=1, slot=1, addr=2) + list(extra)
        with machine.prompt(row, disks=disks, extra=arguments) as guest:
            machine_ = Ports(guest, qemu.Monitor(path['qmp']), None)
            machine_.bus = qemu.Bus(path['qtest'])
            yield machine_
            settle(guest)


@pytest.mark.parametrize('port', ['ioh3420', 'pcie-root-port'])
def test_slot_and_errors(row, port):
    """Each by the message whose number the port tells; two of them lie in one block."""
    with booted(row, port) as ports:
        function = {f['bdf']: f for f in ports.guest.json('lspci')}[PORT]
        two = port == 'ioh3420' and function['msi_parent'] in ('v2m', 'its')
        assert (function['driver'], function['vectors']) == ('pci-port', 2 if two else 1)
        rows = ports.guest.json('msi ' + PORT)['rows']
        (slot, slot_count), (errors, error_count) = ports.lines()
        if function['irq_mode'] == 'msi':
            slot_message, error_message, given = Registers(row, ports.bus, PORT).messages()
            assert (given, slot_message, error_message) == ((2, 0, 1) if two else (1, 0, 0))
            assert (slot, errors) == (rows[slot_message]['irq'], rows[error_message]['irq'])
        if two:
            first, second = rows
            assert second['address'] == first['address'] and second['data'] == first['data'] + 1
            assert first['data'] % 2 == 0 and (slot, errors) == (first['irq'], first['irq'] + 1)
        else:
            assert slot == errors
        ports.plug(driver='virtio-rng-pci')
        ports.settle()
        plugged = ports.lines()
        if function['irq_mode'] == 'msi':       # with a wire, the look of each second may take that down
            assert plugged[0][1] > slot_count
        if two:
            assert plugged[1] == (errors, error_count)
        for n in range(3):
            ports.inject('rp', 'RCVR', PORT + ': correctable error: receiver')
        (_, slot_count), (_, error_count) = ports.lines()
        if two:
            assert (slot_count, error_count) == (plugged[0][1], plugged[1][1] + 3)
        else:
            assert error_count >= plugged[1][1] + 3
        assert ports.errors()[PORT] == {'correctable': 3, 'nonfatal': 0, 'fatal': 0}
        ports.unplug('card1')           # the slot is still heard, too
        ports.settle()
        assert len(ports.guest.json('lspci')) == 2
        if two:
            assert ports.lines()[0][1] > slot_count and ports.lines()[1][1] == error_count


def test_kinds(row):
    """Each severity, of the port, of a card that came later, behind a switch; each once."""
    extra = dev('ioh3420', id='rq', chassis=2, slot=2, addr=3, hotplug='off')
    extra += switch('s', 'rq', 10, 1) + dev('virtio-rng-pci', bus='s0', id='deep', aer='on')
    with booted(row, 'ioh3420', extra) as ports:
        ports.plug(driver='virtio-rng-pci', aer=True)
        ports.settle()
        deep = [f['bdf'] for f in ports.guest.json('lspci') if f['vendor'] == '1af4'][-1]
        where = {'rp': PORT, 'rq': OTHER, 'card1': CARD, 'deep': deep}
        for name, bdf in where.items():
            ports.inject(name, 'INTERNAL')      # masked: nobody hears of it
            for severity, error, says in ERRORS:
                ports.inject(name, error, '%s: %s error: %s' % (bdf, severity, says))
            registers = Registers(row, ports.bus, bdf).aer()
            assert (registers['uncorrectable'], registers['correctable']) == (0, 0x4000)
        for port in PORT, OTHER:
            assert Registers(row, ports.bus, port).aer()['root'] & 0x7f == 0
        told = ports.errors()
        assert [told[bdf] for bdf in where.values()] == [dict(correctable=1, nonfatal=1, fatal=1)] * 4
        assert sum(sum(counts.values()) for counts in told.values()) == 12


def test_several_at_once(row):
    """The port remembers who was first of each kind; who else there was is looked for."""
    with booted(row, 'ioh3420') as ports:
        ports.plug(driver='virtio-rng-pci', aer=True)
        ports.settle()
        ports.monitor('stop')
        for name in 'rp', 'card1':
            for severity, error, _ in ERRORS:
                ports.inject(name, error)
        ports.inject('card1', 'RCVR')
        ports.monitor('cont')
        ports.guest.child.expect_exact(CARD + ': fatal error: malformed TLP')
        ports.settle()
        told = ports.errors()
        assert told[PORT] == dict(correctable=1, nonfatal=1, fatal=1)
        assert told[CARD] == dict(correctable=2, nonfatal=1, fatal=1)
        ports.inject('card1', 'RCVR', CARD + ': correctable error: receiver')


def test_flood(row, disk):
    """Much is told together, and the rest of the machine has time for its work."""
    says = PORT + ': correctable error: receiver'
    with booted(row, 'ioh3420', disks=[disk]) as ports:
        text, injected = '', 0
        while 'errors come often' not in text and injected < 5000:
            ports.inject('rp', 'RCVR')
            injected += 1
            with contextlib.suppress(pexpect.TIMEOUT):
                text += ports.guest.child.read_nonblocking(10000, timeout=0)
        assert text.count('errors come often') == 1
        ports.monitor('stop')
        for n in range(100):
            ports.inject('rp', 'RCVR')
        ports.monitor('cont')
        injected += 100
        assert ' 0 errors' in ports.guest.type('blk stress 200')
        registers, end = Registers(row, ports.bus, PORT), time.monotonic() + machine.deadline(1)
        while registers.aer()['root'] & 1 and time.monotonic() < end:
            time.sleep(0.05)                # until the next report, a second later
        ports.settle()
        told = ports.errors()[PORT]['correctable']
        assert ports.lines()[1][1] >= 10 and 1 <= told < injected
        ports.inject('rp', 'RCVR', says)
        assert ports.errors()[PORT]['correctable'] == told + 1
