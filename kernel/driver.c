/*
 * Devices that the tree describes meet their drivers, and boot arguments.
 *
 * A driver registers with OF_DRIVER; each available node whose compatible list names one of the
 * driver's strings becomes a platform_device. A node's list goes from the most special name to the
 * most general, so its first name that a driver knows decides. [DT 2.3.1]
 *
 * Boot arguments are words in /chosen/bootargs: "name", "name=value" or name="any text", in which
 * \" and \\ stand for a quote and a backslash. [DT 3.6]
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <stdlib.h>
#include <string.h>

DECLARE_TABLE(of_driver, const struct of_driver);

static struct platform_device *platform_devices;

/* ---- Probing -------------------------------------------------------------------------------- */

static bool driver_knows(const struct of_driver *driver, const char *compatible)
{
	for (const char *const *name = driver->compatible; *name; name++)
		if (!strcmp(*name, compatible))
			return true;
	return false;
}

static const struct of_driver *find_driver(const struct device_node *np, enum probe_stage stage)
{
	int len;
	const char *name = of_get_property(np, "compatible", &len), *end = name + len;

	for (; name && name < end && memchr(name, '\0', end - name); name += strlen(name) + 1)
		for_each_table(pos, of_driver, const struct of_driver)
			if ((*pos)->stage == stage && driver_knows(*pos, name))
				return *pos;
	return NULL;
}

static bool already_bound(const struct device_node *np)
{
	for (struct platform_device *p = platform_devices; p; p = p->next)
		if (p->node == np)
			return true;
	return false;
}

static void bind(struct device_node *np, const struct of_driver *driver)
{
	struct platform_device *pdev = kzalloc(sizeof(*pdev));
	int err = -ENOMEM;

	if (pdev) {
		pdev->dev.name = np->name;
		pdev->dev.fwnode = &np->fwnode;
		pdev->node = np;
		pdev->driver = driver;
		pdev->next = platform_devices;
		err = driver->probe(pdev);
	}
	if (!err) {
		platform_devices = pdev;
		return;
	}
	pr_err("%s: %s: does not start: %s", driver->name, np->fwnode.name, errname(err));
	kfree(pdev);
}

void of_probe_drivers(enum probe_stage stage)
{
	struct device_node *np;

	for_each_of_node(np) {
		const struct of_driver *driver = np->available ? find_driver(np, stage) : NULL;

		if (driver && !already_bound(np))
			bind(np, driver);
	}
}

/* ---- Coming and going ----------------------------------------------------------------------- */

static struct mutex devices_mutex = MUTEX_INIT(devices_mutex);

void devices_lock(void)
{
	mutex_lock(&devices_mutex);
}

void devices_unlock(void)
{
	mutex_unlock(&devices_mutex);
}

int platform_get_irq(struct platform_device *pdev, unsigned int index)
{
	int irq = of_irq_get(pdev->node, index);

	return WARN_ON(!irq) ? -EINVAL : irq;
}

int platform_get_irq_byname(struct platform_device *pdev, const char *name)
{
	int irq = of_irq_get_byname(pdev->node, name);

	return irq < 0 ? -ENXIO : WARN_ON(!irq) ? -EINVAL : irq;
}

/* ---- Boot arguments ------------------------------------------------------------------------- */

/* Copies the value at P into BUF (NULL: nowhere) without its quotes and escapes; cut to fit.
 * Returns the first character behind it. */
static const char *copy_value(const char *p, char *buf, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	for (; *p && (quoted || *p != ' '); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (buf && n + 1 < size)
			buf[n++] = *p;
	}
	if (buf && size)
		buf[n] = '\0';
	return p;
}

bool boot_arg(const char *name, char *buf, size_t size)
{
	const char *p = of_boot_args();
	size_t len = strlen(name);

	while (p && *p) {
		bool mine = !strncmp(p, name, len);

		if (mine && p[len] == '=') {
			copy_value(p + len + 1, buf, size);
			return true;
		}
		if (mine && (p[len] == ' ' || !p[len])) {
			copy_value("", buf, size);
			return true;
		}
		p = copy_value(p, NULL, 0);
		p += strspn(p, " ");
	}
	return false;
}

u64 boot_arg_u64(const char *name, u64 fallback)
{
	char text[32], *end;
	u64 value;

	if (!boot_arg(name, text, sizeof(text)))
		return fallback;
	value = strtoull(text, &end, 0);
	if (*text && !*end)
		return value;
	pr_err("boot argument %s=%s is not a number; using %llu", name, text,
	       (unsigned long long)fallback);
	return fallback;
}
