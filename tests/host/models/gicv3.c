/*
 * A GICv3: see gicv3.h. Here: what its parts share, the memory that the kernel has given it, and
 * which line a CPU is offered.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "models/gicv3-internals.h"

#define MAX_SHADOWS	256
#define MAX_TRACE	65536

struct gicv3 gicv3;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shadow shadows[MAX_SHADOWS];
static char trace[MAX_TRACE], taken[MAX_TRACE];
static size_t traced;

void gicv3_lock(void) { pthread_mutex_lock(&lock); }
void gicv3_unlock(void) { pthread_mutex_unlock(&lock); }

/* ---- The trace ------------------------------------------------------------------------------ */

void gicv3_note(const char *fmt, ...)
{
	va_list args;

	if (traced > MAX_TRACE / 2)
		traced = 0;		/* nobody takes it */
	if (traced)
		trace[traced++] = ' ';
	va_start(args, fmt);
	traced += vsnprintf(trace + traced, MAX_TRACE - traced, fmt, args);
	va_end(args);
}

const char *gicv3_trace(void)
{
	gicv3_lock();
	memcpy(taken, trace, traced);
	taken[traced] = '\0';
	traced = 0;
	gicv3_unlock();
	return taken;
}

/* ---- Memory --------------------------------------------------------------------------------- */

bool gicv3_need_memory(const char *what, u64 addr, size_t len)
{
	if (host_dma_ok(addr, len))
		return true;
	gicv3_bad("%s: 0x%lx, %zu bytes, is not memory of one live allocation", what,
		  (unsigned long)addr, len);
	return false;
}

struct shadow *gicv3_shadow(const char *what, u64 addr, size_t len, bool zeroed)
{
	const u8 *p = (const u8 *)addr;
	struct shadow *s = NULL;

	if (!gicv3_need_memory(what, addr, len))
		return NULL;
	for (unsigned int i = 0; i < MAX_SHADOWS; i++) {
		struct shadow *other = &shadows[i];

		if (!other->copy) {
			s = other;
		} else if (addr < other->addr + other->len && other->addr < addr + len) {
			gicv3_bad("%s at 0x%lx lies in %s", what, (unsigned long)addr, other->what);
			return NULL;
		}
	}
	if (!s)
		host_die("gicv3 model: too many tables");
	for (size_t i = 0; zeroed && i < len; i++) {
		if (!p[i])
			continue;
		gicv3_bad("%s is not zeroed: byte %zu is 0x%x", what, i, p[i]);
		memset((void *)addr, 0, len);
	}
	*s = (struct shadow){ what, addr, len, malloc(len), false };
	memcpy(s->copy, p, len);
	return s;
}

void gicv3_unshadow(struct shadow *s)
{
	if (!s)
		return;
	free(s->copy);
	s->copy = NULL;
}

/* What software has written there is what is there. */
static bool look_at(struct shadow *s, size_t offset, size_t len)
{
	const u8 *p = (const u8 *)s->addr;

	if (offset + len > s->len)
		host_die("gicv3 model: %s: offset %zu", s->what, offset);
	if (s->gone)
		return false;
	if (!gicv3_need_memory(s->what, s->addr, s->len)) {
		s->gone = true;
		return false;
	}
	if (memcmp(p + offset, s->copy + offset, len)) {
		gicv3_bad("%s was written by software, near offset %zu", s->what, offset);
		memcpy(s->copy + offset, p + offset, len);
	}
	return true;
}

u64 gicv3_load(struct shadow *s, size_t offset, unsigned int size)
{
	u64 v = 0;

	look_at(s, offset, size);
	memcpy(&v, s->copy + offset, size);
	return v;
}

void gicv3_store(struct shadow *s, size_t offset, u64 v, unsigned int size)
{
	if (look_at(s, offset, size))
		memcpy((u8 *)s->addr + offset, &v, size);
	memcpy(s->copy + offset, &v, size);
}

void gicv3_shadows_check(void)
{
	for (unsigned int i = 0; i < MAX_SHADOWS; i++)
		if (shadows[i].copy)
			look_at(&shadows[i], 0, shadows[i].len);
}

void gicv3_shadows_reset(void)
{
	for (unsigned int i = 0; i < MAX_SHADOWS; i++)
		gicv3_unshadow(&shadows[i]);
}

/* ---- Who is who ----------------------------------------------------------------------------- */

struct redist *gicv3_redist_of(u64 hwid)
{
	for (unsigned int i = 0; i < gicv3.setup.nr; i++)
		if (gicv3.hwid[i] == hwid)
			return &gicv3.redist[i];
	return NULL;
}

int gicv3_cpu_of(const struct redist *r)
{
	return cpu_by_hwid(r->hwid);
}

struct redist *gicv3_me(void)
{
	struct redist *r = gicv3_redist_of(cpus[smp_processor_id()].hwid);

	if (!r)
		host_die("gicv3 model: CPU %u has no redistributor", smp_processor_id());
	return r;
}

/* ---- Which line ----------------------------------------------------------------------------- */

bool gicv3_is_pending(const struct line *line)
{
	return line->state & PENDING || (!line->edge && line->wire);
}

void gicv3_settle(struct line *lines, u32 nr)
{
	for (u32 n = 0; n < nr; n++)
		lines[n].leaving = false;
}

static bool may_come(const struct redist *r, const struct line *line, u8 above)
{
	return gicv3_is_pending(line) && (line->state & ENABLED || line->leaving) &&
	       !(line->state & ACTIVE) && line->group1 && line->priority < r->pmr &&
	       line->priority < above;
}

/* What has not been dropped holds back all of its priority, which here is everybody's. */
static bool is_busy(const struct redist *r)
{
	for (unsigned int i = 0; i < r->nr_claims; i++)
		if (!r->claim[i].dropped)
			return true;
	return false;
}

/* The lowest; the bytes are looked at twice, so that a search does not ask about each allocation. */
static u32 best_lpi(const struct redist *r)
{
	if (!r->lpis || !r->nr_pending)
		return NOTHING;
	for (size_t byte = GICV3_LPI / 8; byte < r->pending->len; byte++) {
		for (u32 lpi = 8 * byte; r->pending->copy[byte] && lpi < 8 * byte + 8; lpi++)
			if (gicv3_lpi_pending(r, lpi) && gicv3_property(lpi) & 1 &&
			    (gicv3_property(lpi) & 0xfc) < r->pmr)
				return lpi;
	}
	return NOTHING;
}

u32 gicv3_best(const struct redist *r)
{
	if (!(gicv3.ctlr & 2) || !r->on || r->asleep || is_busy(r))
		return NOTHING;
	for (u32 n = 0; n < 32; n++)
		if (may_come(r, &r->own[n], 0xff))
			return n;
	for (u32 n = 32; n < GICV3_INTIDS; n++)
		if (gicv3.spi[n].route == r->hwid && may_come(r, &gicv3.spi[n], 0xff))
			return n;
	return best_lpi(r);
}

void gicv3_update(void)
{
	for (unsigned int i = 0; i < gicv3.setup.nr; i++) {
		int cpu = gicv3_cpu_of(&gicv3.redist[i]);

		if (cpu >= 0)
			host_set_line(cpu, IRQ_S_EXT, gicv3_best(&gicv3.redist[i]) != NOTHING);
	}
}

/* ---- From outside --------------------------------------------------------------------------- */

static void set_wire(struct line *line, bool level)
{
	if (level && !line->wire && line->edge)
		line->state |= PENDING;
	line->wire = level;
	gicv3_update();
}

void gicv3_wire(unsigned int intid, bool level)
{
	gicv3_lock();
	set_wire(&gicv3.spi[intid], level);
	gicv3_unlock();
}

void gicv3_ppi(unsigned int cpu, unsigned int intid, bool level)
{
	gicv3_lock();
	set_wire(&gicv3_redist_of(cpus[cpu].hwid)->own[intid], level);
	gicv3_unlock();
}

void gicv3_intrude(unsigned int cpu, unsigned int intid)
{
	gicv3_lock();
	gicv3.spi[intid].state |= ENABLED | PENDING;
	gicv3.spi[intid].route = cpus[cpu].hwid;
	gicv3_update();
	gicv3_unlock();
}

static struct line *line_at(unsigned int cpu, unsigned int intid)
{
	return intid < 32 ? &gicv3_redist_of(cpus[cpu].hwid)->own[intid] : &gicv3.spi[intid];
}

bool gicv3_enabled(unsigned int cpu, unsigned int intid)
{
	return line_at(cpu, intid)->state & ENABLED;
}

bool gicv3_pending(unsigned int cpu, unsigned int intid)
{
	if (intid >= GICV3_LPI)
		return gicv3_lpi_pending(gicv3_redist_of(cpus[cpu].hwid), intid);
	return gicv3_is_pending(line_at(cpu, intid));
}

bool gicv3_active(unsigned int cpu, unsigned int intid)
{
	return line_at(cpu, intid)->state & ACTIVE;
}

bool gicv3_edge(unsigned int intid) { return line_at(0, intid)->edge; }
int gicv3_route(unsigned int intid) { return cpu_by_hwid(gicv3.spi[intid].route); }

void gicv3_check(void)
{
	gicv3_lock();
	for (unsigned int i = 0; i < gicv3.setup.nr; i++) {
		const struct redist *r = &gicv3.redist[i];

		if (r->on && r->nr_claims)
			gicv3_bad("INTID %u was claimed and has not been ended",
				  r->claim[0].intid);
		if (r->rwp)
			gicv3_bad("nobody has waited for GICR_CTLR.RWP of redistributor %u", i);
	}
	if (gicv3.rwp)
		gicv3_bad("nobody has waited for GICD_CTLR.RWP");
	gicv3_shadows_check();
	gicv3_its_check();
	gicv3_unlock();
}

static void leftovers(void)
{
	gicv3.ctlr = gicv3.setup.no_routing ? 0x42 : 0x52;	/* DS, ARE, EnableGrp1 */
	for (u32 n = 32; n < GICV3_INTIDS; n++)
		gicv3.spi[n] = (struct line){ .route = 0xdead };
	for (u32 n = 40; n < 48; n++)
		gicv3.spi[n].state = PENDING | ENABLED | ACTIVE;
}

void gicv3_model(const struct gicv3_setup *setup)
{
	memset(&gicv3, 0, sizeof(gicv3));
	gicv3_shadows_reset();
	traced = 0;
	gicv3.setup = *setup;
	memcpy(gicv3.hwid, setup->hwid, setup->nr * sizeof(*setup->hwid));
	leftovers();
	gicv3_redist_model();
	gicv3_cpu_model();
	gicv3_its_model();
}
