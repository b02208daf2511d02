"""irq doctor: each link between a device and its handler, broken from outside, is the one it names.

Outside is QEMU's gdb stub, which writes physical memory while the guest stands still. What it cannot
reach, tests/host/test-doctor.c breaks on models: CSRs and system registers, what the prompt needs
itself, and the GICv2, whose registers QEMU gives to CPUs only (it crashes on others)."""

import os
import re
import socket
import time

import machine
import pytest

CONFIG = {'riscv64': 0x30000000, 'aarch64': 0x4010000000}       # the ECAM of QEMU's virt machines


class Stub:
    """The part of gdb's remote protocol that reads and writes physical memory."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(machine.deadline(10))
        self.socket.connect(str(path))
        self.data = b''
        assert self.ask('?')[0] in 'ST'     # who connects stops the guest
        self.socket.sendall(b'$c#63')

    def packet(self):
        while True:
            match = re.search(rb'\$([^#]*)#..', self.data)
            if match:
                self.data = self.data[match.end():]
                self.socket.sendall(b'+')
                return match[1].decode()
            more = self.socket.recv(4096)
            assert more, 'the gdb stub has gone'
            self.data += more

    def ask(self, text):
        self.socket.sendall(b'$%s#%02x' % (text.encode(), sum(text.encode()) & 0xff))
        return self.packet()

    def __enter__(self):
        self.socket.sendall(b'\x03')
        assert self.packet()[0] in 'ST'
        assert self.ask('Qqemu.PhyMemMode:1') == 'OK'
        return self

    def __exit__(self, *unused):
        assert self.ask('Qqemu.PhyMemMode:0') == 'OK'
        self.socket.sendall(b'$c#63')

    def read(self, address, size):
        text = self.ask('m%x,%x' % (address, size))
        assert len(text) == 2 * size, text
        return int.from_bytes(bytes.fromhex(text), 'little')

    def write(self, address, size, value):
        assert self.ask('M%x,%x:%s' % (address, size, value.to_bytes(size, 'little').hex())) == 'OK'


def stub_arguments(path):
    return ['-chardev', 'socket,id=gdb,server=on,wait=off,path=%s' % path, '-gdb', 'chardev:gdb']


def connect(path):
    end = time.monotonic() + machine.deadline(1)
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)        # QEMU makes it before the guest starts
    return Stub(path)


def capability(stub, function, wanted):
    at = stub.read(function + 0x34, 1)
    while at and stub.read(function + at, 1) != wanted:
        at = stub.read(function + at + 1, 1)
    return function + at if at else None


def check(m, stub, irq, name, address, size, change, restore=None):
    """Breaks one register, sees the link named with the value, mends it, sees all whole. CHANGE and
    RESTORE: what to write instead of the old value; or the address and value of another register."""
    with stub:
        old = stub.read(address, size)
        where, new = change(old) if isinstance(change(old), tuple) else (address, change(old))
        stub.write(where, size, new)
    found = m.json('irq doctor %d' % irq)
    with stub:
        where, new = restore if restore else (address, old)
        stub.write(where, size, new)
    assert (found['ok'], found['broken']) == (False, name), found
    assert found['links'][-1] == {'link': name, 'ok': False, 'value': found['value']}
    assert all(link['ok'] for link in found['links'][:-1])
    assert m.json('irq doctor %d' % irq)['ok']


def disk_irq(m, device='virtio'):
    lines = [line for line in m.json('irqs') if any(a.startswith(device) for a in line['actions'])]
    return lines[-1]


def test_device_links(row, disk, tmp_path):
    """Bus master, MSI-X enable, function mask, row, message; without MSI-X the wire's gate."""
    path = str(tmp_path / 'gdb')
    with machine.prompt(row, disks=[disk], extra=stub_arguments(path)) as m:
        stub = connect(path)
        m.json('blk sum 0 8')
        irq = disk_irq(m)['irq']
        function = CONFIG[row.arch] + (1 << 15)         # 00:01.0
        assert m.json('irq doctor %d' % irq)['ok']
        if machine.irq_mode(row) == 'intx':
            check(m, stub, irq, 'INTx', function + 4, 2, lambda v: v | 0x400)
            check(m, stub, irq, 'decode', function + 4, 2, lambda v: v & ~3)
            check(m, stub, irq, 'bus master', function + 4, 2, lambda v: v & ~4)
        else:
            with stub:
                cap = capability(stub, function, 0x11)
                table = stub.read(cap + 4, 4)
            index = next(r['index'] for r in m.json('msi 00:01.0')['rows'] if r['irq'] == irq)
            bars = {b['index']: b for f in m.json('lspci') if f['bdf'] == '00:01.0' for b in f['bars']}
            entry = int(bars[table & 7]['addr'], 16) + (table & ~7) + 16 * index
            check(m, stub, irq, 'bus master', function + 4, 2, lambda v: v & ~4)
            check(m, stub, irq, 'MSI-X enable', cap + 2, 2, lambda v: v & ~0x8000)
            check(m, stub, irq, 'function mask', cap + 2, 2, lambda v: v | 0x4000)
            check(m, stub, irq, 'row unmasked', entry + 12, 4, lambda v: v | 1)
            check(m, stub, irq, 'message', entry + 8, 4, lambda v: v + 1)
        assert m.json('blk stress 20')['errors'] == 0
        assert m.json('irq check')['ok']


def test_power_link(row, tmp_path):
    """A controller that is asleep, as none of QEMU's other devices on the root bus can be."""
    path = str(tmp_path / 'gdb')
    extra = ['-blockdev', 'driver=null-co,node-name=n,read-zeroes=on', '-device', 'nvme,serial=1,drive=n']
    with machine.prompt(row, extra=extra + stub_arguments(path)) as m:
        stub = connect(path)
        function = CONFIG[row.arch] + (1 << 15)         # 00:01.0
        with stub:
            power = capability(stub, function, 1)
        check(m, stub, disk_irq(m, 'nvme')['irq'], 'power', power + 4, 2, lambda v: v | 3)
        assert 'crc32' in m.json('nvme sum 0 8')
        assert m.json('irq check')['ok']


@pytest.mark.rows(where=lambda row: row.machine in ('aia', 'its', 'gicv2m'))
def test_message_links(row, tmp_path):
    """Plain MSI: a root port whose messages have mask bits."""
    path = str(tmp_path / 'gdb')
    extra = ['-device', 'ioh3420,id=rp,chassis=1,slot=1']
    with machine.prompt(row, extra=extra + stub_arguments(path)) as m:
        stub = connect(path)
        line, = machine.lines_of(m.json('irqs'), 'pci-hotplug')
        function = CONFIG[row.arch] + (1 << 15)         # 00:01.0
        with stub:
            msi = capability(stub, function, 5)
            wide = stub.read(msi + 2, 2) & 0x80
        data = msi + (12 if wide else 8)
        check(m, stub, line['irq'], 'MSI enable', msi + 2, 2, lambda v: v & ~1)
        check(m, stub, line['irq'], 'message unmasked', data + 4, 4, lambda v: v | 1)
        check(m, stub, line['irq'], 'message', data, 2, lambda v: v ^ 0x10)
        assert m.json('irq check')['ok']


def breaks(machine_name, line, cpu):
    """(link, address, size, change[, restore]) of the row's controllers, for a wired line."""
    n = line['levels'][0]['hwirq']
    if machine_name == 'plic':
        enable = 0xc002000 + 0x80 * (2 * cpu + 1) + n // 32 * 4
        return [('priority', 0xc000000 + 4 * n, 4, lambda v: 0),
                ('enable', enable, 4, lambda v: v & ~(1 << n % 32)),
                ('threshold', 0xc200000 + 0x1000 * (2 * cpu + 1), 4, lambda v: 7)]
    if machine_name in ('aplic', 'aia'):
        base, idc = 0xd000000, 0xd004000 + 32 * cpu
        found = [('target', base + 0x3000 + 4 * n, 4, lambda v: v ^ 2),
                 ('enable', base + 0x1e00 + n // 32 * 4, 4, lambda v: (base + 0x1fdc, n), (base + 0x1edc, n))]
        if machine_name == 'aplic':
            found += [('threshold', idc + 8, 4, lambda v: 1), ('delivery', idc, 4, lambda v: 0)]
        return found
    gicd = 0x8000000
    word, bit = n // 32 * 4, 1 << n % 32
    found = [('enable', gicd + 0x100 + word, 4, lambda v: (gicd + 0x180 + word, bit), (gicd + 0x100 + word, bit)),
             ('priority', gicd + 0x400 + n, 1, lambda v: 0xff),
             ('active', gicd + 0x300 + word, 4, lambda v: (gicd + 0x300 + word, bit), (gicd + 0x380 + word, bit))]
    return found + [('route', gicd + 0x6000 + 8 * n, 8, lambda v: v ^ 1)]


# QEMU crashes when anybody but a CPU reads its GICv2; tests/host/test-doctor.c has that.
@pytest.mark.rows(where=lambda row: row.machine not in ('gicv2', 'gicv2m'))
def test_controller_links(row, tmp_path):
    """What a wire passes: the clock's line, at every controller between it and the CPU."""
    path = str(tmp_path / 'gdb')
    with machine.prompt(row, extra=stub_arguments(path)) as m:
        stub = connect(path)
        line = next(line for line in m.json('irqs') if any(a.startswith(('rtc@', 'pl031@')) for a in line['actions']))
        assert m.json('irq doctor %d' % line['irq'])['ok']
        cpu = next(c['hwid'] for c in m.json('cpus') if c['cpu'] == line['effective'][0])
        cpu = int(cpu, 16) if isinstance(cpu, str) else cpu
        for link in breaks(row.machine, line, cpu):
            check(m, stub, line['irq'], *link)
        assert m.json('alarm 1')['irq'] == line['irq']
        assert m.json('irq check')['ok']


def test_its_links(disk, tmp_path):
    """An LPI: the ITS, the property byte that the redistributors read, the redistributor."""
    row = machine.machines.find('aarch64', 'its')
    path = str(tmp_path / 'gdb')
    with machine.prompt(row, disks=[disk], smp=1, extra=stub_arguments(path)) as m:
        stub = connect(path)
        line = disk_irq(m)
        lpi = line['levels'][-1]['hwirq']
        gicr = 0x80a0000
        with stub:
            properties = stub.read(gicr + 0x70, 8) & 0xffffffffff000
        check(m, stub, line['irq'], 'property', properties + lpi - 8192, 1, lambda v: v & ~1)
        check(m, stub, line['irq'], 'redistributor', gicr, 4, lambda v: v & ~1)
        check(m, stub, line['irq'], 'ITS', 0x8080000, 4, lambda v: v & ~1)
        assert m.json('blk stress 20')['errors'] == 0


def test_all_lines(row, disk):
    """Nothing is broken on a machine that works."""
    result = machine.run(row, 'blk stress 20; irq doctor --json; irqs --json; irq doctor', disks=[disk])
    doctor, irqs = result.documents
    assert {found['irq'] for found in doctor} >= {line['irq'] for line in irqs}
    assert all(found['ok'] and found['broken'] is None for found in doctor)
    assert sum(': ok' in line for line in result.lines) == len(doctor)


@pytest.mark.parametrize('command', ['irq doctor 0', 'irq doctor 4000', 'irq doctor x', 'irq doctor 1 2'])
def test_bad_arguments(command):
    result = machine.run(machine.machines.rows()[0], command, status=1)
    assert any(line.startswith('error: ') for line in result.lines)
