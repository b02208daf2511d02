"""aarch64: traps [ARM D1.3], and what QEMU shows of the GIC's CPU interface."""

from . import model
from .isa import Isa

PSTATE_I = 1 << 7               # interrupts are held back
PSTATE_FULL = 1 << 63           # of pt_regs.pstate: the frame is an exception's
VECTORS = ('synchronous exception', 'interrupt (IRQ)', 'FIQ', 'SError')
ORIGINS = ('from EL1 on SP_EL0', 'from EL1', 'from a lower level', 'from a lower level, AArch32')


class Aarch64(Isa):
    name = 'aarch64'
    cpu_register = 'TPIDR_EL1'
    registers = ('cpsr', 'ESR_EL1', 'ELR_EL1', 'SPSR_EL1', 'FAR_EL1', 'VBAR')
    invisible = ('ICC_IAR1_EL1, ICC_PMR_EL1 and the other ICC_* of a GICv3, which gdb prints as void; '
                 '`irq chip\' reads the rest of the GIC')
    argument = 'x%d'
    load = (0xb9400000, 0)              # ldr w0, [x0]
    store = (0xb9000001, 0, 1)          # str w1, [x0]
    changes = (33,)                     # cpsr: BTYPE says what kind of branch led here

    def pc(self, regs):
        return int(regs['pc'])

    def what(self, regs):
        if not int(regs['pstate']) & PSTATE_FULL:
            return 'interrupt (IRQ)'
        esr = int(regs['esr'])
        names = model.symbol('class_names')
        number = esr >> 26 & 0x3f
        name = model.text(names[number]) if number <= names.type.range()[1] else None
        return '%s, class 0x%x (%s)' % (self.vector(int(regs['vector'])), number, name or 'unknown')

    def vector(self, offset):
        return '%s %s' % (VECTORS[offset >> 7 & 3], ORIGINS[offset >> 9 & 3])

    def enabled(self, regs):
        return not int(regs['pstate']) & PSTATE_I

    def interrupts_on(self):
        return not self.register('cpsr') & PSTATE_I

    def root_hwirq(self, vector):
        if vector == 0x280:
            return None, ('vector 0x280 is every interrupt; which one, the GIC tells when it is '
                          'acknowledged: ask for <INTID>@<domain>')
        if vector & ~0x780:
            return None, 'there is no vector 0x%x: they are multiples of 0x80 below 0x800' % vector
        return None, 'vector 0x%x is a %s: do_trap() ends the kernel' % (vector, self.vector(vector))


ISA = Aarch64()
