/* address: what may be connected to with --deny-private. Pure. */
#ifndef QUERN_SOURCE_ADDRESS_H
#define QUERN_SOURCE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether the address is not globally reachable: loopback, private, link-local, of
 * documentation, ...; also when it is written inside an IPv6 one. */
bool address_is_private(const struct sockaddr *address);

#endif
