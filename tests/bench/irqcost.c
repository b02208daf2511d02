/*
 * A QEMU TCG plugin that counts the guest's instructions round its interrupts. QEMU shows it every
 * instruction once, when it translates; there it hangs a counter on each one, and a function on the
 * few that matter. So counts are exact, and do not depend on how fast the host is.
 *
 *	vec ... entry, dispatch, flow ... handler=  ...  return address ... epilogues ... sret/eret
 *	|------------ before ------------|  not counted  |-------------- after --------------------|
 *
 * Arguments: out=FILE, the records; kernel=, the lowest address that counts; skip=FROM:TO, addresses
 * that do not; vec=, handler=, call=, extra=, switch=, begin= addresses. All in hex, joined by `:'.
 * Records, a line each, numbers of instructions:
 *
 *	irq CPU HANDLER BEFORE AFTER EXTRA      EXTRA: the trap has had another handler as well, or
 *	                                        something of extra=, such as a switch of threads
 *	call CPU FUNCTION RETURN COUNT          one call of that function, interrupts not counted
 *	first HANDLER COUNT                     of all CPUs from begin= to that handler's first run
 *
 * The plugin interface is declared here, so that no QEMU header is needed: version 4, which QEMU
 * 9.2 to 10.x offer (docs/devel/tcg-plugins of QEMU).
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What QEMU offers ----------------------------------------------------------------------- */

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 4;

typedef uint64_t plugin_id;
struct tb;
struct insn;
struct scoreboard;			/* memory that each CPU has for itself */
struct reg;
typedef struct { struct scoreboard *score; size_t offset; } plugin_u64;
typedef struct { struct reg *handle; const char *name, *feature; } reg_descriptor;
typedef struct { char *data; unsigned int len; } byte_array;	/* GLib's */
typedef struct { void *data; unsigned int len; } array;
typedef void (*exec_fn)(unsigned int cpu, void *arg);
struct info {
	const char *target_name;
	struct { int min, cur; } version;
	bool system_emulation;
};
enum { CB_NO_REGS, CB_READ_REGS };
enum { COND_NE = 3 };
enum { INLINE_ADD = 0 };

void qemu_plugin_register_vcpu_init_cb(plugin_id id, void (*fn)(plugin_id id, unsigned int cpu));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*fn)(plugin_id id, struct tb *tb));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*fn)(plugin_id id, void *arg), void *arg);
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t n);
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn);
size_t qemu_plugin_insn_data(const struct insn *insn, void *buf, size_t size);
void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *insn, exec_fn fn, int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_cond_cb(struct insn *insn, exec_fn fn, int flags, int cond,
						 plugin_u64 value, uint64_t than, void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct insn *insn, int op,
							 plugin_u64 value, uint64_t by);
struct scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct scoreboard *score, unsigned int cpu);
uint64_t qemu_plugin_u64_sum(plugin_u64 value);
array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct reg *handle, byte_array *buf);
byte_array *g_byte_array_new(void);
byte_array *g_byte_array_set_size(byte_array *buf, unsigned int size);
char *g_array_free(array *array, int segment);

/* ---- What each CPU is doing ----------------------------------------------------------------- */

#define MAX_CALLS 8

struct call {
	uint64_t function, return_to, began;
};

struct cpu {
	uint64_t count;			/* instructions, this one included */
	uint64_t in_trap;		/* how often something below is to be told of what comes */
	uint64_t awaiting;		/* not 0: a handler or a measured function is to return */
	uint64_t vector_at, handler, handler_returns_to, before, returned_at;
	uint64_t handlers, extra;
	uint64_t trapped;		/* instructions in traps that are over */
	struct call call[MAX_CALLS];
	uint64_t calls;
	struct reg *return_register;
	byte_array *buf;
};

static struct scoreboard *score;
static plugin_u64 all_counts;
static FILE *out;
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t began;			/* instructions of all CPUs at begin= */
static uint64_t kernel;			/* instructions below this are firmware's: not counted */
static uint64_t skip_from, skip_to;	/* nor are these: waiting lasts as the host likes */
static bool is_riscv;

static struct cpu *cpu_of(unsigned int cpu)
{
	return qemu_plugin_scoreboard_find(score, cpu);
}

static uint64_t return_address(struct cpu *c)
{
	uint64_t value = 0;

	g_byte_array_set_size(c->buf, 0);
	if (qemu_plugin_read_register(c->return_register, c->buf) == sizeof(value))
		memcpy(&value, c->buf->data, sizeof(value));
	return value;
}

#define RECORD(...) do {			\
	pthread_mutex_lock(&out_lock);		\
	fprintf(out, __VA_ARGS__);		\
	pthread_mutex_unlock(&out_lock);	\
} while (0)

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void at_vector(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);

	(void)arg;
	c->vector_at = c->count;
	c->in_trap = 1;
	c->handlers = c->extra = c->handler_returns_to = c->returned_at = 0;
}

static void at_handler(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);
	bool *seen = (bool *)((uint64_t *)arg + 1);

	if (!*seen) {
		*seen = true;
		RECORD("first %llx %llu\n", *(unsigned long long *)arg,
		       (unsigned long long)(qemu_plugin_u64_sum(all_counts) - began));
	}
	if (!c->in_trap || c->handlers++)
		return;
	c->handler = *(uint64_t *)arg;
	c->before = c->count - c->vector_at;
	c->handler_returns_to = return_address(c);
	c->awaiting++;
}

static void at_extra(unsigned int cpu, void *arg)
{
	(void)arg;
	cpu_of(cpu)->extra = 1;
}

static void leave_trap(struct cpu *c)
{
	c->trapped += c->count - c->vector_at + 1;
	c->in_trap = 0;
}

/* Another thread goes on, which may have been left outside of any trap. */
static void at_switch(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);

	(void)arg;
	if (c->in_trap)
		leave_trap(c);
}

static void at_trap_return(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);

	(void)arg;
	if (c->returned_at)
		RECORD("irq %u %llx %llu %llu %d\n", cpu, (unsigned long long)c->handler,
		       (unsigned long long)c->before,
		       (unsigned long long)(c->count - c->returned_at + 1),
		       c->extra || c->handlers > 1);
	leave_trap(c);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void at_call(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);

	if (c->in_trap || c->calls == MAX_CALLS)
		return;
	c->call[c->calls++] = (struct call){
		.function = *(uint64_t *)arg, .return_to = return_address(c),
		.began = c->count - c->trapped,
	};
	c->awaiting++;
}

/* The newest one that returns to PC, if there is one: threads may have been switched meanwhile. */
static void call_returned(unsigned int cpu, struct cpu *c, uint64_t pc)
{
	for (uint64_t n = c->calls; n--;) {
		struct call call = c->call[n];

		if (call.return_to != pc)
			continue;
		RECORD("call %u %llx %llx %llu\n", cpu, (unsigned long long)call.function,
		       (unsigned long long)pc,
		       (unsigned long long)(c->count - c->trapped - call.began));
		c->call[n] = c->call[--c->calls];
		c->awaiting--;
		return;
	}
}

/* A function returns to where a block of instructions begins, as its call has ended one. */
static void at_block(unsigned int cpu, void *arg)
{
	struct cpu *c = cpu_of(cpu);
	uint64_t pc = *(uint64_t *)arg;

	if (c->in_trap && c->handler_returns_to == pc && c->handlers && !c->returned_at) {
		c->returned_at = c->count;
		c->awaiting--;
	} else if (!c->in_trap) {
		call_returned(cpu, c, pc);
	}
}

static void at_begin(unsigned int cpu, void *arg)
{
	(void)cpu, (void)arg;
	began = qemu_plugin_u64_sum(all_counts);
}

/* ---- Translation ---------------------------------------------------------------------------- */

#define MAX_ADDRESSES 32

/* The address comes first: it is what the functions above are given. */
struct address {
	uint64_t pc;
	bool seen;
};

static struct list {
	const char *name;
	exec_fn fn;
	int flags;
	struct address address[MAX_ADDRESSES];
	unsigned int nr;
} lists[] = {
	{ .name = "vec=", .fn = at_vector },
	{ .name = "handler=", .fn = at_handler, .flags = CB_READ_REGS },
	{ .name = "call=", .fn = at_call, .flags = CB_READ_REGS },
	{ .name = "extra=", .fn = at_extra },
	{ .name = "switch=", .fn = at_switch },
	{ .name = "begin=", .fn = at_begin },
};

#define for_each_list(list) \
	for (list = lists; list < lists + sizeof(lists) / sizeof(*lists); list++)

static bool is_trap_return(const struct insn *insn)
{
	uint32_t word = 0;

	qemu_plugin_insn_data(insn, &word, sizeof(word));
	return word == (is_riscv ? 0x10200073 : 0xd69f03e0);	/* sret, eret */
}

static void watch_insn(struct insn *insn, uint64_t *pc, bool first)
{
	plugin_u64 count = { score, offsetof(struct cpu, count) };
	plugin_u64 in_trap = { score, offsetof(struct cpu, in_trap) };
	plugin_u64 awaiting = { score, offsetof(struct cpu, awaiting) };
	struct list *list;

	if (*pc >= kernel && (*pc < skip_from || *pc >= skip_to))
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD, count, 1);
	if (first)
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, at_block, CB_NO_REGS, COND_NE,
							    awaiting, 0, pc);
	for_each_list(list)
		for (unsigned int i = 0; i < list->nr; i++)
			if (list->address[i].pc == *pc)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, list->fn, list->flags,
								       &list->address[i]);
	if (is_trap_return(insn))
		qemu_plugin_register_vcpu_insn_exec_cond_cb(insn, at_trap_return, CB_NO_REGS,
							    COND_NE, in_trap, 0, NULL);
}

static void translate(plugin_id id, struct tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn), *kept = &pc;

		if (!i) {		/* QEMU hands it back until it ends */
			kept = malloc(sizeof(pc));
			*kept = pc;
		}
		watch_insn(insn, kept, !i);
	}
}

/* ---- Start and end -------------------------------------------------------------------------- */

static void cpu_starts(plugin_id id, unsigned int cpu)
{
	array *regs = qemu_plugin_get_registers();
	struct cpu *c = cpu_of(cpu);

	(void)id;
	c->buf = g_byte_array_new();
	for (unsigned int i = 0; i < regs->len; i++) {
		const reg_descriptor *reg = (const reg_descriptor *)regs->data + i;

		if (!strcmp(reg->name, is_riscv ? "ra" : "x30"))
			c->return_register = reg->handle;
	}
	g_array_free(regs, true);
}

static void finish(plugin_id id, void *arg)
{
	(void)id, (void)arg;
	fclose(out);
}

static bool take_argument(const char *text)
{
	struct list *list;

	if (!strncmp(text, "out=", 4))
		return (out = fopen(text + 4, "w"));
	if (!strncmp(text, "kernel=", 7))
		return (kernel = strtoull(text + 7, NULL, 16));
	if (!strncmp(text, "skip=", 5)) {
		char *p;

		skip_from = strtoull(text + 5, &p, 16);
		return (skip_to = strtoull(p + 1, NULL, 16));
	}
	for_each_list(list) {
		char *p = (char *)text + strlen(list->name);

		if (strncmp(text, list->name, strlen(list->name)))
			continue;
		do {
			list->address[list->nr++].pc = strtoull(p, &p, 16);
		} while (*p++ == ':' && list->nr < MAX_ADDRESSES);
		return true;
	}
	return false;
}

EXPORT int qemu_plugin_install(plugin_id id, const struct info *info, int argc, char **argv)
{
	is_riscv = !strncmp(info->target_name, "riscv", 5);
	for (int i = 0; i < argc; i++) {
		if (!take_argument(argv[i])) {
			fprintf(stderr, "irqcost: cannot use %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "irqcost: out= is missing\n");
		return -1;
	}
	score = qemu_plugin_scoreboard_new(sizeof(struct cpu));
	all_counts = (plugin_u64){ score, offsetof(struct cpu, count) };
	qemu_plugin_register_vcpu_init_cb(id, cpu_starts);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
