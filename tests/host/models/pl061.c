/* Arm's GPIO controller: see pl061.h. */
#include "models/pl061.h"

enum { DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418,
       IC = 0x41c };

static struct {
	u32 data, dir, is, ibe, iev, ie, latched;
	u32 made_up;		/* latched by a change of detection, and not yet cleared */
	bool latch_levels, level;
	void (*out)(bool level);
} m;

/* Lines at the level that they are sensitive to. */
static u32 levels(void)
{
	return ~(m.data ^ m.iev) & m.is & 0xff;
}

static u32 raw(void)
{
	return m.latched | levels();
}

static void update(void)
{
	bool level;

	if (m.latch_levels)
		m.latched |= levels();
	level = raw() & m.ie;
	if (level == m.level)
		return;
	m.level = level;
	m.out(level);
}

void pl061_model_line(unsigned int line, bool level)
{
	u32 bit = BIT(line);

	if (m.dir & bit) {
		model_violation("pl061 model: line %u is an output and driven from outside", line);
		return;
	}
	if (!!(m.data & bit) == level)
		return;
	m.data ^= bit;
	if (!(m.is & bit) && (m.ibe & bit || !!(m.iev & bit) == level)) {
		m.latched |= bit;
		m.made_up &= ~bit;
	}
	update();
}

u32 pl061_model_reg(u64 offset)
{
	switch (offset) {
	case DIR:	return m.dir;
	case IS:	return m.is;
	case IBE:	return m.ibe;
	case IEV:	return m.iev;
	case IE:	return m.ie;
	case RIS:	return raw();
	case MIS:	return raw() & m.ie;
	}
	model_violation("pl061 model: load at 0x%lx, no register to read", (unsigned long)offset);
	return 0;
}

void pl061_model_set_dir(u32 dir)
{
	m.dir = dir;
}

static u64 pl061_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv;
	if (size == 4)
		return offset < 0x400 ? m.data & offset >> 2 : pl061_model_reg(offset);
	model_violation("pl061 model: load of %u bytes at 0x%lx, not 4", size,
			(unsigned long)offset);
	return 0;
}

/* The change alone looks like an event: the worst that the manual allows. */
static void change_detection(u32 *reg, u32 v)
{
	u32 changed = *reg ^ v;

	if (changed & m.ie)
		model_violation("pl061 model: detection of lines 0x%x changed while they interrupt",
				changed & m.ie);
	*reg = v;
	m.latched |= changed;
	m.made_up |= changed;
}

static void write_enable(u32 v)
{
	u32 more = v & ~m.ie;

	if (more & m.dir)
		model_violation("pl061 model: interrupt of lines 0x%x enabled, which are outputs",
				more & m.dir);
	if (more & m.made_up)
		model_violation("pl061 model: lines 0x%x enabled with an event that only their "
				"programming made", more & m.made_up);
	m.ie = v;
}

static void write_register(u64 offset, u32 v)
{
	switch (offset) {
	case DIR:	m.dir = v; break;
	case IS:	change_detection(&m.is, v); break;
	case IBE:	change_detection(&m.ibe, v); break;
	case IEV:	change_detection(&m.iev, v); break;
	case IE:	write_enable(v); break;
	case IC:	m.latched &= ~v, m.made_up &= ~v; break;
	default:
		model_violation("pl061 model: store at 0x%lx, no register to write",
				(unsigned long)offset);
	}
}

static void pl061_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		model_violation("pl061 model: store of %u bytes at 0x%lx, not 4", size,
				(unsigned long)offset);
	else if (v > 0xff)
		model_violation("pl061 model: 0x%lx stored at 0x%lx: there are eight lines",
				(unsigned long)v, (unsigned long)offset);
	else
		write_register(offset, v);
	update();
}

void pl061_model(bool latch_levels, void (*out)(bool level))
{
	static const struct host_mmio_ops ops = { pl061_read, pl061_write };

	__builtin_memset(&m, 0, sizeof(m));
	m.latch_levels = latch_levels;
	m.out = out;
	m.ie = 0x81;		/* as if somebody had used it before */
	host_mmio_add("pl061", PL061_BASE, 0x1000, &ops, NULL);
}
