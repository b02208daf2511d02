/*
 * A PL061 GPIO controller [PL061 3.3]. Violations: an access that the manual does not define; a
 * change of what a line detects while its interrupt is on, or the interrupt turned on with what
 * that change has latched, or of an output; an output driven from outside.
 */
#ifndef TESTS_HOST_MODELS_PL061_H
#define TESTS_HOST_MODELS_PL061_H

#include "model.h"

#define PL061_BASE	0x09030000

/* Registers at PL061_BASE; OUT is told whenever the interrupt line changes. LATCH_LEVELS: a level
 * stays in the raw status until it is cleared, as in QEMU; else it follows the line. */
void pl061_model(bool latch_levels, void (*out)(bool level));
void pl061_model_line(unsigned int line, bool level);
/* A register as it is, without an access. */
u32 pl061_model_reg(u64 offset);
/* Makes lines outputs, as firmware might have left them. */
void pl061_model_set_dir(u32 dir);

#endif
