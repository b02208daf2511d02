"""Devices that are absent, foreign or too many: said once, and everything else works."""

import subprocess

import machine
import pytest
from ivshmem_server import Server
from test_devices import doorbell


@pytest.mark.parametrize('extra', [
    [],
    ['-device', 'virtio-rng-pci'],
    ['-device', 'edu'],
    ['-drive', 'if=none,id=n,format=raw,file=null-co://,size=1M',
     '-device', 'nvme,serial=1,drive=n'],
    ['-device', 'qemu-xhci', '-device', 'e1000e,romfile=', '-device', 'virtio-balloon-pci'],
    ['-device', 'pcie-root-port,id=r,chassis=1', '-device', 'virtio-rng-pci,bus=r'],
    ['-device', 'pci-bridge,chassis_nr=1,id=b', '-device', 'virtio-rng-pci,bus=b,addr=1'],
    ['-device', 'ivshmem-plain,memdev=m', '-object', 'memory-backend-ram,id=m,size=1G'],
], ids=['nothing', 'rng', 'edu', 'nvme', 'many', 'port', 'bridge', 'huge-bar'])
def test_beside_no_disk(row, extra):
    result = machine.run(row, 'lspci --json; blk info --json; irq check --json; uptime --json',
                         extra=extra)
    pci, disks, check, uptime = result.documents
    assert len(pci) >= len(extra) // 4
    assert disks == []
    assert check['ok'] and uptime['ns']


def test_foreign_beside_disk(row, disk):
    result = machine.run(row, 'blk sum 0 8 --json; lspci --json', disks=[disk],
                         extra=['-device', 'qemu-xhci', '-device', 'e1000e,romfile='])
    assert result.documents[0]['crc32']
    assert [f['device'] for f in result.documents[1] if f['driver'] is None] == ['0008', '000d', '10d3']


@pytest.mark.rows(where=machine.hides_messages)
@pytest.mark.parametrize('kind', machine.WANT_MSI)
def test_refused_by_qemu(row, kind, tmp_path):
    """What is skipped on this machine is what QEMU would not start."""
    with Server(tmp_path / 'iv'):
        device = doorbell(tmp_path / 'iv', 1) if kind == 'ivshmem-doorbell' else ['-device', kind]
        line = machine.machines.argv(row, machine.kernel(row), append='cmd=poweroff', extra=device)
        said = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=machine.deadline(10), check=False)
    assert said.returncode and b'is not supported by interrupt controller' in said.stdout


def test_as_many_disks_as_the_bus_has_room_for(row, tmp_path):
    """Each has more queues and messages than there are CPUs, and takes one for each and one for its
    configuration. Where messages run out, which is said, one for all has to do, or the wire."""
    extra = []
    for n in range(30):
        path = machine.disk_image(tmp_path / ('%d.img' % n), 8)
        extra += ['-drive', 'file=%s,if=none,id=x%d,format=raw' % (path, n),
                  '-device', 'virtio-blk-pci,drive=x%d,num-queues=64,vectors=65' % n]
    result = machine.run(row, 'blk info --json; lspci --json; ' + '; '.join(
        'blk sum 0 8 --disk %d --json' % n for n in range(30)), smp=2, extra=extra, boots=60)
    disks, functions, *sums = result.documents
    assert len(disks) == 30
    taken = [f['vectors'] for f in functions if f['driver']]
    if row.machine == 'gicv2m':         # 64 messages
        assert taken == [3] * 21 + [1] * 9 and 'no 1 SPI left for messages' in result.output
    else:
        assert taken == [3 if machine.irq_mode(row) == 'msix' else 1] * 30
    assert len({document['crc32'] for document in sums}) == 1
