"""A controller is its own files and their lines in the Makefile: without them the rest builds, and
boots on machines that have others."""

import os
import re
import shutil
import subprocess

import machine
import pytest
from machine import machines

CONTROLLERS = [         # its files, a machine that does not need it
    ('imsic', 'plic'), ('aplic', 'plic'), ('plic', 'aia'), ('sbi-ipi', 'aia'), ('msi-poll', 'aia'),
    ('gic-v2m', 'gicv2'), ('gic-v2', 'its'), ('gic-v3-its', 'gicv3'),
]


@pytest.mark.parametrize('name, other', CONTROLLERS)
def test_without_a_controller(name, other, tmp_path):
    row, = (row for row in machines.rows() if row.machine == other)
    built = os.path.dirname(machine.kernel(row))
    shutil.copytree(built, tmp_path / 'o')
    with open(os.path.join(machine.TREE, 'Makefile'), encoding='utf-8') as file:
        text = file.read()
    left = re.sub(r'^\tirqchip/%s(|m|-[a-z]+)( \\)?\n' % name, '', text, flags=re.M)
    assert left != text
    (tmp_path / 'Makefile').write_text(left)
    image = str(tmp_path / 'o' / 'kernel.elf')
    made = subprocess.run(['make', '-f', str(tmp_path / 'Makefile'), 'ARCH=' + row.arch,
                           'O=' + str(tmp_path / 'o'), image], cwd=machine.TREE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout
    assert ' CC ' not in made.stdout, 'nothing else knows of it'
    assert machine.launch({'ARCH': row.arch, 'MACHINE': other, 'KERNEL': image,
                           'CMD': 'blk sum 0 8'}).status == 0
