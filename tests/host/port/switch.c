/*
 * Kernel threads as coroutines of the OS thread that acts as their CPU, and the switch between
 * them, which AddressSanitizer must be told of. The first time a coroutine is entered by
 * setcontext(), later by a jump, which costs no system call.
 *
 *	kernel thread	a stack of its own; its context lies at the upper end of it
 *	flow		an OS thread of the program: the struct thread and the context are its
 *			thread-local variables, the stack is its own
 */
#include <string.h>
#include "switch.h"

__thread struct cpu *host_cpu = &cpus[0];
__thread bool host_irqs_on = true;

/* Who was left for whom; both sides of a switch are on one OS thread. */
static __thread struct thread *left;

/* Not inlined: a coroutine may go on on another OS thread, where `left' has another address. */
static __attribute__((noinline)) struct thread *arrive(struct host_context *ctx)
{
	struct host_context *from = left->arch_private;

	if (__sanitizer_finish_switch_fiber)
		__sanitizer_finish_switch_fiber(ctx->fake_stack, &from->bottom, &from->size);
	return left;
}

static void first_run(unsigned int hi, unsigned int lo)
{
	struct host_context *ctx = (void *)((unsigned long)hi << 32 | lo);

	thread_entry(arrive(ctx));
}

void arch_thread_init(struct thread *thread)
{
	char *end = (char *)thread->stack + HOST_STACK_SIZE;
	struct host_context *ctx = (void *)ALIGN_DOWN((unsigned long)end - sizeof(*ctx), 64UL);

	if (__asan_unpoison_memory_region)	/* after frames that were given up */
		__asan_unpoison_memory_region(thread->stack, HOST_STACK_SIZE);
	memset(ctx, 0, sizeof(*ctx));
	ctx->bottom = (char *)thread->stack + 64;
	ctx->size = (char *)ctx - (char *)ctx->bottom;
	ctx->fresh = true;
	getcontext(&ctx->start);
	ctx->start.uc_stack.ss_sp = (void *)ctx->bottom;
	ctx->start.uc_stack.ss_size = ctx->size;
	makecontext(&ctx->start, (void (*)(void))first_run, 2,
		    (unsigned int)((unsigned long)ctx >> 32), (unsigned int)(unsigned long)ctx);
	thread->arch_private = ctx;
}

/* Never inlined: __builtin_longjmp() may not meet its __builtin_setjmp() in one function. */
static __attribute__((noinline)) void enter(struct host_context *to)
{
	if (!to->fresh)
		__builtin_longjmp(to->jump, 1);
	to->fresh = false;
	setcontext(&to->start);
}

struct thread *arch_switch(struct thread *prev, struct thread *next)
{
	struct host_context *from = prev->arch_private, *to = next->arch_private;

	left = prev;
	if (__tsan_switch_to_fiber) {
		if (!from->tsan)
			from->tsan = __tsan_get_current_fiber();
		if (!to->tsan)
			to->tsan = __tsan_create_fiber(0);
		__tsan_switch_to_fiber(to->tsan, 0);
	}
	if (__sanitizer_start_switch_fiber)
		__sanitizer_start_switch_fiber(prev->state == THREAD_DEAD ? NULL : &from->fake_stack,
					       to->bottom, to->size);
	if (!__builtin_setjmp(from->jump))
		enter(to);
	return arrive(from);
}
