#define _NEWLIB_VERSION "4.5.0"
#define __NEWLIB__ 4
#define __NEWLIB_MINOR__ 5
#define __NEWLIB_PATCHLEVEL__ 0
