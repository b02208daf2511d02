#!/usr/bin/env python3
"""make bench: what an interrupt costs, in guest instructions, beside what it must not exceed.

Boots the machines with a QEMU plugin that counts (irqcost.c), prints a table, and as its last line
all of it as one JSON document. With --must, for `make test`, the last line is `N passed, N failed'.
Before: from the first instruction at the trap vector to the first of the driver's handler. After:
from the one that the handler returns to, to the last of the trap. Only interrupts that come alone
are counted: nothing else in the same trap, no thread switched by it.

Set-up is what pci_alloc_irq_vectors() and request_irq() cost a vector, memory what is gone of the
free pages with that many vectors more, what their driver keeps of each included, and boot the way
from _start to the disk's first handler."""

import collections
import json
import sys
import tempfile

import workloads
from guest import Cannot, Counts, build_plugin, machine, spread

SMP, ENOUGH = 4, 200

Path = collections.namedtuple('Path', 'name row workload handler must aim')
PATHS = [
    Path('IMSIC, MSI-X', 'riscv64 aia', 'doorbell', 'ivshmem_irq', (140, 110), 170),
    Path('PLIC, wired', 'riscv64 plic', 'wire', 'vp_intx', (145, 120), 165),
    Path('APLIC in MSI mode, wired', 'riscv64 aia', 'wire', 'vp_intx', (145, 120), 180),
    Path('APLIC alone, wired', 'riscv64 aplic', 'wire', 'vp_intx', None, None),
    Path('ITS, MSI-X', 'aarch64 its', 'doorbell', 'ivshmem_irq', (105, 90), 130),
    Path('GICv3, SPI', 'aarch64 gicv3', 'wire', 'vp_intx', (105, 90), 130),
    Path('GICv2m, MSI-X', 'aarch64 gicv2m', 'doorbell', 'ivshmem_irq', (110, 95), 140),
    Path('GICv2, SPI', 'aarch64 gicv2', 'wire', 'vp_intx', (110, 95), 140),
]

# Measured in the same way: hand-written entry, table and call, once with what a kernel needs that
# may be interrupted anywhere and drains its controller, once with nothing at all; a plain C core of
# Linux's shape; and Linux 6.12 (median). Before + after.
LIMITS = {
    'IMSIC, MSI-X': {'floor': 46 + 30, 'bare floor': 31 + 18, 'model': 111 + 90, 'Linux': 794 + 507},
    'PLIC, wired': {'floor': 49 + 36, 'bare floor': 34 + 22, 'model': 113 + 96, 'Linux': 514 + 577},
    'APLIC in MSI mode, wired': {'floor': 46 + 30, 'bare floor': 31 + 18, 'model': 111 + 90,
                                 'Linux': 798 + 555},
    'APLIC alone, wired': {'Linux': 722 + 1351},
    'ITS, MSI-X': {'floor': 33 + 27, 'bare floor': 22 + 13, 'model': 81 + 71, 'Linux': 344 + 361},
    'GICv3, SPI': {'floor': 33 + 27, 'bare floor': 22 + 13, 'model': 81 + 71, 'Linux': 329 + 337},
    'GICv2m, MSI-X': {'Linux': 274 + 359},
    'GICv2, SPI': {'Linux': 274 + 335},
}

LEGEND = """Guest instructions of an interrupt, min / median / max: before the driver's handler, from the vector
on, and after it, to the end of the trap; in all: both medians.  must: what `make test' holds; aim: what
would be better still (-: nobody has said).  Beside it, measured alike: hand-written entry, table and
call (floor), the same without what a kernel needs that may be interrupted anywhere (bare floor), a
plain C core, and Linux.
Set-up is of all vectors; one more, and its bytes of memory, of each besides the first.
"""

GROWTH = [('riscv64 aia', (1, 64, 200)), ('aarch64 its', (1, 64, 2048))]
# The same controller with levels on top of it: each may cost so much more.
BELOW, ON_TOP, LEVELS, MUST_LEVEL = 'GICv2, SPI', 'GICv2m, MSI-X', 2, 12
MUST_BOOT, MUST_BYTES, MUST_SETUP = 5000000, 512, 1500


class Bench:
    def __init__(self, directory):
        self.directory, self.plugin = directory, build_plugin(directory)
        self.claims = []        # (what, true or false)
        self.known = {}         # runs by what they were run with

    def claim(self, what, holds):
        self.claims.append((what, bool(holds)))
        return holds

    def run(self, row_name, workload, handler, smp=SMP, vectors=1):
        """The Counts of a run, and what its workload says."""
        key = row_name, workload, smp, vectors
        if key not in self.known:
            row = machine.machines.find(*row_name.split())
            counts = Counts(row, [handler], self.plugin, self.directory)
            facts = getattr(workloads, workload)(row, smp, vectors, counts, self.directory)
            counts.read()
            self.known[key] = counts, facts
        return self.known[key]

    def path(self, path, smp=SMP, vectors=1):
        irqs = self.run(path.row, path.workload, path.handler, smp, vectors)[0].irqs
        alone = [irq for irq in irqs if not irq.extra]
        return {'interrupts': len(alone), 'before': spread([irq.before for irq in alone]),
                'after': spread([irq.after for irq in alone])}

    # ---- The parts of the report ----

    def paths(self):
        found = {}
        print('%-26s %20s %20s %6s %9s %6s' % ('min / median / max', 'before', 'after', 'in all',
                                              'must', 'aim'))
        for path in PATHS:
            cost = found[path.name] = self.path(path)
            if not self.claim('%s: %d interrupts that came alone' % (path.name, cost['interrupts']),
                              cost['interrupts'] >= ENOUGH):
                continue
            before, after = cost['before'], cost['after']
            cost.update(must=path.must, aim=path.aim, limits=LIMITS[path.name])
            print('%-26s %20s %20s %6d %9s %6s' % (path.name, show(before), show(after), before[1] + after[1],
                                                  '%d+%d' % path.must if path.must else '-', path.aim or '-'))
            if path.must:
                self.claim('%s: at most %d + %d' % (path.name, *path.must),
                           before[2] <= path.must[0] and after[2] <= path.must[1])
            self.claim('%s: always the same' % path.name,
                       before[0] == before[2] and after[0] == after[2])
        print('\n%-26s %10s %10s %10s %10s %10s' % ('in all, beside', 'Cascade', 'floor', 'bare floor',
                                                   'C core', 'Linux 6.12'))
        for name, limits in LIMITS.items():
            ours = sum((found[name][key] or [0] * 3)[1] for key in ('before', 'after'))
            print('%-26s %10d %10s %10s %10s %10s' % (name, ours, *(limits.get(key, '-') for key in (
                'floor', 'bare floor', 'model', 'Linux'))))
        return found

    def growth(self):
        """Neither CPUs nor vectors make an interrupt dearer."""
        found = []
        print('\n%-26s %5s %8s %8s %8s' % ('growth', 'CPUs', 'vectors', 'before', 'after'))
        for row, sizes in GROWTH:
            path = next(p for p in PATHS if p.row == row and p.workload == 'doorbell')
            seen = set()
            for smp, vectors in [(1, 1), (SMP, 1), (SMP, sizes[-1])]:
                cost = self.path(path, smp, vectors)
                before, after = (cost[key] or [0] * 3 for key in ('before', 'after'))
                seen.add((before[2], after[2]))
                found.append({'path': path.name, 'cpus': smp, 'vectors': vectors, **cost})
                print('%-26s %5d %8d %8d %8d' % (path.name, smp, vectors, before[2], after[2]))
            self.claim('%s: no dearer with %d CPUs or %d vectors' % (path.name, SMP, sizes[-1]),
                       len(seen) == 1)
        return found + [self.levels()]

    def levels(self):
        sums = []
        for name in (BELOW, ON_TOP):
            cost = self.path(next(path for path in PATHS if path.name == name))
            sums.append(sum((cost[key] or [0] * 3)[2] for key in ('before', 'after')))
        more = (sums[1] - sums[0]) / LEVELS
        print('%s over %s: %d levels, %.1f for each' % (ON_TOP, BELOW, LEVELS, more))
        self.claim('%s: at most %d more for each level of the hierarchy' % (ON_TOP, MUST_LEVEL),
                   0 < sums[0] <= sums[1] and more <= MUST_LEVEL)
        return {'path': ON_TOP, 'over': BELOW, 'levels': LEVELS, 'each': more}

    def setup_of(self, row, vectors):
        counts, facts = self.run(row, 'doorbell', 'ivshmem_irq', SMP, vectors)
        alloc = counts.calls_of('pci_alloc_irq_vectors_affinity', 'ivshmem_probe')
        request = counts.calls_of('request_threaded_irq', 'ivshmem_probe')
        return {'row': row, 'vectors': facts['vectors'], 'free': facts['free'],
                'alloc': sum(alloc), 'request': sum(request)}

    def setup(self):
        """One vector more: what is once for a device is not its."""
        found = []
        print('\n%-26s %8s %12s %12s %10s %8s' % ('set-up', 'vectors', 'allocate', 'request',
                                                 'one more', 'bytes'))
        for row, sizes in GROWTH:
            first = None
            for vectors in sizes:
                cost = self.setup_of(row, vectors)
                found.append(cost)
                more = cost['vectors'] - first['vectors'] if first else 0
                if more:
                    total, once = (c['alloc'] + c['request'] for c in (cost, first))
                    cost['one more'] = (total - once) // more
                    cost['bytes'] = (first['free'] - cost['free']) // more
                first = first or cost
                print('%-26s %8d %12d %12d %10s %8s' % (row, cost['vectors'], cost['alloc'],
                                                       cost['request'], cost.get('one more', '-'),
                                                       cost.get('bytes', '-')))
            self.claim('%s: a vector more in at most %d instructions and %d bytes' % (
                row, MUST_SETUP, MUST_BYTES),
                cost['one more'] <= MUST_SETUP and cost['bytes'] <= MUST_BYTES)
        return found

    def boot(self):
        """The least of a few runs, as CPUs that wait for each other count too."""
        found = {}
        print('\n%-26s %12s' % ('boot', 'first MSI-X'))
        for row in ('riscv64 aia', 'aarch64 its'):
            runs = []
            while len(runs) < 3:
                self.known.pop((row, 'boot', SMP, 1), None)
                runs.append(self.run(row, 'boot', 'vring_interrupt')[0].first['vring_interrupt'])
            found[row] = min(runs)
            print('%-26s %12d' % (row, found[row]))
            self.claim('%s: the first MSI-X within %d instructions' % (row, MUST_BOOT),
                       found[row] <= MUST_BOOT)
        return found


def show(values):
    return ' / '.join('%d' % value for value in values)


def main():
    must = sys.argv[1:] == ['--must']
    with tempfile.TemporaryDirectory(prefix='cascade-') as directory:
        try:
            bench = Bench(directory)
            print(LEGEND)
            report = {part: getattr(bench, part)() for part in ('paths', 'growth', 'boot', 'setup')}
        except Cannot as reason:
            print('bench: %s' % reason, file=sys.stderr)
            return 1
    failed = [what for what, holds in bench.claims if not holds]
    print()
    for what in failed:
        print('must, and is not: ' + what)
    print('must: %d of %d hold' % (len(bench.claims) - len(failed), len(bench.claims)))
    if must:
        print('%d passed, %d failed' % (len(bench.claims) - len(failed), len(failed)))
    else:
        report['must'] = dict(bench.claims)
        print(json.dumps(report))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
