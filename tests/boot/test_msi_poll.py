"""msi=poll: an MSI controller made of plain memory, on the machines that have no other one."""

import collections
import re
import time
import zlib

import machine
import pytest
from ivshmem_server import Server
from machine import lines_of
from test_devices import doorbell, nvme, settled
from test_intx import wire  # noqa: F401  (a fixture: a row whose disk has a wire)
from test_net import Peer, network, reply, request


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
    work, sums = [], []
    for _ in range(dice.randrange(20, 60)):
        lba, count = dice.randrange(1900), dice.randint(1, 96)
        work.append('blk sum %d %d --json' % (lba, count))
        sums.append('%08x' % zlib.crc32(content[lba * 512:(lba + count) * 512]))
    survey = ['irqs --json', 'msi-poll --json', 'msi 00:01.0 --json', 'irq check --json', 'domains --json']
    result = machine.run(poll, '; '.join(work + survey), smp=smp, disks=[path])
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
    assert check['ok']


def test_every_cpu(poll, disk):
    """A tick of each CPU looks at its own slots, and at no other's."""
    work = ['blk stress 100 --cpu %d' % cpu for cpu in range(4)]
    irqs = machine.run(poll, '; '.join(work + ['irqs --json']), disks=[disk]).documents[-1]
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
        m.type('; '.join(5 * ['irq inject %d' % irq]))
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


def sent(trace):
    """Interrupts that QEMU's devices wanted to send: by virtio, by vector of the NVMe controller."""
    vectors = re.findall(r'pci_nvme_irq_msix .*vector (\d+)', trace)
    return trace.count('virtio_notify '), collections.Counter(map(int, vectors))


def actions(irqs, slots):
    """By the name of a line's action: how often it was counted, and its slot."""
    by_irq = {slot['irq']: slot for slot in slots['lines']}
    return {line['actions'][0]: (sum(line['counts']), by_irq[line['irq']]) for line in irqs
            if line['irq'] in by_irq}


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_all_at_once(poll, smp, disk, dice, tmp_path):
    """Disk, NVMe, network and doorbells at one time through one page of memory. Every byte is
    right; a slot has delivered what its line counts; with those that are known to have merged that
    is no more than was sent."""
    trace, image = tmp_path / 'trace.log', machine.disk_image(tmp_path / 'nvme.img', 2048, dice)
    more = nvme(image) + doorbell(tmp_path / 'iv', 4) + [
        '-trace', 'virtio_notify', '-trace', 'pci_nvme_irq_msix', '-D', str(trace)]
    rung, asked = [0] * 4, 0
    with Server(tmp_path / 'iv', 4) as server, \
            network(poll, tmp_path, smp, disks=[disk], more=more) as (guest, peer):
        guest_id = server.wait_peers(1)[0]
        while asked < 20:
            guest.child.send('blk stress 300; nvme stress 300; blk stress 300\r')
            while not guest.ready():
                data = dice.randbytes(dice.randrange(1000))
                peer.send(request(1, asked, data))
                assert peer.receive() == reply(1, asked, data)
                asked += 1
                for _ in range(dice.randrange(30)):
                    vector = dice.randrange(4)
                    server.ring(guest_id, vector)
                    rung[vector] += 1
            assert guest.child.before.count(' 0 errors') == 3
        for command, path in ('blk', disk), ('nvme', image):
            with open(path, 'rb') as f:
                assert guest.json(command + ' sum 0 2048')['crc32'] == '%08x' % zlib.crc32(f.read())
        got = settled(guest, [r > 0 for r in rung])
        end = time.monotonic() + machine.deadline(1)
        lines = {}
        while not lines or (any(counted != slot['delivered'] for counted, slot in lines.values())
                            and time.monotonic() < end):    # the last is taken between two looks
            lines = actions(guest.json('irqs'), guest.json('msi-poll'))
        virtio, controller = sent(trace.read_text())
        assert guest.json('irq check') == {'ok': True, 'errors': []}
    assert all((r == 0) == (g == 0) and g <= r for r, g in zip(rung, got)), (rung, got)
    assert all(counted == slot['delivered'] for counted, slot in lines.values()), lines
    known = {name: slot['delivered'] + slot['merged'] for name, (_, slot) in lines.items()}
    assert [known['ivshmem.%d' % n] >= got[n] for n in range(4)] == [True] * 4
    assert all(known['ivshmem.%d' % n] <= rung[n] for n in range(4)), (known, rung)
    assert known['nvme0-admin'] <= controller[0]
    assert all(known['nvme0-io.%d' % n] <= controller[n] for n in range(1, smp + 1)), (known, controller)
    assert sum(n for name, n in known.items() if name.startswith('virtio')) <= virtio


# ---- Where it does not help --------------------------------------------------------------------


def test_no_capability(wire, disk, tmp_path):  # noqa: F811
    """QEMU hides MSI-X where it knows no MSI controller: said with the device; the wire works."""
    if 'its=off' not in ' '.join(wire.args):
        pytest.skip('its devices have MSI-X')
    peer = Peer(str(tmp_path / 'net'))
    result = machine.run(with_arguments(wire, 'msi=poll'), 'blk stress 100 --json; nvme stress 100 --json; '
                         'net ping 10.0.2.2 5 --json; lspci --json; msi-poll --json; irq check --json',
                         disks=[disk], extra=peer.extra + nvme(machine.disk_image(tmp_path / 'n', 64)))
    blk, controller, ping, functions, slots, check = result.documents
    assert blk['errors'] == controller['errors'] == 0 and ping['received'] == 5 and check['ok']
    drivers = [f for f in functions if f['driver']]
    assert len(drivers) == 3 and slots['lines'] == []
    for f in drivers:
        assert f['irq_mode'] == 'intx'
        assert ('warning: %s: can send no messages, so msi-poll cannot serve it; it uses INTx' % f['bdf']
                in result.output)


def test_not_needed(row, disk):
    """Where the tree names a controller that takes messages, that one gets them."""
    result = machine.run(with_arguments(row, 'msi=poll'), 'lspci --json; msi-poll --json; blk sum 0 8 --json',
                         disks=[disk])
    functions, slots, _ = result.documents
    mode, = [f['irq_mode'] for f in functions if f['vendor'] == '1af4']
    if machine.takes_messages(row):
        assert mode == 'msix' and slots['lines'] == []


def test_off(row):
    row = row._replace(bootargs=row.bootargs.replace('msi=poll', ''))
    result = machine.run(with_arguments(row, 'msi=maybe'), 'msi-poll --json', status=1)
    assert 'error: boot argument msi=maybe: only msi=poll is known' in result.output
    assert result.documents == [{'error': 'it is off; the boot argument msi=poll turns it on'}]
