/* The GICv3's ITS: registers, tables, translation [GIC3 5.2, 12.19]. */
#include "models/gicv3-its.h"

#define CTLR_ENABLED	BIT(0)
#define CTLR_QUIESCENT	BIT(31)
#define VALID		BIT(63)
#define INDIRECT	BIT(62)
#define CACHES		(7UL << 59 | 7UL << 53)
#define SHAREABILITY	(3UL << 10)
#define ENTRY		8U		/* bytes of a device's or a collection's */
#define READ_ONLY	(7UL << 56 | 0x1fUL << 48)

struct its its;

static bool is_quiet(void)
{
	return !its.enabled && !its.stopping;
}

/* ---- GITS_BASER: 0 is of the devices, 1 of the collections ---------------------------------- */

static u64 baser_address(u64 v)
{
	if ((v >> 8 & 3) == 2)		/* 64 KiB: bits 15:12 are 51:48 */
		return (v & GENMASK(47, 16)) | (v >> 12 & 0xf) << 48;
	return v & GENMASK(47, 12);
}

static size_t page_size(u64 v)
{
	return 0x1000UL << 2 * (v >> 8 & 3);
}

static size_t table_size(u64 v)
{
	return ((v & 0xff) + 1) * page_size(v);
}

static void write_baser(unsigned int n, u64 v)
{
	if (!is_quiet()) {
		gicv3_bad("GITS_BASER%u is written while the ITS works", n);
		return;
	}
	if (n > 1)
		return;
	if ((v >> 8 & 3) == 3) {
		gicv3_bad("GITS_BASER%u: page size 3 is reserved", n);
		return;
	}
	if (gicv3.setup.page)
		v = (v & ~0x300UL) | (gicv3.setup.page - 1) << 8;
	if (gicv3.setup.no_indirect)
		v &= ~INDIRECT;
	if (gicv3.setup.uncached)
		v &= ~SHAREABILITY;
	its.baser[n] = (v & ~READ_ONLY) | (n ? 4UL : 1UL) << 56 | (ENTRY - 1UL) << 48;
}

static void write_cbaser(u64 v)
{
	if (!is_quiet()) {
		gicv3_bad("GITS_CBASER is written while the ITS works");
		return;
	}
	gicv3_need_zeros("GITS_CBASER", v, VALID | CACHES | GENMASK(51, 12) | SHAREABILITY | 0xff);
	if (v & VALID && v & 0xf000)
		gicv3_bad("GITS_CBASER: the queue is not aligned to 64 KiB");
	its.cbaser = gicv3.setup.uncached ? v & ~SHAREABILITY : v;
	its.creadr = 0;
	its.cwriter_is_stale = true;
}

/* ---- Turning it on -------------------------------------------------------------------------- */

/* Of two levels, the first is the kernel's to write, and the second is opened when it is used. */
static bool open_table(unsigned int n, const char *what, struct shadow **table)
{
	u64 v = its.baser[n], address = baser_address(v);

	*table = NULL;
	if (!(v & VALID))
		gicv3_bad("the ITS is turned on without %s", what);
	else if (address % page_size(v))
		gicv3_bad("%s at 0x%lx is not aligned to its pages", what,
			  (unsigned long)address);
	else if (v & INDIRECT)
		return gicv3_need_memory(what, address, table_size(v));
	else
		*table = gicv3_shadow(what, address, table_size(v), true);
	return *table;
}

static void turn_on(void)
{
	if (!(its.cbaser & VALID))
		gicv3_bad("the ITS is turned on without a command queue");
	else if (its.cwriter_is_stale)
		gicv3_bad("the ITS is turned on with a GITS_CWRITER from before its queue");
	else if (gicv3_need_memory("the command queue", its_queue(), its_queue_size()))
		its.enabled = open_table(0, "a device table", &its.devices) &&
			      open_table(1, "a collection table", &its.collections);
}

static u64 read_ctlr(void)
{
	if (its.stopping && !gicv3.setup.never_quiet)
		its.stopping--;
	return (its.enabled ? CTLR_ENABLED : 0) | (is_quiet() ? CTLR_QUIESCENT : 0);
}

static void write_ctlr(u64 v)
{
	gicv3_need_zeros("GITS_CTLR", v, CTLR_ENABLED | CTLR_QUIESCENT);
	if (v & CTLR_ENABLED && its.stopping) {
		gicv3_bad("the ITS is turned on again before it is quiescent");
	} else if (v & CTLR_ENABLED && !its.enabled) {
		turn_on();
	} else if (!(v & CTLR_ENABLED) && its.enabled) {
		its.enabled = false;
		its.stopping = LOOKS;
	}
}

/* ---- Tables --------------------------------------------------------------------------------- */

/* The page of the second level; opened when first used. */
static struct shadow *device_page(u32 id)
{
	u64 v = its.baser[0], index = id / (page_size(v) / ENTRY), entry;

	if ((index + 1) * sizeof(u64) > table_size(v) || index >= ITS_PAGES)
		its_bad("device 0x%x lies beyond the device table", id);
	if (!gicv3_need_memory("a device table", baser_address(v), table_size(v)))
		its_skip();
	memcpy(&entry, (u64 *)baser_address(v) + index, sizeof(entry));
	if (its.page[index] && its.page[index]->addr != (entry & GENMASK(51, 12)))
		its_bad("device 0x%x: its page of the device table has been changed", id);
	if (its.page[index])
		return its.page[index];
	if (!(entry & VALID))
		its_bad("device 0x%x: its page of the device table is not valid", id);
	if (entry & ~(VALID | GENMASK(51, 12)) || (entry & ~VALID) % page_size(v))
		its_bad("device 0x%x: entry 0x%lx of the table's first level", id,
			(unsigned long)entry);
	its.page[index] = gicv3_shadow("a page of the device table", entry & ~VALID,
				       page_size(v), true);
	if (!its.page[index])
		its_skip();
	return its.page[index];
}

static struct shadow *device_entry(u32 id, size_t *offset)
{
	*offset = (size_t)id * ENTRY;
	if (id >> GICV3_DEVICE_BITS)
		its_bad("device 0x%x: the ITS knows %u bits", id, GICV3_DEVICE_BITS);
	if (its.baser[0] & INDIRECT) {
		*offset %= page_size(its.baser[0]);
		return device_page(id);
	}
	if (*offset >= its.devices->len)
		its_bad("device 0x%x lies beyond the device table", id);
	return its.devices;
}

u64 its_device(u32 id)
{
	size_t offset;
	struct shadow *s = device_entry(id, &offset);

	return gicv3_load(s, offset, 8);
}

void its_set_device(u32 id, u64 v)
{
	size_t offset;
	struct shadow *s = device_entry(id, &offset);

	gicv3_store(s, offset, v, 8);
}

u64 its_collection(u32 id)
{
	if ((size_t)id * ENTRY >= its.collections->len)
		its_bad("collection %u lies beyond their table", id);
	return gicv3_load(its.collections, (size_t)id * ENTRY, 8);
}

void its_set_collection(u32 id, u64 v)
{
	its_collection(id);
	gicv3_store(its.collections, (size_t)id * ENTRY, v, 8);
}

struct its_itt *its_itt(u32 device)
{
	for (unsigned int i = 0; i < ITS_DEVICES; i++)
		if (its.itt[i].memory && its.itt[i].device == device)
			return &its.itt[i];
	return NULL;
}

/* ---- Messages ------------------------------------------------------------------------------- */

bool its_event(u32 device, u32 event, struct its_event *e)
{
	const struct its_itt *itt = its_itt(device);

	if (!itt || event >> itt->bits)
		return false;
	its_device(device);
	e->lpi = gicv3_load(itt->memory, (size_t)event * GICV3_ITE_SIZE, 4);
	e->collection = gicv3_load(itt->memory, (size_t)event * GICV3_ITE_SIZE + 4, 4);
	if (!e->lpi)
		return false;
	e->redist = &gicv3.redist[its_collection(e->collection) & 0xff];
	return true;
}

/* Looks at the property too: one that is not up to date must not matter. */
void its_deliver(const struct its_event *e)
{
	gicv3_property(e->lpi);
	if (!gicv3_lpi_pending(e->redist, e->lpi))
		gicv3_lpi_set_pending(e->redist, e->lpi, true);
	gicv3_update();
}

bool gicv3_message(u32 device, u32 event)
{
	struct its_event e;
	bool mapped;

	gicv3_lock();
	mapped = its.enabled && its_event(device, event, &e);
	if (mapped)
		its_deliver(&e);
	else
		its.lost++;
	gicv3_unlock();
	return mapped;
}

unsigned long gicv3_lost(void) { return its.lost; }
unsigned long gicv3_commands(unsigned int opcode) { return its.done[opcode]; }

bool gicv3_its_is_busy(void) { return its.enabled && its.creadr != its.cwriter; }

void gicv3_its_check(void)
{
	if (its.creadr != its.cwriter)
		gicv3_bad("commands are left in the queue");
	for (unsigned int i = 0; i < ITS_DEVICES; i++) {
		const struct its_itt *itt = &its.itt[i];
		struct its_event e;

		for (u32 event = 0; itt->memory && event < BIT(itt->bits); event++)
			if (its_event(itt->device, event, &e))
				gicv3_property(e.lpi);
	}
}

/* ---- Registers ------------------------------------------------------------------------------ */

/* PTA, device bits, event bits, ITT entry, physical LPIs. */
static u64 typer(void)
{
	return 1 | (GICV3_ITE_SIZE - 1UL) << 4 | (GICV3_EVENT_BITS - 1UL) << 8 |
	       (GICV3_DEVICE_BITS - 1UL) << 13 | (u64)gicv3.setup.pta << 19;
}

static u64 its_read(void *priv, u64 offset, unsigned int size)
{
	u64 v = 0;

	(void)priv;
	gicv3_lock();
	if (!gicv3_need_size("GITS", offset, size, offset == 0 || offset == 0xffe8 ? 4 : 8))
		v = 0;
	else if (offset == 0x00)
		v = read_ctlr();
	else if (offset == 0x08)
		v = typer();
	else if (offset == 0x80)
		v = its.cbaser;
	else if (offset == 0x88)
		v = its.cwriter;
	else if (offset == 0x90)
		v = its_look();
	else if (offset >= 0x100 && offset < 0x140)
		v = its.baser[(offset - 0x100) / 8];
	else if (offset == 0xffe8)
		v = 0x3b;
	else
		gicv3_bad("GITS: nothing to read at 0x%lx", (unsigned long)offset);
	gicv3_unlock();
	return v;
}

static void its_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (offset == 0x10040) {
		if (size != 4)
			gicv3_bad("GITS_TRANSLATER: a message of %u bytes", size);
		else
			gicv3_message(host_bus_requester
				      ? (host_bus_requester & gicv3.setup.requester_mask) +
					gicv3.setup.requester_offset : 0, v);
		return;
	}
	gicv3_lock();
	if (!gicv3_need_size("GITS", offset, size, offset == 0 ? 4 : 8))
		v = 0;
	else if (offset == 0x00)
		write_ctlr(v);
	else if (offset == 0x80)
		write_cbaser(v);
	else if (offset == 0x88)
		its_advance(v);
	else if (offset >= 0x100 && offset < 0x140)
		write_baser((offset - 0x100) / 8, v);
	else
		gicv3_bad("GITS: nothing to write at 0x%lx", (unsigned long)offset);
	gicv3_update();
	gicv3_unlock();
}

/* Firmware's is on, with tables somewhere. */
void gicv3_its_model(void)
{
	static const struct host_mmio_ops ops = { its_read, its_write };

	memset(&its, 0, sizeof(its));
	write_baser(0, VALID | 0xbad0000);
	write_baser(1, VALID | 0xbae0000);
	its.cbaser = VALID | 0xbaf0000;
	its.cwriter = its.creadr = 0x40;
	its.enabled = true;
	host_mmio_add("its", GICV3_ITS, 0x20000, &ops, NULL);
}
