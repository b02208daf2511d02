/* What newlib's configure would find out about the machine; newlib's headers include it. */
#ifndef __NEWLIB_H__
#define __NEWLIB_H__ 1

#include <_newlib_version.h>

/* Keeps GCC from turning the loop in memset into a call of memset. */
#define _HAVE_CC_INHIBIT_LOOP_TO_LIBCALL 1
#define _HAVE_INITFINI_ARRAY 1
#define _HAVE_LONG_DOUBLE 1
#define _LDBL_EQ_DBL_X 0
#define _LITE_EXIT 1
#define _MB_LEN_MAX 1
#define _REENT_GLOBAL_ATEXIT 1
#define _WANT_IO_C99_FORMATS 1
#define _WANT_IO_LONG_LONG 1
#define _WANT_REENT_SMALL 1

#endif
