#include <host.h>
int main(void) { host_init(2); return 0; }
