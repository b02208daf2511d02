"""Devices that interrupt by MSI-X, MSI or a wire, with real traffic: NVMe, edu, rng, ivshmem."""

import math
import re
import time

import machine
import pytest
from ivshmem_server import SELF, Server
from machine import SOAK, crc, script

MESSAGES = pytest.mark.rows(where=lambda row: not machine.hides_messages(row))
EDU = ['-device', 'edu,dma_mask=0xffffffffffffffff']


@pytest.fixture
def msi_row(row):
    """The machine, with an MSI controller made of memory where it has no other."""
    if machine.irq_mode(row) == 'msix':
        return row
    return row._replace(bootargs=row.bootargs + ' msi=poll msi-poll.us=100')


def nvme(path, options='', name='n'):
    """A controller with one namespace on the image."""
    return ['-drive', 'file=%s,if=none,id=%s,format=raw' % (path, name),
            '-device', 'nvme,serial=%s,drive=%s%s' % (name, name, options)]


def actions(irqs, prefix):
    """The lines whose action has that name, by the rest of the name."""
    return {action[len(prefix):]: line for line in irqs for action in line['actions']
            if action.startswith(prefix)}


def mode(pci, driver):
    """How the device of that driver interrupts: msix, msi, intx; none, if there is no way."""
    return ([f['irq_mode'] for f in pci if f['driver'] == driver] or ['none'])[0]


# ---- NVMe ----

@pytest.mark.parametrize('image', range(16 if SOAK else 4))
def test_nvme_images(row, image, dice, tmp_path):
    """Random reads and fills, in pieces of one sector to several PRP entries, on 1 to 8 CPUs."""
    path = machine.disk_image(tmp_path / 'nvme.img', dice.randrange(1, 4096), dice)
    commands, answers, content = machine.random_io('nvme', path, dice, (1, 8, 9, 17, 64, 600))
    result = machine.run(row, commands, smp=[1, 2, 4, 8][image % 4], extra=nvme(path))
    assert result.documents == answers
    with open(path, 'rb') as f:
        assert f.read() == content


@MESSAGES
def test_nvme_by_memory(msi_row, disk):
    """A vector per CPU also where they are words of memory that somebody polls."""
    commands = script('lspci', 'nvme info', 'nvme stress 1000', 'nvme sum 0 2048')
    result = machine.run(msi_row, commands, extra=nvme(disk))
    pci, info, stress, total = result.documents
    assert mode(pci, 'nvme') == 'msix' and info[0]['queues'] == 4 and stress['errors'] == 0
    assert total['crc32'] == crc(open(disk, 'rb').read())


@MESSAGES
def test_nvme_cpu_goes(msi_row, disk):
    """A managed line stops with its CPU, moves nowhere else, and works again when it is back."""
    commands = script('nvme stress 300 --cpu 2', 'irqs', 'cpu offline 2', 'irqs', 'nvme stress 300',
                      'irqs', 'irq check', 'cpu online 2', 'nvme stress 300 --cpu 2', 'irqs', 'irq check')
    result = machine.run(msi_row, commands, extra=nvme(disk))
    first, before, _, stopped, without, while_off, check, _, again, after, last = result.documents
    assert all(stress['errors'] == 0 for stress in (first, without, again))
    assert check['ok'] and last['ok']
    line = [actions(irqs, 'nvme0-io.')['3'] for irqs in (before, stopped, while_off, after)]
    assert ['started' in l['state'] for l in line] == [True, False, False, True]
    assert all(l['affinity'] == [2] and 'managed' in l['state'] for l in line)
    assert line[2]['counts'] == line[1]['counts']
    assert line[3]['counts'][2] > line[2]['counts'][2]
    assert sum(line[3]['counts']) == line[3]['counts'][2]


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_nvme_stress(row, smp, disk):
    """Every completion once, no byte wrong, from all CPUs; and each CPU's line is its own."""
    before = open(disk, 'rb').read()
    reads = 50000 if SOAK else 3000
    each = ['nvme stress 20 --cpu %d' % cpu for cpu in range(smp)]    # of 3,000 one may get none
    commands = script('lspci', 'nvme stress %d' % reads, *each, 'irqs', 'irq check')
    result = machine.run(row, commands, smp=smp, extra=nvme(disk), boots=500)
    pci, stress, *told, irqs, check = result.documents
    assert stress == dict(stress, reads=reads, errors=0)
    assert [(t['reads'], t['errors']) for t in told] == [(20, 0)] * smp
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


def test_nvme_many(row, disk):
    """More controllers than some machines have vectors for: fewer each, then a wire; all work."""
    extra = nvme(disk, name='n0')
    for n in range(1, 16):
        extra += ['-blockdev', 'driver=null-co,node-name=n%d,size=1048576,read-zeroes=on' % n,
                  '-device', 'nvme,serial=s%d,drive=n%d' % (n, n)]
    commands = script('nvme info', 'nvme sum 0 2048', 'nvme stress 200 --disk 12',
                      'nvme stress 200 --disk 14', 'nvme stress 200 --disk 15', 'irq check')
    result = machine.run(row, commands, extra=extra, boots=60)
    info, total, *stress, check = result.documents
    assert [d['disk'] for d in info] == list(range(16))
    assert result.output.count('for 4 CPUs') == sum(d['queues'] < 4 for d in info)
    assert total['crc32'] == crc(open(disk, 'rb').read())
    assert [s['errors'] for s in stress] == [0, 0, 0] and check['ok']


def test_thousands_offered(row, disk):
    """A table of 2,048 rows, of which some are used; the others stay masked."""
    extra = ['-drive', 'if=none,id=d,format=raw,file=%s' % disk,
             '-device', 'virtio-blk-pci,drive=d,vectors=2048',
             '-device', 'nvme,serial=n,drive=n,msix_qsize=2048', '-blockdev',
             'driver=null-co,node-name=n,size=1048576,read-zeroes=on']
    commands = script('blk stress 300', 'nvme stress 300', 'lspci', 'blk sum 0 2048', 'irq check')
    result = machine.run(row, commands, extra=extra)
    blk, nvme_, functions, total, check = result.documents
    assert blk['errors'] == nvme_['errors'] == 0 and check['ok']
    assert total['crc32'] == crc(open(disk, 'rb').read())
    for f in functions:
        if f['driver'] and f['irq_mode'] == 'msix':
            assert f['vectors'] == 5


# ---- edu ----

def test_edu(row, dice):
    """Factorials, raised interrupts and DMA: an interrupt each, all of them counted on the line."""
    numbers = [0, 1, 12, 13] + [dice.randrange(2, 200) for _ in range(5)]
    bits = [1, 1 << 31, 0xffffffff] + [dice.randrange(1, 1 << 32) for _ in range(5)]
    commands = ['edu fact %d' % n for n in numbers] + ['edu raise %#x' % b for b in bits]
    result = machine.run(row, script(*commands, *3 * ['edu dma'], 'irqs', 'irq check'),
                         extra=EDU)
    *answers, irqs, check = result.documents
    factorials = [math.factorial(n) % (1 << 32) for n in numbers]
    assert [d['result'] for d in answers[:len(numbers)]] == factorials
    raised = answers[len(numbers):-3]
    assert [d['raised'] for d in raised] == bits
    assert [d['irqs'] for d in answers[:-3]] == [1] * len(commands)
    assert answers[-3:] == [{'bytes': 2048, 'irqs': 2}] * 3
    line = actions(irqs, 'edu')['']
    assert sum(line['counts']) >= len(commands) + 7     # one more finds out what its DMA reaches
    assert check == {'ok': True, 'errors': []}


def test_edu_shared(row, disk):
    """Six functions on four wires, where there are wires: nobody takes another's interrupt."""
    work = ['edu fact %d --dev %d' % (n % 13, n % 5) for n in range(40)]
    result = machine.run(row, script(*work, 'nvme sum 0 2048', 'irq check'),
                         extra=5 * EDU + nvme(disk))
    *facts, total, check = result.documents
    assert facts == [{'result': math.factorial(n % 13), 'irqs': 1} for n in range(40)]
    assert total['crc32'] == crc(open(disk, 'rb').read()) and check['ok']


# ---- virtio-rng ----

def test_rng(row):
    sizes = [1, 2, 64, 1000, 1024, 1025, 4096]
    result = machine.run(row, script(*('rng %d' % n for n in sizes + [32, 32]), 'irqs'),
                         extra=['-device', 'virtio-rng-pci'])
    *answers, irqs = result.documents
    data = [bytes.fromhex(d['hex']) for d in answers]
    assert [len(d) for d in data] == sizes + [32, 32]
    assert data[-1] != data[-2]
    assert len(set(data[-3])) > 200
    everything = b''.join(data)
    pieces = [everything[n:n + 16] for n in range(0, len(everything), 16)]
    assert len(set(pieces)) == len(pieces)
    total = sum(sum(line['counts']) for name, line in actions(irqs, 'virtio0').items())
    assert total >= sum(sizes) // 1024


# ---- ivshmem ----

def doorbell(path, vectors):
    return ['-chardev', 'socket,path=%s,id=iv' % path,
            '-device', 'ivshmem-doorbell,chardev=iv,vectors=%d' % vectors]


def counts(m):
    return m.json('ivshmem')['counts']


def settled(m, least):
    """The counts, once each is at LEAST what it must become, and none has changed for a while."""
    until = time.monotonic() + machine.deadline(1)
    before, now = None, counts(m)
    while now != before or (any(n < l for n, l in zip(now, least)) and time.monotonic() < until):
        time.sleep(0.1)
        before, now = now, counts(m)
    return now


@pytest.mark.parametrize('smp', [1, 4])
def test_doorbells_one_at_a_time(msi_row, smp, dice, tmp_path):
    """The guest answers each before the next one: 10,000 rung, 10,000 counted, by vector."""
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(msi_row, smp=smp, extra=doorbell(tmp_path / 'iv', 4)) as m:
        peer = server.wait_peers(1)[0]
        info = {'bdf': '00:01.0', 'id': peer, 'vectors': 4, 'memory': 1 << 20}
        assert m.json('ivshmem info') == info
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
        if 'msi=poll' in msi_row.bootargs:
            slots = m.json('msi-poll')['lines']
            assert sorted(slot['delivered'] for slot in slots) == sorted(rung)
            assert not any(slot['merged'] for slot in slots)
        assert m.json('irq check')['ok']


def burst(m, server, peer, dice, rung):
    """Rings a lot, RUNG so far; what comes is never none of some, in all never more."""
    before, then = counts(m), list(rung)
    for _ in range(dice.randrange(1, 2000)):
        vector = dice.randrange(4)
        server.ring(peer, vector)
        rung[vector] += 1
    least = [b + (r > t) for r, t, b in zip(rung, then, before)]
    got = settled(m, least)
    assert all(l <= g <= r for l, g, r in zip(least, got, rung)), (before, then, rung, got)


def test_doorbells_in_bursts(msi_row, dice, tmp_path):
    """Some may become one, but a burst is never lost, and nothing is counted that was not rung."""
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(msi_row, extra=doorbell(tmp_path / 'iv', 4)) as m:
        peer = server.wait_peers(1)[0]
        rung = [0] * 4
        for _ in range(20 if SOAK else 8):
            burst(m, server, peer, dice, rung)
        if 'msi=poll' in msi_row.bootargs:      # those of one tick merge, and are known to
            come, slots = counts(m), m.json('msi-poll')['lines']
            assert sorted(slot['delivered'] for slot in slots) == sorted(come)
            assert sum(come) < sum(rung), 'nothing has merged'
            assert sum(slot['delivered'] + slot['merged'] for slot in slots) <= sum(rung)
        assert m.json('irq check')['ok']


def test_doorbells_while_they_move(msi_row, dice, disk, tmp_path):
    """Rung one at a time while each line goes from CPU to CPU: none is lost, none comes twice."""
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(msi_row, disks=[disk], extra=doorbell(tmp_path / 'iv', 4)) as m:
        peer = server.wait_peers(1)[0]
        m.type('ivshmem echo %d' % SELF)
        rung, moved, end = [0] * 4, False, time.monotonic() + machine.deadline(100)
        while not moved and time.monotonic() < end:     # who moves them may not have had its turn
            m.child.send('irq shuffle 1000 blk stress 100000000\r')
            m.child.expect_exact('\n')
            for _ in range(20000 if SOAK else 1000):
                vector = dice.randrange(4)
                server.ring(peer, vector)
                assert server.heard(vector) == 1
                rung[vector] += 1
            m.child.send('\x03')
            m.child.expect_exact(machine.PROMPT)
            lines = actions(m.json('irqs'), 'ivshmem.').values()
            moved = any(sum(count > 0 for count in line['counts']) > 1 for line in lines)
        assert moved and counts(m) == rung
        assert m.json('irq check')['ok']


def test_doorbells_between_guests(msi_row, tmp_path):
    """Two guests ring each other; a doorbell for nobody does nothing."""
    with Server(tmp_path / 'iv', 2) as server, \
            machine.prompt(msi_row, smp=2, extra=doorbell(tmp_path / 'iv', 2)) as a, \
            machine.prompt(msi_row, smp=2, extra=doorbell(tmp_path / 'iv', 2)) as b:
        server.wait_peers(2)
        ids = [m.json('ivshmem info')['id'] for m in (a, b)]
        for n in range(1, 6):
            assert a.json('ivshmem ring %d 0' % ids[1]) == {'peer': ids[1], 'vector': 0, 'count': 1}
            b.type('ivshmem ring %d 1' % ids[0])
            assert settled(b, [n, 0]) == [n, 0] and settled(a, [0, n]) == [0, n]
        b.type('ivshmem echo %d' % ids[0])
        a.type('ivshmem ring %d 0 --count 500' % ids[1])
        answered, rung = settled(a, [1, 0])[0], settled(b, [6, 0])[0]
        assert 5 < rung <= 505 and 0 < answered <= rung - 5
        for m in (a, b):
            m.type('ivshmem ring 999 0; ivshmem ring 0 999')
            assert m.json('irq check')['ok']
        assert [server.heard(n, 0.1) for n in range(2)] == [0, 0]


@pytest.mark.parametrize('vectors', [300, 2048])
def test_many_vectors(msi_row, vectors, tmp_path):
    """As many as there are: each of them interrupts; those that are missing are named."""
    with Server(tmp_path / 'iv', vectors) as server, \
            machine.prompt(msi_row, extra=doorbell(tmp_path / 'iv', vectors)) as m:
        peer = server.wait_peers(1)[0]
        have = m.json('ivshmem info')['vectors']
        if any(event == 'gicv3_its_translation_write' for event, _ in msi_row.witnesses):
            assert have == vectors
        elif 'msi=poll' in msi_row.bootargs:            # whose page has 1,023 slots
            assert have == vectors or 512 <= have <= 1023
        assert 16 < have <= vectors
        if have < vectors:
            assert re.search(r'warning: \S+: no .* left.* given', m.boot), m.boot
            assert 'ivshmem: %d vectors of %d, no more are to be had' % (have, vectors) in m.boot
        m.type('ivshmem echo %d' % SELF)
        for vector in range(have):
            server.ring(peer, vector)
            assert server.heard(vector) == 1
        assert counts(m) == [1] * have
        assert m.json('irq check')['ok']
        m.child.send('poweroff\r')      # so many files take their time to be closed
        assert m.status() == 0
