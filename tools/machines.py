#!/usr/bin/env python3
"""The rows of tests/machines, the QEMU command line of a run on one of them, and what a run said.

Run as a program it prints every row with its complete QEMU line (make machines)."""

import collections
import os
import shlex
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(TREE, 'tests', 'machines')

Row = collections.namedtuple('Row', 'arch machine smp qemu args bootargs witnesses')


def rows():
    found = []
    with open(TABLE) as table:
        for number, line in enumerate(table, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            fields = [field.strip() for field in line.split('|')]
            if len(fields) != len(Row._fields):
                raise ValueError('%s:%d: %d fields instead of %d'
                                 % (TABLE, number, len(fields), len(Row._fields)))
            arch, machine, smp, qemu, args, bootargs, witnesses = fields
            found.append(Row(arch, machine, int(smp), qemu, shlex.split(args), bootargs,
                             [tuple(w.split(':', 1)) for w in witnesses.split()]))
    return found


def find(arch, machine=None):
    """The row of (arch, machine), without a machine the default one of arch; None if there is none."""
    for row in rows():
        if row.arch == arch and machine in (None, '', row.machine):
            return row
    return None


def quote(cmd):
    """cmd="..." as the kernel reads it from /chosen/bootargs."""
    return 'cmd="%s"' % cmd.replace('\\', '\\\\').replace('"', '\\"')


def bootargs(row, cmd='', extra='', interactive=False):
    """The kernel's boot arguments for one run."""
    words = [row.bootargs, extra, quote(cmd) if cmd else '', 'interactive' if interactive else '']
    return ' '.join(word for word in words if word)


def argv(row, kernel, smp=4, disks=(), append='', extra=()):
    """QEMU's argument vector.  Raw images in disks become virtio disks, in this order.

    No default devices and no network card; one console for the guest's serial line and QEMU's
    monitor, on which Ctrl-C goes to the guest and Ctrl-A x ends QEMU."""
    line = ['qemu-system-' + row.arch] + row.args + ['-smp', str(smp)]
    line += ['-nographic', '-nodefaults', '-no-reboot', '-nic', 'none']
    line += ['-chardev', 'stdio,id=con,mux=on,signal=off', '-serial', 'chardev:con']
    line += ['-mon', 'chardev=con', '-kernel', kernel]
    for n, disk in enumerate(disks):
        line += ['-drive', 'file=%s,if=none,id=disk%d,format=raw' % (disk.replace(',', ',,'), n)]
        line += ['-device', 'virtio-blk-pci,drive=disk%d' % n]
    if append:
        line += ['-append', append]
    return line + list(extra)


class Console:
    """Boots by tools/run, with more or other ENVIRONMENT: its exit status, and the console's lines."""

    def __init__(self, **environment):
        run = subprocess.run([os.path.join(TREE, 'tools', 'run')], env=dict(os.environ, **environment),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.status = run.returncode
        if self.status == 5:
            sys.exit(5)             # not started: it has said why
        self.lines = run.stdout.decode('utf-8', 'replace').replace('\r', '').split('\n')

    def failures(self):
        """What commands said that failed, a line each."""
        return ['a command of CMD failed: ' + line for line in self.lines
                if line.startswith(('error: ', '{"error":'))]

    def reason(self):
        """Why it did not get to the end of CMD."""
        ends = [line for line in self.lines if line.startswith(('panic: ', 'watchdog: '))]
        return '%s (status %d)' % ('; '.join(self.failures() + ends) or 'the machine ended before', self.status)


def main():
    for row in rows():
        line = argv(row, 'build/%s/kernel.elf' % row.arch, min(4, row.smp), ['DISK'], row.bootargs)
        print('ARCH=%s MACHINE=%s  SMP=1..%d' % (row.arch, row.machine, row.smp))
        print('  ' + ' '.join(shlex.quote(word) for word in line))


if __name__ == '__main__':
    main()
