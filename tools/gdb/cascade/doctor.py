"""Why an interrupt does not arrive, from outside: the links of the shell's `irq doctor', with its names
and verdicts, but every value read by gdb.

    diagnose(line) -> Diagnosis: .links [(True/False/None, name, value)], .broken (name, value) or None

None is a link that gdb cannot see now: a register that only its CPU can read, and that CPU sleeps.
Nothing that is read here has an effect."""

import gdb

from . import chips, guest, hw, isa, model, pci
from .model import Problem, const, struct_at, symbol


class Broken(Exception):
    """A link is, and those behind it are not looked at."""


def c_hex(number):
    """As C's %#x."""
    return hex(number) if number else '0'


class Diagnosis:
    """The way of one line's interrupts to one CPU after another."""

    def __init__(self, line):
        self.line, self.links, self.broken = line, [], None
        self.cpu = None

    def tell(self, ok, name, value):
        self.links.append((bool(ok), name, value))
        if not ok:
            self.broken = name, value
            raise Broken

    def gate(self, level, is_open, name, value):
        """Closed while the core wants that level's line masked is as it should be."""
        excused = level.irqd_test('IRQ_MASKED') or not level.irqd_test('IRQ_STARTED')
        self.tell(is_open or excused, name, value)

    def unseen(self, name, why):
        self.links.append((None, name, why))

    def on_cpu(self):
        """Registers of a CPU that is not there tell nothing."""
        if not model.Cpu(self.cpu).online:
            self.tell(False, 'CPU', 'cpu %d does not answer: it is offline' % self.cpu)

    def lines(self):
        yield 'irq %d, from the device to the handler:' % self.line.irq
        for ok, name, value in self.links:
            yield '  %-6s %-14s %s' % ({True: 'ok', False: 'BROKEN', None: '?'}[ok], name, value)
        if self.broken:
            yield 'irq %d does not get past "%s": %s' % (self.line.irq, *self.broken)
        else:
            hidden = [name for ok, name, _ in self.links if ok is None]
            yield 'irq %d: nothing is broken%s; if it does not come, the device has not sent it' % (
                self.line.irq, ' that gdb can see (not: %s)' % ', '.join(hidden) if hidden else '')

    def json(self):
        return {'links': [{'link': name, 'ok': ok, 'value': value} for ok, name, value in self.links],
                'irq': self.line.irq, 'cpu': self.cpu, 'ok': not self.broken,
                'broken': self.broken and self.broken[0], 'value': self.broken and self.broken[1]}


def diagnose(line):
    dx = Diagnosis(line)
    for dx.cpu in choose_cpus(line):
        try:
            examine(dx)
        except Broken:
            break
    return dx


def choose_cpus(line):
    online = [cpu for cpu in model.possible_cpus() if model.Cpu(cpu).online]
    if line.setting('PER_CPU_DEVID'):
        return online
    return ([cpu for cpu in line.effective if cpu in online] or
            [cpu for cpu in line.affinity if cpu in online] or online)[:1]


def examine(dx):
    levels = dx.line.levels
    dx.tell(levels, 'domain', levels[0].domain.name if levels else
            'none: the number is allocated and belongs to no controller')
    for device in pci.devices():
        if uses_line(device, dx.line):
            pci_links(dx, device)
    for level in dx.line.route:
        name = level.chip.name if level.chip else None
        if name in _controllers:
            _controllers[name](dx, level)
    cpu_link(dx)
    core_links(dx, dx.line)


def cpu_link(dx):
    """One that is awake and has its interrupts off takes none now; for how long, gdb cannot know."""
    dx.on_cpu()
    thread, selected = guest.thread_of(dx.cpu), gdb.selected_thread()
    if thread is not None:
        try:
            thread.switch()
            takes, at = isa.current().interrupts_on(), model.place(gdb.newest_frame().pc())
        finally:
            selected.switch()
        if not takes:
            dx.unseen('CPU', 'cpu %d is online, but has its interrupts off now, at %s' % (dx.cpu, at))
            return
    dx.tell(True, 'CPU', 'cpu %d is online' % dx.cpu)


# ---- PCI ---------------------------------------------------------------------------------------

def uses_line(device, line):
    pointer = line.common['msi_desc']
    if int(pointer):
        return int(pointer['dev']) == int(device.value['dev'].address)
    return device.intx and int(device.value['irq']) == line.irq


def pci_links(dx, device):
    vendor, command = device.config(0, 2), device.config(const('PCI_COMMAND'), 2)
    known = int(device.value['vendor'])
    dx.tell(vendor == known, 'device', '%s: vendor reads 0x%04x%s'
            % (device.name, vendor, '' if vendor == known else ': it is gone'))
    pm_cap = int(device.value['pm_cap'])
    power = device.config(pm_cap + const('PCI_PM_CTRL'), 2) & const('PCI_PM_CTRL_STATE_MASK') if pm_cap else 0
    dx.tell(not power, 'power', '%s: D%d' % (device.name, power))
    dx.tell(command & (const('PCI_COMMAND_MEMORY') | const('PCI_COMMAND_IO')), 'decode',
            '%s: command 0x%04x' % (device.name, command))
    message = dx.line.msi
    if message or device.value['is_busmaster']:
        for one in upwards(device):
            found = one.config(const('PCI_COMMAND'), 2)
            dx.tell(found & const('PCI_COMMAND_MASTER'), 'bus master', '%s: command 0x%04x' % (one.name, found))
    if not message:
        dx.tell(not command & const('PCI_COMMAND_INTX_DISABLE'), 'INTx',
                '%s: command 0x%04x' % (device.name, command))
        return
    (msix_links if device.msix else msi_links)(dx, device, message)


def upwards(device):
    """A device, and the bridges between it and the root."""
    value = device.value
    while True:
        yield pci.Device(value)
        bridge = value['bus']['bridge']
        if not int(bridge):
            return
        value = struct_at(bridge)


def message_link(dx, message, address, data):
    dx.tell(address == message.address and data == message.data, 'message',
            'the device writes %s to %s, it should be %s to %s'
            % (c_hex(data), c_hex(address), c_hex(message.data), c_hex(message.address)))


def msix_links(dx, device, message):
    flags = device.config(device.msix_cap + const('PCI_MSIX_FLAGS'), 2)
    dx.tell(flags & const('PCI_MSIX_FLAGS_ENABLE'), 'MSI-X enable', 'control 0x%04x' % flags)
    dx.tell(not flags & const('PCI_MSIX_FLAGS_MASKALL'), 'function mask', 'control 0x%04x' % flags)
    row = device.row(message.index)
    dx.gate(dx.line.levels[0], not row['masked'], 'row unmasked',
            'row %d: vector control %s' % (message.index, c_hex(row['masked'])))
    message_link(dx, message, row['address'], row['data'])


def msi_links(dx, device, message):
    flags = device.config(device.msi_cap + const('PCI_MSI_FLAGS'), 2)
    dx.tell(flags & const('PCI_MSI_FLAGS_ENABLE'), 'MSI enable', 'control 0x%04x' % flags)
    n = dx.line.irq - message.irq
    rows = [device.row(index) for index in range(message.count)]
    mask = sum(row['masked'] << index for index, row in enumerate(rows))
    dx.gate(dx.line.levels[0], not rows[n]['masked'], 'message unmasked',
            'message %d: mask %s' % (n, c_hex(mask)))
    message_link(dx, message, rows[0]['address'], rows[0]['data'])


# ---- Controllers -------------------------------------------------------------------------------

_controllers = {}


def controller(*names):
    """Decorator: tells the links of a level whose chip has one of NAMES."""
    def register(links):
        _controllers.update((name, links) for name in names)
        return links
    return register


def target_of(level):
    """The CPU of an interrupt that goes to one."""
    return model.cpus_of(level.value['common']['effective_affinity'])[0]


@controller('RISC-V INTC')
def intc_links(dx, level):
    dx.on_cpu()
    selected = gdb.selected_thread()
    try:
        guest.any_thread_of(dx.cpu).switch()
        sie = isa.current().register('sie')
    finally:
        selected.switch()
    dx.tell(sie >> level.hwirq & 1, 'cause', 'sie of cpu %d is %s, cause %d' % (dx.cpu, c_hex(sie), level.hwirq))


@controller('PLIC')
def plic_links(dx, level):
    plic, n = struct_at(level.chip_data, 'plic'), level.hwirq
    base, one = int(plic['regs']), chips.of(level)
    dx.cpu = target_of(level)
    context = symbol('plic_contexts')[dx.cpu]
    dx.tell(True, 'pending', 'source %d: %d' % (n, one.pending()))
    held = one.claimed_by() is not None
    dx.tell(not held or level.irqd_test('IRQ_INPROGRESS') or level.irqd_test('IRQ_MASKED'), 'gateway',
            'source %d is %s' % (n, 'claimed and not completed: nothing more comes through' if held else 'open'))
    priority = hw.read(base + 4 * n)
    dx.gate(level, priority, 'priority', '%d' % priority)
    enable = chips.bit(int(context['enable']), n)
    dx.tell(enable or dx.line.depth, 'enable', 'context of cpu %d: %d' % (dx.cpu, enable))
    threshold = hw.read(int(context['regs']))
    dx.tell(priority > threshold or not priority, 'threshold',
            'context of cpu %d: %d, the source\'s priority is %d' % (dx.cpu, threshold, priority))


APLIC_MODES = {'none': 0, 'edge-rising': 4, 'edge-falling': 5, 'level-high': 6, 'level-low': 7}
DOMAINCFG_IE = 1 << 8
PRIORITY = 1            # of every source of an APLIC that delivers itself


def aplic_links(dx, level, target):
    """[AIA 4.5]"""
    base, n, one = int(struct_at(level.chip_data, 'aplic')['regs']), level.hwirq, chips.of(level)
    trigger = model.type_name(level.irqd & const('IRQD_TRIGGER_MASK'))
    mode, wanted = hw.read(base + 4 * n), APLIC_MODES.get(trigger, -22)
    dx.tell(mode and (wanted < 0 or mode == wanted), 'source mode',
            'sourcecfg[%d] is %d, for %s it is %d' % (n, mode, trigger, wanted))
    dx.tell(True, 'pending', 'source %d: %d, its wire %d' % (n, one.pending(), chips.bit(base + one.IN_CLRIP, n)))
    dx.gate(level, one.enabled(), 'enable', 'source %d: %d' % (n, one.enabled()))
    found = hw.read(base + one.TARGET + 4 * n)
    dx.tell(found == target, 'target', 'target[%d] is %s, it should be %s' % (n, c_hex(found), c_hex(target)))
    config = hw.read(base)
    dx.tell(config & DOMAINCFG_IE, 'domain enable', 'domaincfg is %s' % c_hex(config))


@controller('APLIC-MSI')
def aplic_msi_links(dx, level):
    aplic, message = struct_at(level.chip_data, 'aplic'), model.MsiDesc(struct_at(level.value['common']['msi_desc']))
    page, guests = message.address - int(aplic['imsic_base']) >> 12, int(aplic['guest_bits'])
    target = (page >> guests) << 18 | (page & (1 << guests) - 1) << 12 | message.data
    aplic_links(dx, level, target if message.address or message.data else 0)


@controller('APLIC-DIRECT')
def aplic_direct_links(dx, level):
    dx.cpu = target_of(level)
    idc = symbol('aplic_idcs')[dx.cpu]
    aplic_links(dx, level, int(idc['hart']) << 18 | PRIORITY)
    base = int(idc['regs'])
    threshold, delivery = hw.read(base + chips.AplicDirect.ITHRESHOLD), hw.read(base + chips.AplicDirect.IDELIVERY)
    dx.tell(not threshold or PRIORITY < threshold, 'threshold',
            'ithreshold of cpu %d is %d, the source\'s priority %d' % (dx.cpu, threshold, PRIORITY))
    dx.tell(delivery == 1, 'delivery', 'idelivery of cpu %d is %d' % (dx.cpu, delivery))


def imsic_file(dx, level, n):
    """The CSRs of one identity. [AIA 3.8]"""
    dx.on_cpu()
    file = chips.Imsic
    word = n // 64 * 2
    read = lambda register: isa.current().indirect(dx.cpu, register)
    if read(file.EIDELIVERY) is None:
        hidden = 'a CSR of cpu %d, which sleeps: only it can read that' % dx.cpu
        dx.unseen('pending', hidden)
        shadow = chips.memory_bit(int(symbol('imsic')['hart'][dx.cpu]['enabled'].address), n)
        dx.gate(level, shadow, 'identity', 'eie[%d] of cpu %d is %d by the kernel\'s shadow' % (n, dx.cpu, shadow))
        dx.unseen('threshold', hidden)
        dx.unseen('delivery', hidden)
        return
    dx.tell(True, 'pending', 'eip[%d] of cpu %d is %d' % (n, dx.cpu, read(file.EIP + word) >> n % 64 & 1))
    enabled = read(file.EIE + word) >> n % 64 & 1
    dx.gate(level, enabled, 'identity', 'eie[%d] of cpu %d is %d' % (n, dx.cpu, enabled))
    threshold, delivery = read(file.EITHRESHOLD), read(file.EIDELIVERY)
    dx.tell(not threshold or n < threshold, 'threshold', 'eithreshold of cpu %d is %d' % (dx.cpu, threshold))
    dx.tell(delivery == 1, 'delivery', 'eidelivery of cpu %d is %d' % (dx.cpu, delivery))


@controller('IMSIC')
def imsic_links(dx, level):
    if not level.irqd_test('ACTIVATED') or not level.chip_data:
        return
    vector = struct_at(level.chip_data, 'imsic_vector')
    dx.cpu, own = int(vector['cpu']), int(vector['desc']) == dx.line.address
    dx.tell(own, 'translation', 'identity %d of cpu %d is %s'
            % (int(vector['id']), dx.cpu, 'this line\'s' if own else 'another line\'s'))
    imsic_file(dx, level, int(vector['id']))


@controller('IMSIC-IPI')
def imsic_ipi_links(dx, level):
    imsic_file(dx, level, level.hwirq)


GIC_PRIORITY = 0xa0
ICC_PMR, ICC_IGRPEN1 = 0xd5384600, 0xd538cce0           # mrs x0, …


def sysreg(dx, instruction):
    """A system register that QEMU hides; None while the CPU sleeps."""
    thread = guest.thread_of(dx.cpu)
    return None if thread is None else guest.run(thread, instruction, {}, 0)


class Gic3Path:
    """What lies between the distributor and a CPU of a GICv3."""

    interface_bit, enable_bit = 1, 1 << 1

    def __init__(self, dx, intid):
        self.dist, n = int(symbol('gic')['dist']), intid
        self.bank = self.dist if n >= 32 else int(symbol('gic')['redist'][dx.cpu]['base']) + 0x10000
        self.read = hw.read
        self.cpu = int(model.Cpu(dx.cpu).hwid) & 0xff00ffffff
        self.ctlr = hw.read(self.dist)
        self.mask, self.interface = sysreg(dx, ICC_PMR), sysreg(dx, ICC_IGRPEN1)
        self.route = hw.read(self.dist + 0x6000 + 8 * n, 8) if 32 <= n < 8192 else self.cpu
        self.routed = self.route == self.cpu


class Gic2Path:
    """The same of a GICv2, all of which only a CPU can read, and its own lines only that CPU."""

    enable_bit, interface_bit = 1, 1

    def __init__(self, dx, intid):
        gic = symbol('gic2')
        self.bank, interface = int(gic['dist']), int(gic['cpu'])
        self.read = lambda address: guest.load(address, dx.cpu if intid < 32 else None)
        self.ctlr = self.read(self.bank)
        own = lambda address: guest.load(address, dx.cpu) if guest.thread_of(dx.cpu) else None
        self.interface, self.mask = own(interface), own(interface + 4)
        targets = self.read(self.bank + 0x800 + (intid & ~3)) >> intid % 4 * 8 & 0xff
        self.route, self.routed = targets, intid < 16 or targets & int(gic['target'][dx.cpu])


def gic_tail(dx, path, who, priority):
    """The CPU's side."""
    if path.mask is None:
        for name in ('priority', 'CPU interface'):
            dx.unseen(name, 'registers of cpu %d, which sleeps: only it can read those' % dx.cpu)
        return
    dx.tell(priority < path.mask, 'priority', '%s %s, cpu %d takes what is below %s'
            % (who, c_hex(priority), dx.cpu, c_hex(path.mask)))
    on = path.interface & path.interface_bit
    dx.tell(on, 'CPU interface', 'of cpu %d is %s' % (dx.cpu, 'on' if on else 'off'))


@controller('GICv2', 'GICv3')
def gic_links(dx, level):
    """[GIC2 3.2] [GIC3 4.1]"""
    n = level.hwirq
    dx.on_cpu()
    try:
        path = (Gic2Path if level.chip.name == 'GICv2' else Gic3Path)(dx, n)
    except Problem as problem:
        dx.unseen('distributor', str(problem))
        return
    bit = lambda array: path.read(path.bank + array + n // 32 * 4) >> n % 32 & 1
    wires = chips.GicWires
    dx.tell(True, 'pending', 'INTID %d: %d' % (n, bit(wires.ISPENDR)))
    enabled, active = bit(wires.ISENABLER), bit(wires.ISACTIVER)
    dx.gate(level, enabled or dx.line.setting('PER_CPU_DEVID'), 'enable', 'INTID %d: %d' % (n, enabled))
    dx.tell(path.ctlr & path.enable_bit, 'distributor', 'GICD_CTLR is %s' % c_hex(path.ctlr))
    dx.tell(path.routed, 'route', 'INTID %d goes to %s, which is %scpu %d'
            % (n, c_hex(path.route), '' if path.routed else 'not ', dx.cpu))
    gic_tail(dx, path, 'INTID %d has' % n, path.read(path.bank + 0x400 + (n & ~3)) >> n % 4 * 8 & 0xff)
    dx.tell(not active or level.irqd_test('IRQ_INPROGRESS') or n < 32, 'active',
            'INTID %d: %s' % (n, 'yes, its end was never written' if active else 'no'))


@controller('ITS')
def its_links(dx, level):
    """(DeviceID, EventID) -> LPI -> redistributor. [GIC3 5.1]"""
    if not level.irqd_test('ACTIVATED'):
        return
    device, lpi = struct_at(level.chip_data, 'its_device'), level.hwirq
    its, event = struct_at(device['its']), lpi - int(device['first_lpi'])
    cpu = int(device['event'][event]['cpu'])
    ctlr = hw.read(int(its['regs']))
    dx.tell(ctlr & 1, 'ITS', 'GITS_CTLR is %s' % c_hex(ctlr))
    stuck = bool(its['stuck'])
    dx.tell(not stuck, 'command queue', 'a command was not done in time' if stuck else 'all commands are done')
    or_not = lambda there: '' if there else ', which is not mapped'
    mapped, present = bool(device['mapped']), bool(device['event'][event]['present'])
    dx.tell(mapped and present, 'translation', 'device %04x%s, event %d%s: LPI %d'
            % (int(device['id']), or_not(mapped), event, or_not(present), lpi))
    collected = cpu in model.cpus_of(its['mapped'])
    dx.tell(collected, 'collection', 'of cpu %d%s' % (cpu, or_not(collected)))
    enabled = model.read(int(symbol('gic')['lpi_property']) + lpi - 8192, 1)[0] & 1
    dx.gate(level, enabled, 'property', 'LPI %d: enable %d' % (lpi, enabled))
    dx.cpu = cpu
    ctlr = hw.read(int(symbol('gic')['redist'][cpu]['base']))
    dx.tell(ctlr & 1, 'redistributor', 'GICR_CTLR of cpu %d is %s' % (cpu, c_hex(ctlr)))
    dx.on_cpu()
    path = Gic3Path(dx, 8192)
    dx.tell(path.ctlr & path.enable_bit, 'distributor', 'GICD_CTLR is %s' % c_hex(path.ctlr))
    gic_tail(dx, path, 'LPIs have', GIC_PRIORITY)


@controller('MSI-poll')
def poll_links(dx, level):
    line, n = symbol('msi_poll')['line'][level.hwirq], level.hwirq
    dx.cpu, looker = int(line['cpu']), int(line['looker'])
    dx.tell(True, 'pending', 'slot %d holds %d' % (n, int(symbol('msi_poll')['slot'][n])))
    dx.gate(level, looker == dx.cpu + 1, 'looked at', 'slot %d: %s cpu %d'
            % (n, 'by' if looker else 'not by', looker - 1 if looker else dx.cpu))


# ---- The core ----------------------------------------------------------------------------------

def why_disabled(line):
    if line.istate & const('IRQS_SPURIOUS_DISABLED'):
        return 'the core turned it off, nobody handled it: is its driver\'s device silent?'
    if line.irqd_test('AFFINITY_MANAGED') and line.irqd_test('MANAGED_SHUTDOWN'):
        return 'managed, and all of its CPUs are offline'
    return 'so many disable_irq() wait for their enable_irq()'


def state_links(dx, line):
    oneshot, masked = int(line.value['threads_oneshot']), line.irqd_test('IRQ_MASKED')
    handled, started = line.irqd_test('IRQ_INPROGRESS'), line.irqd_test('IRQ_STARTED')
    dx.tell(started or line.depth, 'started', 'yes' if started else 'it has been shut down')
    dx.tell(not line.depth, 'depth', '%d: %s' % (line.depth, why_disabled(line)) if line.depth else '0')
    reason = 'until its handler\'s thread is done' if oneshot else 'while its handlers run' if handled else \
        'by nobody known'
    dx.tell(not masked or oneshot or handled, 'unmasked', 'masked ' + reason if masked else 'yes')


def core_links(dx, line):
    activated = line.irqd_test('ACTIVATED')
    dx.tell(activated, 'activated', 'yes' if activated else
            'its controllers have no way set up: nobody has requested it')
    if line.setting('PER_CPU_DEVID'):
        enabled = dx.cpu in model.cpus_of(line.value['percpu_enabled'])
        dx.tell(enabled, 'enabled', 'cpu %d has %senabled it' % (dx.cpu, '' if enabled else 'not '))
    else:
        state_links(dx, line)
    dx.tell(line.flow != 'bad', 'flow', line.flow)
    if not line.chained:
        actions = line.actions
        dx.tell(actions, 'action', actions[0].name if actions else
                'no handler: request_irq() was not called, or free_irq() was')
