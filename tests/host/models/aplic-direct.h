/*
 * An APLIC's supervisor domain in direct delivery mode [AIA 4.5, 4.7, 4.8], at APLIC_BASE with
 * APLIC_SOURCES sources. Violations: a register, source or IDC that is not there; an IDC of another
 * hart or with interrupts on; a target that is no hart, or with priority 0; anything asked of an
 * inactive source; enabling before the target is set; another mode while enabled; a level's pending
 * bit written.
 */
#ifndef TESTS_HOST_MODELS_APLIC_DIRECT_H
#define TESTS_HOST_MODELS_APLIC_DIRECT_H

#include "models/imsic.h"

/* Hart index n of NR is the hart with hardware id HWID[n]. LIKE_QEMU: the pending bit of a level is
 * set when the wire rises and follows it only at a claim. */
void aplic_direct_model(bool like_qemu, unsigned int nr, const u64 *hwid);
void aplic_direct_wire(unsigned int source, bool level);

u32 aplic_direct_mode(unsigned int source);
u32 aplic_direct_target(unsigned int source);
bool aplic_direct_enabled(unsigned int source);
bool aplic_direct_pending(unsigned int source);
bool aplic_direct_delivers(unsigned int hart);
u32 aplic_direct_threshold(unsigned int hart);
/* As if somebody had written the registers. */
void aplic_direct_set_up(unsigned int source, u32 mode, u32 target, bool enabled);
void aplic_direct_force(unsigned int hart);

#endif
