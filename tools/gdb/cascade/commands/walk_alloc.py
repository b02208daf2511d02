"""irq walk-alloc: how a device gets its interrupt, domain by domain."""

import errno
import re

import gdb

from . import Command, command
from .. import chips, go, isa, model, pci
from ..model import Problem, function, source, struct_at, symbol, text

OPERATIONS = ('alloc', 'activate', 'map')
CALLBACKS = ('irq_compose_msi_msg', 'irq_write_msi_msg', 'irq_startup', 'irq_enable', 'irq_unmask')
MESSAGES = ('compose_msi_msg', 'write_msi_msg')


def thread_now():
    """Whose function call that is: the kernel's thread, or the CPU that has none yet; None: not ours."""
    cpu = model.Cpu.of_thread(isa.current())
    return cpu and (int(cpu.value['current']) or int(cpu.value.address))


def signed(number):
    number &= 0xffffffff
    return number - (1 << 32) if number >> 31 else number


def error_name(value):
    return '-%s' % {**errno.errorcode, 524: 'ENOTSUPP'}.get(-value, -value)


def irq_data(pointer):
    return model.Level(struct_at(pointer, 'irq_data'))


def message_at(pointer):
    message = struct_at(pointer, 'msi_msg')
    address = int(message['address_hi']) << 32 | int(message['address_lo'])
    if not address and not int(message['data']):
        return 'none: the device shall be silent'
    found = chips.receiver(address, int(message['data']))
    return '0x%x to 0x%x%s' % (int(message['data']), address, ', ' + found[1] if found and found[0] else '')


def check(bdf):
    """Raises Problem if it is known that the device is not going to ask."""
    known = pci.devices()
    if not known or int(symbol('devices_mutex')['owner']):
        return                      # they are just being found
    device = next((one for one in known if one.name == bdf), None)
    if device is None and not any(one.value['hotplug'] for one in known):
        pci.device(bdf)
    if device and device.mode != 'none':
        raise Problem('%s has its interrupts already (%s); `irq dev %s\' shows them.  To see how it comes '
                      'by them, begin\nanew (`quit\', `make debug\') and ask before `continue\'.'
                      % (bdf, device.mode, bdf))
    if device and not device.driver:
        raise Problem('%s has no driver that could ask for its interrupts.' % bdf)


class Follower:
    """Stops at each step that the thread makes for the device; the watches come as the objects do."""

    def __init__(self, bdf, every):
        self.bdf, self.every = bdf, every
        self.hops, self.watches, self.returns = [], {}, []
        self.thread, self.irq, self.device, self.ended = None, None, None, False
        self.event = None           # what the last stop was: a function to call
        self.watch(int(symbol('pci_alloc_irq_vectors_affinity').address), self._vectors)
        self.watch(int(symbol('watchdog_boot_done').address), self._booted)

    # ---- Watches ----

    def watch(self, address, handle):
        """HANDLE(arguments) says, while the kernel stands there, what to do about it, or nothing."""
        def look(values):
            self.event = handle(values)
            return self.event is not None
        if address and address not in self.watches:
            self.watches[address] = go.Watch(address, look)

    def drop(self):
        for watch in self.watches.values():
            watch.delete()

    def at_return(self, then):
        """THEN(value) when the function that begins here returns."""
        frame = go.caller()
        self.returns.append((frame.pc(), int(frame.read_register('sp')), then))
        self.watch(frame.pc(), self._returned)

    def _returned(self, values):
        pc, sp = gdb.newest_frame().pc(), int(gdb.newest_frame().read_register('sp'))
        if thread_now() != self.thread or not self.returns or self.returns[-1][:2] != (pc, sp):
            return None

        def event():
            while self.returns and self.returns[-1][:2] == (pc, sp):
                self.returns.pop()[2](signed(values[0]))
        return event

    # ---- Steps ----

    def _hop(self, what, depth, words, code=0, **values):
        self.hops.append({'what': what, 'depth': depth, 'text': words, **values,
                          'function': function(code), 'source': source(code) if code else ''})

    def _mine(self, irq):
        """Whether that irq is followed: the first, if not all are."""
        if thread_now() != self.thread:
            return False
        if self.irq is None:
            self.irq = irq
        return self.every or irq == self.irq

    def _booted(self, values):
        return None if self.hops else lambda: check(self.bdf)

    def _vectors(self, values):
        device = struct_at(values[0], 'pci_dev')
        if self.thread or device['name'].string() != self.bdf:
            return None

        def event():
            self.thread, self.device = thread_now(), device
            self._hop('asked', 0, 'the driver wants %d to %d vectors' % (signed(values[1]), signed(values[2])),
                      gdb.newest_frame().pc())
            self.at_return(self._given)
            for name in 'irq_domain_alloc_irqs_locked', 'irq_domain_fill_irqs', 'irq_create_mapping_locked':
                self.watch(int(symbol(name).address), self._domain)
            self.watch(int(symbol('irq_startup').address), self._startup)
        return event

    def _given(self, value):
        device = struct_at(self.device.address)
        self._hop('given', 0, 'it has %d, mode %s; what follows is request_irq()' % (value, pci.Device(device).mode)
                  if value >= 0 else 'nothing: %s' % error_name(value))
        if value < 0:
            self.thread = None          # it may ask again, for less or for its wire
        elif self.irq is None:
            self.irq = int(device['irq'])
            self._hop('mapped', 0, 'irq %d was there before: it shares a wire' % self.irq)
            self._watch_chips(self.irq)

    def _domain(self, values):
        """A domain is going to be asked: from it all levels can be seen."""
        if thread_now() != self.thread:
            return None

        def event():
            domain = model.Domain.at(gdb.Value(values[0]).cast(model.ctype('struct irq_domain').pointer()))
            while domain:
                ops = domain.value['ops']
                for name in OPERATIONS:
                    if int(ops):
                        self.watch(int(ops[name]), getattr(self, '_' + name))
                domain = domain.parent
        return event

    @staticmethod
    def _depth(domain, irq):
        """How far below the device's side it is."""
        levels = model.irq(irq).levels
        depth = 0
        pointer = model.irq(irq).value['irq_data']
        while int(pointer['domain']) and int(pointer['domain']) != domain and depth < 16:
            if not int(pointer['parent_data']):
                break
            pointer, depth = struct_at(pointer['parent_data']), depth + 1
        return depth if levels else 0

    def _alloc(self, values):
        domain, irq, count = values[0], signed(values[1]), signed(values[2])
        if not self._mine(irq):
            return None

        def event():
            name, depth = text(struct_at(domain, 'irq_domain')['name']), self._depth(domain, irq)
            self._hop('alloc', depth, '%s: irq %s' % (name, irq if count == 1 else '%d-%d' % (irq, irq + count - 1)),
                      gdb.newest_frame().pc(), domain=name, irq=irq)
            self.at_return(lambda value: self._allocated(domain, irq, depth, value))
        return event

    def _allocated(self, domain, irq, depth, value):
        name = text(struct_at(domain, 'irq_domain')['name'])
        if value < 0:
            self._hop('failed', depth, '%s: %s' % (name, error_name(value)), domain=name, irq=irq)
            return
        level = next((one for one in model.irq(irq).levels if one.domain.address == domain), None)
        if level is None:
            self._hop('left out', depth, '%s has no part in it' % name, domain=name, irq=irq)
            return
        found = chips.of(level)
        self._hop('done', depth, '%s: hwirq %d, chip %s%s' % (
            name, level.hwirq, level.chip.name if level.chip else 'none', ', ' + found.where() if found else ''),
            domain=name, irq=irq, hwirq=level.hwirq, chip=level.chip.name if level.chip else None)
        self._watch_chips(irq)

    def _map(self, values):
        domain, irq = values[0], signed(values[1])
        if not self._mine(irq):
            return None

        def event():
            name = text(struct_at(domain, 'irq_domain')['name'])
            self._hop('map', 0, '%s: hwirq %d is irq %d' % (name, values[2], irq), gdb.newest_frame().pc(),
                      domain=name, irq=irq, hwirq=values[2])
            self.at_return(lambda value: self._allocated(domain, irq, 0, value))
        return event

    def _watch_chips(self, irq):
        for level in model.irq(irq).levels:
            callbacks = level.chip.callbacks() if level.chip else {}
            for name in CALLBACKS:
                self.watch(callbacks.get(name, 0), lambda values, name=name[4:]: self._callback(name, values))

    def _activate(self, values):
        level = irq_data(values[1])
        if not self._mine(level.irq):
            return None

        def event():
            depth = self._depth(level.domain.address, level.irq)
            self._hop('activate', depth, '%s: irq %d, hwirq %d' % (level.domain.name, level.irq, level.hwirq),
                      gdb.newest_frame().pc(), domain=level.domain.name, irq=level.irq, hwirq=level.hwirq)
        return event

    def _callback(self, name, values):
        level = irq_data(values[0])
        if not level.domain or not self._mine(level.irq):
            return None

        def event():
            depth = self._depth(level.domain.address, level.irq)
            where = '%s: hwirq %d' % (level.domain.name, level.hwirq)
            known = {'domain': level.domain.name, 'irq': level.irq, 'hwirq': level.hwirq, 'chip': level.chip.name}
            code, word = gdb.newest_frame().pc(), name.split('_')[0]
            if name == 'compose_msi_msg':
                self.at_return(lambda value: self._hop(word, depth, '%s: %s' % (where, message_at(values[1])),
                                                       code, **known))
            else:
                self._hop(word, depth, '%s: %s' % (where, message_at(values[1])) if name in MESSAGES else where,
                          code, **known)
        return event

    def _startup(self, values):
        line = model.Irq(values[0])
        if thread_now() != self.thread or line.irq != self.irq:
            return None

        def event():
            self._hop('startup', 0, 'irq %d' % line.irq, gdb.newest_frame().pc(), irq=line.irq)
            self.at_return(self._started)
        return event

    def _started(self, value):
        self._hop('live', 0, 'irq %d: %s' % (self.irq, ', '.join(model.irq(self.irq).state)), irq=self.irq)
        self.ended = True


@command
class WalkAlloc(Command):
    """How a PCI device gets its interrupt, domain by domain.
irq walk-alloc BDF [--all] [--patience S] [--json]

Lets the kernel go on until the PCI device BDF asks for its interrupts (while it boots, or when it is
plugged in), and follows the first of them down the domains and back: alloc and activate of each level,
hwirq and chip that it gets there, the message composed and written, startup and unmask by
request_irq().  Begin it before the device has been set up: best where `make debug' stands first.
--all follows every one until the first is live.  S: 60 seconds without a step end it."""

    name = 'walk-alloc'

    def arguments(self, parser):
        parser.add_argument('bdf')
        parser.add_argument('--all', action='store_true')
        parser.add_argument('--patience', type=float, default=60)

    @staticmethod
    def _follow(follower, patience):
        """Until it is live; why not, or None."""
        while not follower.ended:
            follower.event = None
            patience.go()
            failed = next((watch.failed for watch in follower.watches.values() if watch.failed), None)
            if failed:
                raise failed
            if patience.over:
                return 'no step for %g s' % patience.seconds
            if follower.event is None:
                return 'given up: the kernel stopped at %s' % model.place(gdb.newest_frame().pc())
            follower.event()
        return None

    def collect(self, args):
        if not re.fullmatch(r'[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]', args.bdf):
            raise Problem('irq walk-alloc: \'%s\' is not a PCI device, as 00:01.0 is.' % args.bdf)
        if args.patience <= 0:
            raise Problem('irq walk-alloc: --patience takes a number above zero.')
        check(args.bdf)
        follower = Follower(args.bdf, args.all)
        try:
            with go.Patience(args.patience, not args.json and 'step') as patience:
                why = self._follow(follower, patience)
        finally:
            follower.drop()
        return {'bdf': args.bdf, 'hops': follower.hops, 'irq': follower.irq, 'stopped': why}

    def show(self, document):
        for n, hop in enumerate(document['hops'], 1):
            at = '  [%s %s]' % (hop['function'], hop['source']) if hop['function'] else ''
            yield '%2d %-9s %s%s%s' % (n, hop['what'], '. ' * hop['depth'], hop['text'], at)
        if document['stopped']:
            yield '%s: %s' % (document['bdf'], document['stopped'])
