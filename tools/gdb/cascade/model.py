"""The irq core's objects, as the stopped kernel holds them.

Each class is a typed view of one C struct and is found the way the kernel finds it: from a symbol
(irq_desc_table, irq_domain_list, pci_hosts), along the kernel's own pointers.  Types, offsets and
constants come from the debug information, so nothing here knows a machine, and little an ISA.

    irq(8) -> Irq       .actions -> [Action]     .levels -> [Level]    .msi -> MsiDesc or None
                        Level: .hwirq .chip -> Chip    .domain -> Domain    .parent -> Level
    domain('imsic') -> Domain       .resolve(hwirq) -> Irq or None      .chained_on -> irq number
    device('00:01.0') -> pci.Device

What cannot be done raises Problem with one sentence for the user.
"""

import functools
import struct

import gdb


class Problem(gdb.GdbError):
    """What the user asked for cannot be shown; the text says why."""


# ---- The target, and what C calls values -------------------------------------------------------

def attached():
    """The selected CPU's thread; raises Problem if there is none."""
    thread = gdb.selected_thread()
    if thread is None:
        raise Problem('No kernel is attached: start with `make debug\'.')
    return thread


def check_target():
    """Raises Problem unless the very kernel that we have symbols of is stopped under us."""
    table = gdb.lookup_global_symbol('irq_desc_table')
    if table is None:
        raise Problem('No symbols of Cascade are loaded: start with `make debug\', or give gdb '
                      '`file build/<arch>/kernel.elf\'.')
    if attached().is_running() and not _stands(table):
        raise Problem('The kernel is running; stop it first: Ctrl-C, or `interrupt\'.')
    check_image(table.symtab.objfile)


def _stands(table):
    """Where gdb tests a breakpoint's condition the thread counts as running, and can be read."""
    try:
        return bool(read(int(table.value().address), 1))
    except gdb.error:
        return False


BUILD_ID = slice(16, 36)        # of the ELF note: after sizes, type and "GNU"


def check_image(objfile):
    """Raises Problem unless the build id in memory is that of the symbols' file."""
    ours = objfile.build_id
    try:
        theirs = read(int(gdb.parse_and_eval('(long)&__build_id')), BUILD_ID.stop)[BUILD_ID].hex()
    except gdb.error:
        theirs = None
    if ours is None or theirs != ours:
        raise Problem('The kernel that runs is not the build of %s (build id %s, there %s): start '
                      'QEMU again, or load the right file.'
                      % (objfile.filename, (ours or 'none')[:12], (theirs or 'none')[:12]))


@functools.lru_cache(None)
def const(name):
    """The value of an enumerator or of a constant expression of types, such as sizeof."""
    return int(gdb.parse_and_eval(name))


@functools.lru_cache(None)
def ctype(name):
    return gdb.lookup_type(name)


def symbol(name):
    """A variable by name, static ones too."""
    found = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if found is None:
        raise Problem('This kernel has no variable %s.' % name)
    return found.value()


def has_symbol(name):
    return bool(gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name))


def _forget(event):
    for cache in (const, ctype, _symbol_at, _label):
        cache.cache_clear()


gdb.events.new_objfile.connect(_forget)


def text(pointer):
    """The string at a char pointer; None for NULL."""
    return pointer.string(errors='replace') if int(pointer) else None


def struct_at(pointer, name=None):
    """What POINTER points to, as struct NAME if given; read in one piece."""
    if name:
        pointer = gdb.Value(int(pointer)).cast(ctype('struct ' + name).pointer())
    value = pointer.dereference()
    value.fetch_lazy()
    return value


def container_of(pointer, name, member):
    """The struct NAME whose MEMBER is at POINTER."""
    offset = next(f.bitpos // 8 for f in ctype('struct ' + name).fields() if f.name == member)
    return struct_at(int(pointer) - offset, name)


def list_of(head, name, member):
    """The structs of a struct list_head."""
    link, end = int(head['next']), int(head.address)
    for _ in range(65536):
        if link == end or not link:
            return
        entry = container_of(link, name, member)
        yield entry
        link = int(entry[member]['next'])


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def words(address, count):
    """COUNT pointers or unsigned longs in a row."""
    return struct.unpack('<%dQ' % count, read(address, 8 * count)) if count else ()


@functools.lru_cache(4096)
def _symbol_at(address):
    """The function, not what is inlined into it, as a gdb.Symbol; None in assembly."""
    found, block = None, gdb.block_for_pc(address)
    while block and not block.is_static and not block.is_global:
        found, block = block.function or found, block.superblock
    return found


@functools.lru_cache(4096)
def _label(address):
    """"name" or "name+0x12" of a code address by the ELF's symbols; None."""
    words_of = gdb.execute('info symbol %d' % address, to_string=True).split(' in section')[0].split()
    if words_of[:1] == ['No']:
        return None
    return words_of[0] + ('+0x%x' % int(words_of[2]) if len(words_of) > 2 else '')


def _shorten(path):
    return path[2:] if path.startswith('./') else path


def function(pointer):
    """The name of the function at a code address; None for NULL."""
    address = int(pointer)
    if not address:
        return None
    found = _symbol_at(address)
    return found.name if found else _label(address) or hex(address)


def source(pointer):
    """"kernel/irq/handle.c:91": where the function at a code address begins; '' if unknown."""
    found = _symbol_at(int(pointer))
    return '%s:%d' % (_shorten(found.symtab.filename), found.line) if found else ''


def place(address):
    """"idle_loop+0x38 kernel/sched.c:158" """
    entry = gdb.find_pc_line(int(address))
    at = ' %s:%d' % (_shorten(entry.symtab.filename), entry.line) if entry.symtab else ''
    return (_label(int(address)) or hex(int(address))) + at


# ---- CPUs --------------------------------------------------------------------------------------

def cpus_of(mask):
    """The CPUs in a struct cpumask (value or pointer), in order."""
    bits = int(mask['bits'])
    return [cpu for cpu in range(64) if bits >> cpu & 1]


def ranges(numbers):
    """[0, 1, 2, 5] -> "0-2,5", as cpulist_print() does."""
    parts, numbers = [], list(numbers)
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ','.join(str(a) if a == b else '%d-%d' % (a, b) for a, b in parts)


def possible_cpus():
    return cpus_of(symbol('cpu_possible_mask_'))


class Cpu:
    """struct cpu: a logical CPU, and the gdb thread that QEMU shows it as."""

    def __init__(self, number):
        self.id = number
        self.value = symbol('cpus')[number]
        self.value.fetch_lazy()
        self.depth = int(self.value['irq_depth'])
        self.online = bool(self.value['online'])
        self.hwid = int(self.value['hwid'])

    @property
    def current(self):
        """The name of the thread it runs; "boot" before there are threads."""
        thread = self.value['current']
        return text(thread['name']) if int(thread) else 'boot'

    @staticmethod
    def of_thread(isa, thread=None):
        """The Cpu of a gdb thread (default: the selected one); None while that runs no kernel."""
        old = gdb.selected_thread()
        (thread or old).switch()
        try:
            pointer = isa.this_cpu()
        finally:
            old.switch()
        base, size = int(symbol('cpus').address), ctype('struct cpu').sizeof
        number, rest = divmod(pointer - base, size)
        return Cpu(number) if not rest and number in possible_cpus() else None


# ---- Lines -------------------------------------------------------------------------------------

FLOWS = ('level', 'edge', 'fasteoi', 'simple', 'percpu', 'percpu_devid', 'bad')
TYPES = ('none', 'edge-rising', 'edge-falling', 'edge-both', 'level-high', 'level-low')
STATES = (      # in which word, bit, what the shell calls it
    ('irqd', 'IRQD_ACTIVATED', 'activated'),
    ('irqd', 'IRQD_IRQ_STARTED', 'started'),
    ('irqd', 'IRQD_IRQ_DISABLED', 'disabled'),
    ('irqd', 'IRQD_IRQ_MASKED', 'masked'),
    ('istate', 'IRQS_PENDING', 'pending'),
    ('irqd', 'IRQD_IRQ_INPROGRESS', 'inprogress'),
    ('irqd', 'IRQD_AFFINITY_MANAGED', 'managed'),
    ('istate', 'IRQS_ONESHOT', 'oneshot'),
)


def type_name(number):
    for name in TYPES:
        if const('IRQ_TYPE_' + name.upper().replace('-', '_')) == number:
            return name
    return 'none'


class Chip:
    """struct irq_chip: what one controller can do to a line."""

    def __init__(self, value):
        self.value = value
        self.address = int(value.address)
        self.name = text(value['name'])

    def callbacks(self):
        """{"irq_ack": code address} of those that are set."""
        return {field.name: int(self.value[field.name]) for field in self.value.type.fields()
                if field.name not in ('name', 'flags') and int(self.value[field.name])}


class _Stated:
    """Has a line's IRQD_ bits in .irqd."""

    def irqd_test(self, name):
        return bool(self.irqd & const('IRQD_' + name))


class Level(_Stated):
    """struct irq_data: one controller on a line's way; hwirq is its own number of the line."""

    def __init__(self, value):
        self.value = value
        self.irq = int(value['irq'])
        self.hwirq = int(value['hwirq'])
        self.domain = Domain.at(value['domain'])
        self.chip = Chip(struct_at(value['chip'])) if int(value['chip']) else None
        self.chip_data = int(value['chip_data'])

    @property
    def irqd(self):
        return int(self.value['common']['state_use_accessors'])

    @property
    def parent(self):
        up = self.value['parent_data']
        return Level(struct_at(up)) if int(up) else None

    def json(self):
        return {'domain': self.domain.name, 'hwirq': self.hwirq,
                'chip': self.chip.name if self.chip else None}


class Action:
    """struct irqaction: one driver's handler."""

    def __init__(self, value):
        self.value = value
        self.name = text(value['name']) or ''
        self.handler = int(value['handler'])
        self.thread_fn = int(value['thread_fn'])
        self.dev_id = int(value['percpu_dev_id']) or int(value['dev_id'])
        thread = value['thread'] if self.thread_fn else 0   # else it may end before that
        self.thread = text(thread['name']) if int(thread) else None

    def json(self):
        return {'name': self.name, 'handler': function(self.handler),
                'thread_fn': function(self.thread_fn), 'source': source(self.handler)}


class Irq(_Stated):
    """struct irq_desc: one line."""

    def __init__(self, pointer):
        self.value = value = struct_at(pointer, 'irq_desc')
        self.address = int(value.address)
        self.irq = int(value['irq_data']['irq'])
        self.common = value['irq_common_data']
        self.irqd = int(self.common['state_use_accessors'])
        self.istate = int(value['istate'])
        self.depth = int(value['depth'])
        self.handle_irq = int(value['handle_irq'])
        self.chained = bool(self.istate & const('IRQS_CHAINED'))
        self.locked = bool(int(value['lock']['locked']))

    def setting(self, name):
        """Of IRQ_NOAUTOEN, IRQ_PER_CPU, …"""
        return bool(int(self.value['status_use_accessors']) & const('IRQ_' + name))

    @property
    def flow(self):
        if self.chained:
            return 'chained'
        name = function(self.handle_irq) or ''
        word = name[len('handle_'):-len('_irq')]
        return word if name == 'handle_%s_irq' % word and word in FLOWS else 'simple'

    @property
    def type(self):
        return type_name(self.irqd & const('IRQD_TRIGGER_MASK'))

    @property
    def state(self):
        return [word for where, bit, word in STATES if getattr(self, where) & const(bit)]

    @property
    def actions(self):
        """In order of registration; none for a chained line, which has a sentinel."""
        found, pointer = [], self.value['action']
        while int(pointer) and not self.chained and len(found) < 64:
            found.append(Action(struct_at(pointer)))
            pointer = pointer['next']
        return found

    @property
    def has_action(self):
        return bool(int(self.value['action'])) and not self.chained

    @property
    def counts(self):
        """Interrupts taken, by CPU."""
        base = int(self.value['kstat_irqs'].address)
        return [int.from_bytes(read(base + 4 * cpu, 4), 'little') for cpu in possible_cpus()]

    @property
    def affinity(self):
        return cpus_of(self.common['affinity'])

    @property
    def effective(self):
        return cpus_of(self.common['effective_affinity'])

    @property
    def levels(self):
        """From the device's side to the root."""
        found, level = [], Level(self.value['irq_data'])
        while level and level.domain and len(found) < 16:
            found.append(level)
            level = level.parent
        return found

    @property
    def route(self):
        """The levels, and on from a chained controller to the line it hangs on, to the root."""
        found, line = list(self.levels), self
        while line and len(found) < 32:
            levels = line.levels
            upper = levels[-1].domain.chained_on if levels else 0
            line = irq(upper) if upper else None
            found += line.levels if line else []
        return found

    @property
    def feeds(self):
        """The domain of the controller behind a chained line; None."""
        return next((d for d in domains() if d.chained_on == self.irq), None) if self.chained else None

    @property
    def msi(self):
        """The message of the device, if it is sent one."""
        pointer = self.common['msi_desc']
        return MsiDesc(struct_at(pointer)) if int(pointer) else None

    @property
    def title(self):
        """What a person would call it."""
        names = ', '.join(action.name or '?' for action in self.actions)
        feeds = self.feeds
        return '"%s"' % names if names else 'to %s' % feeds.name if feeds else 'no handler'

    def json(self):
        """As the shell's `irqs --json' has it."""
        return {'irq': self.irq, 'flow': self.flow, 'type': self.type,
                'actions': [action.name for action in self.actions], 'counts': self.counts,
                'depth': self.depth, 'state': self.state, 'affinity': self.affinity,
                'effective': self.effective, 'levels': [level.json() for level in self.levels]}


def irq(number):
    """The line of that number; raises Problem if there is none."""
    table = symbol('irq_desc_table')
    _, last = table.type.range()
    pointer = int(table[number]) if 0 < number <= last else 0
    if not pointer:
        raise Problem('There is no irq %d; `irq list --all\' shows those there are.' % number)
    return Irq(pointer)


def irqs(every=False):
    """All lines with an action; EVERY: all descriptors."""
    table = symbol('irq_desc_table')
    lines = (Irq(p) for p in words(int(table.address), table.type.sizeof // 8) if p)
    return [line for line in lines if every or line.has_action]


# ---- Domains -----------------------------------------------------------------------------------

class Domain:
    """struct irq_domain: a controller's number space and its map to irqs."""

    def __init__(self, value):
        self.value = value
        self.address = int(value.address)
        self.name = text(value['name'])
        self.size = int(value['revmap_size'])
        self.mapped = int(value['mapcount'])
        self.chained_on = int(value['chained_on'])
        self.flags = int(value['flags'])
        self.host_data = int(value['host_data'])

    @classmethod
    def at(cls, pointer):
        return cls(struct_at(pointer)) if int(pointer) else None

    def __eq__(self, other):
        return isinstance(other, Domain) and self.address == other.address

    def __hash__(self):
        return hash(self.address)

    @property
    def parent(self):
        return Domain.at(self.value['parent'])

    @property
    def upper(self):
        """What it hangs on: its parent, or the domain of the line it is chained on."""
        if int(self.value['parent']):
            return self.parent
        levels = irq(self.chained_on).levels if self.chained_on else []
        return levels[0].domain if levels else None

    @property
    def fwnode(self):
        node = self.value['fwnode']
        return text(node['name']) if int(node) else None

    @property
    def origin(self):
        """As `domains' says where it comes from."""
        node, device = self.value['fwnode'], self.value['dev']
        if int(node) and int(node['kind']) == const('FWNODE_OF'):
            return self.fwnode
        return 'messages of %s' % text(device['name']) if int(device) else 'software'

    @property
    def map(self):
        if self.flags & const('IRQ_DOMAIN_FLAG_NO_MAP'):
            return 'nomap'
        return 'linear' if self.size else 'tree'

    def _lookup(self, hwirq):
        """The address of the irq_data of HWIRQ, by the map that has it; 0."""
        if hwirq < self.size:
            return words(int(self.value['revmap'].address) + 8 * hwirq, 1)[0]
        if self.map != 'nomap':
            return radix_lookup(self.value['revmap_tree'], hwirq)
        try:
            levels = irq(hwirq).levels
        except Problem:
            return 0
        return next((int(level.value.address) for level in levels if level.domain == self), 0)

    def resolve(self, hwirq):
        """The line of that hwirq, as an interrupt would find it; None."""
        data = self._lookup(hwirq)
        return irq(int(struct_at(data, 'irq_data')['irq'])) if data else None

    def lines(self):
        """[(hwirq, Irq)] of all that is mapped here."""
        found = [(level.hwirq, line) for line in irqs(True) for level in line.levels
                 if level.domain == self]
        return sorted(found, key=lambda pair: pair[0])

    def json(self):
        """As the shell's `domains --json' has it."""
        return {'name': self.name, 'fwnode': self.fwnode,
                'parent': self.parent.name if self.parent else None,
                'chained_on': self.chained_on or None, 'map': self.map, 'size': self.size,
                'mapped': self.mapped}


def domains():
    """All of them, oldest first."""
    return [Domain(value) for value in list_of(symbol('irq_domain_list'), 'irq_domain', 'link')]


def domain(name):
    found = next((d for d in domains() if d.name == name), None)
    if found is None:
        raise Problem('There is no irq domain "%s"; there are: %s.'
                      % (name, ', '.join(d.name for d in domains()) or 'none yet'))
    return found


# ---- Radix trees -------------------------------------------------------------------------------

RADIX_BITS = 6


def radix_lookup(tree, key):
    """What struct radix_tree holds at KEY; 0."""
    node = tree['root']
    if not int(node) or key >> int(node['shift']) + RADIX_BITS:
        return 0
    while True:
        node = struct_at(node, 'radix_node')
        shift = int(node['shift'])
        item = int(node['slot'][key >> shift & (1 << RADIX_BITS) - 1])
        if not shift or not item:
            return item
        node = gdb.Value(item).cast(ctype('struct radix_node').pointer())


def radix_items(tree):
    """[(key, pointer)] of all there is, by ascending key."""
    def descend(pointer, prefix):
        node = struct_at(pointer, 'radix_node')
        shift = int(node['shift'])
        for n, slot in enumerate(words(int(node['slot'].address), 1 << RADIX_BITS)):
            if slot and shift:
                yield from descend(slot, prefix | n << shift)
            elif slot:
                yield prefix | n, slot
    return list(descend(tree['root'], 0)) if int(tree['root']) else []


# ---- Messages ----------------------------------------------------------------------------------

class MsiDesc:
    """struct msi_desc: what software knows of one message of a device (a block of them, for MSI)."""

    def __init__(self, value):
        self.value = value
        self.irq = int(value['irq'])
        self.count = int(value['nvec_used'])
        self.index = int(value['msi_index'])
        self.device = text(value['dev']['name']) if int(value['dev']) else None
        message = value['msg']
        self.address = int(message['address_hi']) << 32 | int(message['address_lo'])
        self.data = int(message['data'])

    @property
    def masked(self):
        """What software last wrote into the row's vector control."""
        return bool(int(self.value['pci']['msix_ctrl']) & const('PCI_MSIX_ENTRY_CTRL_MASKBIT'))


def msi_descs(device):
    """Those of a struct device (value), of its default domain, by index."""
    data = device['msi']['data']
    if not int(data):
        return []
    default = struct_at(data, 'msi_device_data')['dom'][0]
    return [MsiDesc(struct_at(pointer, 'msi_desc')) for _, pointer in radix_items(default['descs'])]
