/*
 * A device without a bus that sends messages: it stores, for message N, the data that the kernel
 * wrote to it at the address that the kernel wrote to it.
 */
#ifndef TESTS_HOST_SENDER_H
#define TESTS_HOST_SENDER_H

#include <kernel/device.h>
#include <kernel/interrupt.h>
#include <kernel/msi.h>

#define SENDER_MESSAGES	1100

extern struct sender {
	struct device dev;
	struct msi_msg msg[SENDER_MESSAGES];	/* its registers */
	unsigned int runs[SENDER_MESSAGES];	/* of each message's handler */
	unsigned int ran_on;
} sender;

/* With room for NR messages below PARENT, as a PCI device's MSI-X or, in blocks, MSI; memory is
 * where it sees it DMA_OFFSET higher than the CPU does. False: there was no memory for it. */
bool sender_create(struct irq_domain *parent, enum irq_domain_bus_token token, unsigned int nr,
		   u64 dma_offset);
void sender_remove(void);
/* The irq of message N, from now on; or an errno. */
int sender_alloc(unsigned int n);
/* The same, requested for a handler that counts. */
unsigned int sender_line(unsigned int n);
void sender_send(unsigned int n);

#endif
