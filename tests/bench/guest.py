"""One boot of the kernel with its instructions counted: the plugin, the symbols, the records."""

import collections
import os
import shutil
import statistics
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'boot'))
import machine  # noqa: E402

Irq = collections.namedtuple('Irq', 'cpu handler before after extra')

# Where an interrupt enters, and what only some of them do on their way out.
VECTOR = 'trap_entry'
EXTRA = ['irq_exit_work', 'note_interrupt', 'imsic_ipi', 'ipi_mux_process', 'clock_interrupt']
EXTRA += ['ns16550a_irq', 'pl011_irq', 'goldfish_rtc_irq', 'pl031_irq']      # another line's, in the same trap
SWITCH = 'arch_switch'
ENTRY = '_start'
WAITING = 'spin_lock_contended'         # for as long as the other CPU has no turn: does not count
CALLS = ['pci_alloc_irq_vectors_affinity', 'request_threaded_irq']


class Cannot(Exception):
    """One sentence for the user."""


def symbols(path):
    """Address and size by name: the symbol table of a little-endian 64-bit ELF file."""
    with open(path, 'rb') as file:
        data = file.read()
    offset, = struct.unpack_from('<Q', data, 0x28)
    size, number = struct.unpack_from('<HH', data, 0x3a)
    sections = [struct.unpack_from('<IIQQQQIIQQ', data, offset + n * size) for n in range(number)]
    found, sizes = {}, {}
    for section in sections:
        if section[1] != 2:             # SHT_SYMTAB
            continue
        names = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], 24):
            name, _, _, _, value, size = struct.unpack_from('<IBBHQQ', data, at)
            end = data.index(0, names + name)
            text = data[names + name:end].decode()
            found[text], sizes[text] = value, size
    return found, sizes


def build_plugin(directory):
    compiler = next((cc for cc in ('cc', 'gcc', 'clang') if shutil.which(cc)), None)
    if compiler is None:
        raise Cannot('there is no C compiler for this machine (cc); install one, such as gcc')
    plugin = os.path.join(directory, 'irqcost.so')
    subprocess.run([compiler, '-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC',
                    '-o', plugin, os.path.join(HERE, 'irqcost.c')], check=True)
    return plugin


class Counts:
    """What a run of a kernel cost; the plugin fills in the file, read() takes it from there."""

    def __init__(self, row, handlers, plugin, directory):
        self.symbols, self.sizes = symbols(machine.kernel(row))
        self.names = {address: name for name, address in self.symbols.items()}
        self.path = os.path.join(directory, 'counts')
        lists = {'vec': [VECTOR], 'handler': handlers, 'call': CALLS,
                 'extra': [name for name in EXTRA if name not in handlers], 'switch': [SWITCH], 'begin': [ENTRY]}
        words = ['%s=%s' % (key, ':'.join('%x' % self.symbols[name] for name in names if name in self.symbols))
                 for key, names in lists.items()]
        wait = self.symbols[WAITING]
        words += ['out=' + self.path, 'kernel=%x' % self.symbols[ENTRY],
                  'skip=%x:%x' % (wait, wait + self.sizes[WAITING])]
        self.arguments = ['-plugin', ','.join([plugin, *words])]
        self.irqs, self.calls, self.first = [], [], {}

    def read(self):
        with open(self.path) as file:
            for line in file:
                kind, *words = line.split()
                if kind == 'irq':
                    cpu, handler, before, after, extra = words
                    self.irqs.append(Irq(int(cpu), self.names[int(handler, 16)], int(before),
                                         int(after), extra != '0'))
                elif kind == 'call':
                    self.calls.append((self.names[int(words[1], 16)], int(words[2], 16),
                                       int(words[3])))
                else:
                    self.first[self.names[int(words[0], 16)]] = int(words[1])

    def calls_of(self, function, caller):
        """What the calls of a function cost that were made by CALLER."""
        begin = self.symbols[caller]
        return [cost for name, back, cost in self.calls
                if name == function and begin <= back < begin + self.sizes[caller]]


def spread(values):
    """[min, median, max]"""
    return [min(values), statistics.median_low(values), max(values)] if values else None
