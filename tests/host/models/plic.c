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
	unsigned int nr, ignored;
	u64 hwid[MAX_CONTEXTS];
	u32 threshold[MAX_CONTEXTS], enable[MAX_CONTEXTS][(PLIC_SOURCES + 32) / 32];
	struct source {
		u32 priority;
		bool wire, edge;
		bool busy;		/* its gateway waits for a completion */
		bool pending, claimed;
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
	}
	return n;
}

static void complete(unsigned int context, u32 n)
{
	struct source *s = &p.source[n];

	if (!n || n > PLIC_SOURCES)
		return;
	if (!enabled(context, n)) {
		p.ignored++;
		return;
	}
	if (!s->claimed)
		host_die("plic model: source %u completed, but nobody has claimed it", n);
	s->claimed = s->busy = false;
	if (p.kind == PLIC_BY_THE_BOOK && !s->edge && s->wire)
		request(s);
}

/* ---- Registers ------------------------------------------------------------------------------ */

static unsigned int some_context(u64 offset)
{
	unsigned int context = (offset - 0x200000) / 0x1000;

	if (context >= p.nr || p.hwid[context] == ~0ULL || offset % 0x1000 > 4 || host_irqs_on)
		host_die("plic model: access at 0x%lx, interrupts %s", (unsigned long)offset,
			 host_irqs_on ? "on" : "off");
	return context;
}

static unsigned int own_context(u64 offset)
{
	unsigned int context = some_context(offset);

	if (p.hwid[context] != cpus[smp_processor_id()].hwid)
		host_die("plic model: CPU %u uses context %u", smp_processor_id(), context);
	return context;
}

static u64 plic_read(void *priv, u64 offset, unsigned int size)
{
	u64 v = 0;

	(void)priv;
	if (size != 4)
		host_die("plic model: load of %u bytes", size);
	pthread_mutex_lock(&lock);
	if (offset && offset <= 4 * PLIC_SOURCES)
		v = p.source[offset / 4].priority;
	else if (offset >= 0x1000 && offset <= 0x1000 + PLIC_SOURCES / 8)
		for (unsigned int b = 0; b < 32; b++)
			v |= (u64)p.source[(offset - 0x1000) * 8 + b].pending << b;
	else if (offset >= 0x200000 && offset % 0x1000 == 0)
		v = p.threshold[own_context(offset)];
	else if (offset >= 0x200000)
		v = claim(own_context(offset));
	else
		host_die("plic model: load at 0x%lx", (unsigned long)offset);
	update();
	pthread_mutex_unlock(&lock);
	return v;
}

static void write_enable(u64 offset, u32 v)
{
	unsigned int context = offset / 0x80, word = offset % 0x80 / 4;

	if (context >= p.nr || word > PLIC_SOURCES / 32 || p.hwid[context] == ~0ULL)
		host_die("plic model: enable word %u of context %u", word, context);
	p.enable[context][word] = v & (word ? ~0U : ~1U);
}

static void plic_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("plic model: store of %u bytes", size);
	pthread_mutex_lock(&lock);
	if (offset && offset <= 4 * PLIC_SOURCES)
		p.source[offset / 4].priority = v & PRIORITIES;
	else if (offset >= 0x2000 && offset < 0x200000)
		write_enable(offset - 0x2000, v);
	else if (offset >= 0x200000 && offset % 0x1000 == 0)
		p.threshold[own_context(offset)] = v & PRIORITIES;
	else if (offset >= 0x200000)
		complete(some_context(offset), v);
	else
		host_die("plic model: store at 0x%lx", (unsigned long)offset);
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
unsigned int plic_model_ignored(void) { return p.ignored; }

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
