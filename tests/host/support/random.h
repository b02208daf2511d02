/* For tests that act at random: a run can be repeated, and be made longer. */
#ifndef TESTS_HOST_RANDOM_H
#define TESTS_HOST_RANDOM_H

#include <lib/types.h>

/* SEED of the environment, or the time; the same for the whole program, which prints it. */
u64 random_seed(void);
/* How often: N, or AT_LENGTH in make soak. */
unsigned int soak(unsigned int n, unsigned int at_length);

#endif
