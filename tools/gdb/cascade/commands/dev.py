"""irq dev: the messages of a PCI device, in the device and in software."""

from . import Command, command
from .. import model, pci

DIFFERS = ('address', 'data', 'masked')


def compare(hardware, software):
    """What of a row differs between the device and software."""
    if software is None:
        return [] if hardware['masked'] else ['not masked, though nobody uses it']
    return [what for what in DIFFERS if hardware[what] != software[what]]


def problems(device, enabled, function_mask, rows):
    """What keeps the device from interrupting, or is not as software believes."""
    command = device.command
    uses_messages = device.msix or device.msi
    if uses_messages and not enabled:
        yield '%s is off in the device, though software has turned it on' % device.mode
    if enabled and not uses_messages:
        yield 'messages are on in the device, though software has not turned them on'
    if uses_messages and not command['master']:
        yield 'bus master is off: the device cannot write its messages'
    if device.msix and not command['memory']:
        yield 'memory is not decoded: the table cannot be reached'
    if function_mask:
        yield 'the whole function is masked'
    if device.intx and command['intx_disable']:
        yield 'INTx is disabled in the command register'
    for row in rows:
        for what in row['differs']:
            yield 'row %d: %s' % (row['index'], what if ' ' in what else what + ' differs')


@command
class Dev(Command):
    """A PCI device's interrupt messages, in the device and in software.
irq dev BDF [--json]

Row by row, read from the device and compared with what software remembers; pending bits, command
register, INTx.  A row of the table that is in use is shown even if it is masked."""

    name = 'dev'

    def arguments(self, parser):
        parser.add_argument('bdf')

    def complete(self, text, word):
        return [device.name for device in pci.devices() if device.name.startswith(word)]

    @staticmethod
    def _row(device, index, used):
        irq, _ = used.get(index, (0, None))
        hardware, software = device.row(index), device.software(index)
        differs = compare(hardware, software)
        for side in filter(None, (hardware, software)):
            side['address'] = hex(side['address'])
        return {'index': index, 'irq': irq, 'cpus': model.irq(irq).effective if irq else [],
                'device': hardware, 'software': software, 'differs': differs}

    def collect(self, args):
        device = pci.device(args.bdf)
        enabled, function_mask, count = device.control()
        used = device.vectors()
        # Without MSI-X there is one message, of which only what software uses has a meaning.
        indices = sorted(used) if device.msi else range(count if device.msix else 0)
        rows = [self._row(device, index, used) for index in indices]
        return {'bdf': device.name, 'ids': device.ids, 'driver': device.driver, 'mode': device.mode,
                'enabled': enabled, 'function_mask': function_mask, 'messages': count,
                'command': device.command, 'pin': device.pin, 'intx_irq': device.intx_irq,
                'rows': rows, 'problems': list(problems(device, enabled, function_mask, rows))}

    def show(self, dev):
        yield '%s  %s, driver %s, mode %s, %d messages in the device, %s%s' % (
            dev['bdf'], dev['ids'], dev['driver'] or 'none', dev['mode'], dev['messages'],
            'enabled' if dev['enabled'] else 'not enabled',
            ', function masked' if dev['function_mask'] else '')
        yield '  command: ' + ', '.join('%s %s' % (word.replace('_', ' '), 'yes' if on else 'no')
                                        for word, on in dev['command'].items())
        if dev['pin']:
            yield '  INTx: pin %s%s' % (dev['pin'],
                                        ', irq %d' % dev['intx_irq'] if dev['intx_irq'] else '')
        for row in dev['rows']:
            hardware = row['device']
            if not row['irq'] and not row['differs']:
                continue
            yield '  row %d: writes 0x%x to %s%s%s  -> %s' % (
                row['index'], hardware['data'], hardware['address'],
                ', masked' if hardware['masked'] else '', ', pending' if hardware['pending'] else '',
                'irq %d on cpu %s' % (row['irq'], model.ranges(row['cpus'])) if row['irq'] else 'nobody')
            if row['differs'] and row['software']:
                software = row['software']
                yield '         software: 0x%x to %s%s' % (software['data'], software['address'],
                                                          ', masked' if software['masked'] else '')
        for problem in dev['problems']:
            yield '  !! ' + problem
