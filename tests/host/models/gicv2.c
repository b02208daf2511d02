/* A GICv2 and its v2m frame: see gicv2.h. Offsets and names as in [GIC2 4.1.2, 4.1.3]. */
#include <asm/csr.h>
#include <kernel/smp.h>
#include <pthread.h>
#include <string.h>
#include "models/gicv2.h"

#define MAX_CPUS	8
#define NOTHING		1023

enum { PENDING = 1, ACTIVE = 2, ENABLED = 4 };

static struct {
	bool on;
	unsigned int nr;
	u64 hwid[MAX_CPUS];
	u32 typer;			/* the frame's */
	struct line {
		u8 state, target, priority;
		bool edge, wire;
	} spi[GIC_INTIDS], own[MAX_CPUS][32];
	u8 sgi_from[MAX_CPUS][16];	/* who has it pending at that interface: a bit a sender */
	struct {
		u32 ctlr, pmr, claimed;	/* NOTHING: no claim is open */
	} cpu[MAX_CPUS];
	unsigned int ended_from[MAX_CPUS];
} g;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Lines ---------------------------------------------------------------------------------- */

static unsigned int interface_of(u64 hwid)
{
	for (unsigned int i = 0; i < g.nr; i++)
		if (g.hwid[i] == hwid)
			return i;
	host_die("gicv2 model: no interface is of hardware id %lu", (unsigned long)hwid);
}

static bool has_line(unsigned int intid)
{
	if (intid >= GIC_INTIDS)
		model_violation("gicv2: there is no INTID %u", intid);
	return intid < GIC_INTIDS;
}

static struct line *line_at(unsigned int i, unsigned int intid)
{
	return intid < 32 ? &g.own[i][intid] : &g.spi[intid];
}

static bool is_pending(const struct line *line)
{
	return line->state & PENDING || (!line->edge && line->wire);
}

static bool targets(unsigned int i, unsigned int intid)
{
	return intid < 32 || g.nr == 1 || g.spi[intid].target >> i & 1;
}

static unsigned int best(unsigned int i)
{
	if (!g.on || !(g.cpu[i].ctlr & 1) || g.cpu[i].claimed != NOTHING)
		return NOTHING;
	for (unsigned int intid = 0; intid < GIC_INTIDS; intid++) {
		const struct line *line = line_at(i, intid);

		if (is_pending(line) && line->state & ENABLED && !(line->state & ACTIVE) &&
		    targets(i, intid) && line->priority < g.cpu[i].pmr)
			return intid;
	}
	return NOTHING;
}

static void update(void)
{
	for (unsigned int i = 0; i < g.nr; i++) {
		int cpu = cpu_by_hwid(g.hwid[i]);

		if (cpu >= 0)
			host_set_line(cpu, IRQ_S_EXT, best(i) != NOTHING);
	}
}

void gicv2_wire(unsigned int intid, bool level)
{
	struct line *line = &g.spi[intid];

	pthread_mutex_lock(&lock);
	if (level && !line->wire && line->edge)
		line->state |= PENDING;
	line->wire = level;
	update();
	pthread_mutex_unlock(&lock);
}

void gicv2_intrude(unsigned int intid)
{
	g.spi[intid].state |= ENABLED | PENDING;
	update();
}

/* ---- CPU interface -------------------------------------------------------------------------- */

static unsigned int me(void)
{
	unsigned int i = interface_of(cpus[smp_processor_id()].hwid);

	if (host_irqs_on && g.cpu[i].ctlr & 1)
		model_violation("gicv2: CPU %u uses its interface with interrupts on",
				smp_processor_id());
	return i;
}

static void need_zeros(const char *what, u32 v, u32 allowed)
{
	if (v & ~allowed)
		model_violation("gicv2: %s: reserved bits 0x%x are written", what, v & ~allowed);
}

static u32 acknowledge(unsigned int i)
{
	unsigned int intid = best(i), from;
	struct line *line;

	if (intid == NOTHING)
		return NOTHING;
	line = line_at(i, intid);
	line->state = (line->state & ~PENDING) | ACTIVE;
	g.cpu[i].claimed = intid;
	if (intid < 16) {
		from = __builtin_ctz(g.sgi_from[i][intid]);
		g.sgi_from[i][intid] &= ~(1U << from);
		if (g.sgi_from[i][intid])
			line->state |= PENDING;
		g.cpu[i].claimed |= from << 10;
	}
	return g.cpu[i].claimed;
}

static void end(unsigned int i, u32 v)
{
	if (v != g.cpu[i].claimed || v == NOTHING) {
		if (g.cpu[i].claimed == NOTHING)
			model_violation("gicv2: interface %u ends 0x%x, but has claimed nothing", i,
					v);
		else
			model_violation("gicv2: interface %u ends 0x%x, but has claimed 0x%x", i,
					v, g.cpu[i].claimed);
		return;
	}
	line_at(i, v & 1023)->state &= ~ACTIVE;
	if ((v & 1023) < 16)
		g.ended_from[v >> 10]++;
	g.cpu[i].claimed = NOTHING;
}

static u64 cpu_read(void *priv, u64 offset, unsigned int size)
{
	unsigned int i;
	u32 v = 0;

	(void)priv;
	pthread_mutex_lock(&lock);
	i = me();
	if (size != 4)
		model_violation("gicv2: GICC load of %u bytes", size);
	else if (offset == 0x00)
		v = g.cpu[i].ctlr;
	else if (offset == 0x04)
		v = g.cpu[i].pmr;
	else if (offset == 0x0c)
		v = acknowledge(i);
	else
		model_violation("gicv2: GICC load at 0x%lx", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
	return v;
}

static void turn(unsigned int i, u32 v)
{
	need_zeros("GICC_CTLR", v, 0x3ff);
	g.cpu[i].ctlr = v & 0x3ff;
	if (v & 1)
		csr_set(CSR_SIE, BIT(IRQ_S_EXT));
}

/* Active priorities may be given up, not made up. */
static void write_apr(unsigned int i, u64 offset, u32 v)
{
	need_zeros("GICC_APR", v, 0);
	if (offset == 0xd0)
		g.cpu[i].claimed = NOTHING;
}

static void cpu_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	unsigned int i;

	(void)priv;
	pthread_mutex_lock(&lock);
	i = me();
	if (size != 4)
		model_violation("gicv2: GICC store of %u bytes", size);
	else if (offset == 0x00)
		turn(i, v);
	else if (offset == 0x04)
		need_zeros("GICC_PMR", v, 0xff), g.cpu[i].pmr = v & 0xff;
	else if (offset == 0x08)
		need_zeros("GICC_BPR", v, 7);
	else if (offset == 0x10)
		end(i, v);
	else if (offset >= 0xd0 && offset < 0xe0)
		write_apr(i, offset, v);
	else
		model_violation("gicv2: GICC store at 0x%lx", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
}

/* ---- Distributor ---------------------------------------------------------------------------- */

/* GICD_TYPER: ITLinesNumber, CPUNumber. */
static u32 dist_typer(void)
{
	return (GIC_INTIDS / 32 - 1) | (g.nr - 1) << 5;
}

static u8 read_target(unsigned int i, unsigned int intid)
{
	if (g.nr == 1)
		return 0;
	return intid < 32 ? 1U << i : g.spi[intid].target;
}

static u32 read_bits(unsigned int i, unsigned int first, unsigned int bit)
{
	u32 v = 0;

	for (unsigned int b = 0; b < 32; b++) {
		const struct line *line = line_at(i, first + b);

		if (bit == PENDING ? is_pending(line) : line->state & bit)
			v |= 1U << b;
	}
	return v;
}

static u32 read_icfgr(unsigned int i, unsigned int first)
{
	u32 v = 0;

	for (unsigned int n = 0; n < 16; n++)
		if (line_at(i, first + n)->edge)
			v |= 2U << 2 * n;
	return v;
}

/* Bytes only of the registers with a byte for each line. */
static bool dist_access(const char *what, u64 offset, unsigned int size)
{
	if (size == 4 || (size == 1 && offset >= 0x400 && offset < 0xc00))
		return true;
	model_violation("gicv2: GICD %s of %u bytes at 0x%lx", what, size, (unsigned long)offset);
	return false;
}

static u64 read_dist(unsigned int i, u64 offset, unsigned int size)
{
	static const u8 bits[] = { ENABLED, ENABLED, PENDING, PENDING, ACTIVE, ACTIVE };
	u64 v = 0;

	if (offset == 0x000)
		return g.on;
	if (offset == 0x004)
		return dist_typer();
	if (offset == 0xfe8)
		return 0x2b;
	if (offset >= 0x100 && offset < 0x400)
		return has_line(offset % 0x80 * 8)
			? read_bits(i, offset % 0x80 * 8, bits[(offset - 0x100) / 0x80]) : 0;
	if (offset >= 0x400 && offset < 0x800) {
		for (unsigned int n = 0; has_line(offset - 0x400) && n < size; n++)
			v |= (u64)line_at(i, offset - 0x400 + n)->priority << 8 * n;
		return v;
	}
	if (offset >= 0x800 && offset < 0xc00) {
		for (unsigned int n = 0; has_line(offset - 0x800) && n < size; n++)
			v |= (u64)read_target(i, offset - 0x800 + n) << 8 * n;
		return v;
	}
	if (offset >= 0xc00 && offset < 0xd00)
		return has_line((offset - 0xc00) * 4) ? read_icfgr(i, (offset - 0xc00) * 4) : 0;
	model_violation("gicv2: GICD load at 0x%lx", (unsigned long)offset);
	return 0;
}

static u64 dist_read(void *priv, u64 offset, unsigned int size)
{
	u64 v = 0;

	(void)priv;
	pthread_mutex_lock(&lock);
	if (dist_access("load", offset, size))
		v = read_dist(interface_of(cpus[smp_processor_id()].hwid), offset, size);
	pthread_mutex_unlock(&lock);
	return v;
}

static void write_bits(unsigned int i, unsigned int first, unsigned int bit, bool set, u32 v)
{
	for (unsigned int b = 0; b < 32; b++) {
		struct line *line = line_at(i, first + b);

		if (!(v >> b & 1) || (bit == PENDING && first + b < 16))
			continue;
		line->state = set ? line->state | bit : line->state & ~bit;
	}
}

static void write_icfgr(unsigned int i, unsigned int first, u32 v)
{
	for (unsigned int n = 0; n < 16; n++) {
		struct line *line = line_at(i, first + n);
		bool edge = v >> 2 * n & 2;

		if (first + n < 16 || edge == line->edge)
			continue;
		if (line->state & ENABLED) {
			model_violation("gicv2: INTID %u changes its trigger while enabled",
					first + n);
			continue;
		}
		line->edge = first + n == 27 ? line->edge : edge;	/* one that is wired in */
	}
}

static void write_target(unsigned int intid, u8 v)
{
	if (intid < 32)
		model_violation("gicv2: the targets of INTID %u are read-only", intid);
	else if (g.spi[intid].state & ENABLED)
		model_violation("gicv2: the targets of INTID %u change while it is enabled", intid);
	else if (v & ~((1U << g.nr) - 1))
		model_violation("gicv2: INTID %u: no interface is target 0x%x", intid, v);
	else if (g.nr > 1)
		g.spi[intid].target = v;
}

/* The target list's filter must be 0. [GIC2 GICD_SGIR] */
static void send(unsigned int from, u32 v)
{
	need_zeros("GICD_SGIR", v, 0xff000f);
	if (!(v >> 16 & ((1U << g.nr) - 1)))
		model_violation("gicv2: SGI %u goes to nobody: 0x%x", v & 15, v);
	for (unsigned int i = 0; i < g.nr; i++) {
		if (!(v >> (16 + i) & 1))
			continue;
		g.sgi_from[i][v & 15] |= 1U << from;
		g.own[i][v & 15].state |= PENDING;
	}
}

static void clear_sgis(unsigned int i, unsigned int first, u32 v)
{
	for (unsigned int n = 0; n < 4; n++) {
		g.sgi_from[i][first + n] &= ~(v >> 8 * n);
		if (!g.sgi_from[i][first + n])
			g.own[i][first + n].state &= ~PENDING;
	}
}

static void write_bytes(unsigned int i, u64 offset, u32 v, unsigned int size)
{
	unsigned int first = offset % 0x400;

	if (!has_line(first))
		return;
	for (unsigned int n = 0; n < size; n++) {
		if (offset >= 0x800)
			write_target(first + n, v >> 8 * n);
		else
			line_at(i, first + n)->priority = v >> 8 * n;
	}
}

static void write_dist(unsigned int i, u64 offset, u32 v, unsigned int size)
{
	static const u8 bits[] = { ENABLED, ENABLED, PENDING, PENDING, ACTIVE, ACTIVE };

	if (offset == 0x000) {
		need_zeros("GICD_CTLR", v, 1);
		g.on = v & 1;
	} else if (offset >= 0x100 && offset < 0x400) {
		if (has_line(offset % 0x80 * 8))
			write_bits(i, offset % 0x80 * 8, bits[(offset - 0x100) / 0x80],
				   offset / 0x80 % 2 == 0, v);
	} else if (offset >= 0x400 && offset < 0xc00) {
		write_bytes(i, offset, v, size);
	} else if (offset >= 0xc00 && offset < 0xd00) {
		if (has_line((offset - 0xc00) * 4))
			write_icfgr(i, (offset - 0xc00) * 4, v);
	} else if (offset == 0xf00) {
		send(i, v);
	} else if (offset >= 0xf10 && offset < 0xf20) {
		clear_sgis(i, offset - 0xf10, v);
	} else {
		model_violation("gicv2: GICD store at 0x%lx", (unsigned long)offset);
	}
}

static void dist_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	pthread_mutex_lock(&lock);
	if (dist_access("store", offset, size))
		write_dist(interface_of(cpus[smp_processor_id()].hwid), offset, v, size);
	update();
	pthread_mutex_unlock(&lock);
}

/* ---- The frame ------------------------------------------------------------------------------ */

static u64 frame_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv;
	if (offset == 0x008 && size == 4)
		return g.typer;
	model_violation("gicv2: frame load of %u bytes at 0x%lx", size, (unsigned long)offset);
	return 0;
}

/* A pulse; of a number out of range nothing comes, and a level forgets it. */
static void frame_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	u32 first = g.typer >> 16 & 0x3ff;

	(void)priv;
	if (offset != 0x040 || size != 4) {
		model_violation("gicv2: frame store of %u bytes at 0x%lx", size,
				(unsigned long)offset);
		return;
	}
	if (v < first || v >= first + (g.typer & 0x3ff))
		return;
	if (!g.spi[v].edge)
		model_violation("gicv2: a message comes for INTID %u, which is a level", (u32)v);
	gicv2_wire(v, true);
	gicv2_wire(v, false);
}

void gicv2_check(void)
{
	for (unsigned int i = 0; i < g.nr; i++)
		if (g.cpu[i].ctlr & 1 && g.cpu[i].claimed != NOTHING)
			model_violation("gicv2: interface %u has claimed 0x%x and not ended it", i,
					g.cpu[i].claimed);
}

/* ---- For tests ------------------------------------------------------------------------------ */

void gicv2_model(unsigned int nr, const u64 *hwid, u32 typer)
{
	static const struct host_mmio_ops dist = { dist_read, dist_write };
	static const struct host_mmio_ops cpu = { cpu_read, cpu_write };
	static const struct host_mmio_ops frame = { frame_read, frame_write };

	memset(&g, 0, sizeof(g));
	g.nr = nr;
	g.typer = typer;
	memcpy(g.hwid, hwid, nr * sizeof(*hwid));
	for (unsigned int i = 0; i < nr; i++) {
		g.cpu[i].claimed = 29;		/* firmware never ended it */
		g.own[i][29].state = ACTIVE;
		g.own[i][3].state = PENDING | ENABLED;
		g.sgi_from[i][3] = 1;
	}
	for (unsigned int intid = 0; intid < GIC_INTIDS; intid++)
		if (intid % 7 == 0 && intid >= 32)
			g.spi[intid] = (struct line){ .state = PENDING | ENABLED, .target = 0xff };
	host_mmio_add("gicd", GIC_DIST, 0x1000, &dist, NULL);
	host_mmio_add("gicc", GIC_CPU, 0x2000, &cpu, NULL);
	host_mmio_add("v2m", GIC_FRAME, 0x1000, &frame, NULL);
}

unsigned int gicv2_interface(unsigned int cpu) { return interface_of(cpus[cpu].hwid); }
unsigned int gicv2_ended_from(unsigned int interface) { return g.ended_from[interface]; }
bool gicv2_edge(unsigned int intid) { return line_at(gicv2_interface(0), intid)->edge; }

bool gicv2_enabled(unsigned int cpu, unsigned int intid)
{
	return line_at(gicv2_interface(cpu), intid)->state & ENABLED;
}

bool gicv2_pending(unsigned int cpu, unsigned int intid)
{
	return is_pending(line_at(gicv2_interface(cpu), intid));
}

bool gicv2_active(unsigned int cpu, unsigned int intid)
{
	return line_at(gicv2_interface(cpu), intid)->state & ACTIVE;
}

int gicv2_target(unsigned int intid)
{
	u8 target = g.spi[intid].target;

	if (!target || target & (target - 1))
		return -1;
	return cpu_by_hwid(g.hwid[__builtin_ctz(target)]);
}
