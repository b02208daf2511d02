/* The GICv3's ITS: its commands [GIC3 5.3]. */
#include <setjmp.h>
#include "models/gicv3-its.h"

#define VALID		BIT(63)
#define DEVICE		(0xffffffffUL << 32)
#define OPCODE		0xffUL
#define TARGET		GENMASK(51, 16)

struct command {
	u64 word[4];
	const char *name;
};

/* ---- What a command names ------------------------------------------------------------------- */

static u32 device_of(const struct command *c) { return c->word[0] >> 32; }
static u32 event_of(const struct command *c) { return (u32)c->word[1]; }

static struct redist *target_of(const struct command *c)
{
	u64 target = (c->word[2] & TARGET) >> 16;

	for (unsigned int i = 0; i < gicv3.setup.nr; i++) {
		struct redist *r = &gicv3.redist[i];
		u64 is = gicv3.setup.pta ? (GICV3_REDIST + i * 0x20000UL) >> 16 : r->number;

		if (is == target)
			return r;
	}
	its_bad("%s: there is no redistributor 0x%lx", c->name, (unsigned long)target);
	return NULL;
}

static struct its_itt *mapped_device(const struct command *c)
{
	struct its_itt *itt = its_itt(device_of(c));

	if (!itt)
		its_bad("%s: device 0x%x is not mapped", c->name, device_of(c));
	return itt;
}

static struct its_event mapped_event(const struct command *c)
{
	struct its_event e;

	mapped_device(c);
	if (!its_event(device_of(c), event_of(c), &e))
		its_bad("%s: event %u of device 0x%x is not mapped", c->name, event_of(c),
			  device_of(c));
	return e;
}

static struct redist *mapped_collection(const struct command *c, u32 id)
{
	u64 entry = its_collection(id);

	if (!(entry & VALID))
		its_bad("%s: collection %u is not mapped", c->name, id);
	return &gicv3.redist[entry & 0xff];
}

static void needs_sync(const struct command *c, const struct redist *r)
{
	its.unsynced |= 1U << gicv3_index(r);
	its.unsynced_by = c->name;
}

/* ---- Mapping -------------------------------------------------------------------------------- */

static bool any_event(const struct its_itt *itt)
{
	struct its_event e;

	for (u32 event = 0; event < BIT(itt->bits); event++)
		if (its_event(itt->device, event, &e))
			return true;
	return false;
}

static void unmap_device(const struct command *c)
{
	struct its_itt *itt = mapped_device(c);

	if (any_event(itt))
		its_bad("mapd: device 0x%x is unmapped, but has events", itt->device);
	its_set_device(itt->device, 0);
	gicv3_unshadow(itt->memory);
	itt->memory = NULL;
	gicv3_note("mapd(%x,0)", itt->device);
}

static void do_mapd(const struct command *c)
{
	unsigned int bits = (c->word[1] & 0x1f) + 1, i = 0;
	struct its_itt *itt;

	if (!(c->word[2] & VALID)) {
		unmap_device(c);
		return;
	}
	if (its_itt(device_of(c)))
		its_bad("mapd: device 0x%x is mapped already", device_of(c));
	if (bits > GICV3_EVENT_BITS)
		its_bad("mapd: device 0x%x: %u bits of event", device_of(c), bits);
	while (i < ITS_DEVICES && its.itt[i].memory)
		i++;
	if (i == ITS_DEVICES)
		host_die("gicv3 model: too many devices");
	itt = &its.itt[i];
	*itt = (struct its_itt){ .device = device_of(c), .bits = bits };
	itt->entry = VALID | (c->word[2] & GENMASK(51, 8)) | (bits - 1);
	its_device(itt->device);
	itt->memory = gicv3_shadow("an ITT", c->word[2] & GENMASK(51, 8),
				   (size_t)GICV3_ITE_SIZE << bits, true);
	if (!itt->memory)
		its_skip();
	its_set_device(itt->device, itt->entry);
	gicv3_note("mapd(%x,%u)", itt->device, bits);
}

static bool is_in_use(u32 collection)
{
	struct its_event e;

	for (unsigned int i = 0; i < ITS_DEVICES; i++)
		for (u32 event = 0; its.itt[i].memory && event < BIT(its.itt[i].bits); event++)
			if (its_event(its.itt[i].device, event, &e) && e.collection == collection)
				return true;
	return false;
}

static void do_mapc(const struct command *c)
{
	u32 id = c->word[2] & 0xffff;
	struct redist *r = target_of(c);

	if (its_collection(id) & VALID && is_in_use(id))
		its_bad("mapc: collection %u changes while events are in it", id);
	if (c->word[2] & VALID && !r->lpis)
		its_bad("mapc: collection %u goes to redistributor %u, whose LPIs are off", id,
			  gicv3_index(r));
	its_set_collection(id, c->word[2] & VALID ? VALID | gicv3_index(r) : 0);
	needs_sync(c, r);
	gicv3_note("mapc(%u,%d)", id, c->word[2] & VALID ? gicv3_cpu_of(r) : -1);
}

static void do_mapti(const struct command *c)
{
	u32 lpi = c->word[1] >> 32, collection = c->word[2] & 0xffff, event = event_of(c);
	struct its_itt *itt = mapped_device(c);
	struct its_event e;

	if (event >> itt->bits)
		its_bad("mapti: device 0x%x has no event %u", itt->device, event);
	if (lpi < GICV3_LPI || lpi >= BIT(gicv3_lpi_bits()))
		its_bad("mapti: INTID %u is no LPI of the property table", lpi);
	if (its_event(itt->device, event, &e))
		its_bad("mapti: event %u of device 0x%x is mapped already", event, itt->device);
	if (its.lpi_used[lpi])
		its_bad("mapti: LPI %u is of another event already", lpi);
	needs_sync(c, mapped_collection(c, collection));
	gicv3_store(itt->memory, (size_t)event * GICV3_ITE_SIZE, lpi, 4);
	gicv3_store(itt->memory, (size_t)event * GICV3_ITE_SIZE + 4, collection, 4);
	its.lpi_used[lpi] = true;
	gicv3_note("mapti(%x,%u,%u,%u)", itt->device, event, lpi, collection);
}

/* What is pending goes along. */
static void do_movi(const struct command *c)
{
	u32 collection = c->word[2] & 0xffff;
	struct its_event e = mapped_event(c);
	struct redist *to = mapped_collection(c, collection);

	gicv3_store(its_itt(device_of(c))->memory, (size_t)event_of(c) * GICV3_ITE_SIZE + 4,
		    collection, 4);
	if (to != e.redist && gicv3_lpi_pending(e.redist, e.lpi)) {
		gicv3_lpi_set_pending(e.redist, e.lpi, false);
		if (!gicv3_lpi_pending(to, e.lpi))
			gicv3_lpi_set_pending(to, e.lpi, true);
	}
	needs_sync(c, e.redist);
	gicv3_note("movi(%x,%u,%u)", device_of(c), event_of(c), collection);
}

static void set_pending(const struct its_event *e, bool pending)
{
	if (gicv3_lpi_pending(e->redist, e->lpi) != pending)
		gicv3_lpi_set_pending(e->redist, e->lpi, pending);
}

static void note_event(const struct command *c, const struct its_event *e)
{
	needs_sync(c, e->redist);
	gicv3_note("%s(%x,%u)", c->name, device_of(c), event_of(c));
}

static void do_discard(const struct command *c)
{
	struct its_event e = mapped_event(c);
	struct shadow *memory = its_itt(device_of(c))->memory;

	set_pending(&e, false);
	gicv3_store(memory, (size_t)event_of(c) * GICV3_ITE_SIZE, 0, 8);
	its.lpi_used[e.lpi] = false;
	note_event(c, &e);
}

/* ---- Pending and properties ----------------------------------------------------------------- */

static void do_int(const struct command *c)
{
	struct its_event e = mapped_event(c);

	its_deliver(&e);
	note_event(c, &e);
}

static void do_clear(const struct command *c)
{
	struct its_event e = mapped_event(c);

	set_pending(&e, false);
	note_event(c, &e);
}

static void do_inv(const struct command *c)
{
	struct its_event e = mapped_event(c);

	gicv3_reread(e.lpi);
	note_event(c, &e);
}

static void do_invall(const struct command *c)
{
	u32 collection = c->word[2] & 0xffff;
	struct its_event e;

	needs_sync(c, mapped_collection(c, collection));
	for (unsigned int i = 0; i < ITS_DEVICES; i++)
		for (u32 event = 0; its.itt[i].memory && event < BIT(its.itt[i].bits); event++)
			if (its_event(its.itt[i].device, event, &e) && e.collection == collection)
				gicv3_reread(e.lpi);
	gicv3_note("invall(%u)", collection);
}

static void do_sync(const struct command *c)
{
	struct redist *r = target_of(c);

	its.unsynced &= ~(1U << gicv3_index(r));
	gicv3_note("sync(%d)", gicv3_cpu_of(r));
}

/* ---- The queue ------------------------------------------------------------------------------ */

#define EVENT_WORDS	{ DEVICE | OPCODE, 0xffffffff, 0, 0 }

static const struct {
	const char *name;
	void (*fn)(const struct command *c);
	u64 allowed[4];
} commands[0x20] = {
	[0x01] = { "movi", do_movi, { DEVICE | OPCODE, 0xffffffff, 0xffff, 0 } },
	[0x03] = { "int", do_int, EVENT_WORDS },
	[0x04] = { "clear", do_clear, EVENT_WORDS },
	[0x05] = { "sync", do_sync, { OPCODE, 0, TARGET, 0 } },
	[0x08] = { "mapd", do_mapd, { DEVICE | OPCODE, 0x1f, VALID | GENMASK(51, 8), 0 } },
	[0x09] = { "mapc", do_mapc, { OPCODE, 0, VALID | TARGET | 0xffff, 0 } },
	[0x0a] = { "mapti", do_mapti, { DEVICE | OPCODE, ~0UL, 0xffff, 0 } },
	[0x0c] = { "inv", do_inv, EVENT_WORDS },
	[0x0d] = { "invall", do_invall, { OPCODE, 0, 0xffff, 0 } },
	[0x0f] = { "discard", do_discard, EVENT_WORDS },
};

static jmp_buf skip;
static bool carrying_out;

void its_skip(void)
{
	if (carrying_out)
		longjmp(skip, 1);
}

static void carry_out(const u64 word[4])
{
	struct command c = { { word[0], word[1], word[2], word[3] }, NULL };
	unsigned int op = c.word[0] & OPCODE;

	carrying_out = true;
	if (setjmp(skip)) {
		carrying_out = false;
		return;
	}
	if (op >= ARRAY_SIZE(commands) || !commands[op].fn)
		its_bad("there is no command 0x%x", op);
	c.name = commands[op].name;
	for (unsigned int i = 0; i < 4; i++)
		gicv3_need_zeros(c.name, c.word[i], commands[op].allowed[i]);
	commands[op].fn(&c);
	its.done[op]++;
	carrying_out = false;
}

static void step(void)
{
	const u8 *queue = (const u8 *)its_queue();
	u64 word[4];

	if (gicv3_need_memory("the command queue", its_queue(), its_queue_size()) &&
	    memcmp(queue + its.creadr, its.handed + its.creadr, ITS_COMMAND))
		gicv3_bad("the command at 0x%x was overwritten before it was read", its.creadr);
	memcpy(word, its.handed + its.creadr, ITS_COMMAND);
	carry_out(word);
	its.creadr = (its.creadr + ITS_COMMAND) % its_queue_size();
	if (its.creadr == its.cwriter && its.unsynced)
		gicv3_bad("%s is not followed by a SYNC to its redistributor", its.unsynced_by);
	if (its.creadr == its.cwriter)
		its.unsynced = 0;
}

static bool has_work(void)
{
	return its.enabled && !its.held && its.creadr != its.cwriter;
}

/* What is handed over, up to V, is remembered. */
static void take_over(u32 v, size_t size)
{
	if (!gicv3_need_memory("the command queue", its_queue(), size))
		return;
	for (u32 at = its.cwriter; at != v; at = (at + ITS_COMMAND) % size)
		memcpy(its.handed + at, (u8 *)its_queue() + at, ITS_COMMAND);
	its.cwriter = v;
}

void its_advance(u64 v)
{
	size_t size = its_queue_size();
	u32 waiting = (its.cwriter + size - its.creadr) % size, added;

	gicv3_need_zeros("GITS_CWRITER", v, 0xfffe0);
	v &= 0xfffe0;
	its.cwriter_is_stale = false;
	added = (v + size - its.cwriter) % size;
	if (v >= size) {
		gicv3_bad("GITS_CWRITER 0x%lx lies beyond the queue", (unsigned long)v);
	} else if (!its.enabled) {
		if (v)
			gicv3_bad("the ITS is off, and is given commands");
		its.cwriter = 0;
	} else if (waiting + added >= size) {
		gicv3_bad("the command queue overruns: %u commands wait, %u are added",
			  waiting / ITS_COMMAND, added / ITS_COMMAND);
	} else {
		take_over(v, size);
		while (has_work() && !gicv3.setup.slow)
			step();
	}
}

u64 its_look(void)
{
	u64 v = its.creadr;

	if (has_work() && gicv3.setup.slow && ++its.looks % gicv3.setup.slow == 0) {
		step();
		gicv3_update();
	}
	return v;
}

void gicv3_hold_commands(bool hold)
{
	gicv3_lock();
	its.held = hold;
	while (has_work() && !gicv3.setup.slow)
		step();
	gicv3_update();
	gicv3_unlock();
}
