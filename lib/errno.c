/* The names of error numbers, for messages. */
#include <lib/errno.h>
#include <lib/types.h>

#define NAME(e) { e, #e }

static const struct {
	int number;
	const char *name;
} errors[] = {
	NAME(EPERM), NAME(ENOENT), NAME(EINTR), NAME(EIO), NAME(ENXIO), NAME(EAGAIN),
	NAME(ENOMEM), NAME(EBUSY), NAME(EEXIST), NAME(ENODEV), NAME(EINVAL), NAME(ENOSPC),
	NAME(ERANGE), NAME(ENOSYS), NAME(ENODATA), NAME(EPROTO), NAME(EOPNOTSUPP),
	NAME(ENOTCONN), NAME(ETIMEDOUT), NAME(ECANCELED), NAME(ENOTSUPP),
};

const char *errname(int err)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++)
		if (err == errors[i].number || err == -errors[i].number)
			return errors[i].name;
	return "E?";
}
