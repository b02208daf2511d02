"""For gdb, sourced by the sessions of test_walk.py: breaks one link of an interrupt's way, and mends it."""

import gdb

from cascade import chips, hw, model, pci

DISK = '00:01.0'
mended = []             # what mend() has to do


def ask(irq):
    """Gives the line to the `irq doctor 0000' that begins."""
    gdb.selected_inferior().write_memory(int(gdb.parse_and_eval('argv[0]')), b'%d\0' % irq)


def change(address, value, size=4, back=None):
    """A register, which mend() gives its old value, or BACK: another register's (address, value)."""
    was = back or (address, hw.read(address, size))
    hw.write(address, value, size)
    mended.append(lambda: hw.write(*was, size))


def flip(address, bits, size=4):
    change(address, hw.read(address, size) ^ bits, size)


def assign(place, value):
    """A variable of the kernel."""
    was = int(gdb.parse_and_eval('(long)(%s)' % place))
    gdb.execute('set var %s = %s' % (place, value))
    mended.append(lambda: gdb.execute('set var %s = %d' % (place, was)))


def mend():
    while mended:
        mended.pop()()


# ---- The device and the core -------------------------------------------------------------------

def of_disk(link):
    disk = pci.device(DISK)
    config, row = disk._config, 0
    if disk.msix:
        row = disk._bar(disk.msix_cap + model.const('PCI_MSIX_TABLE')) + model.const('PCI_MSIX_ENTRY_SIZE')
    {'device': lambda: assign('((struct pci_dev *)%d)->vendor' % int(disk.value.address), 0x1234),
     'bus master': lambda: flip(config + 4, 4, 2), 'decode': lambda: flip(config + 4, 3, 2),
     'INTx': lambda: flip(config + 4, 0x400, 2),
     'MSI-X enable': lambda: flip(config + disk.msix_cap + 2, 0x8000, 2),
     'function mask': lambda: flip(config + disk.msix_cap + 2, 0x4000, 2),
     'row unmasked': lambda: flip(row + 12, 1), 'message': lambda: flip(row + 8, 0x10)}[link]()


def of_core(line, link):
    desc = '((struct irq_desc *)%d)' % line.address
    state = '%s->irq_common_data.state_use_accessors' % desc
    value = int(line.common['state_use_accessors'])
    {'activated': lambda: assign(state, value & ~model.const('IRQD_ACTIVATED')),
     'started': lambda: assign(state, value & ~model.const('IRQD_IRQ_STARTED')),
     'unmasked': lambda: assign(state, value | model.const('IRQD_IRQ_MASKED')),
     'depth': lambda: assign(desc + '->depth', 1),
     'flow': lambda: assign(desc + '->handle_irq', 'handle_bad_irq'),
     'action': lambda: assign(desc + '->action', 0)}[link]()


# ---- Controllers -------------------------------------------------------------------------------

def of_plic(level, link):
    base, n = int(model.struct_at(level.chip_data, 'plic')['regs']), level.hwirq
    context = model.symbol('plic_contexts')[chips.of(level).cpus()[0]]
    {'priority': lambda: change(base + 4 * n, 0), 'threshold': lambda: change(int(context['regs']), 7),
     'enable': lambda: flip(int(context['enable']) + n // 32 * 4, 1 << n % 32)}[link]()


def of_aplic(level, link):
    base, n = int(model.struct_at(level.chip_data, 'aplic')['regs']), level.hwirq
    cpu = model.cpus_of(level.value['common']['effective_affinity'])[0]
    idc = int(model.symbol('aplic_idcs')[cpu]['regs'])
    {'enable': lambda: change(base + 0x1fdc, n, back=(base + 0x1edc, n)),
     'target': lambda: flip(base + 0x3000 + 4 * n, 2), 'source mode': lambda: flip(base + 4 * n, 2),
     'threshold': lambda: change(idc + 8, 1), 'delivery': lambda: change(idc, 0)}[link]()


def of_gic(level, link):
    base, n = chips.of(level)._bank(), level.hwirq
    word, bit, field = n // 32 * 4, 1 << n % 32, n % 4 * 8
    version3 = level.chip.name == 'GICv3'
    {'enable': lambda: change(base + 0x180 + word, bit, back=(base + 0x100 + word, bit)),
     'priority': lambda: change(base + 0x400 + (n & ~3), 0xffffffff),
     'active': lambda: change(base + 0x300 + word, bit, back=(base + 0x380 + word, bit)),
     'route': lambda: (flip(base + 0x6000 + 8 * n, 1, 8) if version3 else
                       flip(base + 0x800 + (n & ~3), 3 << field))}[link]()


def of_its(level, link):
    its = model.struct_at(level.chip_data, 'its_device')['its']
    redist = int(model.symbol('gic')['redist'][0]['base'])
    device = '((struct its_device *)%d)' % level.chip_data
    {'ITS': lambda: flip(int(its['regs']), 1), 'redistributor': lambda: flip(redist, 1),
     'translation': lambda: assign(device + '->mapped', 0),
     'collection': lambda: assign(device + '->its->mapped.bits', 0),
     'property': lambda: assign('*(unsigned char *)%d' % (int(model.symbol('gic')['lpi_property']) +
                                                          level.hwirq - 8192), 0)}[link]()


def of_imsic(level, link):
    vector = '((struct imsic_vector *)%d)' % level.chip_data
    {'translation': lambda: assign(vector + '->desc', 0), 'cause': lambda: assign('$sie', '$sie & ~512')}[link]()


PARTS = {'PLIC': of_plic, 'APLIC-MSI': of_aplic, 'APLIC-DIRECT': of_aplic, 'GICv2': of_gic, 'GICv3': of_gic,
         'ITS': of_its, 'IMSIC': of_imsic}


def wreck(irq, part, link):
    line = model.irq(irq)
    if part == 'device':
        of_disk(link)
    elif part == 'core':
        of_core(line, link)
    else:
        PARTS[part](next(level for level in line.levels if level.chip.name == part), link)
