/* Arm's GPIO controller: see pl061.h. */
#include "models/pl061.h"

enum { DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418,
       IC = 0x41c };

static struct {
	u32 data, dir, is, ibe, iev, ie, latched;
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

	if (m.dir & bit)
		host_die("pl061 model: line %u is an output and driven from outside", line);
	if (!!(m.data & bit) == level)
		return;
	m.data ^= bit;
	if (!(m.is & bit) && (m.ibe & bit || !!(m.iev & bit) == level))
		m.latched |= bit;
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
	default:	host_die("pl061 model: no register at 0x%lx", (unsigned long)offset);
	}
}

void pl061_model_set_dir(u32 dir)
{
	m.dir = dir;
}

static u64 pl061_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("pl061 model: load of %u bytes at 0x%lx", size, (unsigned long)offset);
	return offset < 0x400 ? m.data & offset >> 2 : pl061_model_reg(offset);
}

/* The change alone looks like an event: the worst that the manual allows. */
static void change_detection(u32 *reg, u32 v)
{
	u32 changed = *reg ^ v;

	if (changed & m.ie)
		host_die("pl061 model: detection of lines 0x%x changed while they interrupt",
			 changed & m.ie);
	*reg = v;
	m.latched |= changed;
}

static void pl061_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4 || v > 0xff)
		host_die("pl061 model: store of %u bytes at 0x%lx: 0x%lx", size,
			 (unsigned long)offset, (unsigned long)v);
	switch (offset) {
	case DIR:	m.dir = v; break;
	case IS:	change_detection(&m.is, v); break;
	case IBE:	change_detection(&m.ibe, v); break;
	case IEV:	change_detection(&m.iev, v); break;
	case IE:	m.ie = v; break;
	case IC:	m.latched &= ~v; break;
	default:	host_die("pl061 model: store at 0x%lx", (unsigned long)offset);
	}
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
