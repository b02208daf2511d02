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
	unsigned long sent;
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
	a.sent++;
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

void (*aplic_model_on_enable)(unsigned int source, bool on);

static bool exists(unsigned int n, const char *what)
{
	if (n && n <= APLIC_SOURCES)
		return true;
	model_violation("aplic model: source %u does not exist, to %s", n, what);
	return false;
}

static bool active(unsigned int n, const char *what)
{
	if (!exists(n, what))
		return false;
	if (a.mode[n] == INACTIVE)
		model_violation("aplic model: source %u is inactive, to %s", n, what);
	return a.mode[n] != INACTIVE;
}

static void set_pending(unsigned int n)
{
	if (!active(n, "set pending"))
		return;
	if (!is_level(n) || rectified(n))
		a.pending[n] = true;
	forward(n);
}

static void clear_pending(unsigned int n)
{
	if (active(n, "clear pending") && !is_level(n))
		a.pending[n] = false;
}

/* Its identity is written before: 0 is the file's "nothing". [AIA 3.5] */
static void enable(unsigned int n)
{
	if (!active(n, "enable"))
		return;
	if (!(a.target[n] & 0x7ff))
		model_violation("aplic model: source %u enabled before its target is set", n);
	if (aplic_model_on_enable)
		aplic_model_on_enable(n, true);
	a.enabled[n] = true;
	forward(n);
}

static void disable(unsigned int n)
{
	if (!exists(n, "disable"))
		return;
	if (aplic_model_on_enable)
		aplic_model_on_enable(n, false);
	a.enabled[n] = false;
}

/* What is not there reads as zero and ignores it; that is how all are disabled. */
static void disable_word(unsigned int i, u32 v)
{
	for (unsigned int b = 0; b < 32; b++)
		if (v >> b & 1 && 32 * i + b <= APLIC_SOURCES)
			a.enabled[32 * i + b] = false;
}

static void write_sourcecfg(unsigned int n, u32 v)
{
	if (v > LEVEL0 || v == 2 || v == 3) {
		model_violation("aplic model: source %u: mode 0x%x does not exist", n, v);
		return;
	}
	if (a.enabled[n] && v != a.mode[n])
		model_violation("aplic model: mode of source %u changed while it is enabled", n);
	a.mode[n] = v;
	if (v == INACTIVE) {
		a.pending[n] = a.enabled[n] = false;
		a.target[n] = 0;
	}
}

/* Read-only zero as long as the source is inactive. [AIA 4.5.16] */
static void write_target(unsigned int n, u32 v)
{
	u32 id = v & 0x7ff;

	if (!active(n, "set its target"))
		return;
	if (id > IMSIC_IDS || v >> 18 >= imsic_model_files() || v & 0x3f800)
		model_violation("aplic model: source %u: target 0x%x is no identity of a hart", n, v);
	else if (!id && a.enabled[n])
		model_violation("aplic model: source %u gets identity 0 while it is enabled", n);
	else
		a.target[n] = v;
	forward(n);
}

static void write_domaincfg(u32 v)
{
	if (v & ~0x104U)
		model_violation("aplic model: domaincfg 0x%x: more than IE and DM", v);
	a.domaincfg = 0x80000004 | (v & 0x100);
	for (unsigned int n = 1; n <= APLIC_SOURCES; n++)
		forward(n);
}

static void write_by_number(u64 offset, u32 n)
{
	switch (offset) {
	case 0x1cdc: case 0x2000:	set_pending(n); break;
	case 0x1ddc:			clear_pending(n); break;
	case 0x1edc:			enable(n); break;
	case 0x1fdc:			disable(n); break;
	default:
		model_violation("aplic model: store at 0x%lx, no register", (unsigned long)offset);
	}
}

static void aplic_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		model_violation("aplic model: store of %u bytes, not 4", size);
	else if (offset == 0)
		write_domaincfg(v);
	else if (offset <= 4 * APLIC_SOURCES)
		write_sourcecfg(offset / 4, v);
	else if (offset >= 0x1f00 && offset < 0x1f80)
		disable_word((offset - 0x1f00) / 4, v);
	else if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES)
		write_target((offset - 0x3000) / 4, v);
	else
		write_by_number(offset, v);
}

/* 32 sources to a word: pending, rectified input, enabled. */
static u32 read_word(unsigned int array, unsigned int word)
{
	u32 v = 0;

	for (unsigned int n = max(32 * word, 1U); n < 32 * word + 32 && n <= APLIC_SOURCES; n++) {
		bool bit = array == 0x1c00 ? a.pending[n] : array == 0x1e00 ? a.enabled[n] :
			   a.mode[n] >= EDGE1 && rectified(n);

		v |= (u32)bit << n % 32;
	}
	return v;
}

static u64 aplic_read(void *priv, u64 offset, unsigned int size)
{
	unsigned int array = offset & ~0xffUL, word = (offset & 0xff) / 4;

	(void)priv;
	if (size != 4)
		model_violation("aplic model: load of %u bytes, not 4", size);
	else if (offset == 0)
		return a.domaincfg;
	else if (offset <= 4 * APLIC_SOURCES)
		return a.mode[offset / 4];
	else if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES)
		return a.target[(offset - 0x3000) / 4];
	else if ((array == 0x1c00 || array == 0x1d00 || array == 0x1e00) && word <= APLIC_SOURCES / 32)
		return read_word(array, word);
	else
		model_violation("aplic model: load at 0x%lx, no register", (unsigned long)offset);
	return 0;
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

unsigned long aplic_model_sent(void) { return a.sent; }
u32 aplic_model_target(unsigned int n) { return a.target[n]; }
u32 aplic_model_mode(unsigned int n) { return a.mode[n]; }
bool aplic_model_enabled(unsigned int n) { return a.enabled[n]; }
