"""Convenience functions, for expressions and breakpoint conditions:

    $irq_desc(N)            the descriptor of a line:  p *$irq_desc(8)
    $irq_data(N, "imsic")   its struct irq_data in that domain; without one, on the device's side
    $irq_of("00:01.0", 1)   the irq of a PCI device's message, or of its INTx pin
    $irq_named("rtc")       the irq of the first handler whose name begins like that
    $virq("imsic", 8)       the irq of a domain's hwirq, 0 for none
    $trap_regs()            the struct pt_regs of the innermost trap:  p *$trap_regs()
    $irq_count(N)           how often it came, on all CPUs:  break uart_isr if $irq_count(10) > 3

irq_to_desc(N) and irq_get_irq_data(N) are macros of gdb's for the first two, as the kernel has them
only inline."""

import gdb

from . import isa, model, pci
from .model import Problem


def function(name):
    """Decorator: makes the function $NAME."""
    def register(compute):
        def invoke(self, *arguments):
            model.check_target()
            return compute(*arguments)
        type(name, (gdb.Function,), {'__doc__': compute.__doc__, 'invoke': invoke})(name)
        return compute
    return register


@function('irq_desc')
def irq_desc(number):
    """$irq_desc(N): a pointer to the descriptor of line N."""
    return model.irq(int(number)).value.address


@function('irq_data')
def irq_data(number, name=None):
    """$irq_data(N[, DOMAIN]): a pointer to the struct irq_data of line N in that domain."""
    levels = model.irq(int(number)).levels
    wanted = levels[0].domain.name if name is None else name.string()
    for level in levels:
        if level.domain.name == wanted:
            return level.value.address
    raise Problem('irq %d is not in domain "%s", but in %s.'
                  % (number, wanted, ', '.join(level.domain.name for level in levels)))


@function('irq_of')
def irq_of(bdf, index=0):
    """$irq_of(BDF, INDEX): the irq of a message of a PCI device, or of its INTx pin."""
    device, index = pci.device(bdf.string()), int(index)
    if device.intx:
        return device.intx_irq
    used = device.vectors()
    if index not in used:
        raise Problem('%s does not use message %d.' % (device.name, index))
    return used[index][0]


@function('irq_named')
def irq_named(name):
    """$irq_named(NAME): the irq of the first handler whose name begins with NAME."""
    wanted = name.string()
    for line in model.irqs():
        if any(action.name.startswith(wanted) for action in line.actions):
            return line.irq
    raise Problem('No handler has a name that begins with "%s".' % wanted)


@function('virq')
def virq(name, hwirq):
    """$virq(DOMAIN, HWIRQ): the irq that it is mapped to; 0 for none."""
    line = model.domain(name.string()).resolve(int(hwirq))
    return line.irq if line else 0


@function('irq_count')
def irq_count(number):
    """$irq_count(N): how often line N came, on all CPUs."""
    return sum(model.irq(int(number)).counts)


@function('trap_regs')
def trap_regs():
    """$trap_regs(): a pointer to the struct pt_regs of the innermost trap of this CPU."""
    frames = isa.trap_frames()
    if not frames:
        raise Problem('This CPU is in no trap.')
    return frames[0][1].address


gdb.execute('macro define irq_to_desc(irq) $irq_desc(irq)')
gdb.execute('macro define irq_get_irq_data(irq) $irq_data(irq)')
