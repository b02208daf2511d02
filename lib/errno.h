/*
 * Error numbers, with Linux's values: newlib's differ (ENOSYS is 88 there), and a number that a
 * reader meets here must mean the same in Linux. Functions return 0 or a negative one of these.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#define EPERM		1
#define ENOENT		2
#define EINTR		4
#define EIO		5
#define ENXIO		6
#define EAGAIN		11
#define ENOMEM		12
#define EBUSY		16
#define EEXIST		17
#define ENODEV		19
#define EINVAL		22
#define ENOSPC		28
#define ERANGE		34
#define ENOSYS		38
#define ENODATA		61
#define EPROTO		71
#define EOPNOTSUPP	95
#define ENOTCONN	107
#define ETIMEDOUT	110
#define ECANCELED	125
#define ENOTSUPP	524	/* Linux-internal: this object cannot do that kind of thing */

/* Returns "ENOMEM" for 12 or -12; "E?" for a number not listed above. Any context. */
const char *errname(int err);

#endif
