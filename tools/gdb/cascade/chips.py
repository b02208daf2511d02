"""The controllers themselves, below their irq_chip: one class for each, found by the chip's name.

    of(level) -> Controller or None      (level: a model.Level)
        .where()     "identity 4 of hart 0": what the hardware calls this line
        .enabled()   True, False, or None if gdb cannot see it
        .pending()   likewise
        .inject()    (text, stores): how to make it pending from outside; raises Problem
    receiver(address, data) -> (Irq or None, text), or None: who takes that memory write
    describe(name) -> lines about a whole controller

All of it reads registers without side effect; what QEMU hides, a CPU of the guest reads (guest.py),
and if that sleeps, the kernel's shadow has to do.
"""

import functools

import gdb

from . import hw, isa, model
from .model import Problem, struct_at, symbol, text

PAGE = 4096

_by_chip = {}
_controllers = []


def controller(*chips):
    """Class decorator: the irq_chip names of a controller's lines."""
    def register(cls):
        _by_chip.update((name, cls) for name in chips)
        _controllers.append(cls)
        return cls
    return register


class Controller:
    """One line at its controller; the class methods are about the whole."""

    def __init__(self, level):
        self.level = level
        self.hwirq = level.hwirq

    def where(self):
        return 'hwirq %d' % self.hwirq

    def enabled(self):
        return None

    def pending(self):
        return None

    def inject(self):
        """(what that does, [(address, value, bytes)])."""
        raise Problem('%s can be made pending by its device only; `irq type irq inject %d\' asks the '
                      'kernel to replay it.' % (self.where(), self.level.irq))

    @classmethod
    def receiver(cls, address, data):
        """(Irq or None, text) if ADDRESS takes messages for this controller."""
        return None

    @classmethod
    def guards(cls):
        """[(first address, bytes, name, by a CPU only)]: registers that must not be read to look."""
        return []

    @classmethod
    def describe(cls):
        """Lines of text about it; [] if this machine has none."""
        return []


def of(level):
    """The Controller of a line's level."""
    cls = _by_chip.get(level.chip.name) if level.chip else None
    return cls(level) if cls else None


def receiver(address, data):
    for cls in _controllers:
        found = cls.receiver(address, data)
        if found:
            return found
    return None


def controllers():
    return list(_controllers)


def describe(name):
    """Lines about the controller whose lines have the chip NAME."""
    here = {chip: cls for chip, cls in _by_chip.items() if cls.describe()}
    found = next((cls for chip, cls in here.items() if chip.lower() == name.lower()), None)
    if found is None:
        raise Problem('This machine has no chip "%s" with registers; there are: %s.'
                      % (name, ', '.join(here) or 'none yet'))
    return found.describe()


@hw.guard
def _guards():
    return [entry for cls in _controllers for entry in cls.guards()]


# Of the console: reading takes the character, or the cause of an interrupt, from the driver.
CONSOLES = {'ns16550a': {'RBR': 0, 'IIR': 2}, 'pl011': {'UARTDR': 0}}


@hw.guard
def _console():
    for driver, registers in CONSOLES.items():
        port = gdb.parse_and_eval("'drivers/serial/%s.c'::port" % driver)
        shift, width = (int(port['shift']), int(port['width'])) if driver == 'ns16550a' else (0, 4)
        if int(port['regs']):
            for name, number in registers.items():
                yield int(port['regs']) + (number << shift), width, "the console's %s" % name, False


def bit(base, number):
    """Bit NUMBER of an array of 32-bit registers at BASE."""
    return bool(hw.read(base + number // 32 * 4) >> number % 32 & 1)


def memory_bit(base, number):
    return bool(model.read(base + number // 8, 1)[0] >> number % 8 & 1)


def set_bits(words_of_32):
    return [32 * n + b for n, word in enumerate(words_of_32) for b in range(32) if word >> b & 1]


def bits_of(words_of_64):
    return [64 * n + b for n, word in enumerate(words_of_64) for b in range(64) if word >> b & 1]


def contexts(name, *pointers):
    """[(cpu, struct)] of an array by CPU, those whose POINTERS are set."""
    if not model.has_symbol(name):
        return []
    array = symbol(name)
    return [(cpu, array[cpu]) for cpu in model.possible_cpus()
            if all(int(array[cpu][pointer]) for pointer in pointers)]


def numbers(values):
    return model.ranges(values) or 'none'


# ---- RISC-V ------------------------------------------------------------------------------------

@controller('RISC-V INTC')
class Intc(Controller):
    """A hart's causes: sip and sie of each hart."""

    def where(self):
        return 'cause %d of each hart' % self.hwirq


@controller('PLIC')
class Plic(Controller):
    """[PLIC 3]: priorities and pending bits of all, enables, threshold and claim of a context."""

    PENDING, THRESHOLD, CLAIM = 0x1000, 0, 4

    def _regs(self):
        return int(struct_at(self.level.chip_data, 'plic')['regs'])

    def where(self):
        return 'source %d' % self.hwirq

    def cpus(self):
        """The CPUs whose context has it enabled."""
        return [cpu for cpu, context in contexts('plic_contexts', 'plic')
                if bit(int(context['enable']), self.hwirq)]

    def enabled(self):
        return bool(self.cpus()) and hw.read(self._regs() + 4 * self.hwirq) > 0

    def pending(self):
        return bit(self._regs() + self.PENDING, self.hwirq)

    def claimed_by(self):
        """The CPU that has claimed and not completed it; None."""
        cpu = int(struct_at(self.level.chip_data, 'plic')['claimed_by'][self.hwirq])
        return None if cpu == 0xff else cpu

    @classmethod
    def guards(cls):
        return [(int(context['regs']) + cls.CLAIM, 4, "the PLIC's claim register of cpu %d" % cpu, False)
                for cpu, context in contexts('plic_contexts', 'plic')]

    @classmethod
    def describe(cls):
        lines = []
        for cpu, context in contexts('plic_contexts', 'plic'):
            plic = struct_at(context['plic'])
            count = (int(plic['nr_sources']) + 32) // 32
            if not lines:
                base = int(plic['regs'])
                pending = set_bits(hw.read(base + cls.PENDING + 4 * n) for n in range(count))
                lines.append('PLIC at 0x%x, %d sources; pending: %s; claimed: %s'
                             % (base, int(plic['nr_sources']), numbers(pending), numbers(
                                 n for n in range(32 * count) if int(plic['claimed_by'][n]) != 0xff)))
            enabled = set_bits(hw.read(int(context['enable']) + 4 * n) for n in range(count))
            lines.append('  cpu %d: enabled: %s; threshold %d'
                         % (cpu, numbers(enabled), hw.read(int(context['regs']) + cls.THRESHOLD)))
        return lines


class AplicSources(Controller):
    """[AIA 4.5]: what both delivery modes share."""

    SOURCECFG, SETIP, IN_CLRIP, SETIE, TARGET = 0x0000, 0x1c00, 0x1d00, 0x1e00, 0x3000

    def _regs(self):
        return int(struct_at(self.level.chip_data, 'aplic')['regs'])

    def where(self):
        return 'source %d' % self.hwirq

    def enabled(self):
        return bit(self._regs() + self.SETIE, self.hwirq)

    def pending(self):
        return bit(self._regs() + self.SETIP, self.hwirq)

    @classmethod
    def _aplics(cls):
        """The struct aplic of every domain whose lines are ours."""
        found = {}
        for line in model.irqs(True):
            for level in line.levels:
                if level.chip and _by_chip.get(level.chip.name) is cls:
                    found[level.chip_data] = struct_at(level.chip_data, 'aplic')
        return list(found.values())

    @classmethod
    def describe(cls):
        lines = []
        for aplic in cls._aplics():
            base, count = int(aplic['regs']), (int(aplic['nr_sources']) + 32) // 32
            rows = [set_bits(hw.read(base + array + 4 * n) for n in range(count))
                    for array in (cls.SETIP, cls.SETIE, cls.IN_CLRIP)]
            lines.append('APLIC at 0x%x, %d sources; pending: %s; enabled: %s; wires high: %s'
                         % (base, int(aplic['nr_sources']), *map(numbers, rows)))
        return lines


@controller('APLIC-MSI')
class AplicMsi(AplicSources):
    """Sends a message for each wire."""


@controller('APLIC-DIRECT')
class AplicDirect(AplicSources):
    """Interrupts harts by wires of its own; claimi gives an interrupt away when it is read."""

    SETIPNUM, IDELIVERY, ITHRESHOLD, CLAIMI = 0x1cdc, 0x00, 0x08, 0x1c

    def inject(self):
        return ('stores %d to setipnum of the APLIC, which ignores it for a level that is low'
                % self.hwirq, [(self._regs() + self.SETIPNUM, self.hwirq, 4)])

    @classmethod
    def guards(cls):
        return [(int(idc['regs']) + cls.CLAIMI, 4, "the APLIC's claimi of cpu %d" % cpu, False)
                for cpu, idc in contexts('aplic_idcs', 'aplic')]

    @classmethod
    def describe(cls):
        return super().describe() + [
            '  cpu %d: delivers: %s; threshold %d'
            % (cpu, 'yes' if hw.read(int(idc['regs']) + cls.IDELIVERY) else 'no',
               hw.read(int(idc['regs']) + cls.ITHRESHOLD))
            for cpu, idc in contexts('aplic_idcs', 'aplic')]


@controller('IMSIC', 'IMSIC-IPI')
class Imsic(Controller):
    """[AIA 3]: eip and eie are CSRs of their hart.  It reads them if it is awake; else `enabled' is the
    kernel's shadow, and `pending' is not known."""

    EIDELIVERY, EITHRESHOLD, EIP, EIE = 0x70, 0x72, 0x80, 0xc0

    def _vector(self):
        return struct_at(self.level.chip_data, 'imsic_vector') if self.level.chip_data else None

    def where(self):
        vector = self._vector()
        if vector is None:
            return 'identity %d of each hart' % self.hwirq
        return 'identity %d of cpu %d' % (int(vector['id']), int(vector['cpu']))

    def _bit(self, array):
        """Of the CSRs; None if the hart sleeps."""
        vector = self._vector()
        if vector is None:
            return None
        number = int(vector['id'])
        word = isa.current().indirect(int(vector['cpu']), array + number // 64 * 2)
        return None if word is None else bool(word >> number % 64 & 1)

    def enabled(self):
        found, vector = self._bit(self.EIE), self._vector()
        if found is not None or vector is None:
            return found
        hart = symbol('imsic')['hart'][int(vector['cpu'])]
        return memory_bit(int(hart['enabled'].address), int(vector['id']))

    def pending(self):
        return self._bit(self.EIP)

    def inject(self):
        vector = self._vector()
        if vector is None:
            raise Problem('Which hart\'s?  `set {int}PAGE = %d\' stores to its page; `irq chip imsic\' '
                          'shows those.' % self.hwirq)
        page = int(symbol('imsic')['hart'][int(vector['cpu'])]['msi_address'])
        return ('stores %d to 0x%x, as the device would' % (int(vector['id']), page),
                [(page, int(vector['id']), 4)])

    @classmethod
    def _harts(cls):
        if not model.has_symbol('imsic'):
            return []
        harts = symbol('imsic')['hart']
        return [(cpu, harts[cpu]) for cpu in model.possible_cpus() if int(harts[cpu]['page'])]

    @classmethod
    def receiver(cls, address, data):
        for cpu, hart in cls._harts():
            if int(hart['msi_address']) != address & ~3:
                continue
            where = 'identity %d of cpu %d' % (data, cpu)
            if address & 3 or not 0 < data <= int(symbol('imsic')['nr_ids']):
                return None, 'the IMSIC ignores %s' % where
            desc = struct_at(hart['vector'][data].address)['desc']
            return (model.Irq(int(desc)), where) if int(desc) else (None, where + ' belongs to no line')
        return None

    @classmethod
    def _state(cls, cpu, hart):
        """What the hart itself says, or the kernel's shadow."""
        words = range((int(symbol('imsic')['nr_ids']) + 64) // 64)
        read = functools.partial(isa.current().indirect, cpu)
        if read(cls.EIDELIVERY) is None:
            shadow = model.words(int(hart['enabled'].address), len(words))
            return 'enabled: %s (the kernel\'s shadow: the hart sleeps)' % numbers(bits_of(shadow))
        return 'enabled: %s; pending: %s; delivers: %s; threshold %d' % (
            numbers(bits_of(read(cls.EIE + 2 * n) for n in words)),
            numbers(bits_of(read(cls.EIP + 2 * n) for n in words)),
            'yes' if read(cls.EIDELIVERY) == 1 else 'no', read(cls.EITHRESHOLD))

    @classmethod
    def describe(cls):
        return ['IMSIC, cpu %d: page 0x%x; %s%s' % (
            cpu, int(hart['msi_address']), cls._state(cpu, hart),
            '; the IPI is stored and not yet taken' if int(hart['kicked']) else '')
            for cpu, hart in cls._harts()]


# ---- Arm ---------------------------------------------------------------------------------------

class GicWires(Controller):
    """SGIs, PPIs and SPIs: the same registers in either version. [GIC3 12.9]"""

    TYPER, ISENABLER, ISPENDR, ISACTIVER = 0x4, 0x100, 0x200, 0x300
    FIRST_SPI, FIRST_LPI = 32, 8192

    def where(self):
        kind = 'SGI' if self.hwirq < 16 else 'PPI' if self.hwirq < self.FIRST_SPI else 'SPI'
        return 'INTID %d (%s)' % (self.hwirq, kind)

    def _bank(self):
        """Where this line's registers are; None if gdb cannot read them."""
        raise NotImplementedError

    def _peek(self, register):
        bank = self._bank()
        return None if bank is None else bit(bank + register, self.hwirq)

    def enabled(self):
        return self._peek(self.ISENABLER)

    def pending(self):
        return self._peek(self.ISPENDR)

    def active(self):
        return self._peek(self.ISACTIVER)

    def set_pending(self):
        register = self._bank() + self.ISPENDR + self.hwirq // 32 * 4
        return 'sets its bit in 0x%x (ISPENDR)' % register, [(register, 1 << self.hwirq % 32, 4)]

    @classmethod
    def summary(cls, bank, count):
        rows = [set_bits(hw.read(bank + register + 4 * n) for n in range(count))
                for register in (cls.ISENABLER, cls.ISPENDR, cls.ISACTIVER)]
        return 'enabled: %s; pending: %s; active: %s' % tuple(map(numbers, rows))


@controller('GICv3', 'GICv3-LPI')
class Gic3(GicWires):
    """Distributor and redistributors are memory; ICC_* are system registers that QEMU hides."""

    SGI_FRAME = 0x10000

    def where(self):
        if self.hwirq >= self.FIRST_LPI:
            return 'INTID %d (LPI)' % self.hwirq
        return super().where()

    def _cpu(self):
        target = model.cpus_of(self.level.value['common']['effective_affinity'])
        return target[0] if target else 0

    def _bank(self):
        gic = symbol('gic')
        if self.hwirq >= self.FIRST_SPI:
            return int(gic['dist'])
        return int(gic['redist'][self._cpu()]['base']) + self.SGI_FRAME

    def enabled(self):
        if self.hwirq < self.FIRST_LPI:
            return super().enabled()
        return bool(model.read(int(symbol('gic')['lpi_property']) + self.hwirq - self.FIRST_LPI, 1)[0] & 1)

    def pending(self):
        if self.hwirq < self.FIRST_LPI:
            return super().pending()
        return memory_bit(int(symbol('gic')['redist'][self._cpu()]['pending']), self.hwirq)

    def inject(self):
        if self.hwirq >= self.FIRST_LPI:
            return super().inject()     # its ITS can
        return self.set_pending()

    @classmethod
    def describe(cls):
        if not model.has_symbol('gic') or not int(symbol('gic')['dist']):
            return []
        gic = symbol('gic')
        dist = int(gic['dist'])
        count = (hw.read(dist + cls.TYPER) & 0x1f) + 1
        lines = ['GICv3 distributor at 0x%x: %s' % (dist, cls.summary(dist, count))]
        for cpu in model.possible_cpus():
            base = int(gic['redist'][cpu]['base'])
            if base:
                lines.append('  cpu %d: redistributor at 0x%x: %s'
                             % (cpu, base, cls.summary(base + cls.SGI_FRAME, 1)))
        return lines


@controller('GICv2')
class Gic2(GicWires):
    """QEMU's GICv2 asks which CPU reads: hw.py has one of the guest do it."""

    DIST_SIZE, CPU_SIZE, IAR = 0x1000, 0x2000, 0xc

    @classmethod
    def _gic(cls):
        return symbol('gic2') if model.has_symbol('gic2') and int(symbol('gic2')['dist']) else None

    def _bank(self):
        return int(self._gic()['dist'])

    def _peek(self, register):
        try:
            return super()._peek(register)
        except Problem:
            return None         # all CPUs sleep

    def inject(self):
        if self.hwirq < self.FIRST_SPI:
            return super(GicWires, self).inject()
        return self.set_pending()

    @classmethod
    def guards(cls):
        gic = cls._gic()
        if gic is None:
            return []
        return [(int(gic['cpu']) + cls.IAR, 4, "the GIC's IAR", False),
                (int(gic['dist']), cls.DIST_SIZE, "the GICv2's distributor", True),
                (int(gic['cpu']), cls.CPU_SIZE, "the GICv2's CPU interface", True)]

    @classmethod
    def describe(cls):
        gic = cls._gic()
        if gic is None:
            return []
        line = 'GICv2 distributor at 0x%x: ' % int(gic['dist'])
        try:
            count = (hw.read(int(gic['dist']) + cls.TYPER) & 0x1f) + 1
            return [line + cls.summary(int(gic['dist']), count)]
        except Problem as problem:
            return [line + str(problem)]


@controller('GICv2m')
class V2m(Controller):
    """A frame that turns a message into an SPI: the data is the INTID."""

    def where(self):
        return 'INTID %d (SPI)' % self.hwirq

    def inject(self):
        frame = struct_at(self.level.domain.host_data, 'v2m')
        return ('stores %d to 0x%x, as the device would' % (self.hwirq, int(frame['setspi'])),
                [(int(frame['setspi']), self.hwirq, 4)])

    @classmethod
    def _frames(cls):
        return [struct_at(d.host_data, 'v2m') for d in model.domains()
                if int(d.value['ops']) == cls._ops()]

    @classmethod
    def _ops(cls):
        return int(symbol('v2m_domain_ops').address) if model.has_symbol('v2m_domain_ops') else -1

    @classmethod
    def receiver(cls, address, data):
        for frame in cls._frames():
            if int(frame['setspi']) == address:
                where = 'INTID %d by the frame %s' % (data, text(frame['name']))
                line = model.Domain.at(frame['domain']).resolve(data)
                return line, where if line else where + ', which is no line'
        return None

    @classmethod
    def describe(cls):
        return ['%s: messages to 0x%x become INTIDs %d to %d'
                % (text(f['name']), int(f['setspi']), int(f['first']), int(f['end']) - 1)
                for f in cls._frames()]


@controller('ITS')
class Its(Controller):
    """Translates (device, event) into an LPI; its tables are the ITS's own, the kernel's books ours."""

    CWRITER, CREADR, QUEUE_SIZE = 0x88, 0x90, 0x10000

    def _device(self):
        return struct_at(self.level.chip_data, 'its_device')

    def where(self):
        device = self._device()
        return 'event %d of device %04x, LPI %d' % (self.hwirq - int(device['first_lpi']),
                                                    int(device['id']), self.hwirq)

    def enabled(self):
        """Whether there is a translation."""
        return bool(self._device()['mapped'])

    def inject(self):
        """gdb is no device, whose id the ITS would need; but the queue is memory. [GIC3 5.3: INT]"""
        device = self._device()
        its = struct_at(device['its'])
        if int(its['lock']['locked']):
            raise Problem('A CPU writes into the command queue now; stop elsewhere.')
        event, at = self.hwirq - int(device['first_lpi']), int(its['write'])
        then = (at + 32) % self.QUEUE_SIZE
        command = (0x03 | int(device['id']) << 32, event, 0, 0)
        stores = [(int(its['queue']) + at + 8 * n, word, 8) for n, word in enumerate(command)]
        stores += [(int(its['write'].address), then, 4), (int(its['regs']) + self.CWRITER, then, 8)]
        return 'puts INT(device %04x, event %d) into the command queue' % (int(device['id']), event), stores

    @classmethod
    def _all(cls):
        if not model.has_symbol('gic'):
            return []
        found, pointer = [], symbol('gic')['its']
        while int(pointer):
            found.append(struct_at(pointer))
            pointer = found[-1]['next']
        return found

    @classmethod
    def receiver(cls, address, data):
        for its in cls._all():
            if int(its['translater']) == address:
                return None, ('%s translates event %d of whichever device writes: ask with '
                              '`irq dev\' or <LPI>@%s' % (text(its['name']), data,
                                                          model.Domain.at(its['domain']).name))
        return None

    @classmethod
    def describe(cls):
        lines = []
        for its in cls._all():
            regs = int(its['regs'])
            lines.append('%s: messages go to 0x%x; queue: written 0x%x, read 0x%x%s'
                         % (text(its['name']), int(its['translater']), hw.read(regs + cls.CWRITER) & 0xfffe0,
                            hw.read(regs + cls.CREADR) & 0xfffe0, ', stalled' if hw.read(regs + cls.CREADR) & 1 else ''))
            for device in model.list_of(its['devices'], 'its_device', 'link'):
                first, count = int(device['first_lpi']), int(device['nr_events'])
                lines.append('  device %04x: %d events, LPIs %d to %d%s'
                             % (int(device['id']), count, first, first + count - 1,
                                '' if bool(device['mapped']) else ', not mapped'))
        return lines


# ---- Software ----------------------------------------------------------------------------------

@controller('MSI-poll')
class MsiPoll(Controller):
    """A controller made of plain memory: slot n takes the message n."""

    def where(self):
        return 'slot %d' % self.hwirq

    def enabled(self):
        return bool(int(symbol('msi_poll')['line'][self.hwirq]['looker']))

    def pending(self):
        return bool(int(symbol('msi_poll')['slot'][self.hwirq]))

    def inject(self):
        slot = int(symbol('msi_poll')['slot'][self.hwirq].address)
        return 'stores %d to 0x%x, as the device would' % (self.hwirq, slot), [(slot, self.hwirq, 4)]

    @classmethod
    def receiver(cls, address, data):
        if not model.has_symbol('msi_poll') or not int(symbol('msi_poll')['domain']):
            return None
        slot, rest = divmod(address - int(symbol('msi_poll')['slot']), 4)
        if rest or not 0 <= slot < PAGE // 4:
            return None
        line = model.Domain.at(symbol('msi_poll')['domain']).resolve(slot)
        where = 'slot %d' % slot
        if slot != data:
            return None, '%s, which takes %d and nothing else' % (where, slot)
        return line, where if line else where + ', which is no line'

    @classmethod
    def describe(cls):
        if not model.has_symbol('msi_poll') or not int(symbol('msi_poll')['domain']):
            return []
        poll = symbol('msi_poll')
        return ['msi-poll: slots at 0x%x, looked at every %d ns; stray words: %d'
                % (int(poll['slot']), int(poll['tick_ns']), int(poll['stray']))]
