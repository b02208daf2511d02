/* A device that sends messages: see sender.h. */
#include <kernel/smp.h>
#include <pthread.h>
#include "model.h"
#include "support/rec.h"
#include "support/sender.h"

struct sender sender;

/* A message on its way arrives before its row is read back: what changes the row waits for it. */
static pthread_mutex_t bus = PTHREAD_MUTEX_INITIALIZER;

static void write_msg(struct irq_data *d, struct msi_msg *msg)
{
	if (d->hwirq < SENDER_MESSAGES) {
		pthread_mutex_lock(&bus);
		sender.msg[d->hwirq] = *msg;
		pthread_mutex_unlock(&bus);
	}
	irq_data_get_msi_desc(d)->msg = *msg;
}

bool sender_create(struct irq_domain *parent, enum irq_domain_bus_token token, unsigned int nr,
		   u64 dma_offset)
{
	unsigned int more = token == DOMAIN_BUS_PCI_DEVICE_MSI ? MSI_FLAG_MULTI_PCI_MSI : 0;
	const struct msi_domain_template tmpl = {
		.name = "TEST",
		.chip = { .name = "test-msi", .irq_write_msi_msg = write_msg },
		.info = { .bus_token = token,
			  .flags = MSI_FLAG_FREE_MSI_DESCS | MSI_FLAG_ACTIVATE_EARLY |
				   MSI_FLAG_USE_DEF_CHIP_OPS | more },
	};

	assert_non_null(parent);
	sender = (struct sender){ .dev = { .name = "dev", .dma_offset = dma_offset,
					   .msi.domain = parent } };
	return msi_create_device_irq_domain(&sender.dev, MSI_DEFAULT_DOMAIN, &tmpl, nr, NULL, NULL);
}

void sender_remove(void)
{
	msi_domain_free_irqs_all(&sender.dev, MSI_DEFAULT_DOMAIN);
	msi_remove_device_irq_domain(&sender.dev, MSI_DEFAULT_DOMAIN);
}

int sender_alloc(unsigned int n)
{
	struct msi_map map = msi_domain_alloc_irq_at(&sender.dev, MSI_DEFAULT_DOMAIN, n, NULL,
						     NULL);

	return map.virq ? map.virq : map.index;
}

static irqreturn_t count(int irq, void *n)
{
	(void)irq;
	__atomic_fetch_add(&sender.runs[(unsigned long)n], 1, __ATOMIC_RELAXED);
	sender.ran_on = smp_processor_id();
	return IRQ_HANDLED;
}

unsigned int sender_line(unsigned int n)
{
	int irq = sender_alloc(n);

	assert_true(irq > 0);
	sender.runs[n] = 0;
	assert_int_equal(request_irq(irq, count, 0, "dev", (void *)(unsigned long)n), 0);
	return irq;
}

void sender_send(unsigned int n)
{
	const struct msi_msg *msg = &sender.msg[n];

	pthread_mutex_lock(&bus);
	host_bus_write(msi_msg_address(msg) - sender.dev.dma_offset, msg->data, 4);
	pthread_mutex_unlock(&bus);
}
