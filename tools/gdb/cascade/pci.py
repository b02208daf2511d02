"""PCI devices: what the kernel knows of one, and what the device itself says.

Configuration space and BARs are memory to gdb, so both sides of a message can be compared."""

from . import hw, model
from .model import Problem, const, list_of, struct_at, symbol, text


class Device:
    """struct pci_dev."""

    def __init__(self, value):
        self.value = value
        self.name = value['name'].string()
        self.msix, self.msi = bool(value['msix_enabled']), bool(value['msi_enabled'])
        self.intx = bool(value['intx_enabled'])
        self.msix_cap, self.msi_cap = int(value['msix_cap']), int(value['msi_cap'])
        self._config = int(value['bus']['config']) + (int(value['devfn']) << 12)

    def config(self, where, size=4):
        """A register of configuration space; none has a side effect."""
        return hw.read(self._config + where, size)

    @property
    def ids(self):
        return '%04x:%04x' % (int(self.value['vendor']), int(self.value['device']))

    @property
    def driver(self):
        pointer = self.value['driver']
        return text(pointer['name']) if int(pointer) else None

    @property
    def mode(self):
        return 'msix' if self.msix else 'msi' if self.msi else 'intx' if self.intx else 'none'

    @property
    def command(self):
        """{word: set?} of the command register, as far as interrupts care."""
        value = self.config(const('PCI_COMMAND'), 2)
        return {'memory': bool(value & const('PCI_COMMAND_MEMORY')),
                'master': bool(value & const('PCI_COMMAND_MASTER')),
                'intx_disable': bool(value & const('PCI_COMMAND_INTX_DISABLE'))}

    @property
    def pin(self):
        return ' ABCD'[int(self.value['pin']) & 7].strip() if int(self.value['pin']) < 5 else ''

    @property
    def intx_irq(self):
        return int(self.value['intx_irq'])

    def vectors(self):
        """{index: (irq, MsiDesc)} of the messages that software has allocated."""
        return {desc.index + i: (desc.irq + i, desc) for desc in model.msi_descs(self.value['dev'])
                for i in range(desc.count) if desc.irq}

    # ---- What the device says ----

    def _bar(self, register):
        """The address that a BAR number and an offset in one register stand for. [PCI 6.8.2]"""
        value = self.config(register)
        bar = self.value['bar'][value & const('PCI_MSIX_BIR')]
        if not bool(bar['assigned']):
            raise Problem('%s: BAR %d has no address.' % (self.name, value & const('PCI_MSIX_BIR')))
        return int(bar['cpu_addr']) + (value & ~const('PCI_MSIX_BIR'))

    def control(self):
        """(enabled, function masked, messages it has), of the capability in use."""
        if self.msix_cap and not self.msi:
            flags = self.config(self.msix_cap + const('PCI_MSIX_FLAGS'), 2)
            return (bool(flags & const('PCI_MSIX_FLAGS_ENABLE')),
                    bool(flags & const('PCI_MSIX_FLAGS_MASKALL')),
                    (flags & const('PCI_MSIX_FLAGS_QSIZE')) + 1)
        if self.msi_cap:
            flags = self.config(self.msi_cap + const('PCI_MSI_FLAGS'), 2)
            return (bool(flags & const('PCI_MSI_FLAGS_ENABLE')), False,
                    1 << ((flags & const('PCI_MSI_FLAGS_QMASK')) >> 1))
        return False, False, 0

    def row(self, index):
        """{address, data, masked, pending} of one message, read from the device."""
        return self._msi_row(index) if self.msi else self._msix_row(index)

    def _msix_row(self, index):
        entry = (self._bar(self.msix_cap + const('PCI_MSIX_TABLE')) +
                 index * const('PCI_MSIX_ENTRY_SIZE'))
        low, high, data, control = (hw.read(entry + 4 * n) for n in range(4))
        pending = self._bar(self.msix_cap + const('PCI_MSIX_PBA')) + index // 32 * 4
        return {'address': high << 32 | low, 'data': data,
                'masked': bool(control & const('PCI_MSIX_ENTRY_CTRL_MASKBIT')),
                'pending': bool(hw.read(pending) >> index % 32 & 1)}

    def _msi_row(self, index):
        flags = self.config(self.msi_cap + const('PCI_MSI_FLAGS'), 2)
        wide = bool(flags & const('PCI_MSI_FLAGS_64BIT'))
        data = self.msi_cap + (0x0c if wide else 0x08)
        address = self.config(self.msi_cap + const('PCI_MSI_ADDRESS_LO'))
        if wide:
            address |= self.config(self.msi_cap + const('PCI_MSI_ADDRESS_HI')) << 32
        bits = [0, 0]
        if flags & const('PCI_MSI_FLAGS_MASKBIT'):
            bits = [self.config(data + 4), self.config(data + 8)]
        return {'address': address, 'data': self.config(data, 2) + index,
                'masked': bool(bits[0] >> index & 1), 'pending': bool(bits[1] >> index & 1)}

    def software(self, index):
        """The same as software remembers it (without pending); None for a row it does not use."""
        if index not in self.vectors():
            return None
        irq, desc = self.vectors()[index]
        message = {'address': desc.address, 'data': desc.data, 'masked': desc.masked}
        if self.msi:
            message['data'] += index - desc.index
            message['masked'] = bool(int(desc.value['pci']['msi_mask']) >> (index - desc.index) & 1)
        return message


def devices():
    """All of them, in bus order."""
    if not model.has_symbol('pci_hosts'):
        return []
    found = []
    for host in list_of(symbol('pci_hosts'), 'pci_host', 'link'):
        for bus in list_of(host['buses'], 'pci_bus', 'link'):
            pointer = bus['devices']
            while int(pointer):
                value = struct_at(pointer)
                found.append(Device(value))
                pointer = value['next']
    return found


def device(name):
    known = devices()
    found = next((d for d in known if d.name == name), None)
    if found is None:
        raise Problem('There is no PCI device "%s"; there are: %s.'
                      % (name, ', '.join(d.name for d in known) or 'none yet'))
    return found


@hw.guard
def _virtio_isr():
    """The register in which a virtio device tells why it raised its wire, which reading lowers."""
    for found in devices():
        if found.driver == 'virtio-pci' and int(found.value['dev']['driver_data']):
            isr = struct_at(found.value['dev']['driver_data'], 'virtio_pci')['isr']
            if int(isr['base']):
                yield int(isr['base']), 4, 'the ISR register of %s' % found.name, False
