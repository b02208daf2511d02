"""Pretty-printers: `print' shows an irq object in one line; `print /r' its fields.

    (gdb) p *desc           irq 8 "virtio0-req.0" 1@IMSIC-PCI-MSIX-00:01.0 edge cpu 0 depth 0
    (gdb) p desc->irq_common_data.affinity          cpus 0-3

What a printer cannot make sense of, such as a variable that is not set yet, gdb prints itself."""

import gdb
import gdb.printing
import gdb.types

from . import chips, isa, model
from .model import Problem, function, ranges, struct_at, text

_functions = {}         # struct name -> function that gives its text


def printer(name):
    def register(describe):
        _functions[name] = describe
        return describe
    return register


@printer('irq_desc')
def _irq_desc(value):
    line = model.Irq(value.address)
    level = model.Level(value['irq_data'])
    where = ' %d@%s' % (level.hwirq, level.domain.name) if level.domain else ' without domain'
    return 'irq %d %s%s %s cpu %s depth %d%s' % (
        line.irq, line.title, where, line.flow, ranges(line.effective) or '-', line.depth,
        ''.join(' ' + word for word in line.state if word not in ('activated', 'started')))


@printer('irq_data')
def _irq_data(value):
    level = model.Level(value)
    if level.domain is None:
        return 'irq %d, no domain' % level.irq
    found = chips.of(level)
    return 'irq %d = %d@%s, chip %s%s' % (level.irq, level.hwirq, level.domain.name,
                                         level.chip.name if level.chip else 'none',
                                         ', ' + found.where() if found else '')


@printer('irq_common_data')
def _common(value):
    words = [word for where, bit, word in model.STATES
             if where == 'irqd' and int(value['state_use_accessors']) & model.const(bit)]
    return 'state %s; asked for cpus %s, effective %s' % (
        ' '.join(words) or '-', ranges(model.cpus_of(value['affinity'])) or 'none',
        ranges(model.cpus_of(value['effective_affinity'])) or 'none')


@printer('irq_chip')
def _irq_chip(value):
    chip = model.Chip(value)
    names = [name[4:] if name.startswith('irq_') else name for name in chip.callbacks()]
    return 'chip "%s": %s' % (chip.name, ' '.join(names) or 'no callbacks')


@printer('irq_domain')
def _irq_domain(value):
    domain = model.Domain(value)
    on = ' on irq %d' % domain.chained_on if domain.chained_on else \
        ' below %s' % domain.parent.name if domain.parent else ''
    return 'domain "%s"%s: %s %d, %d mapped' % (domain.name, on, domain.map, domain.size, domain.mapped)


@printer('irqaction')
def _irqaction(value):
    names = []
    for _ in range(16):
        action = model.Action(value)
        then = ', then %s in %s' % (function(action.thread_fn), action.thread or 'no thread yet') \
            if action.thread_fn else ''
        names.append('"%s": %s(0x%x)%s' % (action.name, function(action.handler), action.dev_id, then))
        if not int(value['next']):
            break
        value = struct_at(value['next'])
    return '; '.join(names)


@printer('cpumask')
def _cpumask(value):
    return 'cpus %s' % (ranges(model.cpus_of(value)) or 'none')


@printer('msi_msg')
def _msi_msg(value):
    target = int(value['address_hi']) << 32 | int(value['address_lo'])
    found = chips.receiver(target, int(value['data']))
    return 'writes 0x%x to 0x%x%s' % (int(value['data']), target, ': ' + found[1] if found else '')


@printer('msi_desc')
def _msi_desc(value):
    desc = model.MsiDesc(value)
    return 'message %d of %s%s: 0x%x to 0x%x -> irq %d' % (
        desc.index, desc.device, ' and %d more' % (desc.count - 1) if desc.count > 1 else '',
        desc.data, desc.address, desc.irq)


@printer('irq_fwspec')
def _fwspec(value):
    count = int(value['param_count'])
    node = value['fwnode']
    cells = ' '.join('%#x' % int(value['param'][n]) for n in range(min(count, 16)))
    return '<%s> of %s' % (cells, text(node['name']) if int(node) else 'no node')


@printer('fwnode_handle')
def _fwnode(value):
    return '"%s" (%s)' % (text(value['name']), value['kind'])


@printer('device')
def _device(value):
    return 'device "%s"' % text(value['name'])


@printer('pci_dev')
def _pci_dev(value):
    return 'PCI device %s, %04x:%04x' % (value['name'].string(), int(value['vendor']),
                                         int(value['device']))


@printer('pt_regs')
def _pt_regs(value):
    machine = isa.current()
    return '%s from %s, interrupts were %s' % (machine.what(value), model.place(machine.pc(value)),
                                               'on' if machine.enabled(value) else 'off')


@printer('spinlock')
def _spinlock(value):
    return 'locked' if int(value['locked']) else 'unlocked'


@printer('mutex')
def _mutex(value):
    owner = value['owner']
    return 'held by thread "%s"' % text(owner['name']) if int(owner) else 'free'


@printer('thread')
def _thread(value):
    state = str(value['state']).replace('THREAD_', '').lower()
    cpu = int(value['cpu']['id']) if int(value['cpu']) else -1
    return 'thread "%s" on cpu %d, %s' % (text(value['name']), cpu, state)


@printer('list_head')
def _list_head(value):
    if value.address is None or not int(value['next']):
        return 'not on a list, not initialised'
    if int(value['next']) == int(value.address):
        return 'empty'
    count, link = 0, int(value['next'])
    while link and link != int(value.address) and count < 1000:
        count, link = count + 1, model.words(link, 1)[0]
    return '%d linked, first 0x%x' % (count, int(value['next']))


@printer('imsic_vector')
def _imsic_vector(value):
    desc = value['desc']
    owner = 'irq %d' % int(desc['irq_data']['irq']) if int(desc) else 'no line'
    return 'identity %d of cpu %d, %s' % (int(value['id']), int(value['cpu']), owner)


@printer('its_device')
def _its_device(value):
    first, count = int(value['first_lpi']), int(value['nr_events'])
    return 'ITS device %04x: %d events, LPIs %d to %d' % (int(value['id']), count, first,
                                                         first + count - 1)


class _Text:
    """What gdb wants of a printer."""

    def __init__(self, words):
        self.words = words

    def to_string(self):
        return self.words


class Collection(gdb.printing.PrettyPrinter):
    """Looks a struct up by its tag."""

    def __init__(self):
        super().__init__('cascade', [gdb.printing.SubPrettyPrinter(name) for name in _functions])

    def __call__(self, value):
        plain = gdb.types.get_basic_type(value.type)
        describe = _functions.get(plain.tag) if plain.code == gdb.TYPE_CODE_STRUCT else None
        if describe is None:
            return None
        try:
            return _Text(describe(value))
        except (gdb.error, Problem, ValueError):
            return None


def register():
    gdb.printing.register_pretty_printer(None, Collection(), replace=True)
