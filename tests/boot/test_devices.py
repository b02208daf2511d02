"""Devices that interrupt by MSI-X, MSI or a wire, each with real traffic: NVMe, edu, virtio-rng, ivshmem."""

import collections
import math
import re
import time
import zlib

import machine
import pytest
from ivshmem_server import SELF, Server
from machine import SECTOR, SOAK
from test_pci import census, slot, slot_control  # noqa: F401  (slot is a fixture)

EDU = ['-device', 'edu,dma_mask=0xffffffffffffffff']


@pytest.fixture
def wants_msi(row):
    """QEMU has these devices only where a controller takes MSI."""
    if 'its=off' in ' '.join(row.args):
        pytest.skip('QEMU has no edu and no ivshmem-doorbell on this machine')


def crc(data):
    return '%08x' % zlib.crc32(data)


def run_quietly(row, tmp_path, cmd, **more):
    """And QEMU has nothing to complain about."""
    log = tmp_path / 'errors'
    more['extra'] = [*more.get('extra', ()), '-d', 'guest_errors,unimp', '-D', str(log)]
    result = machine.run(row, cmd, **more)
    assert log.read_text() == ''
    return result


def nvme(path, options='', name='n'):
    """A controller with one namespace on the image."""
    return ['-drive', 'file=%s,if=none,id=%s,format=raw' % (path, name),
            '-device', 'nvme,serial=%s,drive=%s%s' % (name, name, options)]


def actions(irqs, prefix):
    """The lines whose action has that name, by the rest of the name."""
    return {action[len(prefix):]: line for line in irqs for action in line['actions'] if action.startswith(prefix)}


def mode(pci, driver):
    """How the device of that driver interrupts: msix, msi, intx; none, if the driver found no way."""
    return ([f['irq_mode'] for f in pci if f['driver'] == driver] or ['none'])[0]


# ---- NVMe ----

@pytest.mark.parametrize('image', range(16 if SOAK else 4))
def test_nvme_images(row, image, dice, tmp_path):
    """Random reads and fills, in pieces of one sector to several PRP entries, on 1 to 8 CPUs."""
    sectors = dice.randrange(1, 4096)
    path = machine.disk_image(tmp_path / 'nvme.img', sectors, dice)
    with open(path, 'rb') as f:
        expected = bytearray(f.read())
    commands, sums = [], []
    for _ in range(dice.randrange(3, 12)):
        lba = dice.randrange(sectors)
        count = dice.randint(1, min(sectors - lba, dice.choice((1, 8, 9, 17, 64, 600))))
        if dice.random() < 0.4:
            seed = dice.randrange(1 << 64)
            commands.append('nvme fill %d %d %#x --json' % (lba, count, seed))
            expected[lba * SECTOR:(lba + count) * SECTOR] = machine.filled(lba, count, seed)
            sums.append({'lba': lba, 'count': count, 'seed': seed})
        else:
            commands.append('nvme sum %d %d --json' % (lba, count))
            sums.append({'lba': lba, 'count': count, 'crc32': crc(expected[lba * SECTOR:(lba + count) * SECTOR])})
    commands.append('nvme sum 0 %d --json' % sectors)
    sums.append({'lba': 0, 'count': sectors, 'crc32': crc(expected)})
    result = run_quietly(row, tmp_path, '; '.join(commands), smp=[1, 2, 4, 8][image % 4], extra=nvme(path))
    assert result.documents == sums
    with open(path, 'rb') as f:
        assert f.read() == expected


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_nvme_stress(row, smp, disk):
    """Every completion once, no byte wrong, from all CPUs; and each CPU's line is its own."""
    before = open(disk, 'rb').read()
    reads = 50000 if SOAK else 3000
    result = machine.run(row, 'lspci --json; nvme stress %d --json; irqs --json; irq check --json' % reads,
                         smp=smp, extra=nvme(disk), boots=500)
    pci, stress, irqs, check = result.documents
    assert stress == dict(stress, reads=reads, errors=0)
    assert check == {'ok': True, 'errors': []}
    assert open(disk, 'rb').read() == before
    queues = actions(irqs, 'nvme0-io.')
    if mode(pci, 'nvme') == 'msix':
        assert len(queues) == smp
    for number, line in queues.items():
        assert sum(line['counts']) > 0
        if len(queues) == smp > 1:
            cpu = int(number) - 1
            assert 'managed' in line['state'] and line['affinity'] == line['effective'] == [cpu]
            assert sum(line['counts']) == line['counts'][cpu]


@pytest.mark.parametrize('options, queues', [(',msix_qsize=1', 1), (',msix_qsize=2', 1), (',msix_qsize=3', 2),
                                             (',max_ioqpairs=1', 1), (',msix_qsize=2048', 4)])
def test_nvme_few_vectors(row, options, queues, disk):
    """With fewer vectors or queues than CPUs they are shared, which is said."""
    result = machine.run(row, 'lspci --json; nvme info --json; nvme stress 500 --json; nvme sum 0 2048 --json; '
                         'irq check --json', extra=nvme(disk, options))
    pci, info, stress, total, check = result.documents
    if mode(pci, 'nvme') == 'msix':
        assert info == [dict(info[0], queues=queues)]
    else:
        assert info == [dict(info[0], queues=1)]
    assert ('for 4 CPUs' in result.output) == (info[0]['queues'] < 4)
    assert stress['errors'] == 0 and check['ok']
    assert total['crc32'] == crc(open(disk, 'rb').read())


def test_nvme_witness(row, dice, disk, tmp_path):
    """Sequential traffic: as many interrupts counted as QEMU has sent, on each vector."""
    trace = tmp_path / 'trace.log'
    work = ['nvme sum %d %d' % (dice.randrange(1900), dice.randint(1, 96)) for _ in range(dice.randrange(20, 60))]
    result = machine.run(row, '; '.join(['lspci --json'] + work + ['irqs --json']), extra=nvme(disk) +
                         ['-trace', 'pci_nvme_irq_*,file=%s' % trace])
    pci, irqs = result.documents
    if mode(pci, 'nvme') != 'msix':
        pytest.skip('a wire')
    sent = collections.Counter(int(n) for n in re.findall(r'pci_nvme_irq_msix .*vector (\d+)', trace.read_text()))
    counted = {int(n): sum(line['counts']) for n, line in actions(irqs, 'nvme0-io.').items()}
    assert sum(counted.values()) >= len(work)
    counted[0] = sum(actions(irqs, 'nvme0-admin')['']['counts'])
    assert sent == +collections.Counter(counted)


def test_nvme_beside_virtio(row, dice, tmp_path):
    """Each kind has its own numbers; two controllers, one of them with two namespaces."""
    paths = [machine.disk_image(tmp_path / ('%d.img' % n), 100 + n, dice) for n in range(4)]
    extra = nvme(paths[1], name='a') + ['-device', 'nvme,id=c,serial=c']
    for n in (2, 3):
        extra += ['-drive', 'file=%s,if=none,id=d%d,format=raw' % (paths[n], n),
                  '-device', 'nvme-ns,drive=d%d,bus=c,nsid=%d' % (n, n)]
    result = machine.run(row, 'blk info --json; nvme info --json; blk sum 0 100 --json; nvme sum 0 101 --json; '
                         'nvme sum 0 102 --disk 1 --json; nvme sum 0 103 --disk 2 --json; blk sum 0 1 --disk 1 --json; '
                         'nvme sum 0 1 --disk 3 --json', disks=paths[:1], extra=extra, status=1)
    blk, disks, *sums = result.documents
    assert [(d['disk'], d['sectors']) for d in blk] == [(0, 100)]
    assert [(d['disk'], d['sectors']) for d in disks] == [(0, 101), (1, 102), (2, 103)]
    assert [s['crc32'] for s in sums[:4]] == [crc(open(path, 'rb').read()) for path in paths]
    assert ['error' in s for s in sums[4:]] == [True, True]


def test_nvme_errors_are_named(row, disk, tmp_path):
    """What the device's status says, with the device's name; what is around the bad sector is still read."""
    rules = tmp_path / 'rules'
    rules.write_text('[inject-error]\nevent = "none"\nerrno = "5"\nsector = "100"\n')
    extra = ['-drive', 'file=blkdebug:%s:%s,if=none,id=n,format=raw' % (rules, disk),
             '-device', 'nvme,serial=n,drive=n']
    result = machine.run(row, 'nvme sum 100 1 --json; nvme sum 0 100 --json; nvme sum 101 100 --json; irq check --json',
                         extra=extra, status=1)
    data = open(disk, 'rb').read()
    assert '00:01.0: nvme: namespace 1, read of 1 sectors at 100: unrecovered read error' in result.output
    assert '00:01.0' in result.documents[0]['error']
    assert result.documents[1]['crc32'] == crc(data[:100 * SECTOR])
    assert result.documents[2]['crc32'] == crc(data[101 * SECTOR:201 * SECTOR])
    assert result.documents[3]['ok']


@pytest.mark.parametrize('options, message', [
    (',logical_block_size=4096,physical_block_size=4096', 'namespace 1 has blocks of 4096 + 0 bytes'),
    (',ms=8', 'namespace 1 has blocks of 512 + 8 bytes'),
])
def test_nvme_odd_namespaces(row, options, message, disk, tmp_path):
    """A namespace that cannot be driven is named and left out; its neighbour works."""
    other = machine.disk_image(tmp_path / 'other.img', 2048)
    extra = ['-device', 'nvme,id=c,serial=c']
    for n, (path, more) in enumerate([(other, options), (disk, '')], 1):
        extra += ['-drive', 'file=%s,if=none,id=d%d,format=raw' % (path, n),
                  '-device', 'nvme-ns,drive=d%d,bus=c,nsid=%d%s' % (n, n, more)]
    result = machine.run(row, 'nvme info --json; nvme sum 0 2048 --json', extra=extra)
    assert message in result.output
    assert len(result.documents[0]) == 1
    assert result.documents[1]['crc32'] == crc(open(disk, 'rb').read())


# ---- edu ----

def test_edu(row, wants_msi, dice, tmp_path):
    """Factorials, raised interrupts and DMA: an interrupt each, all of them counted on the line."""
    numbers = [0, 1, 12, 13] + [dice.randrange(2, 200) for _ in range(5)]
    bits = [1, 1 << 31, 0xffffffff] + [dice.randrange(1, 1 << 32) for _ in range(5)]
    commands = ['edu fact %d --json' % n for n in numbers] + ['edu raise %#x --json' % b for b in bits]
    result = run_quietly(row, tmp_path, '; '.join(commands + 3 * ['edu dma --json'] +
                                                  ['irqs --json', 'irq check --json']), extra=EDU)
    *answers, irqs, check = result.documents
    assert [d['result'] for d in answers[:len(numbers)]] == [math.factorial(n) % (1 << 32) for n in numbers]
    raised = answers[len(numbers):-3]
    assert [d['raised'] for d in raised] == bits
    assert [d['irqs'] for d in answers[:-3]] == [1] * len(commands)
    assert answers[-3:] == [{'bytes': 2048, 'irqs': 2}] * 3
    line = actions(irqs, 'edu')['']
    assert sum(line['counts']) >= len(commands) + 7     # one more finds out what its DMA reaches
    assert check == {'ok': True, 'errors': []}


def test_edu_out_of_reach(row, wants_msi):
    """Its DMA with the usual 28 bits reaches no memory here, which is said; the rest works."""
    result = machine.run(row, 'edu dma --json; edu dma --json; edu fact 5 --json; irq check --json',
                         extra=['-device', 'edu'], status=1)
    for document in result.documents[:2]:
        assert '00:01.0' in document['error'] and 'dma_mask' in document['error']
    assert result.documents[2]['result'] == 120 and result.documents[3]['ok']


def test_edu_shared(row, wants_msi, disk):
    """Five functions on four wires, where there are wires: nobody's interrupt is taken for another's."""
    work = []
    for n in range(40):
        work.append('edu fact %d --dev %d --json' % (n % 13, n % 5))
    result = machine.run(row, '; '.join(work + ['nvme sum 0 2048 --json', 'irq check --json']),
                         extra=5 * EDU + nvme(disk))
    *facts, total, check = result.documents
    assert facts == [{'result': math.factorial(n % 13), 'irqs': 1} for n in range(40)]
    assert total['crc32'] == crc(open(disk, 'rb').read()) and check['ok']


# ---- All of them ----

BAD = ['nvme sum 2048 1', 'nvme sum 2047 2', 'nvme fill 2048 1 0', 'nvme', 'nvme sum 18446744073709551615 1',
       'nvme sum 0 1 --disk 9', 'nvme sum x 1', 'edu', 'edu fact', 'edu fact x', 'edu fact 4294967296', 'edu raise 0',
       'edu raise -1', 'edu dma 1', 'edu fact 1 --dev 1', 'rng', 'rng 0', 'rng 4097', 'rng x', 'ivshmem',
       'ivshmem ring 0 0', 'ivshmem info']


def test_refused(row, wants_msi, disk):
    """Each gives one error and nothing else happens."""
    before = open(disk, 'rb').read()
    result = machine.run(row, '; '.join(what + ' --json' for what in BAD) +
                         '; nvme sum 0 1 --json; edu fact 3 --json; rng 1 --json', status=1,
                         extra=nvme(disk) + EDU + ['-device', 'virtio-rng-pci'])
    for what, document in zip(BAD, result.documents):
        assert list(document) == ['error'] and document['error'], (what, document)
    total, fact, random = result.documents[len(BAD):]
    assert total['crc32'] == crc(before[:SECTOR])
    assert fact['result'] == 6 and len(random['hex']) == 2
    assert open(disk, 'rb').read() == before


def nvme_card(slot):
    name = 'nvme%d' % slot.count
    slot.monitor('blockdev-add', **{'driver': 'raw', 'node-name': name,
                                    'file': {'driver': 'file', 'filename': slot.image}})
    return slot.plug(driver='nvme', serial='x', drive=name)


def use_cards(slot):
    """Each of them plugged in, at work, and out again."""
    guest = slot.guest
    name = nvme_card(slot)
    slot.settle()
    assert [(d['disk'], d['bdf']) for d in guest.json('nvme info')] == [(0, '01:00.0')]
    assert guest.json('nvme sum 0 2048')['crc32'] == crc(open(slot.image, 'rb').read())
    slot.unplug(name)
    name = slot.plug(driver='edu', dma_mask=(1 << 64) - 1)
    slot.settle()
    assert guest.json('edu dma') == {'bytes': 2048, 'irqs': 2}
    slot.unplug(name)
    name = slot.plug(driver='virtio-rng-pci')
    slot.settle()
    assert len(guest.json('rng 1')['hex']) == 2
    slot.unplug(name)
    slot.settle()


@pytest.fixture
def card_row(row):
    """Coming and going is the drivers' part and takes its time: on one machine of each ISA."""
    if row != machine.machines.find(row.arch) and not SOAK:
        pytest.skip('the same everywhere')


def test_cards(row, card_row, wants_msi, slot):
    """They come and go, and nothing is left behind."""
    guest = slot.guest
    use_cards(slot)                     # what is made once and stays is made now
    before, memory = census(guest), guest.json('mem')['free']
    for _ in range(10 if SOAK else 0):
        use_cards(slot)
        assert census(guest) == before
    assert guest.json('mem')['free'] >= memory


@pytest.mark.parametrize('how', ['button', 'cut'])
def test_nvme_card_goes(row, card_row, wants_msi, slot, how):
    """Asked to go under load: waiters get errors, nobody hangs. Or without power all of a sudden."""
    guest = slot.guest
    name = nvme_card(slot)
    slot.settle()
    if how == 'button':
        guest.child.send('nvme stress 100000000\r')
        slot.unplug(name)
        guest.child.expect('EIO')
    else:                               # idle: QEMU may never finish what was under way
        control = slot_control(slot, 2)
        slot.bus.write(control, 2, slot.bus.read(control, 2) | 0x700)
        guest.child.expect('01:00.0: pulled out')
        slot.monitor.wait_deleted(name)
    slot.settle()
    assert guest.json('nvme info') == []
    nvme_card(slot)
    slot.settle()
    assert ' 0 errors' in guest.type('nvme stress 300')


def test_nothing_there(row):
    words = ['nvme sum 0 1', 'edu fact 1', 'rng 1', 'ivshmem']
    result = machine.run(row, '; '.join(w + ' --json' for w in words) + '; nvme info --json', status=1)
    assert [list(d) for d in result.documents[:-1]] == [['error']] * len(words)
    assert result.documents[-1] == []


# ---- virtio-rng ----

def test_rng(row, tmp_path):
    sizes = [1, 2, 64, 1000, 1024, 1025, 4096]
    result = run_quietly(row, tmp_path, '; '.join('rng %d --json' % n for n in sizes + [32, 32]) + '; irqs --json',
                         extra=['-device', 'virtio-rng-pci'])
    *answers, irqs = result.documents
    data = [bytes.fromhex(d['hex']) for d in answers]
    assert [len(d) for d in data] == sizes + [32, 32]
    assert data[-1] != data[-2]
    assert len(set(data[-3])) > 200
    pieces = [everything[n:n + 16] for everything in [b''.join(data)] for n in range(0, len(everything), 16)]
    assert len(set(pieces)) == len(pieces)
    total = sum(sum(line['counts']) for name, line in actions(irqs, 'virtio0').items())
    assert total >= sum(sizes) // 1024


def test_rng_slow(row):
    """A source that gives little and late: waited for, and Ctrl-C ends the wait."""
    with machine.prompt(row, extra=['-object', 'rng-random,filename=/dev/urandom,id=r',
                                    '-device', 'virtio-rng-pci,rng=r,max-bytes=16,period=500']) as m:
        first = m.json('rng 20')['hex']
        assert len(first) == 40
        m.child.send('rng 4000\r')
        m.child.expect_exact('\n')
        m.child.send('\x03')
        m.child.expect_exact('interrupted')
        m.child.expect_exact(machine.PROMPT)
        second = m.json('rng 20')['hex']
        assert len(second) == 40 and second != first


# ---- ivshmem ----

def doorbell(path, vectors):
    return ['-chardev', 'socket,path=%s,id=iv' % path, '-device', 'ivshmem-doorbell,chardev=iv,vectors=%d' % vectors]


def counts(m):
    return m.json('ivshmem')['counts']


def settled(m):
    """The counts, once they have not changed for a while."""
    before, now = None, counts(m)
    while now != before:
        time.sleep(0.1)
        before, now = now, counts(m)
    return now


def need_vectors(m):
    """Without MSI-X the driver has said so; the test ends there."""
    if mode(m.json('lspci'), 'ivshmem') != 'msix':
        assert 'error' in m.json('ivshmem')
        pytest.skip('no MSI-X here')


@pytest.mark.parametrize('smp', [1, 4])
def test_doorbells_one_at_a_time(row, wants_msi, smp, dice, tmp_path):
    """The guest answers each doorbell before the next one: 10,000 rung, 10,000 counted, by vector."""
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(row, smp=smp, extra=doorbell(tmp_path / 'iv', 4)) as m:
        need_vectors(m)
        peer = server.wait_peers(1)[0]
        assert m.json('ivshmem info') == {'bdf': '00:01.0', 'id': peer, 'vectors': 4, 'memory': 1 << 20}
        m.type('ivshmem echo %d' % SELF)
        rung = [0] * 4
        for _ in range(10000):
            vector = dice.randrange(4)
            server.ring(peer, vector)
            assert server.heard(vector) == 1
            rung[vector] += 1
        assert counts(m) == rung
        lines = actions(m.json('irqs'), 'ivshmem.')
        assert [sum(lines[str(n)]['counts']) for n in range(4)] == rung
        assert m.json('irq check')['ok']


def test_doorbells_in_bursts(row, wants_msi, dice, tmp_path):
    """Some may become one, but a burst is never lost, and nothing is counted that was not rung."""
    with Server(tmp_path / 'iv', 4) as server, machine.prompt(row, extra=doorbell(tmp_path / 'iv', 4)) as m:
        need_vectors(m)
        peer = server.wait_peers(1)[0]
        before = counts(m)
        for _ in range(20 if SOAK else 8):
            rung = [0] * 4
            for _ in range(dice.randrange(1, 2000)):
                vector = dice.randrange(4)
                server.ring(peer, vector)
                rung[vector] += 1
            after = settled(m)
            got = [now - then for now, then in zip(after, before)]
            assert all((r == 0) == (g == 0) and g <= r for r, g in zip(rung, got)), (rung, got)
            before = after
        assert m.json('irq check')['ok']


def test_doorbells_between_guests(row, wants_msi, tmp_path):
    """Two guests ring each other; a doorbell for nobody does nothing."""
    with Server(tmp_path / 'iv', 2) as server, \
            machine.prompt(row, smp=2, extra=doorbell(tmp_path / 'iv', 2)) as a, \
            machine.prompt(row, smp=2, extra=doorbell(tmp_path / 'iv', 2)) as b:
        need_vectors(a)
        server.wait_peers(2)
        ids = [m.json('ivshmem info')['id'] for m in (a, b)]
        for n in range(1, 20):
            assert a.json('ivshmem ring %d 0' % ids[1]) == {'peer': ids[1], 'vector': 0, 'count': 1}
            b.type('ivshmem ring %d 1' % ids[0])
            assert settled(b) == [n, 0] and settled(a) == [0, n]
        b.type('ivshmem echo %d' % ids[0])
        a.type('ivshmem ring %d 0 --count 500' % ids[1])
        rung, answered = settled(b)[0], settled(a)[0]
        assert 19 < rung <= 519 and 0 < answered <= rung - 19
        for m in (a, b):
            m.type('ivshmem ring 999 0; ivshmem ring 0 999')
            assert m.json('irq check')['ok']
        assert [server.heard(n, 0.1) for n in range(2)] == [0, 0]


@pytest.mark.parametrize('vectors', [300, 2048])
def test_many_vectors(row, wants_msi, vectors, dice, tmp_path):
    """As many as there are: each of them interrupts; those that are missing are named."""
    with Server(tmp_path / 'iv', vectors) as server, \
            machine.prompt(row, extra=doorbell(tmp_path / 'iv', vectors)) as m:
        need_vectors(m)
        peer = server.wait_peers(1)[0]
        have = m.json('ivshmem info')['vectors']
        assert have == vectors or 0 < have < vectors
        m.type('ivshmem echo %d' % SELF)
        for vector in range(have):
            server.ring(peer, vector)
            assert server.heard(vector) == 1
        assert counts(m) == [1] * have
        assert m.json('irq check')['ok']
