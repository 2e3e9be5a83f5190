// The functions of one digest alone: OpenSSL's general ones read a configuration file of the host.
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>
