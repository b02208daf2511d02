/* RISC-V's platform-level interrupt controller: see plic.h. */
#include <asm/csr.h>
#include <kernel/smp.h>
#include <pthread.h>
#include <string.h>
#include "models/plic.h"

#define MAX_CONTEXTS	16
#define PRIORITIES	7

static struct {
	enum plic_kind kind;
	unsigned int nr;
	u64 hwid[MAX_CONTEXTS];
	u32 threshold[MAX_CONTEXTS], enable[MAX_CONTEXTS][(PLIC_SOURCES + 32) / 32];
	struct source {
		u32 priority;
		bool wire, edge;
		bool busy;		/* its gateway waits for a completion */
		bool pending, claimed;
		unsigned int claimer;	/* the context */
	} source[PLIC_SOURCES + 1];
} p;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- What a context sees -------------------------------------------------------------------- */

static bool enabled(unsigned int context, unsigned int n)
{
	return p.enable[context][n / 32] >> n % 32 & 1;
}

/* The greatest priority above the threshold, of equals the lowest number. [PLIC 1.4] */
static unsigned int best(unsigned int context)
{
	u32 priority = p.threshold[context];
	unsigned int found = 0;

	for (unsigned int n = 1; n <= PLIC_SOURCES; n++) {
		const struct source *s = &p.source[n];

		if (!s->pending || s->claimed || !enabled(context, n) || s->priority <= priority)
			continue;
		found = n;
		priority = s->priority;
	}
	return found;
}

static void update(void)
{
	for (unsigned int i = 0; i < p.nr; i++) {
		int cpu = p.hwid[i] == ~0ULL ? -1 : cpu_by_hwid(p.hwid[i]);

		if (cpu >= 0)
			host_set_line(cpu, IRQ_S_EXT, best(i));
	}
}

/* ---- Gateways ------------------------------------------------------------------------------- */

static void request(struct source *s)
{
	if (s->busy)
		return;
	s->busy = s->pending = true;
}

static void wire_rises(struct source *s)
{
	if (p.kind == PLIC_LIKE_QEMU && !s->edge)
		s->pending = true;
	else
		request(s);
}

void plic_model_wire(unsigned int n, bool level)
{
	struct source *s = &p.source[n];

	pthread_mutex_lock(&lock);
	if (level && !s->wire)
		wire_rises(s);
	s->wire = level;
	update();
	pthread_mutex_unlock(&lock);
}

static u32 claim(unsigned int context)
{
	unsigned int n = best(context);

	if (n) {
		p.source[n].pending = false;
		p.source[n].claimed = true;
		p.source[n].claimer = context;
	}
	return n;
}

static void completed(struct source *s)
{
	s->claimed = s->busy = false;
	if (p.kind == PLIC_BY_THE_BOOK && !s->edge && s->wire)
		request(s);
}

static void complete(unsigned int context, u32 n)
{
	struct source *s = &p.source[n];

	if (!n || n > PLIC_SOURCES) {
		model_violation("plic model: completion of source %u, which does not exist", n);
	} else if (!enabled(context, n)) {
		model_violation("plic model: completion of source %u, disabled in context %u: "
				"ignored, and so it is dead", n, context);
	} else if (!s->claimed) {
		model_violation("plic model: completion of source %u, which is not claimed", n);
	} else if (s->claimer != context) {
		model_violation("plic model: completion of source %u in context %u, claimed in %u",
				n, context, s->claimer);
	} else {
		completed(s);
	}
}

/* ---- Registers ------------------------------------------------------------------------------ */

/* The context of a threshold or claim register; false if there is none of ours. */
static bool context_of(u64 offset, unsigned int *context)
{
	*context = (offset - 0x200000) / 0x1000;
	if (*context >= p.nr || p.hwid[*context] == ~0ULL || offset % 0x1000 > 4) {
		model_violation("plic model: access at 0x%lx, no register of an S-mode context",
				(unsigned long)offset);
		return false;
	}
	if (host_irqs_on)
		model_violation("plic model: context %u used with interrupts on", *context);
	return true;
}

static bool own_context(u64 offset, unsigned int *context)
{
	if (!context_of(offset, context))
		return false;
	if (p.hwid[*context] == cpus[smp_processor_id()].hwid)
		return true;
	model_violation("plic model: CPU %u uses context %u, another hart's", smp_processor_id(),
			*context);
	return false;
}

static u64 read_context(u64 offset)
{
	unsigned int context;

	if (!own_context(offset, &context))
		return 0;
	return offset % 0x1000 ? claim(context) : p.threshold[context];
}

static void write_context(u64 offset, u32 v)
{
	unsigned int context;

	if (offset % 0x1000 == 4) {
		if (context_of(offset, &context))
			complete(context, v);
	} else if (own_context(offset, &context)) {
		p.threshold[context] = v & PRIORITIES;		/* WARL [PLIC 8] */
	}
}

static u32 pending_word(u64 offset)
{
	unsigned int first = (offset - 0x1000) * 8;
	u32 v = 0;

	for (unsigned int n = first; n < first + 32 && n <= PLIC_SOURCES; n++)
		v |= (u32)p.source[n].pending << n % 32;
	return v;
}

static u64 plic_read(void *priv, u64 offset, unsigned int size)
{
	u64 v = 0;

	(void)priv;
	pthread_mutex_lock(&lock);
	if (size != 4)
		model_violation("plic model: load of %u bytes, not 4", size);
	else if (offset && offset <= 4 * PLIC_SOURCES)
		v = p.source[offset / 4].priority;
	else if (offset >= 0x1000 && offset <= 0x1000 + PLIC_SOURCES / 8)
		v = pending_word(offset);
	else if (offset >= 0x200000)
		v = read_context(offset);
	else
		model_violation("plic model: load at 0x%lx, no register", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
	return v;
}

static void write_enable(u64 offset, u32 v)
{
	unsigned int context = offset / 0x80, word = offset % 0x80 / 4;
	u32 there = word < PLIC_SOURCES / 32 ? ~0U : ~0U >> (31 - PLIC_SOURCES % 32);

	if (context >= p.nr || word > PLIC_SOURCES / 32 || p.hwid[context] == ~0ULL) {
		model_violation("plic model: enable word %u of context %u is not an S-mode one",
				word, context);
		return;
	}
	there &= word ? ~0U : ~1U;
	if (v & ~there)
		model_violation("plic model: enable of source %u, which does not exist",
				32 * word + __builtin_ctz(v & ~there));
	p.enable[context][word] = v & there;
}

static void write_priority(unsigned int n, u32 v)
{
	if (v > PRIORITIES)
		model_violation("plic model: priority %u of source %u, the greatest is %u", v, n,
				PRIORITIES);
	p.source[n].priority = v & PRIORITIES;
}

static void plic_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	pthread_mutex_lock(&lock);
	if (size != 4)
		model_violation("plic model: store of %u bytes, not 4", size);
	else if (offset && offset <= 4 * PLIC_SOURCES)
		write_priority(offset / 4, v);
	else if (offset >= 0x1000 && offset < 0x1080)
		model_violation("plic model: store to pending bits, which are read-only");
	else if (offset >= 0x2000 && offset < 0x200000)
		write_enable(offset - 0x2000, v);
	else if (offset >= 0x200000)
		write_context(offset, v);
	else
		model_violation("plic model: store at 0x%lx, no register", (unsigned long)offset);
	if (p.kind == PLIC_BY_THE_BOOK || offset < 0x2000 || offset >= 0x200000)
		update();
	pthread_mutex_unlock(&lock);
}

/* ---- For tests ------------------------------------------------------------------------------ */

void plic_model(enum plic_kind kind, unsigned int nr, const u64 *hwid)
{
	static const struct host_mmio_ops ops = { plic_read, plic_write };

	memset(&p, 0, sizeof(p));
	p.kind = kind;
	p.nr = nr;
	memcpy(p.hwid, hwid, nr * sizeof(*hwid));
	for (unsigned int i = 0; i < nr; i++) {		/* what firmware leaves */
		p.threshold[i] = PRIORITIES;
		p.enable[i][1] = hwid[i] == ~0ULL ? 0 : 0xa5a5a5a5;
	}
	for (unsigned int n = 1; n <= PLIC_SOURCES; n++)
		p.source[n].priority = n % 3;
	host_mmio_add("plic", PLIC_BASE, PLIC_SIZE, &ops, NULL);
}

void plic_model_edge(unsigned int n) { p.source[n].edge = true; }
u32 plic_model_priority(unsigned int n) { return p.source[n].priority; }
u32 plic_model_threshold(unsigned int context) { return p.threshold[context]; }
bool plic_model_enabled(unsigned int context, unsigned int n) { return enabled(context, n); }
bool plic_model_claimed(unsigned int n) { return p.source[n].claimed; }

int plic_model_context_of(unsigned int n)
{
	int found = -1;

	for (unsigned int i = 0; i < p.nr; i++)
		if (enabled(i, n))
			found = found == -1 ? (int)i : -2;
	return found;
}

void plic_model_set_enabled(unsigned int context, unsigned int n)
{
	p.enable[context][n / 32] |= 1U << n % 32;
	update();
}

void plic_model_set_priority(unsigned int n, u32 priority)
{
	p.source[n].priority = priority;
	update();
}

void plic_model_notify(unsigned int context)
{
	host_set_line(cpu_by_hwid(p.hwid[context]), IRQ_S_EXT, true);
}
