"""The PCI bus: bridges numbered and windowed, lines shared, cards that come and go.

QEMU is the witness: what the kernel shows of the bus is what QEMU's `info pci' shows."""

import contextlib
import itertools
import re
import subprocess
import time
import zlib

import machine
import pytest
import qemu
from machine import SECTOR, SOAK, lines_of

UNMAPPED = (1 << 64) - 1


def dev(kind, **options):
    """Arguments for one device."""
    return ['-device', ','.join([kind] + ['%s=%s' % (name.strip('_'), value)
                                          for name, value in options.items()])]


def drive(path, name):
    return ['-blockdev', 'driver=raw,node-name=%s,file.driver=file,file.filename=%s'
            % (name, str(path).replace(',', ',,'))]


def root_port(name, number, **options):
    return dev('pcie-root-port', id=name, chassis=number, slot=number, **options)


# ---- QEMU's view ----

def flatten(devices):
    """Every function that QEMU knows, as (bdf, its description, names of the bridges above)."""
    for d in devices:
        bdf = '%02x:%02x.%x' % (d['bus'], d['slot'], d['function'])
        yield bdf, d
        yield from flatten(d.get('pci_bridge', {}).get('devices', []))


def all_functions(monitor):
    return dict(flatten([d for bus in monitor('query-pci') for d in bus['devices']]))


def bars_of(description):
    """{index: (address or None, size)}; QEMU also lists the expansion ROM, as BAR 6."""
    return {r['bar']: (None if r['address'] in (-1, UNMAPPED) else r['address'], r['size'])
            for r in description['regions'] if r['bar'] < 6}


def windows_of(description):
    """{name: (base, limit) or None} of a bridge."""
    bus = description['pci_bridge']['bus']
    found = {}
    for name, key in (('I/O', 'io_range'), ('memory', 'memory_range'),
                      ('prefetchable', 'prefetchable_range')):
        base, limit = bus[key]['base'], bus[key]['limit']
        found[name] = (base, limit) if base <= limit else None
    return found


WINDOW = re.compile(r', (I/O|memory|prefetchable) 0x([0-9a-f]+) to 0x([0-9a-f]+)')


def windows_in(text):
    """{bdf: windows} as `lspci' prints them."""
    found, bdf = {}, None
    for line in text.split('\n'):
        head = re.match(r' *([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])  ', line)
        if head:
            bdf = head.group(1)
        if re.match(r' +bus [0-9a-f]{2}\b', line):
            found[bdf] = {name: None for name in ('I/O', 'memory', 'prefetchable')}
            found[bdf].update((name, (int(base, 16), int(limit, 16)))
                              for name, base, limit in WINDOW.findall(line))
    return found


def check_same(guest, monitor):
    """What the kernel says of the bus and what QEMU says."""
    functions, theirs = guest.json('lspci'), all_functions(monitor)
    windows = windows_in(guest.type('lspci'))
    assert [f['bdf'] for f in functions] == sorted(theirs)
    for f in functions:
        other = theirs[f['bdf']]
        assert (int(f['vendor'], 16), int(f['device'], 16), int(f['class'], 16) >> 8) == (
            other['id']['vendor'], other['id']['device'], other['class_info']['class'])
        mine = {b['index']: (b['addr'] and int(b['addr'], 16), b['size']) for b in f['bars']}
        assert mine == bars_of(other), f
        if 'pci_bridge' not in other:
            assert f['bus_range'] is None
            continue
        bus = other['pci_bridge']['bus']
        assert f['bus_range'] == [bus['secondary'], bus['subordinate']]
        if bus['secondary']:
            assert windows[f['bdf']] == windows_of(other)
    return theirs


def check_disjoint(ranges):
    ranges = sorted(ranges)
    for (_, end, who), (start, _, other) in zip(ranges, ranges[1:]):
        assert end < start, 'overlap: %s, %s' % (who, other)


def check_layout(devices, outer, first_bus, last_bus):
    """Ranges of a bus do not overlap and lie in the windows above; so do bus numbers."""
    spaces, numbers = {'io': [], 'memory': []}, []
    for bdf, d in ((bdf, d) for d in devices for bdf, d in flatten([d]) if d in devices):
        for r in d['regions']:
            if r['bar'] < 6 and r['address'] not in (-1, UNMAPPED):
                assert r['address'] % r['size'] == 0
                spaces[r['type']].append((r['address'], r['address'] + r['size'] - 1, bdf))
        if 'pci_bridge' not in d:
            continue
        windows, bus = windows_of(d), d['pci_bridge']['bus']
        for name, window in windows.items():
            if window:
                spaces['io' if name == 'I/O' else 'memory'].append(window + (bdf,))
        if bus['secondary']:
            assert first_bus < bus['secondary'] <= bus['subordinate'] <= last_bus
            numbers.append((bus['secondary'], bus['subordinate'], bdf))
        check_layout(d['pci_bridge']['devices'], windows, bus['secondary'], bus['subordinate'])
    check_disjoint(numbers)
    for space, ranges in spaces.items():
        check_disjoint(ranges)
        for start, end, who in ranges if outer else []:
            above = [outer['I/O']] if space == 'io' else [outer['memory'], outer['prefetchable']]
            assert any(w and w[0] <= start and end <= w[1] for w in above), who


# ---- Bridges ----

def switch(name, port, number, downstream):
    """A switch in PORT with ports NAME0, NAME1 …"""
    arguments = dev('x3130-upstream', id=name, bus=port)
    for n in range(downstream):
        arguments += dev('xio3130-downstream', id='%s%d' % (name, n), bus=name, chassis=number + n,
                         slot=number + n)
    return arguments


TREES = {
    'flat': [],
    'ports': root_port('a', 1) + root_port('b', 2) + dev('edu', bus='b'),
    'functions': root_port('a', 1, addr='3.0', multifunction='on') + root_port('b', 2, addr='3.1')
    + dev('virtio-rng-pci', bus='b') + root_port('c', 3, addr='3.7'),
    'switch': root_port('a', 1) + switch('s', 'a', 10, 3) + dev('nec-usb-xhci', bus='s1'),
    'old': dev('pci-bridge', id='a', chassis_nr=1) + dev('pci-bridge', id='b', bus='a', addr=3, chassis_nr=2)
    + dev('e1000e', bus='b', addr=5, romfile='') + dev('virtio-rng-pci', bus='a', addr=1),
    'mixed': root_port('a', 1) + switch('s', 'a', 10, 2) + switch('t', 's1', 20, 2)
    + dev('pcie-pci-bridge', id='p', bus='t0') + dev('pci-bridge', id='q', bus='p', addr=2, chassis_nr=3)
    + dev('pci-bridge', id='r', bus='q', addr=9, chassis_nr=4) + dev('edu', bus='r', addr=1)
    + dev('virtio-rng-pci', bus='r', addr=2) + dev('edu', bus='s0'),
    'large': root_port('a', 1) + ['-object', 'memory-backend-ram,id=m,size=64M']
    + dev('ivshmem-plain', memdev='m', bus='a') + dev('edu'),
}


@pytest.mark.parametrize('tree', TREES)
def test_same_as_qemu(row, tree, disk):
    with qemu.sockets('qmp') as (arguments, path):
        with machine.prompt(row, disks=[disk], extra=arguments + TREES[tree]) as guest:
            monitor = qemu.Monitor(path['qmp'])
            check_same(guest, monitor)
            for bus in monitor('query-pci'):
                check_layout(bus['devices'], None, -1, 255)
            assert ' 0 errors' in guest.type('blk stress 100')


def grow(row, dice, ends=14):
    """A random tree of what QEMU has on this machine: arguments."""
    count, arguments = itertools.count(1), []
    places = []                         # (bus, PCI Express?), one for each device it can take
    for _ in range(ends):
        bus, express = places.pop(dice.randrange(len(places))) if places and dice.random() < 0.7 else (None, True)
        number = next(count)
        name = 'n%d' % number
        options = {'bus': bus} if bus else {}
        if bus and not express:
            options['addr'] = number % 30 + 1
        kind = dice.choice(['port', 'switch', 'pci', 'end', 'end'])
        if machine.refuses(row, {'port': 'pcie-root-port', 'switch': 'x3130-upstream'}.get(kind)):
            kind = 'pci'
        if kind == 'port' and not bus:
            arguments += root_port(name, number)
            places.append((name, True))
        elif kind == 'switch' and bus and express:
            down = dice.randint(1, 3)
            arguments += switch(name, bus, 100 + 10 * number, down)
            places += [('%s%d' % (name, n), True) for n in range(down)]
        elif kind == 'pci':
            arguments += (dev('pcie-pci-bridge', id=name, **options) if express
                          else dev('pci-bridge', id=name, chassis_nr=number, **options))
            places += [(name, False)] * 3
        else:
            end = dice.choice(['edu', 'virtio-rng-pci', 'qemu-xhci', 'e1000e', 'pci-testdev'])
            if end in ('e1000e', 'qemu-xhci') and bus and not express or machine.refuses(row, end):
                end = 'virtio-rng-pci'
            arguments += dev(end, **dict(options, **({'romfile': ''} if end == 'e1000e' else {})))
    return arguments


@pytest.mark.parametrize('number', range(40 if SOAK else 4))
def test_random_trees(row, number, dice):
    tree = grow(row, dice)
    print(' '.join(tree))
    with qemu.sockets('qmp') as (arguments, path):
        with machine.prompt(row, extra=arguments + tree) as guest:
            monitor = qemu.Monitor(path['qmp'])
            check_same(guest, monitor)
            for bus in monitor('query-pci'):
                check_layout(bus['devices'], None, -1, 255)


def depth_first(functions):
    """A bridge's number is the next one when it is reached, all of its bus first."""
    ranges = {f['bdf']: f['bus_range'] for f in functions if f['bus_range']}
    spare = 0
    expected = {}

    def visit(bus):
        nonlocal spare
        for bdf in sorted(b for b in ranges if b.startswith('%02x:' % bus)):
            spare += 1
            expected[bdf] = spare
            visit(spare)
            spare = max(spare, ranges[bdf][1])
    visit(0)
    assert {bdf: r[0] for bdf, r in ranges.items()} == expected


FOREIGN = sum((dev(kind) for kind in ('qemu-xhci', 'nec-usb-xhci', 'virtio-rng-pci', 'pci-testdev',
                                      'virtio-balloon-pci', 'virtio-rng-pci')), [])
LEVELS = {      # eight functions that are neither disks nor bridges; a disk for bus p
    'express': root_port('a', 1) + switch('s', 'a', 10, 2) + dev('pcie-pci-bridge', id='p', bus='s1')
    + dev('edu', bus='p', addr=3) + dev('virtio-rng-pci', bus='s0') + FOREIGN,
    'old': dev('pci-bridge', id='a', chassis_nr=1) + dev('pci-bridge', id='b', bus='a', addr=4, chassis_nr=2)
    + dev('pci-bridge', id='p', bus='b', addr=9, chassis_nr=3)
    + dev('pci-testdev', bus='p', addr=3) + dev('virtio-rng-pci', bus='b', addr=1) + FOREIGN,
}


@pytest.mark.parametrize('smp, levels', [(1, 'express'), (4, 'express'), (8, 'old')])
def test_disk_behind_three_levels(row, smp, levels, dice, tmp_path):
    """Beside eight other devices."""
    near = machine.disk_image(tmp_path / 'near.img', 64, dice)
    far = machine.disk_image(tmp_path / 'far.img', 3000, dice)
    with open(far, 'rb') as image:
        content = bytearray(image.read())
    tree = LEVELS[levels] + drive(far, 'far') + dev('virtio-blk-pci', drive='far', bus='p', addr=7)
    result = machine.run(row, 'lspci --json; blk info --json; blk sum 0 3000 --disk 1 --json; '
                         'blk stress 2000 --disk 1 --json; irq check --json; blk fill 7 40 99 --disk 1',
                         smp=smp, disks=[near], extra=tree, boots=20)
    functions, disks, total, stress, check = result.documents
    assert len([f for f in functions if f['class'][:2] not in ('06', '01')]) == 8
    depth_first(functions)
    assert [d['sectors'] for d in disks] == [64, 3000]
    assert stress['errors'] == 0 and check['ok']
    assert total == {'lba': 0, 'count': 3000, 'crc32': '%08x' % zlib.crc32(content)}
    content[7 * SECTOR:47 * SECTOR] = machine.filled(7, 40, 99)
    with open(far, 'rb') as image:
        assert image.read() == content


# ---- Lines ----

def test_shared_line(row, dice, tmp_path):
    """Without MSI-X all are on INTA#: devices 2, 6 and 10 share a line, 3 has another one."""
    images = [machine.disk_image(tmp_path / ('%d.img' % n), 512, dice) for n in range(4)]
    extra = []
    for n, (image, addr) in enumerate(zip(images, (2, 6, 10, 3))):
        extra += drive(image, 'd%d' % n) + dev('virtio-blk-pci', drive='d%d' % n, vectors=0, addr=hex(addr))
    commands = ['blk sum 0 512 --json --disk %d' % n for n in range(4)]
    commands += ['irqs --json', 'lspci --json', 'blk stress 300 --disk 0', 'blk stress 300 --disk 2',
                 'irqs --json', 'irq check --json']
    result = machine.run(row, '; '.join(commands), extra=extra, boots=20)
    sums, (irqs, functions, later, check) = result.documents[:4], result.documents[4:]
    by_addr = {f['bdf']: f for f in functions if f['driver']}
    assert set(by_addr) == {'00:02.0', '00:06.0', '00:0a.0', '00:03.0'}
    assert all(f['irq_mode'] == 'intx' and f['vectors'] == 1 for f in by_addr.values())
    order = sorted(range(4), key=lambda n: (2, 6, 10, 3)[n])    # disks are in bus order
    for place, n in enumerate(order):
        with open(images[n], 'rb') as f:
            assert sums[place]['crc32'] == '%08x' % zlib.crc32(f.read())
    lines = lines_of(irqs, 'virtio')
    assert sorted(len(line['actions']) for line in lines) == [1, 3]
    assert all(line['type'] in ('level-high', 'none') for line in lines)
    for line in lines_of(later, 'virtio'):
        before = next(old for old in irqs if old['irq'] == line['irq'])
        assert sum(line['counts']) > sum(before['counts']) or len(line['actions']) == 1
    assert check['ok']


def test_swizzle(row, tmp_path):
    """Behind a bridge the lines turn by the device number, once more behind the next one."""
    extra = dev('pci-bridge', id='a', chassis_nr=1, addr='4')
    extra += dev('pci-bridge', id='b', bus='a', chassis_nr=2, addr='3')
    expected = {}
    for n, (bus, slot) in enumerate([('a', 1), ('a', 2), ('a', 5), ('b', 1), ('b', 2)]):
        image = machine.disk_image(tmp_path / ('%d.img' % n), 64)
        extra += drive(image, 'd%d' % n)
        extra += dev('virtio-blk-pci', drive='d%d' % n, vectors=0, bus=bus, addr=hex(slot))
        pin = slot % 4 if bus == 'a' else (slot + 3) % 4
        expected.setdefault((4 + pin) % 4, []).append(n)
    result = machine.run(row, '; '.join(['blk stress 40 --disk %d' % n for n in range(5)] + ['irqs --json']),
                         extra=extra, boots=20)
    lines = lines_of(result.documents[-1], 'virtio')
    assert sorted(len(line['actions']) for line in lines) == sorted(map(len, expected.values()))
    assert all(sum(line['counts']) > 0 for line in lines)


# ---- Cards ----

def settle(guest):
    """The next prompt, when all that the kernel has begun by itself is done: lspci waits for that."""
    guest.child.send('lspci; uptime --json\r')
    guest.child.expect(r'\n.*"ns":')
    guest.child.expect_exact(machine.PROMPT)


class Slot:
    """A root port with an empty slot, and how to use it from outside."""

    def __init__(self, guest, monitor, image):
        self.guest, self.monitor, self.image, self.count = guest, monitor, image, 0

    def plug(self, bus='rp', driver='virtio-blk-pci', **options):
        self.count += 1
        name = 'card%d' % self.count
        if driver == 'virtio-blk-pci':
            self.monitor('blockdev-add', **{'driver': 'raw', 'node-name': name,
                                            'file': {'driver': 'file', 'filename': self.image}})
            options['drive'] = name
        self.monitor('device_add', driver=driver, id=name, bus=bus, **options)
        self.guest.child.expect(r'pci: [0-9a-f:.]+: plugged in at .*\n')
        return name

    def unplug(self, name):
        """Presses the button, and waits until QEMU has the card back."""
        self.monitor('device_del', id=name)
        self.monitor.wait_deleted(name)

    def work(self, command):
        """Types COMMAND and returns when the newest card is busy with it."""
        self.guest.child.send(command + '\r')
        before, end = self.reads(), time.monotonic() + machine.deadline(1)
        while self.reads() < before + 100:
            assert time.monotonic() < end, 'nothing is read'
            time.sleep(0.01)

    def reads(self):
        return sum(node['stats']['rd_operations'] for node in self.monitor('query-blockstats')
                   if node.get('node-name') == 'card%d' % self.count)

    def settle(self):
        settle(self.guest)


@pytest.fixture
def slot(row, tmp_path, disk):
    with qemu.sockets('qmp', 'qtest') as (arguments, path):
        extra = arguments + root_port('rp', 5, addr=2) + root_port('other', 6, addr=3)
        with machine.prompt(row, disks=[disk], extra=extra) as guest:
            slot = Slot(guest, qemu.Monitor(path['qmp']),
                        machine.disk_image(tmp_path / 'card.img', 2048))
            slot.bus = qemu.Bus(path['qtest'])
            yield slot
            settle(guest)
            assert guest.json('irq check')['ok']


def census(guest):
    """What must be the same after a card has come and gone."""
    return ([(d['name'], d['mapped']) for d in guest.json('domains')],
            sorted(line['irq'] for line in guest.json('irqs --all')), guest.json('lspci'))


def assert_leaves_nothing(guest, act):
    """However often: no domain, line or function, and no memory.  The heap may keep an empty page for a
    round; what leaks never comes back."""
    act()                               # what is made once and stays is made
    before, memory = census(guest), guest.json('mem')['free']
    least = 20 if SOAK else 1
    for n in range(least + 4):
        act()
        assert census(guest) == before
        if n + 1 >= least and guest.json('mem')['free'] >= memory:
            return
    pytest.fail('each time memory is lost')


def test_plug_and_unplug(slot):
    """Nothing is left behind, and the disk is number 1 each time."""
    guest = slot.guest

    def plug_and_unplug():
        name = slot.plug()
        slot.settle()
        assert [(d['disk'], d['bdf']) for d in guest.json('blk info')] == [(0, '00:01.0'), (1, '01:00.0')]
        for line in lines_of(guest.json('irqs'), 'virtio1'):    # a wire it shares with its port
            assert 'pci-hotplug' in line['actions'] or line['levels'][0]['domain'].endswith('01:00.0')
        check_same(guest, slot.monitor)
        assert ' 0 errors' in guest.type('blk stress 200 --disk 1')
        slot.unplug(name)
        slot.settle()
        assert [d['disk'] for d in guest.json('blk info')] == [0]
        check_same(guest, slot.monitor)

    assert_leaves_nothing(guest, plug_and_unplug)


@pytest.mark.parametrize('command', ['blk stress 100000000 --disk 1',
                                     'irq shuffle 1 blk stress 100000000 --disk 1'])
def test_unplug_under_load(slot, command):
    """The waiters get errors, nobody hangs."""
    guest = slot.guest
    name = slot.plug()
    slot.settle()
    slot.work(command)
    slot.unplug(name)
    guest.child.expect('EIO')
    slot.settle()
    assert ' 0 errors' in guest.type('blk stress 300')
    assert [d['disk'] for d in guest.json('blk info')] == [0]
    slot.plug()
    slot.settle()
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')


def slot_control(slot, port):
    """Where the Slot Control register of a root port is: behind its PCI Express capability."""
    ecam = 0x30000000 if 'riscv64' in slot.guest.child.command else 0x4010000000
    space = ecam + (port << 15)
    at = slot.bus.read(space + 0x34, 1)
    while slot.bus.read(space + at, 1) != 0x10:
        at = slot.bus.read(space + at + 1, 1)
    return space + at + 0x18


@pytest.mark.parametrize('loaded', [False, True], ids=['idle', 'loaded'])
def test_pulled_out(slot, loaded):
    """Somebody else cuts the slot's power: nothing but ones from one moment to the next."""
    guest = slot.guest
    name = slot.plug()
    slot.settle()
    control = slot_control(slot, 2)
    if loaded:
        slot.work('blk stress 100000000 --disk 1')
    slot.bus.write(control, 2, slot.bus.read(control, 2) | 0x700)
    text = ''
    for word in ['pulled out', 'EIO'][:1 + loaded]:     # in either order, and of EIO there are several
        while word not in text:
            guest.child.expect(['pulled out', 'EIO'])
            text += guest.child.after
    slot.settle()
    assert [d['disk'] for d in guest.json('blk info')] == [0]
    check_same(guest, slot.monitor)
    slot.monitor.wait_deleted(name)     # until then QEMU keeps the image
    slot.plug()
    slot.settle()
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')


def test_other_cards(slot):
    """No driver; a bridge; functions; one that wants more than was kept for it."""
    guest = slot.guest
    edu = slot.plug(driver='edu')
    bridge = slot.plug(driver='pcie-pci-bridge', bus='other')
    slot.settle()
    check_same(guest, slot.monitor)
    assert [f['bus_range'] for f in guest.json('lspci') if f['device'] == '000e'] == [[4, 4]]
    slot.monitor('device_del', id=edu)
    slot.unplug(bridge)
    slot.monitor.wait_deleted(edu)
    slot.monitor('object-add', **{'qom-type': 'memory-backend-ram', 'id': 'mem', 'size': 64 << 20})
    slot.monitor('device_add', driver='ivshmem-plain', id='big', bus='rp', memdev='mem')
    guest.child.expect(r'01:00.0: BAR 2 wants 0x4000000 bytes, for which 00:02.0 has no room')
    guest.child.expect(r'plugged in')
    slot.settle()
    card = [f for f in guest.json('lspci') if f['bdf'] == '01:00.0'][0]
    assert [b['addr'] for b in card['bars']] == [None, None]
    slot.unplug('big')
    slot.plug()
    slot.settle()
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')


def test_card_with_functions(slot):
    """Function 0 comes last and announces the rest."""
    guest = slot.guest
    slot.monitor('device_add', driver='virtio-rng-pci', id='f1', bus='rp', addr='0.1')
    slot.plug(multifunction=True, addr='0.0')
    slot.settle()
    assert [f['bdf'] for f in guest.json('lspci') if f['bdf'][:2] == '01'] == ['01:00.0', '01:00.1']
    assert ' 0 errors' in guest.type('blk stress 300 --disk 1')


def test_unplug_a_switch(row, tmp_path, disk):
    """With a disk behind it, and slots that go with it."""
    far = machine.disk_image(tmp_path / 'far.img', 1024)
    with qemu.sockets('qmp') as (arguments, path):
        extra = arguments + root_port('a', 1) + switch('s', 'a', 10, 2) + drive(far, 'far')
        extra += dev('virtio-blk-pci', drive='far', bus='s1')
        with machine.prompt(row, disks=[disk], extra=extra) as guest:
            monitor = qemu.Monitor(path['qmp'])
            assert ' 0 errors' in guest.type('blk stress 300 --disk 1')
            monitor('device_del', id='s')
            monitor.wait_deleted('s')
            settle(guest)
            assert len(guest.json('lspci')) == 3
            check_same(guest, monitor)
            assert ' 0 errors' in guest.type('blk stress 300')
            assert guest.json('irq check')['ok']


# ---- Bad input ----

def patched_tree(row, path, edit, smp=4):
    """The machine's device tree with EDIT(bytearray) done to it."""
    words = row.args.copy()
    at = words.index('-M') + 1
    words[at] += ',dumpdtb=%s' % path
    subprocess.run(['qemu-system-' + row.arch] + words + ['-smp', str(smp), '-nographic', '-nodefaults'],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(path, 'rb') as file:
        tree = bytearray(file.read())
    word = lambda at: int.from_bytes(tree[at:at + 4], 'big')
    del tree[max(word(8) + word(36), word(12) + word(32)):]     # QEMU wants room before the kernel
    tree[4:8] = len(tree).to_bytes(4, 'big')
    edit(tree)
    with open(path, 'wb') as file:
        file.write(tree)
    return ['-dtb', str(path)]


def find_property(tree, name, node):
    """Offset and length of the first property NAME in a node whose path has NODE in it."""
    def word(at):
        return int.from_bytes(tree[at:at + 4], 'big')

    def text(at):
        return tree[at:tree.index(0, at)].decode()
    at, path = word(8), []
    while word(at) != 9:
        token, length = word(at), word(at + 4)
        if token == 1:
            path.append(text(at + 4))
            at = (tree.index(0, at + 4) + 4) & ~3
        elif token == 3:
            if text(word(12) + word(at + 8)) == name and node in '/'.join(path):
                return at, length
            at += 12 + (length + 3 & ~3)
        else:
            if token == 2:
                path.pop()
            at += 4
    raise KeyError(name)


def replace(name, *cells):
    """The property gets other cells, as many as it had."""
    def edit(tree):
        at, length = find_property(tree, name, '/pci')
        assert length == 4 * len(cells)
        tree[at + 12:at + 12 + length] = b''.join(cell.to_bytes(4, 'big') for cell in cells)
    return edit


def delete(*names):
    """The first property that has one of the names."""
    def edit(tree):
        for name in names:
            try:
                at, length = find_property(tree, name, '/pci')
            except KeyError:
                continue
            tree[at:at + 12 + (length + 3 & ~3)] = b'\0\0\0\4' * (3 + (length + 3) // 4)
            return
        raise KeyError(names)
    return edit


def set_cell(name, index, cell):
    def edit(tree):
        at, _ = find_property(tree, name, '/pci')
        tree[at + 12 + 4 * index:at + 16 + 4 * index] = cell.to_bytes(4, 'big')
    return edit


def shorten(name):
    """Its first row ends too early, and there is no other."""
    def edit(tree):
        at, length = find_property(tree, name, '/pci')
        tree[at + 4:at + 8] = (16).to_bytes(4, 'big')
        tree[at + 28:at + 12 + length] = b'\0\0\0\4' * ((length - 16) // 4)
    return edit


def test_no_bus_number(row, disk, tmp_path):
    """Buses 0 to 3 for five bridges: two are named, the rest works."""
    extra = patched_tree(row, tmp_path / 'dtb', replace('bus-range', 0, 3))
    for n in range(1, 5):
        extra += dev('pci-bridge', id='r%d' % n, chassis_nr=n, addr=hex(4 + n))
    extra += dev('pci-bridge', id='p', bus='r1', chassis_nr=5, addr=2)
    extra += dev('virtio-rng-pci', bus='r4', addr=1)
    result = machine.run(row, 'lspci --json; blk stress 100 --json', disks=[disk], extra=extra)
    functions, stress = result.documents
    ranges = {f['bdf']: f['bus_range'] for f in functions if f['bus_range']}
    assert ranges == {'00:05.0': [1, 2], '01:02.0': [2, 2], '00:06.0': [3, 3], '00:07.0': [0, 0],
                      '00:08.0': [0, 0]}
    assert stress['errors'] == 0
    said = [line for line in result.lines if 'bus number' in line]
    assert ['00:07.0' in line for line in said] == [True, False] and '00:08.0' in said[1]


def test_no_window(row, disk):
    """A card of 1 TiB cannot be; it is named once, and all beside it works."""
    extra = dev('pci-bridge', id='a', chassis_nr=1) + dev('pci-bridge', id='b', bus='a', addr=2, chassis_nr=2)
    extra += dev('e1000e', bus='a', addr=3, romfile='') + dev('pci-testdev', bus='b', addr=1, membar='1T')
    extra += dev('qemu-xhci') + dev('virtio-rng-pci', bus='b', addr=2)
    result = machine.run(row, 'lspci --json; lspci; blk stress 100 --json', disks=[disk], extra=extra)
    functions, stress = result.documents
    assert stress['errors'] == 0
    assert [line[:14] for line in result.lines if line.startswith('error: ')] == ['error: 02:01.0']
    assert all((b['addr'] is None) == (f['bdf'] == '02:01.0') for f in functions for b in f['bars'])


def test_many_large_cards(row, disk):
    """Each would fit, all do not: a bridge is named for each that does not, the others work."""
    extra, size = [], 1 << 33 if row.arch == 'riscv64' else 1 << 38
    for n in range(3):
        extra += dev('pci-bridge', id='a%d' % n, chassis_nr=n + 1)
        extra += dev('pci-testdev', bus='a%d' % n, addr=1, membar=size)
    with qemu.sockets('qmp') as (arguments, path):
        with machine.prompt(row, disks=[disk], extra=extra + arguments) as guest:
            monitor = qemu.Monitor(path['qmp'])
            check_same(guest, monitor)
            check_layout(monitor('query-pci')[0]['devices'], None, -1, 255)
            wide = [b['addr'] for f in guest.json('lspci') for b in f['bars'] if b['size'] == size]
            assert [address is None for address in wide] == [False, False, True]
            assert ' 0 errors' in guest.type('blk stress 100')


def test_many_io_windows(row, disk):
    """64 KiB of I/O are 15 windows of 4 KiB; who gets none does without."""
    extra = []
    for n in range(18):
        extra += dev('pci-bridge', id='b%d' % n, chassis_nr=n + 1) + dev('virtio-rng-pci', bus='b%d' % n, addr=1)
    with qemu.sockets('qmp') as (arguments, path):
        with machine.prompt(row, disks=[disk], extra=extra + arguments) as guest:
            monitor = qemu.Monitor(path['qmp'])
            check_same(guest, monitor)
            check_layout(monitor('query-pci')[0]['devices'], None, -1, 255)
            assert ' 0 errors' in guest.type('blk stress 100')


@pytest.mark.parametrize('edit', [delete('interrupt-map'), set_cell('interrupt-map', 4, 0xdead),
                                  set_cell('interrupt-map-mask', 0, 0xff800), shorten('interrupt-map')],
                         ids=['none', 'no-controller', 'no-row', 'short'])
def test_no_line(row, edit, disk, tmp_path):
    """A disk without MSI-X whose INTA# leads nowhere is named; the one that sends messages works."""
    if machine.irq_mode(row) == 'intx':
        row = row._replace(bootargs=row.bootargs + ' msi=poll')
    image = machine.disk_image(tmp_path / 'wired.img', 64)
    extra = patched_tree(row, tmp_path / 'dtb', edit)
    extra += drive(image, 'w') + dev('virtio-blk-pci', drive='w', vectors=0, addr='6')
    result = machine.run(row, 'blk info --json; blk stress 100 --json; irq check --json', disks=[disk],
                         extra=extra, status=None)
    disks, stress, check = result.documents
    lost = {'00:01.0', '00:06.0'} - {d['bdf'] for d in disks}
    assert '00:06.0' in lost and (len(lost) == 1 or machine.hides_messages(row))
    assert stress['errors'] == 0 if disks else stress['error']
    assert check['ok']
    for bdf in lost:
        assert len([line for line in result.lines
                    if bdf + ': INTA#' in line and 'interrupt-map' in line]) == 1


def test_no_messages(row, disk, tmp_path):
    """Without msi-parent and msi-map a device's MSI-X is nothing: the disk takes its wire, and so
    does a slot."""
    def edit(tree):
        with contextlib.suppress(KeyError):     # not on every machine
            delete('msi-parent', 'msi-map')(tree)
    extra = patched_tree(row, tmp_path / 'dtb', edit)
    if not machine.refuses(row, 'pcie-root-port'):
        extra += root_port('a', 1)
    result = machine.run(row, 'lspci --json; blk stress 500 --json; irqs --json', disks=[disk], extra=extra)
    functions, stress, irqs = result.documents
    drivers = [f for f in functions if f['driver']]
    assert len(drivers) == extra.count('-device') + 1
    assert {(f['irq_mode'], f['msi_parent']) for f in drivers} == {('intx', None)}
    assert not any('no answer' in line for line in result.lines)
    assert stress['errors'] == 0
    assert sum(sum(line['counts']) for line in lines_of(irqs, 'virtio')) > 0


def test_s141_s140_no_messages_at_all(row, disk):
    """pci=nomsi: as if no card had MSI-X or MSI; what has a pin uses it."""
    row = row._replace(bootargs=(row.bootargs + ' pci=nomsi').strip())
    lspci, check = machine.run(row, 'lspci --json; irq check --json', disks=[disk]).documents
    assert check['ok']
    assert 'intx' in [device['irq_mode'] for device in lspci]
    assert {device['irq_mode'] for device in lspci} <= {'intx', 'none'}
