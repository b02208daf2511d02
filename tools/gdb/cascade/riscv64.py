"""riscv64: traps [PRIV 4.1], and what QEMU shows of the AIA."""

from . import guest, model
from .isa import Isa

INTERRUPT = 1 << 63             # of scause
SIE, SPIE = 1 << 1, 1 << 5      # of sstatus: interrupts on; were on before the trap
INTERRUPTS = {1: 'software', 5: 'timer', 9: 'external', 13: 'counter overflow'}


class Riscv64(Isa):
    name = 'riscv64'
    cpu_register = 'tp'
    registers = ('sstatus', 'sie', 'sip', 'scause', 'sepc', 'stval', 'stvec')
    invisible = ('stopei, siselect and sireg (AIA), which gdb prints as void; `irq chip imsic\' has a '
                 'hart that is awake read them')
    argument = 'a%d'
    load = (0x00052503, 10)             # lw a0, 0(a0)
    store = (0x00b52023, 10, 11)        # sw a1, 0(a0)

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

    # CSRs that gdb does not show, as a hart reads them.  [UNPRIV 7.1: csrrw, csrrs]
    A0 = 10
    SISELECT, SIREG = 0x150, 0x151

    def _csr_read(self, thread, csr):
        return guest.run(thread, csr << 20 | 2 << 12 | self.A0 << 7 | 0x73, {}, self.A0)

    def _csr_write(self, thread, csr, value):
        guest.run(thread, csr << 20 | self.A0 << 15 | 1 << 12 | 0x73, {self.A0: value})

    def indirect(self, cpu, register):
        """A register of the IMSIC behind siselect [AIA 3.8]; None while the hart sleeps."""
        thread = guest.thread_of(cpu)
        if thread is None:
            return None
        selected = self._csr_read(thread, self.SISELECT)
        self._csr_write(thread, self.SISELECT, register)
        try:
            return self._csr_read(thread, self.SIREG)
        finally:
            self._csr_write(thread, self.SISELECT, selected)


ISA = Riscv64()
