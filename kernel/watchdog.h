/*
 * Two watchdogs. Boot: if it is not done in time, says what boot was waiting for. Running: each
 * CPU looks whether its neighbour still takes timer interrupts. Both end with arch_exit(3).
 */
#ifndef KERNEL_WATCHDOG_H
#define KERNEL_WATCHDOG_H

#include <lib/types.h>

/* What boot does now, for the message; a string that lives for ever. Any context. */
void boot_step(const char *what);
extern const char *boot_step_now;
/* Starts the boot watchdog (after the clock) / says that boot is done. Boot thread. */
void watchdog_init(void);
void watchdog_boot_done(void);

#endif
