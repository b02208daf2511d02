"""Devices that are absent, foreign or too many: said once, and everything else works."""

import machine
import pytest

DEFAULT_ROWS = True


@pytest.mark.parametrize('extra', [
    [],
    ['-device', 'virtio-rng-pci'],
    ['-device', 'edu'],
    ['-drive', 'if=none,id=n,format=raw,file=null-co://,size=1M',
     '-device', 'nvme,serial=1,drive=n'],
    ['-device', 'qemu-xhci', '-device', 'e1000e,romfile=',
     '-device', 'pcie-root-port,id=r,chassis=1', '-device', 'virtio-rng-pci,bus=r'],
    ['-device', 'pci-bridge,chassis_nr=1,id=b', '-device', 'virtio-rng-pci,bus=b,addr=1'],
    ['-device', 'ivshmem-plain,memdev=m', '-object', 'memory-backend-ram,id=m,size=1G'],
], ids=['nothing', 'rng', 'edu', 'nvme', 'many', 'bridge', 'huge-bar'])
def test_beside_no_disk(row, extra):
    result = machine.run(row, 'lspci --json; blk info --json; irq check --json; uptime --json',
                         extra=extra)
    pci, disks, check, uptime = result.documents
    assert len(pci) >= len(extra) // 4
    assert disks == []
    assert check['ok'] and uptime['ns']


def test_foreign_beside_disk(row, disk):
    result = machine.run(row, 'blk sum 0 8 --json; lspci --json', disks=[disk],
                         extra=['-device', 'virtio-rng-pci', '-device', 'edu',
                                '-device', 'e1000e,romfile='])
    assert result.documents[0]['crc32']
    assert [f['driver'] for f in result.documents[1]].count(None) >= 1


def test_more_devices_than_vectors(row, tmp_path):
    """Each disk wants a vector per CPU; what does not fit is named, the rest works."""
    extra = []
    for n in range(24):
        path = machine.disk_image(tmp_path / ('%d.img' % n), 8)
        extra += ['-drive', 'file=%s,if=none,id=x%d,format=raw' % (path, n),
                  '-device', 'virtio-blk-pci,drive=x%d,num-queues=64,vectors=65' % n]
    result = machine.run(row, 'blk info --json; irq check --json; blk sum 0 8 --json', smp=2,
                         extra=extra, boots=60)
    assert len(result.documents[0]) >= 1
    assert result.documents[1]['ok']
