/*
 * An APLIC's supervisor domain in MSI delivery mode [AIA 4.5, 4.9.2].
 *
 *	wire -> rectified by sourcecfg -> pending -> (enabled, domaincfg.IE) -> message to target
 *
 * A level source: pending is set when the input rises and cleared when it falls or when the message
 * is sent; set by number only while the input is high. Enabling and changing the mode do not set
 * it: the hardware that gives the driver least.
 */
#include <string.h>
#include "models/imsic.h"

enum { INACTIVE = 0, DETACHED = 1, EDGE1 = 4, EDGE0 = 5, LEVEL1 = 6, LEVEL0 = 7 };

static struct {
	u32 domaincfg;
	u32 mode[APLIC_SOURCES + 1], target[APLIC_SOURCES + 1];
	bool wire[APLIC_SOURCES + 1], pending[APLIC_SOURCES + 1], enabled[APLIC_SOURCES + 1];
} a;

static bool is_level(unsigned int n)
{
	return a.mode[n] == LEVEL1 || a.mode[n] == LEVEL0;
}

static bool rectified(unsigned int n)
{
	return a.wire[n] == (a.mode[n] == EDGE1 || a.mode[n] == LEVEL1);
}

static void forward(unsigned int n)
{
	u32 t = a.target[n];

	if (!a.pending[n] || !a.enabled[n] || !(a.domaincfg & 0x100))
		return;
	a.pending[n] = false;
	host_bus_write(IMSIC_BASE + ((u64)(t >> 18) << 12) + ((t >> 12 & 0x3f) << 12), t & 0x7ff, 4);
}

void aplic_model_wire(unsigned int n, bool level)
{
	bool was = rectified(n);

	a.wire[n] = level;
	if (a.mode[n] < EDGE1)
		return;
	if (!was && rectified(n))
		a.pending[n] = true;
	else if (is_level(n) && !rectified(n))
		a.pending[n] = false;
	forward(n);
}

static void set_pending(unsigned int n)
{
	if (!n || n > APLIC_SOURCES || a.mode[n] == INACTIVE)
		return;
	if (!is_level(n) || rectified(n))
		a.pending[n] = true;
	forward(n);
}

static void set_enabled(unsigned int n, bool on)
{
	if (!n || n > APLIC_SOURCES || a.mode[n] == INACTIVE)
		return;
	a.enabled[n] = on;
	forward(n);
}

/* Bits 0 to 31 of word I of a set/clear array. */
static void each_bit(unsigned int i, u32 v, void (*fn)(unsigned int n))
{
	for (unsigned int b = 0; b < 32; b++)
		if (v >> b & 1)
			fn(32 * i + b);
}

static void enable(unsigned int n) { set_enabled(n, true); }
static void disable(unsigned int n) { set_enabled(n, false); }
static void clear_pending(unsigned int n)
{
	if (n && n <= APLIC_SOURCES && !is_level(n))
		a.pending[n] = false;
}

static void write_sourcecfg(unsigned int n, u32 v)
{
	if (v > LEVEL0 || v == 2 || v == 3)
		v = INACTIVE;		/* WARL; no delegation from this domain */
	a.mode[n] = v;
	if (v == INACTIVE) {
		a.pending[n] = a.enabled[n] = false;
		a.target[n] = 0;
	}
}

static void write_target(unsigned int n, u32 v)
{
	if (a.mode[n] == INACTIVE)
		return;			/* read-only zero [AIA 4.5.16] */
	a.target[n] = v;
	forward(n);
}

static void aplic_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("aplic model: store of %u bytes at 0x%lx", size, (unsigned long)offset);
	if (offset == 0) {
		a.domaincfg = 0x80000004 | (v & 0x100);
		for (unsigned int n = 1; n <= APLIC_SOURCES; n++)
			forward(n);
	} else if (offset <= 4 * APLIC_SOURCES) {
		write_sourcecfg(offset / 4, v);
	} else if (offset >= 0x1c00 && offset < 0x1c80) {
		each_bit((offset - 0x1c00) / 4, v, set_pending);
	} else if (offset == 0x1cdc || offset == 0x2000) {
		set_pending(v);
	} else if (offset >= 0x1d00 && offset < 0x1d80) {
		each_bit((offset - 0x1d00) / 4, v, clear_pending);
	} else if (offset == 0x1ddc) {
		clear_pending(v);
	} else if (offset >= 0x1e00 && offset < 0x1e80) {
		each_bit((offset - 0x1e00) / 4, v, enable);
	} else if (offset == 0x1edc) {
		enable(v);
	} else if (offset >= 0x1f00 && offset < 0x1f80) {
		each_bit((offset - 0x1f00) / 4, v, disable);
	} else if (offset == 0x1fdc) {
		disable(v);
	} else if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES) {
		write_target((offset - 0x3000) / 4, v);
	} else if (offset < 0x3000 || offset > 0x3ffc) {
		host_die("aplic model: store at 0x%lx", (unsigned long)offset);
	}
}

static u64 aplic_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("aplic model: load of %u bytes at 0x%lx", size, (unsigned long)offset);
	if (offset == 0)
		return a.domaincfg;
	if (offset <= 4 * APLIC_SOURCES)
		return a.mode[offset / 4];
	if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES)
		return a.target[(offset - 0x3000) / 4];
	host_die("aplic model: load at 0x%lx", (unsigned long)offset);
}

void aplic_model(void)
{
	static const struct host_mmio_ops ops = { aplic_read, aplic_write };

	memset(&a, 0, sizeof(a));
	a.domaincfg = 0x80000004;
	for (unsigned int n = 1; n <= APLIC_SOURCES; n += 5) {	/* firmware's leftovers */
		a.mode[n] = EDGE1;
		a.enabled[n] = true;
		a.target[n] = 0x77;
	}
	host_mmio_add("aplic", APLIC_BASE, 0x8000, &ops, NULL);
}

u32 aplic_model_target(unsigned int n) { return a.target[n]; }
u32 aplic_model_mode(unsigned int n) { return a.mode[n]; }
bool aplic_model_enabled(unsigned int n) { return a.enabled[n]; }
