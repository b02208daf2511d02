"""What differs between instruction sets: one small class each, in a module of its name."""

import importlib

import gdb

from . import model
from .model import Problem


class Isa:
    """What a module gives."""

    name = ''
    cpu_register = ''           # holds the address of this CPU's struct cpu
    registers = ()              # of this CPU's trap state, for `irq trap'
    invisible = ''              # registers that QEMU's gdb stub does not show, and what does instead
    load = (0, 0)               # for guest.py: an instruction that loads 32 bits, its register
    store = (0, 0, 0)           # … that stores: the register of the address, of the value
    changes = ()                # registers that change with every instruction, besides the pc
    argument = ''               # the register of a function's argument n

    @staticmethod
    def register(name):
        """A register of the selected thread as a number; None if the stub does not show it."""
        value = gdb.newest_frame().read_register(name)
        return int(value) & (1 << 64) - 1 if value.type.sizeof == 8 else int(value) & 0xffffffff

    def this_cpu(self):
        return self.register(self.cpu_register)

    # Of a trap's saved registers, a struct pt_regs:
    def pc(self, regs):
        raise NotImplementedError

    def what(self, regs):
        """"interrupt 9 (external)" """
        raise NotImplementedError

    def cause(self, cause):
        """The same of the cause register alone, 0 where there is none."""
        return 'interrupt'

    def enabled(self, regs):
        """Whether the interrupted code had interrupts on."""
        raise NotImplementedError

    # Of the CPU as it is now:
    def interrupts_on(self):
        raise NotImplementedError

    def root_hwirq(self, vector):
        """(hwirq at the root domain, None), or (None, why there is none) for a cause or vector."""
        raise NotImplementedError


_known = {}


def current():
    """The Isa of the kernel in gdb."""
    arch = gdb.selected_inferior().architecture().name()
    name = {'riscv:rv64': 'riscv64'}.get(arch, arch)
    if name not in _known:
        try:
            _known[name] = importlib.import_module('cascade.' + name).ISA
        except ImportError:
            raise Problem('Traps and registers are not known on %s: tools/gdb/cascade has no %s.py.'
                          % (arch, name))
    return _known[name]


ENTRIES = ('trap_entry', 'trap_exception')      # clang's assembler leaves the signal mark out


def is_trap(frame):
    """Whether it is the entry code's, called from C: then its sp is at a struct pt_regs."""
    return frame.level() > 0 and (frame.type() == gdb.SIGTRAMP_FRAME or frame.name() in ENTRIES)


def trap_frames():
    """[(gdb.Frame of the entry code, struct pt_regs)] of the selected thread, innermost first."""
    found, frame = [], gdb.newest_frame()
    while frame is not None and frame.level() < 64:
        if is_trap(frame):
            found.append((frame, model.struct_at(int(frame.read_register('sp')), 'pt_regs')))
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found
