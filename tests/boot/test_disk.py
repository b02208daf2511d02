"""Real I/O by interrupts: what the kernel reads and writes is what the host has in the image."""

import re

import machine
import pytest
from machine import SECTOR, SOAK, crc, machines


@pytest.mark.parametrize('image', range(20))
def test_random_images(row, image, dice, tmp_path):
    """Random reads and fills of a random image, on 1 to 8 CPUs."""
    path = machine.disk_image(tmp_path / 'disk.img', dice.randrange(1, 4096), dice)
    commands, answers, content = machine.random_io('blk', path, dice, (1, 8, 64, 600))
    result = machine.run(row, commands, smp=[1, 2, 4, 8][image % 4], disks=[path])
    assert result.documents == answers
    with open(path, 'rb') as f:
        assert f.read() == content


def test_two_disks(row, dice, tmp_path):
    paths = [machine.disk_image(tmp_path / name, 100 + n, dice) for n, name in enumerate('ab')]
    result = machine.run(row, 'blk info --json; blk sum 0 100 --json; '
                         'blk sum 0 100 --disk 1 --json; blk fill 0 1 7 --disk 1', disks=paths)
    info, first, second = result.documents
    assert [(d['disk'], d['sectors']) for d in info] == [(0, 100), (1, 101)]
    assert info[0]['bdf'] < info[1]['bdf']
    data = [open(path, 'rb').read() for path in paths]
    assert first['crc32'] == crc(data[0])
    assert data[1][:SECTOR] == machine.filled(0, 1, 7)
    assert second['crc32'] != first['crc32']


@pytest.mark.parametrize('what', ['blk sum 2048 1', 'blk sum 2047 2', 'blk fill 2048 1 0',
                                  'blk sum 18446744073709551615 1', 'blk sum 0 1 --disk 9',
                                  'blk sum x 1', 'blk sum 1'])
def test_refused(row, what, disk):
    before = open(disk, 'rb').read()
    result = machine.run(row, '%s; %s --json; blk sum 0 1 --json' % (what, what), disks=[disk],
                         status=1)
    assert any(line.startswith('error: ') for line in result.lines), result
    assert list(result.documents[0]) == ['error']
    assert result.documents[1]['crc32'] == crc(before[:SECTOR])
    assert open(disk, 'rb').read() == before


@pytest.mark.parametrize('smp', [1, 4, 8])
def test_stress(row, smp, disk):
    """Every completion once, no byte wrong, while the lines stay and while they move."""
    before = open(disk, 'rb').read()
    reads, moves = (100000, 1000) if SOAK else (5000, 200)
    result = machine.run(row, 'blk stress %d --json; irq shuffle %d blk stress %d; irq check --json'
                         % (reads, moves, reads), smp=smp, disks=[disk], boots=1000)
    assert result.documents == [dict(result.documents[0], reads=reads, errors=0),
                                {'ok': True, 'errors': []}]
    made = re.search(r'^(\d+) moves', result.output, re.M)
    assert int(made.group(1)) >= moves
    assert '%d reads' % reads in result.output
    assert open(disk, 'rb').read() == before


def silent_disk(seconds):
    """QEMU's arguments for a disk that answers nothing for so long."""
    return ['-blockdev', 'driver=null-co,node-name=silent,size=1048576,latency-ns=%d'
            % (seconds * 10**9),
            '-device', 'virtio-blk-pci,drive=silent,cyls=2,heads=16,secs=63']


@pytest.mark.rows(where=lambda row: SOAK or row == machines.rows()[0])
def test_no_answer(row, disk):
    """A disk that never answers is given up after a while, by name; the other one works.  It takes half
    a minute."""
    result = machine.run(row, 'blk sum 0 1 --disk 1; blk sum 0 1 --disk 1 --json; '
                         'blk sum 0 8 --json; irq check --json', disks=[disk], status=1, boots=100,
                         extra=silent_disk(33))
    assert re.search(r'^error: disk 1 \(00:02\.0\): no answer', result.output, re.M), result
    failed, good, check = result.documents
    assert list(failed) == ['error'] and good['count'] == 8 and check['ok']


def test_read_error(row):
    """What the disk cannot read is an error, and only that."""
    rule = 'inject-error.0.'
    result = machine.run(row, 'blk sum 0 2 --json; blk sum 3 1 --json; blk sum 4 8 --json',
                         status=1, extra=[
                             '-blockdev', 'driver=blkdebug,node-name=bad,image.driver=null-co,'
                             'image.size=1048576,image.read-zeroes=on,%sevent=none,'
                             '%siotype=read,%serrno=5,%ssector=3,%sonce=off' % ((rule,) * 5),
                             '-device', 'virtio-blk-pci,drive=bad,rerror=report'])
    first, bad, last = result.documents
    assert first['crc32'] == crc(bytes(2 * SECTOR)) and last['crc32'] == crc(bytes(8 * SECTOR))
    assert 'EIO' in bad['error']


def test_read_only(row, disk):
    before = open(disk, 'rb').read()
    extra = ['-drive', 'file=%s,if=none,id=r,format=raw,readonly=on' % disk,
             '-device', 'virtio-blk-pci,drive=r']
    result = machine.run(row, 'blk fill 0 1 1 --json; blk sum 0 1 --json', extra=extra, status=1)
    assert 'read-only' in result.documents[0]['error']
    assert result.documents[1]['crc32'] == crc(before[:SECTOR])
    assert open(disk, 'rb').read() == before
