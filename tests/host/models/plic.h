/*
 * A PLIC [PLIC 1, 4 … 9]. Violations: an access that the manual does not define, of a source or
 * context that is not there, or of another hart's context; a completion where it is ignored, of
 * what is not claimed, or elsewhere than claimed; a context used with interrupts on.
 */
#ifndef TESTS_HOST_MODELS_PLIC_H
#define TESTS_HOST_MODELS_PLIC_H

#include "model.h"

#define PLIC_BASE	0x0c000000
#define PLIC_SIZE	0x600000
#define PLIC_SOURCES	95

enum plic_kind {
	PLIC_BY_THE_BOOK,	/* a level that is high at its completion comes again */
	PLIC_LIKE_QEMU,		/* ... does not; enable bits count from the next other access on */
};

/* Context n of NR is the S-mode of the hart with hardware id HWID[n]; ~0: of somebody else. */
void plic_model(enum plic_kind kind, unsigned int nr, const u64 *hwid);
void plic_model_wire(unsigned int source, bool level);
/* From now on an edge starts it, and one that comes before the completion is lost. [PLIC 1.2] */
void plic_model_edge(unsigned int source);

u32 plic_model_priority(unsigned int source);
u32 plic_model_threshold(unsigned int context);
bool plic_model_enabled(unsigned int context, unsigned int source);
/* The only context in which it is enabled; -1: none; -2: several. */
int plic_model_context_of(unsigned int source);
bool plic_model_claimed(unsigned int source);
/* As if somebody had written the register: bits that the driver has not set. */
void plic_model_set_enabled(unsigned int context, unsigned int source);
void plic_model_set_priority(unsigned int source, u32 priority);
void plic_model_notify(unsigned int context);	/* without anything to claim */

#endif
