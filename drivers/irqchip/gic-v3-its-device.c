/*
 * ITS, devices and their events. A device is whoever sends under one DeviceID; it has a table of
 * its events (ITT), which the ITS alone reads and writes, and as many consecutive LPIs.
 * Manual: GICv3 architecture, 5.2.
 *
 *   events of device 0008    | 0 | 1 | 2 | 3 | … | 7 |     used: bits 0 to 4
 *   LPIs                      8192 …            8199       all eight are its own
 *
 * ITT and LPIs may be reused only when the ITS has let go of them. One that does not answer keeps
 * them, until a later command about this device gets through.
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define ITT_ALIGN	256UL

static unsigned int log2_up(u64 n)
{
	unsigned int bits = 0;

	while (BIT(bits) < n)
		bits++;
	return bits;
}

static struct its_device *its_device_find(struct its *its, u32 id)
{
	struct its_device *dev;

	list_for_each_entry(dev, &its->devices, link)
		if (dev->id == id)
			return dev;
	return NULL;
}

static void its_device_free(struct its_device *dev)
{
	kfree(dev->itt);
	kfree(dev->used);
	kfree(dev->event);
	gic_lpi_free(dev->first_lpi, dev->nr_events);
	kfree(dev);
}

/* Of 2^itt_bits entries: at least two, as MAPD cannot say less. (S-165) */
static int its_device_fill(struct its_device *dev)
{
	size_t size = (size_t)dev->its->itt_entry_size << dev->itt_bits;

	/* The heap aligns to whatever power of two divides the size. */
	dev->itt = kzalloc(ALIGN_UP(size, ITT_ALIGN));
	dev->used = kcalloc(BITS_TO_LONGS(dev->nr_events), sizeof(*dev->used));
	dev->event = kcalloc(dev->nr_events, sizeof(*dev->event));
	if (!dev->itt || !dev->used || !dev->event)
		return -ENOMEM;
	return its_table_reach(dev->its, dev->id);
}

static int its_device_create(struct its *its, u32 id, unsigned int wish, struct its_device **out)
{
	struct its_device *dev = kzalloc(sizeof(*dev));
	unsigned int nr;
	int ret;

	if (!dev)
		return -ENOMEM;
	wish = BIT(min(log2_up(wish), its->event_bits));
	nr = wish;
	ret = gic_lpi_alloc(&nr);
	if (ret < 0) {
		pr_err("%s: device %04x: no LPI is left, all %u are given", its->name, id,
		       gic.nr_lpis);
		kfree(dev);
		return ret;
	}
	if (nr < wish)
		pr_warn("%s: device %04x: %u LPIs instead of %u, as no more are left together",
			its->name, id, nr, wish);
	dev->its = its;
	dev->id = id;
	dev->first_lpi = ret;
	dev->nr_events = nr;
	dev->itt_bits = max(log2_up(nr), 1U);
	ret = its_device_fill(dev);
	if (ret) {
		its_device_free(dev);
		return ret;
	}
	list_add_tail(&dev->link, &its->devices);
	*out = dev;
	return 0;
}

/* Of events, only those are left that could not be discarded when their lines went. */
static int its_device_unmap(struct its_device *dev)
{
	int ret = 0;

	for (unsigned int event = 0; !ret && event < dev->nr_events; event++)
		if (dev->event[event].present)
			ret = its_send_discard(dev, event);
	return ret ?: its_send_mapd(dev, false);
}

/* With its last event. (S-166) */
static void its_device_put(struct its_device *dev)
{
	if (find_next_bit(dev->used, dev->nr_events, 0) < dev->nr_events)
		return;
	if (its_device_unmap(dev))
		return;
	list_del_init(&dev->link);
	its_device_free(dev);
}

/* Any NR of its events; of a device that is new or has few left. */
static int __attribute__((noinline)) search_events(struct its *its, u32 id, unsigned int wish,
						   unsigned int nr, struct its_device **out)
{
	struct its_device *dev = its_device_find(its, id);
	int ret = dev ? 0 : its_device_create(its, id, wish, &dev);
	unsigned int first;

	if (!ret && !dev->mapped)
		ret = its_send_mapd(dev, true);
	if (ret)
		return ret;
	first = bitmap_find_next_zero_area(dev->used, dev->nr_events, dev->lowest, nr,
					   BIT(log2_up(nr)));
	if (first >= dev->nr_events) {
		its_device_put(dev);
		return -ENOSPC;
	}
	bitmap_set(dev->used, first, nr);
	if (nr == 1)
		dev->lowest = first + 1;
	*out = dev;
	return first;
}

/* Nearly always one is wanted, and the lowest is free. */
int its_events_take(struct its *its, u32 id, unsigned int wish, unsigned int nr,
		    struct its_device **out)
{
	struct its_device *dev = its_device_find(its, id);
	unsigned int event;

	if (nr != 1 || !dev || !dev->mapped || dev->lowest >= dev->nr_events ||
	    test_bit(dev->lowest, dev->used))
		return search_events(its, id, wish, nr, out);
	event = dev->lowest++;
	__set_bit(event, dev->used);
	*out = dev;
	return event;
}

void its_events_give(struct its_device *dev, unsigned int first, unsigned int nr)
{
	bitmap_clear(dev->used, first, nr);
	dev->lowest = min(dev->lowest, first);
	its_device_put(dev);
}
