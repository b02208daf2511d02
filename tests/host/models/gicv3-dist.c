/*
 * The GICv3's distributor [GIC3 12.9], and what of it the redistributors have for SGIs and PPIs.
 * Affinity routing is on, so the registers of version 2 are gone.
 */
#include "models/gicv3-internals.h"

#define CTLR_GROUPS	0x003UL
#define CTLR_ARE	0x010UL
#define CTLR_DS		0x040UL
#define CTLR_OTHERS	0x180UL		/* E1NWF, nASSGIreq */
#define CTLR_RWP	BIT(31)

bool gicv3_need_size(const char *what, u64 offset, unsigned int size, unsigned int want)
{
	if (size == want)
		return true;
	if (want == 8)
		gicv3_bad("%s at 0x%lx: 64 bits, torn into accesses of %u bytes", what,
			  (unsigned long)offset, size);
	else
		gicv3_bad("%s at 0x%lx: an access of %u bytes, not %u", what,
			  (unsigned long)offset, size, want);
	return false;
}

void gicv3_need_zeros(const char *what, u64 v, u64 allowed)
{
	if (v & ~allowed)
		gicv3_bad("%s: reserved bits 0x%lx are written", what,
			  (unsigned long)(v & ~allowed));
}

/* ---- Registers of one or two bits a line ---------------------------------------------------- */

/* Whether the lines of a register, the first of which is INTID, are there. */
static bool has_lines(const struct bank *b, u32 intid)
{
	if (!b->redist && intid < 32)
		gicv3_bad("INTID %u is an SGI or PPI: its registers are in the redistributors",
			  intid);
	else if (intid >= b->nr)
		gicv3_bad("there is no INTID %u", intid);
	else
		return true;
	return false;
}

static struct line *line_of(const struct bank *b, u32 intid)
{
	return &b->lines[intid];
}

static bool is_live(const struct line *line)
{
	return line->state & ENABLED || line->leaving;
}

/* Reading back, and what a one that is written does. */
static const struct { u16 offset; u8 bit; bool set; } kinds[] = {
	{ 0x100, ENABLED, true }, { 0x180, ENABLED, false }, { 0x200, PENDING, true },
	{ 0x280, PENDING, false }, { 0x300, ACTIVE, true }, { 0x380, ACTIVE, false },
};

static u32 read_bits(const struct bank *b, u32 first, u8 bit)
{
	u32 v = 0;

	for (u32 n = 0; n < 32; n++) {
		const struct line *line = line_of(b, first + n);

		if (bit == PENDING ? gicv3_is_pending(line) : line->state & bit)
			v |= 1U << n;
	}
	return v;
}

static void enable(const struct bank *b, u32 intid, struct line *line, bool on)
{
	if (on && line->leaving)
		gicv3_bad("INTID %u is enabled while disabling it is under way: RWP", intid);
	if (!on) {
		line->leaving |= line->state & ENABLED;
		*b->rwp = LOOKS;
	}
	if (!!(line->state & ENABLED) != on)
		gicv3_note("%s(%u)", on ? "on" : "off", intid);
}

static void write_bits(const struct bank *b, u32 first, u8 bit, bool set, u32 v)
{
	for (u32 n = 0; n < 32; n++) {
		struct line *line = line_of(b, first + n);

		if (!(v >> n & 1))
			continue;
		if (bit == ENABLED)
			enable(b, first + n, line, set);
		line->state = set ? line->state | bit : line->state & ~bit;
	}
}

static void write_groups(const struct bank *b, u32 first, u32 v)
{
	for (u32 n = 0; n < 32; n++) {
		struct line *line = line_of(b, first + n);

		if (line->group1 != (v >> n & 1) && is_live(line))
			gicv3_bad("INTID %u changes its group while enabled", first + n);
		else
			line->group1 = v >> n & 1;
	}
}

static u32 read_triggers(const struct bank *b, u32 first)
{
	u32 v = 0;

	for (u32 n = 0; n < 16; n++)
		v |= line_of(b, first + n)->edge ? 2U << 2 * n : 0;
	return v;
}

static void write_triggers(const struct bank *b, u32 first, u32 v)
{
	gicv3_need_zeros("ICFGR", v, 0xaaaaaaaa);
	for (u32 n = 0; n < 16; n++) {
		struct line *line = line_of(b, first + n);
		bool edge = v >> 2 * n & 2;

		if (edge == line->edge)
			continue;
		if (first + n < 16) {
			gicv3_bad("SGI %u: its trigger is read-only", first + n);
		} else if (is_live(line)) {
			gicv3_bad("INTID %u changes its trigger while enabled", first + n);
		} else if (first + n != GICV3_FIXED_SPI && first + n != GICV3_FIXED_PPI) {
			line->edge = edge;
			gicv3_note("trigger(%u,%d)", first + n, edge);
		}
	}
}

/* The first INTID of the register at OFFSET; -1: there is no such register, or (said) line. */
static s64 first_line(const struct bank *b, u64 offset, unsigned int size, bool *is_ours)
{
	u64 first;

	*is_ours = offset >= 0x80 && offset < 0xd00 && (offset < 0x800 || offset >= 0xc00);
	if (!*is_ours)
		return -1;
	if (offset < 0x400)
		first = offset % 0x80 * 8;
	else
		first = offset < 0x800 ? offset - 0x400 : (offset - 0xc00) * 4;
	if (!(size == 1 && offset >= 0x400 && offset < 0x800) &&
	    !gicv3_need_size("a line's register", offset, size, 4))
		return -1;
	return has_lines(b, first) ? (s64)first : -1;
}

bool gicv3_bank_read(const struct bank *b, u64 offset, unsigned int size, u64 *v)
{
	bool is_ours;
	s64 first = first_line(b, offset, size, &is_ours);

	*v = 0;
	if (first < 0)
		return is_ours;
	if (offset < 0x100)
		for (u32 n = 0; n < 32; n++)
			*v |= (u64)line_of(b, first + n)->group1 << n;
	else if (offset < 0x400)
		*v = read_bits(b, first, kinds[(offset - 0x100) / 0x80].bit);
	else if (offset >= 0xc00)
		*v = read_triggers(b, first);
	else
		for (u32 n = 0; n < size; n++)
			*v |= (u64)line_of(b, first + n)->priority << 8 * n;
	return true;
}

bool gicv3_bank_write(const struct bank *b, u64 offset, u64 v, unsigned int size)
{
	bool is_ours;
	s64 first = first_line(b, offset, size, &is_ours);

	if (first < 0)
		return is_ours;
	if (offset < 0x100)
		write_groups(b, first, v);
	else if (offset < 0x400)
		write_bits(b, first, kinds[(offset - 0x100) / 0x80].bit,
			   kinds[(offset - 0x100) / 0x80].set, v);
	else if (offset >= 0xc00)
		write_triggers(b, first, v);
	else
		for (u32 n = 0; n < size; n++)
			line_of(b, first + n)->priority = v >> 8 * n & 0xf8;
	return true;
}

/* ---- The distributor's own ------------------------------------------------------------------ */

static const struct bank shared = { gicv3.spi, GICV3_INTIDS, &gicv3.rwp, NULL };

static u64 read_ctlr(void)
{
	if (gicv3.rwp) {
		if (!gicv3.setup.never_settles && !--gicv3.rwp) {
			gicv3_settle(gicv3.spi, GICV3_INTIDS);
			gicv3_update();
		}
		return gicv3.ctlr | CTLR_RWP;
	}
	return gicv3.ctlr;
}

static void write_ctlr(u32 v)
{
	gicv3_need_zeros("GICD_CTLR", v,
			 CTLR_GROUPS | CTLR_ARE | CTLR_DS | CTLR_OTHERS | CTLR_RWP);
	if (gicv3.rwp)
		gicv3_bad("GICD_CTLR is written while GICD_CTLR.RWP is 1");
	else if (gicv3.ctlr & CTLR_ARE && !(v & CTLR_ARE))
		gicv3_bad("GICD_CTLR.ARE goes from 1 to 0, which is UNPREDICTABLE");
	else if (~gicv3.ctlr & v & CTLR_ARE && gicv3.ctlr & CTLR_GROUPS)
		gicv3_bad("GICD_CTLR.ARE changes while a group is enabled");
	if (gicv3.ctlr & ~v & CTLR_GROUPS || (gicv3.ctlr ^ v) & CTLR_ARE)
		gicv3.rwp = LOOKS;
	gicv3.ctlr = (v & ~CTLR_RWP) | CTLR_DS;
}

static void write_route(u32 intid, u64 v)
{
	struct line *line = line_of(&shared, intid);

	gicv3_need_zeros("GICD_IROUTER", v, 0xff80ffffff);
	if (!(gicv3.ctlr & CTLR_ARE)) {
		gicv3_bad("GICD_IROUTER%u does not exist while ARE is 0", intid);
	} else if (is_live(line)) {
		gicv3_bad("the route of INTID %u is written while it is enabled", intid);
	} else if (!gicv3_redist_of(v & 0xff80ffffff)) {
		gicv3_bad("INTID %u is routed to %#lx, where no CPU is", intid, (unsigned long)v);
	} else {
		line->route = v;
		gicv3_note("route(%u,%d)", intid, cpu_by_hwid(v));
	}
}

/* ITLinesNumber; LPIs, as many as IDbits says; Aff3 is used; no 1 of N. */
static u64 typer(void)
{
	return (GICV3_INTIDS / 32 - 1) | (gicv3.setup.no_lpis ? 0 : BIT(17)) |
	       (ID_BITS - 1) << 19 | BIT(24) | BIT(25);
}

static bool is_route(u64 offset)
{
	return offset >= 0x6100 && offset < 0x6000 + 8 * GICV3_INTIDS;
}

static u64 read_dist(u64 offset, unsigned int size)
{
	u64 v = 0;

	if (is_route(offset))
		return gicv3_need_size("GICD_IROUTER", offset, size, 8)
			? gicv3.spi[(offset - 0x6000) / 8].route : 0;
	if (gicv3_bank_read(&shared, offset, size, &v) ||
	    !gicv3_need_size("GICD", offset, size, 4))
		return v;
	if (offset == 0)
		return read_ctlr();
	if (offset == 4)
		return typer();
	if (offset == 0xffe8)
		return 0x3b;
	gicv3_bad("GICD: nothing to read at 0x%lx", (unsigned long)offset);
	return 0;
}

static void write_dist(u64 offset, u64 v, unsigned int size)
{
	if (is_route(offset)) {
		if (gicv3_need_size("GICD_IROUTER", offset, size, 8))
			write_route((offset - 0x6000) / 8, v);
	} else if (offset == 0) {
		if (gicv3_need_size("GICD_CTLR", offset, size, 4))
			write_ctlr(v);
	} else if (!gicv3_bank_write(&shared, offset, v, size)) {
		gicv3_bad("GICD: nothing to write at 0x%lx, with affinity routing",
			  (unsigned long)offset);
	}
}

static u64 dist_read(void *priv, u64 offset, unsigned int size)
{
	u64 v;

	(void)priv;
	gicv3_lock();
	v = read_dist(offset, size);
	gicv3_unlock();
	return v;
}

static void dist_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	gicv3_lock();
	write_dist(offset, v, size);
	gicv3_update();
	gicv3_unlock();
}

const struct host_mmio_ops gicv3_dist_ops = { dist_read, dist_write };
