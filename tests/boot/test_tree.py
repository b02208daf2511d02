"""Device trees that are wrong: what cannot work is named, the rest works, nothing hangs."""

import re
import struct
import subprocess

import machine
import pytest
from machine import machines

# Each property, or compatible string, is taken out of the whole tree.
TAKEN = ['msi-parent', 'msi-map', 'riscv,imsics', 'riscv,aplic', 'sifive,plic-1.0.0', 'riscv,plic0',
         'arm,gic-v3-its', 'arm,gic-v3', 'arm,gic-v2m-frame', 'arm,cortex-a15-gic',
         'pci-host-ecam-generic', 'interrupt-map', 'interrupt-map-mask', 'bus-range', 'ranges',
         'interrupt-parent', '#interrupt-cells', 'interrupts', 'interrupt-controller',
         'msi-controller', '#msi-cells', 'dma-coherent', 'clocks', 'enable-method']
NAMED = ['msi-parent', 'riscv,imsics', 'riscv,aplic', 'arm,gic-v3', 'arm,cortex-a15-gic', 'ranges',
         'interrupt-parent', '#interrupt-cells', 'interrupts', 'interrupt-controller']


def machine_tree(row, disk, directory):
    """The row's device tree, without the room that QEMU leaves at its end."""
    path = directory / 'dumped.dtb'
    line = machines.argv(row, machine.kernel(row), 4, [disk],
                         extra=['-machine', 'dumpdtb=%s' % path])
    subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=machine.deadline(1))
    blob = path.read_bytes()
    header = struct.unpack('>10I', blob[:40])
    structs, strings, strings_size, structs_size = header[2], header[3], header[8], header[9]
    end = max(structs + structs_size, strings + strings_size)
    return blob[:4] + struct.pack('>I', end) + blob[8:end]


@pytest.mark.parametrize('name', TAKEN)
def test_without(row, name, disk, tmp_path):
    tree = machine_tree(row, disk, tmp_path)
    old = name.encode() + b'\0'
    if old not in tree:
        pytest.skip('this machine has no %s' % name)
    path = tmp_path / 'changed.dtb'
    path.write_bytes(tree.replace(old, old[:-2] + b'?\0'))
    result = machine.run(row, 'lspci --json; irq check --json', disks=[disk], status=None,
                         extra=['-dtb', str(path)])
    said = re.findall(r'^(?:error|warning|panic): .*', result.output, re.M)
    assert result.status in (0, 2), result
    if result.status == 2:          # no root controller, no clock
        assert any(line.startswith('panic: there is no ') for line in said), result
    else:
        assert result.documents[-1] == {'ok': True, 'errors': []}
    if name in NAMED:
        assert any(re.search(r': /\w|: there is no', line) for line in said), result
