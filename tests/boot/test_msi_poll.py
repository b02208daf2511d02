"""msi=poll: an MSI controller made of plain memory, on the machines that have no other one."""

import collections
import re
import zlib

import machine
import pytest
from ivshmem_server import SELF, Server
from machine import SOAK, lines_of
from test_devices import counts, doorbell, nvme, settled
from test_intx import wire  # noqa: F401  (a fixture: a row whose disk has a wire)


def with_arguments(row, words):
    return row._replace(bootargs=(row.bootargs + ' ' + words).strip())


@pytest.fixture
def poll(wire):  # noqa: F811
    """Such a row, on which memory takes them; a short tick, so that it takes no longer than it must."""
    if 'its=off' in ' '.join(wire.args):
        pytest.skip('QEMU hides MSI-X on this machine')
    return with_arguments(wire, 'msi=poll msi-poll.us=100')


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_disk(poll, smp, dice, tmp_path):
    """Sequential I/O: one request, one message in memory, one count, where the message was for."""
    path = machine.disk_image(tmp_path / 'disk.img', 2048, dice)
    with open(path, 'rb') as f:
        content = f.read()
    log = tmp_path / 'errors'
    work, sums = [], []
    for _ in range(dice.randrange(20, 60)):
        lba, count = dice.randrange(1900), dice.randint(1, 96)
        work.append('blk sum %d %d --json' % (lba, count))
        sums.append('%08x' % zlib.crc32(content[lba * 512:(lba + count) * 512]))
    survey = ['irqs --json', 'msi-poll --json', 'msi 00:01.0 --json', 'irq check --json', 'domains --json']
    result = machine.run(poll, '; '.join(work + survey), smp=smp, disks=[path],
                         extra=['-d', 'guest_errors,unimp', '-D', str(log)])
    irqs, slots, msi, check, domains = result.documents[-len(survey):]
    assert [document['crc32'] for document in result.documents[:-len(survey)]] == sums
    disks = {line['irq']: line for line in lines_of(irqs, 'virtio')}
    assert sum(sum(line['counts']) for line in disks.values()) == len(work)
    rows = {entry['irq']: entry for entry in msi['rows']}
    assert len(disks) == len(slots['lines']) == smp + 1
    for slot in slots['lines']:
        line, message = disks[slot['irq']], rows[slot['irq']]
        assert line['flow'] == 'edge' and line['effective'] == [slot['cpu']]
        assert [level['domain'] for level in line['levels']] == ['POLL-PCI-MSIX-00:01.0', 'msi-poll']
        assert line['levels'][-1]['hwirq'] == slot['slot'] == message['data']
        assert message['address'] == slot['address']
        assert slot['delivered'] == sum(line['counts']) == line['counts'][slot['cpu']]
        assert slot['merged'] == 0
    assert slots['stray'] == 0 and slots['tick_ns'] == 100000
    assert [(d['parent'], d['chained_on']) for d in domains if d['name'] == 'msi-poll'] == [(None, None)]
    assert check['ok'] and log.read_text() == ''


def test_every_cpu(poll, disk):
    """A tick of each CPU looks at its own slots, and at no other's."""
    irqs = machine.run(poll, 'blk stress 500; irqs --json', disks=[disk]).documents[-1]
    taken = collections.Counter()
    for line in lines_of(irqs, 'req'):
        cpu, = line['effective']
        assert sum(line['counts']) == line['counts'][cpu]
        taken[cpu] += line['counts'][cpu]
    assert set(taken) == set(range(4)) and all(taken.values())


@pytest.mark.parametrize('smp', [2, 8])
def test_moves(poll, smp, disk):
    """Nothing is lost while lines move, and while CPUs leave and come."""
    result = machine.run(poll, 'irq shuffle 200 blk stress 1000; cpu shuffle 6 blk stress 500; '
                         'blk stress 200 --json; msi-poll --json; irq check --json', smp=smp,
                         disks=[disk], boots=100)
    stress, slots, check = result.documents
    assert result.output.count(' 0 errors') == 2 and stress['errors'] == 0
    assert slots['stray'] == 0 and check == {'ok': True, 'errors': []}


def test_trace(poll, disk):
    """The tick's interrupt, its softirq, and from there on the path of any message."""
    row = poll
    irq = lines_of(machine.run(row, 'irqs --json', disks=[disk]).documents[0], 'req.0')[0]['irq']
    trace = machine.run(row, 'trace irq %d --once blk sum 0 8 --json' % irq, disks=[disk]).documents[-1]
    names = [event['station'] for event in trace['events']]
    positions = [names.index('softirq'), names.index('claim'), max(n for n, name in enumerate(names)
                                                                  if name == 'handled')]
    assert positions == sorted(positions) and names[-1] == 'exit'
    assert trace['events'][names.index('claim')]['symbol'] == 'msi_poll_deliver'


def test_known_merges(wire, disk):  # noqa: F811
    """What a CPU stores into a full slot is seen to merge; a masked line keeps its message."""
    if 'its=off' in ' '.join(wire.args):
        pytest.skip('QEMU hides MSI-X on this machine')
    row = with_arguments(wire, 'msi=poll msi-poll.us=1000000')
    irq = lines_of(machine.run(row, 'irqs --json', disks=[disk]).documents[0], 'virtio')[0]['irq']
    with machine.prompt(row, disks=[disk]) as m:
        for _ in range(5):
            m.type('irq inject %d' % irq)
        m.child.send('alarm 2\r')
        m.child.expect_exact(machine.PROMPT)
        slot, = [line for line in m.json('msi-poll')['lines'] if line['irq'] == irq]
        line, = [line for line in m.json('irqs') if line['irq'] == irq]
        assert slot['delivered'] + slot['merged'] == 5
        assert 1 <= slot['delivered'] == sum(line['counts']) <= 3


def test_nvme(poll, disk, tmp_path):
    path = machine.disk_image(tmp_path / 'nvme.img', 64)
    with open(path, 'rb') as f:
        expected = '%08x' % zlib.crc32(f.read())
    result = machine.run(poll, 'nvme sum 0 64 --json; lspci --json; irq check --json', disks=[disk],
                         extra=nvme(path))
    sums, functions, check = result.documents
    assert sums['crc32'] == expected and check['ok']
    assert [f['irq_mode'] for f in functions if f['driver'] == 'nvme'] == ['msix']


# ---- Doorbells ---------------------------------------------------------------------------------


def test_doorbells_one_at_a_time(poll, dice, tmp_path):
    """Each answered before the next: nothing merges."""
    total = 10000 if SOAK else 2000
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(poll, extra=doorbell(tmp_path / 'iv', 4)) as m:
        peer = server.wait_peers(1)[0]
        m.type('ivshmem echo %d' % SELF)
        rung = [0] * 4
        for _ in range(total):
            vector = dice.randrange(4)
            server.ring(peer, vector)
            assert server.heard(vector) == 1
            rung[vector] += 1
        assert counts(m) == rung
        assert sorted(line['delivered'] for line in m.json('msi-poll')['lines']) == sorted(rung)


def test_doorbells_in_bursts(poll, dice, tmp_path):
    """Those of one tick merge: never none of a burst, never more than were rung, and the slot has
    delivered what the driver has counted."""
    with Server(tmp_path / 'iv', 4) as server, \
            machine.prompt(poll, extra=doorbell(tmp_path / 'iv', 4)) as m:
        peer = server.wait_peers(1)[0]
        before, total = counts(m), 0
        for _ in range(20 if SOAK else 6):
            rung = [0] * 4
            for _ in range(dice.randrange(100, 2000)):
                vector = dice.randrange(4)
                server.ring(peer, vector)
                rung[vector] += 1
            after = settled(m)
            got = [now - then for now, then in zip(after, before)]
            assert all((r == 0) == (g == 0) and g <= r for r, g in zip(rung, got)), (rung, got)
            before, total = after, total + sum(rung)
        assert sum(before) < total, 'nothing has merged'
        assert sorted(line['delivered'] for line in m.json('msi-poll')['lines']) == sorted(before)
        assert m.json('irq check')['ok']


def test_no_slot_left(poll, tmp_path):
    """A page has 1,023 of them: more is refused by name, and those that are there work."""
    with Server(tmp_path / 'iv', 2048) as server, \
            machine.prompt(poll, extra=doorbell(tmp_path / 'iv', 2048)) as m:
        peer = server.wait_peers(1)[0]
        have = m.json('ivshmem info')['vectors']
        assert 512 <= have <= 1023
        m.type('ivshmem echo %d' % SELF)
        for vector in range(have):
            server.ring(peer, vector)
            assert server.heard(vector) == 1
        assert counts(m) == [1] * have
        assert m.json('irq check')['ok']


# ---- Where it does not help --------------------------------------------------------------------


def test_no_capability(wire, disk):  # noqa: F811
    """QEMU hides MSI-X where it knows no MSI controller: said with the device; the wire works."""
    if 'its=off' not in ' '.join(wire.args):
        pytest.skip('its devices have MSI-X')
    result = machine.run(with_arguments(wire, 'msi=poll'), 'blk stress 100 --json; lspci --json; '
                         'msi-poll --json', disks=[disk])
    stress, functions, slots = result.documents
    assert re.search(r'warning: 00:01\.0: can send no messages, so msi-poll cannot serve it; it uses INTx',
                     result.output)
    assert stress['errors'] == 0 and slots['lines'] == []
    assert 'intx' in [f['irq_mode'] for f in functions]


def test_not_needed(row, disk):
    """Where the tree names a controller that takes messages, that one gets them."""
    result = machine.run(with_arguments(row, 'msi=poll'), 'lspci --json; msi-poll --json; blk sum 0 8 --json',
                         disks=[disk])
    functions, slots, _ = result.documents
    mode, = [f['irq_mode'] for f in functions if f['vendor'] == '1af4']
    if row.machine in ('aia', 'its', 'gicv2m'):
        assert mode == 'msix' and slots['lines'] == []


def test_off(row):
    result = machine.run(with_arguments(row, 'msi=maybe'), 'msi-poll --json', status=1)
    assert 'error: boot argument msi=maybe: only msi=poll is known' in result.output
    assert result.documents == [{'error': 'it is off; the boot argument msi=poll turns it on'}]
