/* The GICv3's redistributors [GIC3 12.11], and the tables of LPIs [GIC3 5.1]. */
#include "models/gicv3-internals.h"

#define FRAMES		0x20000
#define CTLR_LPIS	BIT(0)
#define CTLR_RWP	BIT(3)
#define WAKER_SLEEP	BIT(1)
#define WAKER_CHILDREN	BIT(2)
#define BASER_FIELDS	(7UL << 56 | GENMASK(51, 12) | 0xf80UL)
#define SHAREABILITY	(3UL << 10)
#define PTZ		BIT(62)
#define ADDRESS		GENMASK(51, 12)

extern const struct host_mmio_ops gicv3_dist_ops;

/* ---- LPIs ----------------------------------------------------------------------------------- */

static const struct redist *any_with_lpis(void)
{
	for (unsigned int i = 0; i < gicv3.setup.nr; i++)
		if (gicv3.redist[i].lpis && gicv3.redist[i].pending)
			return &gicv3.redist[i];
	return NULL;
}

unsigned int gicv3_lpi_bits(void)
{
	const struct redist *r = any_with_lpis();

	return r ? (r->propbaser & 0x1f) + 1 : 0;
}

static u8 property_in_memory(u32 lpi)
{
	u64 base = any_with_lpis()->propbaser & ADDRESS;
	const u8 *byte = (const u8 *)(base + lpi - GICV3_LPI);

	if (!gicv3.property_is_gone && !gicv3_need_memory("the LPI property table", (u64)byte, 1))
		gicv3.property_is_gone = true;	/* said */
	if (gicv3.property_is_gone)
		return gicv3.property[lpi];
	if (!(*byte & 2))
		gicv3_bad("LPI %u: bit 1 of its property byte is 0", lpi);
	return *byte;
}

u8 gicv3_property(u32 lpi)
{
	u8 now = property_in_memory(lpi), then = gicv3.property[lpi];

	if (now == then || gicv3_its_is_busy())		/* the INV may be under way */
		return then;
	gicv3_bad("LPI %u: its property byte has become 0x%x without an INV: 0x%x is remembered",
		  lpi, now, then);
	gicv3.property[lpi] = now;	/* said */
	return then;
}

void gicv3_reread(u32 lpi)
{
	gicv3.property[lpi] = property_in_memory(lpi);
}

bool gicv3_lpi_pending(const struct redist *r, u32 lpi)
{
	return r->pending && gicv3_load(r->pending, lpi / 8, 1) >> lpi % 8 & 1;
}

void gicv3_lpi_set_pending(struct redist *r, u32 lpi, bool pending)
{
	u8 byte, bit = 1U << lpi % 8;

	if (!r->lpis || !r->pending) {
		gicv3_bad("LPI %u goes to redistributor %u, whose LPIs are off", lpi,
			  gicv3_index(r));
		return;
	}
	byte = gicv3_load(r->pending, lpi / 8, 1);
	r->nr_pending += pending - (byte & bit ? 1 : 0);
	gicv3_store(r->pending, lpi / 8, pending ? byte | bit : byte & ~bit, 1);
}

/* ---- Turning them on ------------------------------------------------------------------------ */

static void turn_on(struct redist *r)
{
	const struct redist *other = any_with_lpis();
	unsigned int bits = (r->propbaser & 0x1f) + 1;
	u64 pending = r->pendbaser & GENMASK(51, 16);

	if (bits < 14 || bits > ID_BITS) {
		gicv3_bad("GICR_PROPBASER.IDbits says %u bits", bits);
		return;
	}
	if (other && (other->propbaser ^ r->propbaser) & (ADDRESS | 0x1f)) {
		gicv3_bad("GICR_PROPBASER is not the one of redistributor %u",
			  gicv3_index(other));
		return;
	}
	if (!gicv3_need_memory("the LPI property table", r->propbaser & ADDRESS,
			       BIT(bits) - GICV3_LPI))
		return;
	r->pending = gicv3_shadow("an LPI pending table", pending, BIT(bits) / 8,
				  r->pendbaser & PTZ);
	if (!r->pending)
		return;
	r->lpis = true;
	for (u32 lpi = GICV3_LPI; !other && lpi < BIT(bits); lpi++)
		gicv3_reread(lpi);
}

static void turn_off(struct redist *r)
{
	r->rwp = LOOKS;
	if (gicv3.setup.lpis_stuck)
		return;
	r->lpis = false;
	gicv3_unshadow(r->pending);
	r->pending = NULL;
	r->nr_pending = 0;
}

static u64 read_ctlr(struct redist *r)
{
	u64 v = r->lpis;

	if (!r->rwp)
		return v;
	if (!gicv3.setup.never_settles && !--r->rwp) {
		gicv3_settle(r->own, 32);
		gicv3_update();
	}
	return v | CTLR_RWP;
}

static void write_ctlr(struct redist *r, u64 v)
{
	gicv3_need_zeros("GICR_CTLR", v, CTLR_LPIS | CTLR_RWP);
	if (r->rwp)
		gicv3_bad("GICR_CTLR is written while GICR_CTLR.RWP is 1");
	else if (v & CTLR_LPIS && !r->lpis)
		turn_on(r);
	else if (!(v & CTLR_LPIS) && r->lpis)
		turn_off(r);
	gicv3_note("lpis(%d,%d)", gicv3_cpu_of(r), r->lpis);
}

static void write_baser(struct redist *r, bool pending, u64 v)
{
	const char *name = pending ? "GICR_PENDBASER" : "GICR_PROPBASER";

	if (r->lpis) {
		gicv3_bad("%s is written while LPIs are on", name);
		return;
	}
	gicv3_need_zeros(name, v, pending ? (BASER_FIELDS & ~0xf000UL) | PTZ : BASER_FIELDS | 0x1f);
	if (gicv3.setup.uncached)
		v &= ~SHAREABILITY;
	*(pending ? &r->pendbaser : &r->propbaser) = v;
	gicv3_note("%s(%d)", pending ? "pendbaser" : "propbaser", gicv3_cpu_of(r));
}

/* ---- The frame ------------------------------------------------------------------------------ */

static u64 read_waker(struct redist *r)
{
	if (r->waking && !gicv3.setup.never_wakes && !--r->waking)
		r->asleep = false;
	return (r->asleep && !r->waking ? WAKER_SLEEP : 0) | (r->asleep ? WAKER_CHILDREN : 0);
}

static void write_waker(struct redist *r, u64 v)
{
	gicv3_need_zeros("GICR_WAKER", v, WAKER_SLEEP | WAKER_CHILDREN);
	if (v & WAKER_SLEEP && r->on)
		gicv3_bad("goes to sleep while its CPU interface takes interrupts");
	if (v & WAKER_SLEEP)
		r->asleep = true;
	else if (r->asleep)
		r->waking = LOOKS;
}

/* Affinity; Processor_Number; Last; physical LPIs. */
static u64 typer(const struct redist *r)
{
	u64 affinity = (r->hwid & 0xffffff) | r->hwid >> 32 << 24;

	return affinity << 32 | r->number << 8 | (gicv3.setup.no_lpis ? 0 : 1) |
	       (gicv3_index(r) == gicv3.setup.nr - 1 ? BIT(4) : 0);
}

static struct bank bank_of(struct redist *r)
{
	return (struct bank){ r->own, 32, &r->rwp, r };
}

/* Of some registers only: those that tell what is there, and the one that wakes. */
static bool is_awake(const struct redist *r, u64 offset)
{
	if (!r->asleep || offset == 0x08 || offset == 0x14 || offset == 0xffe8)
		return true;
	gicv3_bad("redistributor %u is accessed at 0x%lx while asleep", gicv3_index(r),
		  (unsigned long)offset);
	return false;
}

static bool exists(const struct redist *r)
{
	if (gicv3_index(r) >= gicv3.setup.nr)
		gicv3_bad("there is no redistributor %u", gicv3_index(r));
	return gicv3_index(r) < gicv3.setup.nr;
}

static bool has_size(u64 offset, unsigned int size)
{
	bool is_64 = offset == 0x08 || offset == 0x70 || offset == 0x78;

	return offset >= 0x10000 || gicv3_need_size("GICR", offset, size, is_64 ? 8 : 4);
}

static u64 read_redist(struct redist *r, u64 offset, unsigned int size)
{
	struct bank bank = bank_of(r);
	u64 v = 0;

	if (!exists(r) || !has_size(offset, size) || !is_awake(r, offset))
		return 0;
	if (offset >= 0x10000 && gicv3_bank_read(&bank, offset - 0x10000, size, &v))
		return v;
	switch (offset) {
	case 0x00:
		return read_ctlr(r);
	case 0x08:
		return typer(r);
	case 0x14:
		return read_waker(r);
	case 0x70:
		return r->propbaser;
	case 0x78:
		return r->pendbaser & ~PTZ;
	case 0xffe8:
		return 0x3b;
	}
	gicv3_bad("GICR: nothing to read at 0x%lx", (unsigned long)offset);
	return 0;
}

static void write_redist(struct redist *r, u64 offset, u64 v, unsigned int size)
{
	struct bank bank = bank_of(r);

	if (!exists(r) || !has_size(offset, size) || !is_awake(r, offset))
		return;
	if (r != gicv3_me())
		gicv3_bad("CPU %u writes to the redistributor of CPU %d", smp_processor_id(),
			  gicv3_cpu_of(r));
	else if (offset == 0x00)
		write_ctlr(r, v);
	else if (offset == 0x14)
		write_waker(r, v);
	else if (offset == 0x70 || offset == 0x78)
		write_baser(r, offset == 0x78, v);
	else if (offset < 0x10000 || !gicv3_bank_write(&bank, offset - 0x10000, v, size))
		gicv3_bad("GICR: nothing to write at 0x%lx", (unsigned long)offset);
}

static u64 redist_read(void *priv, u64 offset, unsigned int size)
{
	u64 v;

	(void)priv;
	gicv3_lock();
	v = read_redist(&gicv3.redist[offset / FRAMES], offset % FRAMES, size);
	gicv3_unlock();
	return v;
}

static void redist_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	gicv3_lock();
	write_redist(&gicv3.redist[offset / FRAMES], offset % FRAMES, v, size);
	gicv3_update();
	gicv3_unlock();
}

static void leftovers(struct redist *r, unsigned int i)
{
	*r = (struct redist){
		.hwid = gicv3.hwid[i], .number = 7 * i + 3, .asleep = true,
		.lpis = gicv3.setup.lpis_on, .propbaser = 0xbad000, .pendbaser = 0xbad0000,
	};
	for (u32 n = 0; n < 16; n++)
		r->own[n].edge = true;
	r->own[5].state = PENDING | ENABLED;
	r->own[29].state = ACTIVE;
	r->claim[r->nr_claims++].intid = 29;	/* firmware never ended it */
}

void gicv3_redist_model(void)
{
	static const struct host_mmio_ops ops = { redist_read, redist_write };

	for (unsigned int i = 0; i < gicv3.setup.nr; i++)
		leftovers(&gicv3.redist[i], i);
	host_mmio_add("gicd", GICV3_DIST, 0x10000, &gicv3_dist_ops, NULL);
	host_mmio_add("gicr", GICV3_REDIST, GICV3_MAX * FRAMES, &ops, NULL);
}
