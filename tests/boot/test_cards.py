"""NVMe, edu and virtio-rng beside their interrupts: odd ones, bad ones, cards that come and go."""

import machine
import pytest
from machine import SECTOR, crc, script
from test_devices import EDU, msi_row, nvme  # noqa: F401  (msi_row is a fixture)
from test_pci import assert_leaves_nothing, slot, slot_control  # noqa: F401  (slot is a fixture)


# ---- NVMe ----

@pytest.mark.parametrize('options, queues', [
    (',msix_qsize=1', 1), (',msix_qsize=2', 1), (',msix_qsize=3', 2), (',max_ioqpairs=1', 1),
    (',msix_qsize=2048', 4),
])
def test_nvme_few_vectors(msi_row, options, queues, disk):
    """With fewer vectors or queues than CPUs they are shared, which is said."""
    commands = script('nvme info', 'nvme stress 500', 'nvme sum 0 2048', 'irq check')
    result = machine.run(msi_row, commands, extra=nvme(disk, options))
    info, stress, total, check = result.documents
    queues = 1 if machine.hides_messages(msi_row) else queues
    assert info == [dict(info[0], queues=queues)]
    assert ('for 4 CPUs' in result.output) == (queues < 4)
    assert stress['errors'] == 0 and check['ok']
    assert total['crc32'] == crc(open(disk, 'rb').read())


def test_nvme_beside_virtio(row, dice, tmp_path):
    """Each kind has its own numbers; two controllers, one of them with two namespaces."""
    paths = [machine.disk_image(tmp_path / ('%d.img' % n), 100 + n, dice) for n in range(4)]
    extra = nvme(paths[1], name='a') + ['-device', 'nvme,id=c,serial=c']
    for n in (2, 3):
        extra += ['-drive', 'file=%s,if=none,id=d%d,format=raw' % (paths[n], n),
                  '-device', 'nvme-ns,drive=d%d,bus=c,nsid=%d' % (n, n)]
    result = machine.run(row, script('blk info', 'nvme info', 'blk sum 0 100', 'nvme sum 0 101',
                                     'nvme sum 0 102 --disk 1', 'nvme sum 0 103 --disk 2',
                                     'blk sum 0 1 --disk 1', 'nvme sum 0 1 --disk 3'),
                         disks=paths[:1], extra=extra, status=1)
    blk, disks, *sums = result.documents
    assert [(d['disk'], d['sectors']) for d in blk] == [(0, 100)]
    assert [(d['disk'], d['sectors']) for d in disks] == [(0, 101), (1, 102), (2, 103)]
    assert [s['crc32'] for s in sums[:4]] == [crc(open(path, 'rb').read()) for path in paths]
    assert ['error' in s for s in sums[4:]] == [True, True]


def test_nvme_errors_are_named(row, disk, tmp_path):
    """What the device's status says, with its name; what is around the bad sector is still read."""
    rules = tmp_path / 'rules'
    rules.write_text('[inject-error]\nevent = "none"\nerrno = "5"\nsector = "100"\n')
    extra = ['-drive', 'file=blkdebug:%s:%s,if=none,id=n,format=raw' % (rules, disk),
             '-device', 'nvme,serial=n,drive=n']
    commands = script('nvme sum 100 1', 'nvme sum 0 100', 'nvme sum 101 100', 'irq check')
    result = machine.run(row, commands, extra=extra, status=1)
    data = open(disk, 'rb').read()
    assert ('00:01.0: nvme: namespace 1, read of 1 sectors at 100: unrecovered read error'
            in result.output)
    assert '00:01.0' in result.documents[0]['error']
    assert result.documents[1]['crc32'] == crc(data[:100 * SECTOR])
    assert result.documents[2]['crc32'] == crc(data[101 * SECTOR:201 * SECTOR])
    assert result.documents[3]['ok']


@pytest.mark.parametrize('options, message', [
    (',logical_block_size=4096,physical_block_size=4096',
     'namespace 1 has blocks of 4096 + 0 bytes'),
    (',ms=8', 'namespace 1 has blocks of 512 + 8 bytes'),
])
def test_nvme_odd_namespaces(row, options, message, disk, tmp_path):
    """A namespace that cannot be driven is named and left out; its neighbour works."""
    other = machine.disk_image(tmp_path / 'other.img', 2048)
    extra = ['-device', 'nvme,id=c,serial=c']
    for n, (path, more) in enumerate([(other, options), (disk, '')], 1):
        extra += ['-drive', 'file=%s,if=none,id=d%d,format=raw' % (path, n),
                  '-device', 'nvme-ns,drive=d%d,bus=c,nsid=%d%s' % (n, n, more)]
    result = machine.run(row, script('nvme info', 'nvme sum 0 2048'), extra=extra)
    assert message in result.output
    assert len(result.documents[0]) == 1
    assert result.documents[1]['crc32'] == crc(open(disk, 'rb').read())


# ---- edu and virtio-rng ----

def test_edu_out_of_reach(row):
    """Its DMA with the usual 28 bits reaches no memory here, which is said; the rest works."""
    result = machine.run(row, script('edu dma', 'edu dma', 'edu fact 5', 'irq check'),
                         extra=['-device', 'edu'], status=1, noisy=True)    # DMA out of reach
    for document in result.documents[:2]:
        assert '00:01.0' in document['error'] and 'dma_mask' in document['error']
    assert result.documents[2]['result'] == 120 and result.documents[3]['ok']


def test_rng_slow(row):
    """A source that gives little and late: waited for, and Ctrl-C ends the wait."""
    extra = ['-object', 'rng-random,filename=/dev/urandom,id=r',
             '-device', 'virtio-rng-pci,rng=r,max-bytes=16,period=500']
    with machine.prompt(row, extra=extra) as m:
        first = m.json('rng 20')['hex']
        assert len(first) == 40
        m.child.send('rng 4000\r')
        m.child.expect_exact('\n')
        m.child.send('\x03')
        m.child.expect_exact('interrupted')
        m.child.expect_exact(machine.PROMPT)
        second = m.json('rng 20')['hex']
        assert len(second) == 40 and second != first


# ---- Bad arguments, nothing there ----

BAD = ['nvme sum 2048 1', 'nvme sum 2047 2', 'nvme fill 2048 1 0', 'nvme', 'nvme sum x 1',
       'nvme sum 18446744073709551615 1', 'nvme sum 0 1 --disk 9', 'nvme stress 1 --cpu 9',
       'edu', 'edu fact', 'edu fact x', 'edu fact 4294967296', 'edu raise 0', 'edu raise -1',
       'edu dma 1', 'edu fact 1 --dev 1', 'rng', 'rng 0', 'rng 4097', 'rng x', 'ivshmem',
       'ivshmem ring 0 0', 'ivshmem info']


def test_refused(row, disk):
    """Each gives one error and nothing else happens."""
    before = open(disk, 'rb').read()
    edu = [] if machine.refuses(row, 'edu') else EDU
    result = machine.run(row, script(*BAD, 'nvme sum 0 1', 'rng 1', 'edu fact 3'), status=1,
                         extra=nvme(disk) + edu + ['-device', 'virtio-rng-pci'])
    for what, document in zip(BAD, result.documents):
        assert list(document) == ['error'] and document['error'], (what, document)
    total, random, fact = result.documents[len(BAD):]
    assert total['crc32'] == crc(before[:SECTOR])
    assert len(random['hex']) == 2 and fact.get('result') == (6 if edu else None)
    assert open(disk, 'rb').read() == before


def test_nothing_there(row):
    words = ['nvme sum 0 1', 'edu fact 1', 'rng 1', 'ivshmem']
    result = machine.run(row, script(*words, 'nvme info'), status=1)
    assert [list(d) for d in result.documents[:-1]] == [['error']] * len(words)
    assert result.documents[-1] == []


# ---- Cards ----

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


def test_cards(slot):
    """They come and go, and nothing is left behind."""
    assert_leaves_nothing(slot.guest, lambda: use_cards(slot))


@pytest.mark.parametrize('how', ['button', 'cut'])
def test_nvme_card_goes(row, slot, how):
    """Asked to go under load: waiters get errors, nobody hangs. Or suddenly without power."""
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
