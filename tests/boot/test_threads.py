"""Handlers in threads, on real devices: those that have one, and all of them by `threadirqs`."""

import collections
import math
import time
import zlib

import machine
from machine import SOAK, script
from test_devices import EDU

NET = ['-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0,romfile=']
PINGS = 2000 if SOAK else 20


def forced(row):
    return row._replace(bootargs=row.bootargs + ' threadirqs')


def names(threads):
    """Of the threads of irqs, each with its irq's number."""
    words = [t['name'].split('-', 1) for t in threads if t['name'].startswith('irq/')]
    return collections.Counter((int(number[4:]), name) for number, name in words)


def line_of(irqs, name):
    found, = (line for line in irqs if name in line['actions'])
    return found


def test_edu_compares_in_its_thread(row):
    """Only what takes long is left to the thread: one that the driver asked for."""
    result = machine.run(row, script(*3 * ['edu dma'], 'edu fact 7', 'edu raise 0x100', 'threads',
                                     'irqs', 'irq check'), extra=EDU)
    *dma, fact, raised, threads, irqs, check = result.documents
    assert dma == [{'bytes': 2048, 'irqs': 2}] * 3
    assert fact == {'result': 5040, 'irqs': 1} and raised == {'raised': 256, 'irqs': 1}
    edu = line_of(irqs, 'edu')
    assert sum(edu['counts']) >= 3 * 2 + 2 + 1
    assert 'oneshot' not in edu['state']
    assert names(threads)[edu['irq'], 'edu'] == 1 and not names(threads)[edu['irq'], 's-edu']
    assert check == {'ok': True, 'errors': []}


def test_s113_forced_threads_on_real_devices(row, disk):
    """Each handler of a device in a thread of its line, which is masked meanwhile if it is wired."""
    edu = [] if machine.refuses(row, 'edu') else EDU
    numbers = [0, 5, 12, 13, 100] if edu else []
    work = ['edu fact %d' % n for n in numbers] + (3 * ['edu dma'] if numbers else [])
    disks = ['-drive', 'file=%s,if=none,id=d,format=raw' % disk,
             '-device', 'virtio-blk-pci,drive=d']
    result = machine.run(forced(row), script(*work, 'net ping 10.0.2.2 %d' % PINGS,
                                             'blk sum 0 2048', 'threads', 'irqs', 'irq check'),
                         extra=NET + disks + edu, boots=20)
    *answers, ping, total, threads, irqs, check = result.documents
    assert [d['result'] for d in answers[:len(numbers)]] == \
        [math.factorial(n) % (1 << 32) for n in numbers]
    assert [d['irqs'] for d in answers[:len(numbers)]] == [1] * len(numbers)
    assert answers[len(numbers):] == ([{'bytes': 2048, 'irqs': 2}] * 3 if numbers else [])
    assert ping['received'] == ping['sent'] == PINGS
    assert total['crc32'] == '%08x' % zlib.crc32(open(disk, 'rb').read())
    assert check == {'ok': True, 'errors': []}

    expected = collections.Counter()
    for line in irqs:
        if line['flow'] in ('percpu', 'percpu_devid'):      # timers, IPIs: never
            continue
        is_message = 'MSI' in line['levels'][0]['domain']
        assert ('oneshot' in line['state']) != is_message, line
        for action in line['actions']:
            expected[line['irq'], action] += 1
            if action in ('edu', 'poweroff'):       # which have a thread of their own
                expected[line['irq'], 's-' + action] += 1
    assert names(threads) == expected
    assert any(name.startswith('virtio') for _, name in expected)
    if numbers:
        assert sum(line_of(irqs, 'edu')['counts']) >= len(numbers) + 3 * 2
    for line in irqs:
        assert line['depth'] == 0 or line['flow'] == 'percpu_devid', line


def test_s113_forced_threads_while_lines_move(row, disk):
    """Nothing is lost between the claim, the move and the thread's eoi, and nothing left masked."""
    def busy(line):
        return {'pending', 'inprogress', 'masked'} & set(line['state'])

    end = time.monotonic() + machine.deadline(10)
    with machine.prompt(forced(row), disks=[disk]) as m:
        m.type('irq shuffle 50 blk stress 200')
        assert m.json('irq check') == {'ok': True, 'errors': []}
        while any(map(busy, machine.lines_of(m.json('irqs'), 'virtio'))) and time.monotonic() < end:
            pass                        # some CPU has not had its turn yet
        irqs = m.json('irqs')
        assert machine.lines_of(irqs, 'virtio')
        assert not any(map(busy, machine.lines_of(irqs, 'virtio'))), irqs
        assert all(line['depth'] == 0 or line['flow'] == 'percpu_devid' for line in irqs), irqs
        assert m.json('blk sum 0 2048')['crc32'] == '%08x' % zlib.crc32(open(disk, 'rb').read())
