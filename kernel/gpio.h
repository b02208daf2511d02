/*
 * GPIO lines as inputs: a controller registers its lines, a device of the tree finds the ones that
 * its "gpios" property names. (Linux: <linux/gpio/driver.h>, <linux/gpio/consumer.h>)
 */
#ifndef KERNEL_GPIO_H
#define KERNEL_GPIO_H

#include <kernel/irqdomain.h>

struct device_node;

struct gpio_chip {
	const char *label;		/* "pl061@9030000" */
	struct fwnode_handle *fwnode;
	unsigned int ngpio;
	struct irq_domain *domain;	/* whose hwirq n is line n; NULL: no interrupts */
	/* 0 or 1, as it is on the wire. Any context. */
	int (*get)(struct gpio_chip *chip, unsigned int line);
	/* 0 or a negative errno. Thread context. */
	int (*direction_input)(struct gpio_chip *chip, unsigned int line);
	struct gpio_chip *next;
};

/* A line as its user sees it. */
struct gpio_desc {
	struct gpio_chip *chip;
	unsigned int line;
	bool active_low;
};

/* Boot thread. A removed chip has no users left. */
void gpiochip_add(struct gpio_chip *chip);
void gpiochip_remove(struct gpio_chip *chip);
/* All chips, oldest first: PREV NULL gives the first; NULL at the end. */
struct gpio_chip *gpiochip_next(struct gpio_chip *prev);

/* Entry INDEX of property LIST ("gpios"): 0; -ENOENT if it has none such; -EINVAL, with a message,
 * for malformed entries and lines that do not exist; -ENODEV, with a message, if the controller
 * has no driver. (Linux: of_get_named_gpiod) */
int of_get_named_gpiod(struct device_node *np, const char *list, unsigned int index,
		       struct gpio_desc *out);
/* 1: active. Any context. */
int gpiod_get_value(const struct gpio_desc *gpio);
int gpiod_direction_input(const struct gpio_desc *gpio);
/* The line's irq, mapped if need be: > 0, or -ENXIO. Thread context. */
int gpiod_to_irq(const struct gpio_desc *gpio);

/* Keys are only counted while this is on: `gpio watch`. Any context. */
bool gpio_watched(void);
void gpio_watch(bool on);

#endif
