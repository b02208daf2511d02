"""riscv64: traps [PRIV 4.1], and what QEMU shows of the AIA."""

from . import model
from .isa import Isa

INTERRUPT = 1 << 63             # of scause
SIE, SPIE = 1 << 1, 1 << 5      # of sstatus: interrupts on; were on before the trap
INTERRUPTS = {1: 'software', 5: 'timer', 9: 'external', 13: 'counter overflow'}


class Riscv64(Isa):
    name = 'riscv64'
    cpu_register = 'tp'
    registers = ('sstatus', 'sie', 'sip', 'scause', 'sepc', 'stval', 'stvec')
    invisible = ('stopei, siselect and sireg (AIA) are not shown by QEMU: gdb prints them as void; '
                 'what the kernel has written there is in struct imsic_hart')

    def pc(self, regs):
        return int(regs['epc'])

    def what(self, regs):
        return self.cause(int(regs['cause']))

    def cause(self, cause):
        number = cause & ~INTERRUPT
        if cause & INTERRUPT:
            return 'interrupt %d (%s)' % (number, INTERRUPTS.get(number, 'not a standard one'))
        names = model.symbol('exception_names')
        name = model.text(names[number]) if number <= names.type.range()[1] else None
        return 'exception %d (%s)' % (number, name or 'unknown')

    def enabled(self, regs):
        return bool(int(regs['status']) & SPIE)

    def interrupts_on(self):
        return bool(self.register('sstatus') & SIE)

    def root_hwirq(self, vector):
        if vector & INTERRUPT or vector in INTERRUPTS:
            return vector & ~INTERRUPT, None
        return None, 'cause %d is an exception, not an interrupt: do_trap() ends the kernel' % vector


ISA = Riscv64()
