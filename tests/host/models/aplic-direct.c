/* An APLIC that interrupts harts by wires: see aplic-direct.h. */
#include <asm/csr.h>
#include <kernel/smp.h>
#include <pthread.h>
#include <string.h>
#include "models/aplic-direct.h"

#define MAX_HARTS	16

enum { INACTIVE = 0, EDGE1 = 4, EDGE0 = 5, LEVEL1 = 6, LEVEL0 = 7 };
enum { CLRIPNUM = 0x1ddc, SETIENUM = 0x1edc, CLRIENUM = 0x1fdc };
enum { IDELIVERY = 0x00, IFORCE = 0x04, ITHRESHOLD = 0x08, TOPI = 0x18, CLAIMI = 0x1c };

static struct {
	bool like_qemu, ie;
	unsigned int nr;
	u64 hwid[MAX_HARTS];
	u32 idelivery[MAX_HARTS], iforce[MAX_HARTS], ithreshold[MAX_HARTS];
	struct source {
		u32 mode, target;
		bool wire, latched, enabled;
	} source[APLIC_SOURCES + 1];
} a;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Sources -------------------------------------------------------------------------------- */

static bool is_level(const struct source *s)
{
	return s->mode == LEVEL1 || s->mode == LEVEL0;
}

static bool rectified(const struct source *s)
{
	return s->mode >= EDGE1 && s->wire == (s->mode == EDGE1 || s->mode == LEVEL1);
}

static bool pending(const struct source *s)
{
	return is_level(s) && !a.like_qemu ? rectified(s) : s->latched;
}

static u32 topi(unsigned int hart)
{
	u32 found = 0;

	for (u32 n = 1; n <= APLIC_SOURCES; n++) {
		const struct source *s = &a.source[n];
		u32 priority = s->target & 0xff;

		if (!pending(s) || !s->enabled || s->target >> 18 != hart)
			continue;
		if (a.ithreshold[hart] && priority >= a.ithreshold[hart])
			continue;
		if (!found || priority < (found & 0xff))
			found = n << 16 | priority;
	}
	return found;
}

static void update(void)
{
	for (unsigned int i = 0; i < a.nr; i++) {
		int cpu = cpu_by_hwid(a.hwid[i]);

		if (cpu >= 0)
			host_set_line(cpu, IRQ_S_EXT,
				      a.ie && a.idelivery[i] && (a.iforce[i] || topi(i)));
	}
}

void aplic_direct_wire(unsigned int n, bool level)
{
	struct source *s = &a.source[n];
	bool was = rectified(s);

	pthread_mutex_lock(&lock);
	s->wire = level;
	if (!was && rectified(s))
		s->latched = true;
	update();
	pthread_mutex_unlock(&lock);
}

static u32 claim(unsigned int hart)
{
	u32 top = topi(hart);
	struct source *s = &a.source[top >> 16];

	if (top)
		s->latched = is_level(s) && rectified(s);
	else
		a.iforce[hart] = 0;
	return top;
}

/* ---- Registers ------------------------------------------------------------------------------ */

static bool own_idc(u64 offset, unsigned int *hart)
{
	*hart = (offset - 0x4000) / 32;
	if (*hart >= a.nr) {
		model_violation("aplic model: IDC %u, there are %u", *hart, a.nr);
		return false;
	}
	if (a.hwid[*hart] != cpus[smp_processor_id()].hwid) {
		model_violation("aplic model: CPU %u uses IDC %u, another hart's",
				smp_processor_id(), *hart);
		return false;
	}
	if (host_irqs_on)
		model_violation("aplic model: IDC %u used with interrupts on", *hart);
	return true;
}

static u64 read_idc(u64 offset)
{
	unsigned int hart;

	if (!own_idc(offset, &hart))
		return 0;
	switch (offset % 32) {
	case IDELIVERY:		return a.idelivery[hart];
	case IFORCE:		return a.iforce[hart];
	case ITHRESHOLD:	return a.ithreshold[hart];
	case TOPI:		return topi(hart);
	case CLAIMI:		return claim(hart);
	}
	model_violation("aplic model: load at 0x%lx, no register", (unsigned long)offset);
	return 0;
}

static u32 bits(u64 offset, bool (*bit)(const struct source *s))
{
	u32 v = 0;

	for (unsigned int b = 0; b < 32; b++) {
		unsigned int n = offset % 0x80 / 4 * 32 + b;

		if (n && n <= APLIC_SOURCES && bit(&a.source[n]))
			v |= 1U << b;
	}
	return v;
}

static bool is_enabled(const struct source *s)
{
	return s->enabled;
}

static u64 aplic_read(void *priv, u64 offset, unsigned int size)
{
	u64 v = 0;

	(void)priv;
	pthread_mutex_lock(&lock);
	if (size != 4)
		model_violation("aplic model: load of %u bytes, not 4", size);
	else if (offset == 0)
		v = 0x80000000 | a.ie << 8;
	else if (offset <= 4 * APLIC_SOURCES)
		v = a.source[offset / 4].mode;
	else if (offset >= 0x1c00 && offset < 0x1c80)
		v = bits(offset, pending);
	else if (offset >= 0x1d00 && offset < 0x1d80)
		v = bits(offset, rectified);
	else if (offset >= 0x1e00 && offset < 0x1e80)
		v = bits(offset, is_enabled);
	else if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES)
		v = a.source[(offset - 0x3000) / 4].target;
	else if (offset >= 0x4000)
		v = read_idc(offset);
	else
		model_violation("aplic model: load at 0x%lx, no register", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
	return v;
}

static void write_sourcecfg(struct source *s, u32 v)
{
	unsigned int n = s - a.source;

	if (v > LEVEL0 || v == 2 || v == 3) {
		model_violation("aplic model: source %u: mode 0x%x does not exist", n, v);
		return;
	}
	if (s->enabled && v != s->mode)
		model_violation("aplic model: mode of source %u changed while it is enabled", n);
	s->mode = v;
	if (s->mode == INACTIVE)
		s->latched = s->enabled = false;
	if (s->mode == INACTIVE)
		s->target = 0;
}

/* Read-only zero as long as the source is inactive. [AIA 4.5.16] */
static void write_target(struct source *s, u32 v)
{
	unsigned int n = s - a.source;

	if (s->mode == INACTIVE)
		model_violation("aplic model: target of source %u written, which is inactive", n);
	else if (!(v & 0xff))
		model_violation("aplic model: source %u gets priority 0", n);
	else if (v >> 18 >= a.nr || v & 0x3ff00)
		model_violation("aplic model: source %u: target 0x%x is no hart", n, v);
	else
		s->target = v;
}

/* By number; a level's pending bit is none of software's business. [AIA 4.7] */
static void write_number(u64 offset, u32 n)
{
	struct source *s = &a.source[n];

	if (!n || n > APLIC_SOURCES)
		model_violation("aplic model: source %u, which does not exist, at 0x%lx", n,
				(unsigned long)offset);
	else if (offset == CLRIENUM)
		s->enabled = false;
	else if (s->mode == INACTIVE)
		model_violation("aplic model: source %u enabled or made pending, but inactive", n);
	else if (offset == SETIENUM && !(s->target & 0xff))
		model_violation("aplic model: source %u enabled before its target is set", n);
	else if (offset == SETIENUM)
		s->enabled = true;
	else if (is_level(s))
		model_violation("aplic model: pending bit of level %u written by software", n);
	else
		s->latched = offset != CLRIPNUM;
}

static void clear_enables(unsigned int word, u32 v)
{
	for (unsigned int b = 0; b < 32; b++)
		if (v >> b & 1 && 32 * word + b <= APLIC_SOURCES)
			a.source[32 * word + b].enabled = false;
}

static void write_idc(u64 offset, u32 v)
{
	unsigned int hart;

	if (!own_idc(offset, &hart))
		return;
	if (offset % 32 == ITHRESHOLD)
		a.ithreshold[hart] = v & 0xff;
	else if (offset % 32 != IDELIVERY && offset % 32 != IFORCE)
		model_violation("aplic model: store at 0x%lx, no register", (unsigned long)offset);
	else if (v > 1)
		model_violation("aplic model: 0x%x at 0x%lx, not 0 or 1", v, (unsigned long)offset);
	else
		*(offset % 32 == IFORCE ? &a.iforce[hart] : &a.idelivery[hart]) = v;
}

static void write_domaincfg(u32 v)
{
	if (v & ~0x100U)
		model_violation("aplic model: domaincfg 0x%x: more than IE", v);
	a.ie = v & 0x100;
}

static void aplic_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	pthread_mutex_lock(&lock);
	if (size != 4)
		model_violation("aplic model: store of %u bytes, not 4", size);
	else if (offset == 0)
		write_domaincfg(v);
	else if (offset <= 4 * APLIC_SOURCES)
		write_sourcecfg(&a.source[offset / 4], v);
	else if (offset >= 0x1f00 && offset < 0x1f80)
		clear_enables((offset - 0x1f00) / 4, v);
	else if (offset == CLRIPNUM || offset == SETIENUM || offset == CLRIENUM || offset == 0x2000)
		write_number(offset, v);
	else if (offset > 0x3000 && offset <= 0x3000 + 4 * APLIC_SOURCES)
		write_target(&a.source[(offset - 0x3000) / 4], v);
	else if (offset >= 0x4000)
		write_idc(offset, v);
	else
		model_violation("aplic model: store at 0x%lx, no register", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
}

/* ---- For tests ------------------------------------------------------------------------------ */

void aplic_direct_set_up(unsigned int n, u32 mode, u32 target, bool enabled)
{
	a.source[n].mode = mode;
	a.source[n].target = target;
	a.source[n].enabled = enabled;
}

void aplic_direct_model(bool like_qemu, unsigned int nr, const u64 *hwid)
{
	static const struct host_mmio_ops ops = { aplic_read, aplic_write };

	memset(&a, 0, sizeof(a));
	a.like_qemu = like_qemu;
	a.nr = nr;
	memcpy(a.hwid, hwid, nr * sizeof(*hwid));
	for (unsigned int i = 0; i < nr; i++) {		/* what firmware leaves */
		a.ithreshold[i] = 1;
		a.iforce[i] = i & 1;
	}
	for (unsigned int n = 1; n <= APLIC_SOURCES; n += 5)
		aplic_direct_set_up(n, EDGE1, 0x77, true);
	host_mmio_add("aplic", APLIC_BASE, 0x8000, &ops, NULL);
}

u32 aplic_direct_mode(unsigned int n) { return a.source[n].mode; }
u32 aplic_direct_target(unsigned int n) { return a.source[n].target; }
bool aplic_direct_enabled(unsigned int n) { return a.source[n].enabled; }
bool aplic_direct_pending(unsigned int n) { return pending(&a.source[n]); }
bool aplic_direct_delivers(unsigned int hart) { return a.idelivery[hart]; }
u32 aplic_direct_threshold(unsigned int hart) { return a.ithreshold[hart]; }

void aplic_direct_force(unsigned int hart)
{
	a.iforce[hart] = 1;
	update();
}
